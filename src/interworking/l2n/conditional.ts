import { createHash } from 'node:crypto';
import type { Dm2Command } from '../../dm2/packages.ts';
import { type KnownDocument, MOST_KEPT } from '../kept.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { expandFor, type Fetched, fetchDocument } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { readContents } from './documents.ts';

type Hget = Extract<Dm2Command, { verb: 'HGET' }>;
type Place = KnownDocument['places'][number];

/** Longest ETag that is kept: real ones are hashes. */
const LONGEST_ETAG = 256;

/**
 * Fetches the document of an HGET; with If-None-Match where the device still has what this very document
 * made of it (IW-HGET-1). `unchanged` are its places then: there is nothing to write.
 */
export function* fetchIfChanged(
  s: Session,
  device: LegacyDevice,
  command: Hget,
): Script<Fetched | { readonly unchanged: readonly Place[] }> {
  const url = yield* expandFor(s, command.serverUri);
  if (url === undefined) return { ok: false, sc: 400 };
  const key = keyOf(url, command.clientUri);
  const known = s.kept('documents').get(key);
  const valid = known && (yield* stillThere(s, device, known.places)) ? known : undefined;
  const fetched = yield* fetchDocument(s, url, valid?.etag);
  if (valid && !fetched.ok && fetched.sc === 304) return { unchanged: valid.places };
  if (!fetched.ok && fetched.sc === 304) {
    yield* s.note('IW-HGET-1', 'The repository answered 304 to a fetch without condition; reported as 500.');
    return { ok: false, sc: 500 };
  }
  if (known) s.keep('documents', key, undefined);
  return fetched;
}

/** Remembers what a document made of the device, so that the next fetch of it can be conditional. */
export function* rememberDocument(
  s: Session,
  command: Hget,
  etag: string | undefined,
  places: readonly Place[],
): Script<void> {
  if (etag === undefined || etag.length > LONGEST_ETAG) return;
  const url = yield* expandFor(s, command.serverUri);
  if (url === undefined) return;
  const [oldest] = s.kept('documents').keys();
  if (oldest !== undefined && s.kept('documents').size >= MOST_KEPT) s.keep('documents', oldest, undefined);
  s.keep('documents', keyOf(url, command.clientUri), { etag, places });
}

function* stillThere(s: Session, device: LegacyDevice, places: readonly Place[]): Script<boolean> {
  const contents = yield* readContents(
    s,
    device,
    places.map(({ uri }) => [uri]),
  );
  return places.every(({ validator }, i) => {
    const [content] = contents[i]!;
    return content?.ok === true && content.items.length === 1 && content.items[0]!.validator === validator;
  });
}

/** URLs may hold tokens, so only their digest is kept. */
function keyOf(url: string, clientUri: string | undefined): string {
  return createHash('sha256')
    .update(`${url}\n${clientUri ?? ''}`)
    .digest('hex')
    .slice(0, 32);
}

import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { sendDocument } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { type Content, type ReadItem, readContents } from './documents.ts';

export type ReadCommand = Extract<Dm2Command, { verb: 'GET' | 'HPUT' | 'HPOST' }>;

/**
 * Consecutive GET, HPUT and HPOST (IW-GET-1 to -3, IW-HPUT-1): all their nodes are read in one batch. 200
 * only if every address of a command was read, else its first failing code.
 */
export function* runReads(
  s: Session,
  device: LegacyDevice,
  commands: readonly ReadCommand[],
  accept: string | undefined,
): Script<StatusItem[]> {
  const contents = yield* readContents(
    s,
    device,
    commands.map(({ clientUris }) => clientUris),
  );
  const items: StatusItem[] = [];
  for (const [i, command] of commands.entries()) {
    items.push(yield* finish(s, command, contents[i]!, accept));
  }
  return items;
}

function* finish(
  s: Session,
  command: ReadCommand,
  contents: readonly Content[],
  accept: string | undefined,
): Script<StatusItem> {
  const sent: ReadItem[] = [];
  let unchanged = 0;
  for (const content of contents) {
    if (!content.ok) return { sc: content.sc };
    const { uri, items } = content;
    const same = uri.cv !== undefined && items.every(({ validator }) => validator === uri.cv);
    if (same) unchanged++;
    else sent.push(...items);
  }
  if (sent.length === 0 && unchanged > 0) return { sc: 304 };
  if (command.verb === 'GET') return { sc: 200, MO: sent.map(({ item }) => item) };
  const method = command.verb === 'HPUT' ? 'PUT' : 'POST';
  const [only, ...others] = sent;
  const leaf = others.length === 0 ? only?.leaf : undefined;
  const items = sent.map(({ item }) => item);
  return { sc: yield* sendDocument(s, method, command.serverUri, { items, leaf }, accept) };
}

import { createHash } from 'node:crypto';
import { chooseType } from '../../dm2/mediaTypes.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { MOST_KEPT, type Subscription } from '../kept.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { checkServerUri, expandFor, SERIALIZATION_TYPES, sendBody } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { type Content, readContents } from './documents.ts';

type Sub = Extract<Dm2Command, { verb: 'SUB' }>;

/** Of a part of which nothing is left. */
const ABSENT = 'absent';

/**
 * SUB on a legacy device (IW-SUB-1): remembers what stands there now. 400 for what is no address, 404 for
 * an address that names nothing, 413 when the device has too many subscriptions.
 */
export function* subscribe(s: Session, device: LegacyDevice, command: Sub): Script<StatusItem> {
  const { serverUri, clientUri } = command;
  const known = s.kept('subscriptions');
  if (!known.has(clientUri) && known.size >= MOST_KEPT) {
    yield* s.note('IW-SUB-1', `SUB was refused: the device has ${MOST_KEPT} subscriptions.`);
    return { sc: 413 };
  }
  const sc = yield* checkServerUri(s, 'IW-SUB-1', serverUri);
  if (sc !== 200) return { sc };
  const [[content]] = (yield* readContents(s, device, [[clientUri]])) as [[Content]];
  if (!content.ok) return { sc: content.sc };
  const { name: backend } = s.context.backend;
  s.keep('subscriptions', clientUri, { serverUri, backend, validator: validatorOf(content) });
  return { sc: 200 };
}

/** UNSUB: 404 unless its ClientURI is the very one of a SUB (20§3.10). */
export function unsubscribe(s: Session, clientUri: string): StatusItem {
  if (!s.kept('subscriptions').has(clientUri)) return { sc: 404 };
  s.keep('subscriptions', clientUri, undefined);
  return { sc: 200 };
}

/** Compares every subscribed part, and sends those that changed since they were last sent. */
export function* publishChanges(s: Session, device: LegacyDevice): Script<void> {
  const subscriptions = [...s.kept('subscriptions')];
  const { actor } = s;
  for (const backend of new Set(subscriptions.map(([, subscription]) => subscription.backend))) {
    s.actor = backend;
    const own = subscriptions.filter(([, subscription]) => subscription.backend === backend);
    if (!device.ended) yield* publishOf(s, device, own);
  }
  s.actor = actor;
  if (subscriptions.length > 0) yield* s.save();
}

/** Those of one backend, read in one batch with the rights that it has now. */
function* publishOf(
  s: Session,
  device: LegacyDevice,
  subscriptions: readonly (readonly [string, Subscription])[],
): Script<void> {
  const contents = yield* readContents(
    s,
    device,
    subscriptions.map(([clientUri]) => [clientUri]),
  );
  for (const [i, [clientUri, subscription]] of subscriptions.entries()) {
    const content = contents[i]![0]!;
    if (!content.ok && content.sc !== 404) {
      yield* s.note('IW-SUB-1', `${clientUri} could not be compared: reading it gave ${content.sc}.`);
      continue;
    }
    const validator = validatorOf(content);
    if (validator === subscription.validator) continue;
    if (yield* publish(s, clientUri, subscription, content)) {
      s.keep('subscriptions', clientUri, { ...subscription, validator });
    }
  }
}

/** PUTs the subscribed part; in another type when its receiver asks for one that there is (20§3.10). */
function* publish(
  s: Session,
  clientUri: string,
  { serverUri }: Subscription,
  content: Content,
): Script<boolean> {
  const url = yield* expandFor(s, serverUri);
  if (url === undefined) return false;
  const items = content.ok ? content.items.map(({ item }) => item) : [];
  const body = new TextEncoder().encode(JSON.stringify(items));
  const [standard] = SERIALIZATION_TYPES;
  let event = yield* sendBody(s, 'PUT', url, standard, body);
  if (event.kind === 'response' && event.status === 415) {
    const accept = event.headers['omadm-accept'];
    const type = accept === undefined ? undefined : chooseType(accept, SERIALIZATION_TYPES);
    if (type !== undefined && type !== standard) event = yield* sendBody(s, 'PUT', url, type, body);
  }
  const taken = event.kind === 'response' && event.status >= 200 && event.status < 300;
  const why = event.kind === 'response' ? `it answered ${event.status}` : event.detail;
  yield* s.note(
    'IW-SUB-1',
    taken
      ? `${clientUri} changed and was sent to its subscriber.`
      : `${clientUri} changed, but its subscriber did not take it; the next session tries again: ${why}`,
  );
  return taken;
}

function validatorOf(content: Content): string {
  if (!content.ok) return ABSENT;
  const [first, ...others] = content.items;
  if (first && others.length === 0) return first.validator;
  const hash = createHash('sha256');
  for (const { item, validator } of content.items) hash.update(JSON.stringify([item.ClientURI, validator]));
  return hash.digest('hex').slice(0, 16);
}

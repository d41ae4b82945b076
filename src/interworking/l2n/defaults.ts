import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { formatTreePath } from '../../mo/treePath.ts';
import { mayCreate } from '../access/rights.ts';
import { instancesOf } from '../addresses.ts';
import { backendDialect } from '../dialects.ts';
import { type DefaultSource, MOST_KEPT } from '../kept.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { checkServerUri } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { runHget } from './hget.ts';
import { discover } from './inventory.ts';
import { get } from './readRequest.ts';

type Default = Extract<Dm2Command, { verb: 'DEFAULT' }>;

/** DEFAULT on a legacy device (IW-DEF-1): one source for each MOID, the last one counts. */
export function* setDefault(s: Session, { moid, serverUri }: Default): Script<StatusItem> {
  if (/[\s/?]/.test(moid)) return { sc: 400 };
  const id = s.context.mappings.canonical(moid);
  if (!mayCreate(s, id)) {
    yield* s.note('20§10.3', `${s.actor} has no right to create an instance of ${id}.`);
    return { sc: 403 };
  }
  const known = s.kept('defaults');
  if (!known.has(id) && known.size >= MOST_KEPT) {
    yield* s.note('IW-DEF-1', `DEFAULT was refused: the device has ${MOST_KEPT} of them.`);
    return { sc: 413 };
  }
  const { name } = s.context.backend;
  const sc = yield* checkServerUri(s, 'IW-DEF-1', serverUri);
  if (sc !== 200) return { sc };
  const { defaultOpensSession } = backendDialect(s.context).capabilities;
  s.keep('defaults', id, {
    serverUri,
    backend: name,
    ...(defaultOpensSession && { opensSession: true }),
  });
  return { sc: 200 };
}

/**
 * Looks whether the device has the objects for which there is a default, and fetches what is missing
 * (IW-DEF-1). Returns the sources at which a session is to be opened instead.
 */
export function* provideDefaults(s: Session, device: LegacyDevice): Script<readonly DefaultSource[]> {
  const defaults = [...s.kept('defaults')];
  if (defaults.length === 0) return [];
  yield* forgetVanished(
    s,
    device,
    defaults.map(([moid]) => moid),
  );
  const toOpen: DefaultSource[] = [];
  for (const [moid, source] of defaults) {
    if (instancesOf(s, moid).length > 0) continue;
    if (!device.ended && !s.hasSearched(moid)) yield* discover(s, device, moid);
    if (device.ended) break;
    if (instancesOf(s, moid).length > 0) continue;
    if (source.opensSession) {
      yield* s.note('IW-DEF-1', `The device has no ${moid}; a session is opened where DEFAULT says.`);
      toOpen.push(source);
      continue;
    }
    const { actor } = s;
    s.actor = source.backend;
    const { sc } = yield* runHget(s, device, { verb: 'HGET', serverUri: source.serverUri }, `${moid}//`);
    s.actor = actor;
    yield* s.note('IW-DEF-1', `The device has no ${moid}; fetching it where DEFAULT says gave ${sc}.`);
  }
  return toOpen;
}

/** An object that was there in an earlier session may be gone; only the device knows. */
function* forgetVanished(s: Session, device: LegacyDevice, moids: readonly string[]): Script<void> {
  const mounts = moids.flatMap((moid) => instancesOf(s, moid));
  const answers = yield* device.run(mounts.map(({ root }) => get(formatTreePath(root))));
  s.unmount(mounts.filter((_, i) => answers[i]!.code === 404));
}

import { readMoItems } from '../../dm2/documents.ts';
import type { MoItem } from '../../dm2/packages.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { Dm2Device } from './device.ts';
import { DEVINFO, mountObjects } from './mounts.ts';

/** Device capability: it can be asked for the list of its objects. */
const LISTS_OBJECTS = 'listsObjects';

/**
 * Early clients list their objects in the first message only when a notification told them to, but can be
 * asked for the list (20§1.2 C9). Done once: later sessions know the objects.
 */
export function* askObjects(
  s: Session,
  device: Dm2Device,
  told: readonly MoItem[] | undefined,
): Script<void> {
  const { mappings, device: before } = s.context;
  const known = before.mounts.some(({ moid }) => !mappings.sameObject(moid, DEVINFO));
  if (told !== undefined || known || device.dialect.capabilities.everything === 'none') return;
  if (s.capability(LISTS_OBJECTS) === false) return;
  const { url } = yield* s.perform({ kind: 'repository.expect' });
  const [item] = yield* device.run([{ verb: 'HPOST', serverUri: url, clientUris: [] }]);
  const { uploads } = yield* s.perform({ kind: 'repository.collect', urls: [url] });
  const [upload] = uploads;
  if (item?.sc !== 200 || !upload) {
    if (!device.gone) s.learn(LISTS_OBJECTS, false);
    yield* s.note(
      'IW-INV-4',
      `The client was asked for its objects and answered ${item?.sc}; only DevInfo is known.`,
    );
    return;
  }
  try {
    mountObjects(s, readMoItems(upload).mos);
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-INV-4', `The client's list of its objects cannot be read: ${error.detail}`);
  }
}

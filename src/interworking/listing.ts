import { clientUriOf } from '../dm2/clientUri.ts';
import { everythingAsked, ONLY_INSTANCE } from '../dm2/dialects/index.ts';
import type { Dm2Command, MoItem, SerializationItem, StatusItem } from '../dm2/packages.ts';
import { rootNameOf } from '../mo/moid.ts';
import { mosOf } from './backendLeg.ts';
import type { Script } from './script.ts';
import type { Session } from './session.ts';
import { sendDocument } from './transfer.ts';

type Reading = Extract<Dm2Command, { verb: 'GET' | 'HPUT' | 'HPOST' }>;

/** Whether a reading command asks for the list of objects instead of data (20§1.2 C9). */
export function asksForList(command: Dm2Command): boolean {
  return everythingAsked(command) !== undefined;
}

/** Answers it from what is known of the device: its objects, and their instances where those are asked for. */
export function* listObjects(s: Session, command: Reading, accept: string | undefined): Script<StatusItem> {
  const mos = mosOf(s).map(
    (item): MoItem => (everythingAsked(command) === 'instances' ? item : { ...item, MIID: [] }),
  );
  yield* s.note('IW-INV-2', 'The list of objects is that of the gateway.');
  if (command.verb === 'GET') return { sc: 200, MO: mos.flatMap(listed) };
  const method = command.verb === 'HPUT' ? 'PUT' : 'POST';
  return { sc: yield* sendDocument(s, method, command.serverUri, { items: [], mos }, accept) };
}

/** In a status report an object is listed as an item that holds nothing. */
function listed({ MOID, DDF, MIID }: MoItem): SerializationItem[] {
  return (MIID.length === 0 ? [ONLY_INSTANCE] : MIID).map((miid) => ({
    ...(DDF !== undefined && { DDF }),
    ClientURI: clientUriOf(MOID, miid === ONLY_INSTANCE ? undefined : miid),
    MOData: { [rootNameOf(MOID)]: {} },
  }));
}

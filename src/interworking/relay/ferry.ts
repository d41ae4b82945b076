import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import type { Dm2Device } from '../n2l/device.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { expandFor, fetchDocument, sendUpload } from '../transfer.ts';

type Transfer = Extract<Dm2Command, { verb: 'HGET' | 'HPUT' | 'HPOST' }>;

/** Whether the gateway carries this command's document itself, as the backend's configuration asks (IW-REL-1). */
export function isFerried(s: Session, command: Dm2Command): command is Transfer {
  if (s.context.backend.transfers !== 'gateway') return false;
  return command.verb === 'HGET' || command.verb === 'HPUT' || command.verb === 'HPOST';
}

/**
 * A transfer between a client and a ServerURI through the gateway: the client meets a one-time URL of the
 * repository, the ServerURI the outbound guard. The document passes byte for byte.
 */
export function* ferry(s: Session, device: Dm2Device, command: Transfer): Script<StatusItem> {
  if (device.gone) return { sc: 500 };
  if (command.verb === 'HGET') {
    const from = yield* expandFor(s, command.serverUri);
    if (from === undefined) return { sc: 400 };
    const fetched = yield* fetchDocument(s, from);
    if (!fetched.ok) return { sc: fetched.sc };
    const { contentType = 'application/octet-stream', body } = fetched;
    const { url } = yield* s.perform({ kind: 'repository.offer', contentType, body });
    return (yield* device.run([{ ...command, serverUri: url }]))[0]!;
  }
  const { url } = yield* s.perform({ kind: 'repository.expect' });
  const [item] = yield* device.run([{ ...command, serverUri: url }]);
  // 304: the server has it already, and nothing was sent (20§11).
  if (item!.sc >= 300) return item!;
  const { uploads } = yield* s.perform({ kind: 'repository.collect', urls: [url] });
  const [upload] = uploads;
  if (!upload) {
    yield* s.note('IW-REL-1', `${command.verb}: the client reports ${item!.sc} and has sent no document.`);
    return { sc: 500 };
  }
  const method = command.verb === 'HPUT' ? 'PUT' : 'POST';
  const sc = yield* sendUpload(s, method, command.serverUri, upload);
  return sc === 200 ? item! : { sc };
}

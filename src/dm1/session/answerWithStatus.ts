import { challengeMeta } from '../auth/schemes.ts';
import type { SyncMLMessage } from '../message.ts';
import type { CredVerdict } from '../turn.ts';
import { headerStatusMaker, statusForEach, statusMaker } from './statuses.ts';

type Challenge = NonNullable<Extract<CredVerdict, { ok: false }>['challenge']>;

/**
 * The answer to a message that no session handles: a Status for its header and one for each of its
 * commands, and Final, so that the device ends its session cleanly instead of waiting or retrying
 * for ever (1x§2.2); with a challenge, so that it begins anew with credentials (1x§9.4).
 *
 * For a message whose session is unknown the code is 500: the message itself is sound (no 400, no 412),
 * it was not carried out, and a new session may well succeed.
 */
export function answerWithStatus(
  message: SyncMLMessage,
  code: number,
  respURI: string,
  { challenge, msgId = message.header.msgId }: { challenge?: Challenge | undefined; msgId?: string } = {},
): SyncMLMessage {
  const { header } = message;
  let lastId = 0;
  const id = () => {
    lastId += 1;
    return String(lastId);
  };
  return {
    header: {
      verDTD: header.verDTD,
      verProto: header.verProto,
      sessionId: header.sessionId,
      // Messages alternate, so ours has the number of the one that it answers unless we know better.
      msgId,
      target: { uri: header.source.uri },
      source: { uri: header.target.uri },
      respURI,
    },
    body: [
      headerStatusMaker(header, code, challenge && challengeMeta(challenge.scheme, challenge.nonce))(id()),
      ...statusForEach(message, code).map((owed) => statusMaker(owed)(id())),
    ],
    final: true,
  };
}

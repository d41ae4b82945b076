import { challengeMeta } from '../../dm1/auth/schemes.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import { headerStatusMaker, statusForEach, statusMaker } from '../../dm1/session/statuses.ts';
import type { Incoming, Unproven } from './incoming.ts';

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
  challenge?: Unproven['challenge'],
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
      // Messages alternate, so ours has the number of the one that it answers.
      msgId: header.msgId,
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

const STARTS: ReadonlySet<string> = new Set(['1200', '1201']);

/** What a message opens (IW-SES-3); `proves`: it offers credentials, wherever they stand. */
export function opens(message: SyncMLMessage, proves: boolean): Incoming['opens'] {
  let command = false;
  let start = false;
  for (const element of message.body) {
    if (element.kind === 'Status' || element.kind === 'Results') continue;
    command = true;
    if (element.kind === 'Alert' && STARTS.has(element.code.trim())) start = true;
  }
  const first = message.header.msgId.trim() === '1';
  if (start && first) return 'always';
  if (start && proves) return 'again';
  // Some clients tell their unenrolment in a first message without 1201 (1x§15.5).
  return start || (first && command) ? 'if-none' : 'never';
}

import type { ErrorCode } from '../../support/errors.ts';
import type { DialectName } from './capabilities.ts';

/** What the messages of a session must agree in. */
export interface SessionSoFar {
  readonly dialect: DialectName;
  readonly deviceId: string;
  /** Number of the last command document, where they are numbered. */
  readonly msgId?: number;
}

/** A message that does not belong where it came; `code` says how to answer it. */
export interface SessionFault {
  readonly error: 'mixed-dialects' | 'other-device' | 'wrong-msgid';
  readonly code: ErrorCode;
  readonly detail: string;
}

/**
 * Whether a client's status report is the next message of its session, the last one again (answer as
 * before, IW-SES-4) or neither. `answered` is the number of the commands that the last report answered.
 */
export function placeOfStatus(
  session: SessionSoFar & { readonly answered?: number },
  report: SessionSoFar,
): 'next' | 'repeated' | SessionFault {
  const fault = otherPeer(session, report);
  if (fault !== undefined) return fault;
  if (report.msgId === session.msgId) return 'next';
  if (session.msgId === undefined) {
    return wrong(`The report is for MsgID ${report.msgId}, but the commands bore none.`);
  }
  if (report.msgId === undefined) return wrong(`The report must begin with MsgID ${session.msgId}.`);
  if (report.msgId === session.answered) return 'repeated';
  return wrong(`The report is for MsgID ${report.msgId}; MsgID ${session.msgId} is open.`);
}

/**
 * Whether a server's command document is the next one: the number grows by one with each (20§1.1),
 * wherever it began. Documents that bear none are taken in the order in which they come.
 */
export function placeOfCommands(
  session: SessionSoFar,
  document: { readonly dialect: DialectName; readonly msgId?: number },
): 'next' | 'repeated' | SessionFault {
  const fault = otherPeer(session, { ...document, deviceId: session.deviceId });
  if (fault !== undefined) return fault;
  if (session.msgId === undefined || document.msgId === undefined) return 'next';
  if (document.msgId === nextMsgId(session.msgId)) return 'next';
  if (document.msgId === session.msgId) return 'repeated';
  return wrong(`MsgID ${document.msgId} follows MsgID ${session.msgId}.`);
}

/** The number of the next command document; the first one is 0 (20§1.1). */
export function nextMsgId(last: number | undefined): number {
  return last === undefined ? 0 : last + 1;
}

function otherPeer(session: SessionSoFar, message: SessionSoFar): SessionFault | undefined {
  if (message.deviceId !== session.deviceId) {
    return {
      error: 'other-device',
      code: 'forbidden',
      detail: 'The message comes under another identity than the one that opened the session.',
    };
  }
  if (message.dialect !== session.dialect) {
    return {
      error: 'mixed-dialects',
      code: 'media-type',
      detail: `The session was opened in ${session.dialect} and goes on in ${message.dialect}; use one dialect.`,
    };
  }
  return undefined;
}

function wrong(detail: string): SessionFault {
  return { error: 'wrong-msgid', code: 'malformed', detail };
}

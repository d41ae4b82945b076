import type { Item, Status, SyncMLMessage } from '../../dm1/message.ts';
import { headerStatusMaker, isHeaderStatus } from '../../dm1/session/statuses.ts';
import { isAuthStatus, parseStatusCode } from '../../dm1/tables/status.ts';

/** What is wrong with a server's answer to `asked`, so that it must not reach the device; `undefined`: nothing. */
export function faultOf(asked: SyncMLMessage, answer: SyncMLMessage): string | undefined {
  const { sessionId, source } = asked.header;
  const { header } = answer;
  if (header.sessionId !== sessionId) {
    return `The server answered session ${shown(sessionId)} with SessionID ${shown(header.sessionId)}.`;
  }
  // Device identifiers are told apart by case nowhere; servers exist that change it.
  if (header.target.uri.trim().toLowerCase() !== source.uri.trim().toLowerCase()) {
    return `The server's answer is for ${shown(header.target.uri)}, not for ${shown(source.uri)}.`;
  }
  return undefined;
}

/** What the answer says to the header, 200 where it says nothing. */
export function headerCode(answer: SyncMLMessage): number {
  const status = answer.body.find((e): e is Status => e.kind === 'Status' && isHeaderStatus(e));
  return status ? parseStatusCode(status.code) : 200;
}

export function asksForAbort(message: SyncMLMessage): boolean {
  return message.body.some((e) => e.kind === 'Alert' && e.code.trim() === '1223');
}

/**
 * Whether nothing follows `answer`: the device was through with its package, and the server has neither a
 * command nor a challenge for it (1x§2.2).
 */
export function isOver(asked: SyncMLMessage, answer: SyncMLMessage): boolean {
  return (
    asked.final &&
    answer.final &&
    answer.body.every((e) =>
      e.kind === 'Status' ? !(isAuthStatus(parseStatusCode(e.code)) && e.chal) : e.kind === 'Results',
    )
  );
}

/** Leaves of DevInfo and DevDetail that a device tells of itself. */
export function devInfoItems(message: SyncMLMessage): readonly Item[] {
  return message.body.flatMap((e) => (e.kind === 'Replace' ? e.items : []));
}

/**
 * Alert 1223 in the name of the device that sent `last`, to the server of that name whose last message had
 * that MsgID (1x§2.4); `hasLast`: the server has had `last`.
 */
export function abortMessage(
  last: SyncMLMessage,
  server: {
    readonly url: string;
    readonly source: string;
    readonly msgId: number;
    readonly hasLast: boolean;
  },
): SyncMLMessage {
  const { cred: _cred, respURI: _respURI, ...header } = last.header;
  const answered = {
    ...header,
    msgId: String(server.msgId),
    target: { uri: header.source.uri },
    source: { uri: server.source },
  };
  const number = Number(header.msgId) + (server.hasLast ? 1 : 0);
  return {
    header: { ...header, msgId: String(number || 1), target: { uri: server.url } },
    body: [headerStatusMaker(answered, 200)('1'), { kind: 'Alert', cmdId: '2', code: '1223', items: [] }],
    final: true,
  };
}

function shown(text: string): string {
  return `"${text.slice(0, 80)}"`;
}

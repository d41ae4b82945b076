import type { BodyElement, Meta, Status, SyncMLMessage } from '../dm1/message.ts';
import type { Outgoing } from './syncml.ts';

/** The Status of a peer's header, with a challenge where it has to prove itself. */
export function headerStatus(
  { header }: SyncMLMessage,
  code: number,
  chal?: Meta,
  targetRef = header.target.uri,
): Omit<Status, 'cmdId'> {
  return {
    ...bare(header.msgId, '0', 'SyncHdr', code),
    targetRefs: [targetRef],
    sourceRefs: [header.source.uri],
    ...(chal && { chal }),
  };
}

/** A Status that says nothing but its code. */
export function plainStatus(command: BodyElement, msgRef: string, code: number): Omit<Status, 'cmdId'> {
  return bare(msgRef, command.cmdId, command.kind, code);
}

function bare(msgRef: string, cmdRef: string, cmd: string, code: number): Omit<Status, 'cmdId'> {
  return {
    kind: 'Status',
    msgRef,
    cmdRef,
    cmd,
    targetRefs: [],
    sourceRefs: [],
    code: String(code),
    items: [],
  };
}

/** Alert 1222. */
export function nextMessage(): Outgoing {
  return { kind: 'Alert', code: '1222', items: [] };
}

/** Whether a message did nothing but ask for more: an answer to it without commands is the last one, Final or not. */
export function onlyAsked({ body, final }: SyncMLMessage): boolean {
  return (
    !final &&
    body.every((e) => (e.kind === 'Status' ? e.cmd === 'SyncHdr' : e.kind === 'Alert' && e.code === '1222'))
  );
}

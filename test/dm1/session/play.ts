import type {
  AlertCommand,
  BodyElement,
  Command,
  Encoding,
  Item,
  Meta,
  Results,
  Status,
  SyncHdr,
  SyncMLMessage,
} from '../../../src/dm1/message.ts';
import { ServerLeg, type ServerLegOptions } from '../../../src/dm1/session/server.ts';
import type { StoredChunk } from '../../../src/dm1/storedData.ts';
import type { CredVerdict, Machine, PresentCred, StorePiece } from '../../../src/dm1/turn.ts';

/** Parts of messages as a scripted peer writes them. */

export const xml: Encoding = { form: 'xml', namespace: 'SYNCML:SYNCML1.2' };

export const SERVER = 'https://old.example/dm';
export const DEVICE = 'IMEI:490154203237518';

export function header(msgId: string, more: Partial<SyncHdr> = {}): SyncHdr {
  return {
    verDTD: '1.2',
    verProto: 'DM/1.2',
    sessionId: '4a',
    msgId,
    target: { uri: SERVER },
    source: { uri: DEVICE },
    ...more,
  };
}

export function message(
  msgId: number | string,
  body: readonly BodyElement[],
  more: Partial<SyncHdr> & { final?: boolean } = {},
): SyncMLMessage {
  const { final = true, ...rest } = more;
  return { header: header(String(msgId), rest), body, final };
}

export function status(
  cmdId: string,
  ref: { msgRef?: string; cmdRef?: string; cmd?: string },
  code: number | string,
  more: Partial<Pick<Status, 'targetRefs' | 'sourceRefs' | 'items' | 'chal'>> = {},
): Status {
  return {
    kind: 'Status',
    cmdId,
    ...ref,
    targetRefs: [],
    sourceRefs: [],
    items: [],
    code: String(code),
    ...more,
  };
}

export function headerStatus(msgRef: string, code: number | string = 212, chal?: Meta): Status {
  return status('1', { msgRef, cmdRef: '0', cmd: 'SyncHdr' }, code, chal ? { chal } : {});
}

export function alert(cmdId: string, code: string, items: readonly Item[] = []): AlertCommand {
  return { kind: 'Alert', cmdId, code, items };
}

export function results(
  cmdId: string,
  ref: { msgRef?: string; cmdRef?: string },
  items: readonly Item[],
): Results {
  return { kind: 'Results', cmdId, ...ref, items };
}

export function leaf(uri: string, data: string): Item {
  return { source: { uri }, meta: { format: 'chr', type: 'text/plain' }, data };
}

export const devInfo: Command = {
  kind: 'Replace',
  cmdId: '2',
  items: [leaf('./DevInfo/DevId', DEVICE), leaf('./DevInfo/Man', 'Acme')],
};

export function package1(more: Partial<SyncHdr> & { final?: boolean } = {}, msgId = 1): SyncMLMessage {
  return message(msgId, [alert('1', '1201'), devInfo], more);
}

export type Peer = (sent: SyncMLMessage, present: PresentCred | undefined) => SyncMLMessage | undefined;
export type Judge = (header: SyncHdr) => CredVerdict;

export const welcome: Judge = () => ({ ok: true, status: 212, scheme: 'none' });

export interface Played<R> {
  readonly result: R;
  readonly sent: readonly SyncMLMessage[];
  readonly presents: readonly (PresentCred | undefined)[];
}

/** A store that counts: what it is given is there by its size. */
function keep({ after, data, coding }: StorePiece): StoredChunk {
  const text = typeof data === 'string' ? (after?.rest ?? '') + data : '';
  const whole = text.length - (text.length % 4);
  const added =
    coding === 'base64'
      ? Buffer.from(text.slice(0, whole), 'base64').length
      : Buffer.from(data as never).length;
  const invalid = coding === 'base64' && !/^[\w+/=]*$/.test(text);
  return {
    object: after?.object ?? 'obj_0123456789abcdefghijkl',
    from: after ? after.from + after.bytes : 0,
    bytes: added,
    arrived: Buffer.byteLength(data as never),
    ...(coding === 'base64' && { rest: text.slice(whole) }),
    ...(invalid && { invalid }),
  };
}

/** Runs a machine to its end against a peer that answers each message. */
export function play<R>(machine: Machine<R>, peer: Peer, judge: Judge = welcome): Played<R> {
  const sent: SyncMLMessage[] = [];
  const presents: (PresentCred | undefined)[] = [];
  let turn = machine.next();
  while (!turn.done) {
    if (turn.value.kind === 'verify') turn = machine.next(judge(turn.value.header));
    else if (turn.value.kind === 'store') turn = machine.next(keep(turn.value));
    else {
      sent.push(turn.value.message);
      presents.push(turn.value.present);
      turn = machine.next(peer(turn.value.message, turn.value.present));
    }
  }
  return { result: turn.value, sent, presents };
}

/** Answers with the given messages, in turn; then is gone. */
export function script(
  ...answers: readonly (SyncMLMessage | ((sent: SyncMLMessage) => SyncMLMessage))[]
): Peer {
  let at = 0;
  return (sent) => {
    const answer = answers[at++];
    return typeof answer === 'function' ? answer(sent) : answer;
  };
}

export const jsonSize = (value: object): number => JSON.stringify(value).length;

export const sizeOf = (sent: SyncMLMessage): number =>
  jsonSize(sent.header) + sent.body.reduce((sum, element) => sum + jsonSize(element), 0);

export function leg(options: Partial<ServerLegOptions> = {}): ServerLeg {
  return new ServerLeg({
    opening: package1(),
    encoding: xml,
    respURI: 'https://gateway.example/dm',
    measure: jsonSize,
    measureEnvelope: jsonSize,
    maxMessages: 50,
    ...options,
  });
}

/** A leg whose device has opened its session with Package 1. */
export function openLeg(options: Partial<ServerLegOptions> = {}): ServerLeg {
  const opened = leg(options);
  const { result } = play(opened.open(), script());
  if (result.kind !== 'open') throw new Error(`not open: ${result.kind}`);
  return opened;
}

export function statuses(sent: SyncMLMessage | undefined): readonly Status[] {
  return (sent?.body ?? []).filter((element) => element.kind === 'Status');
}

/** Commands of a message, those in groups included, groups first. */
export function commands(sent: SyncMLMessage | undefined): readonly Command[] {
  const flat = (command: Command): Command[] =>
    command.kind === 'Sequence' || command.kind === 'Atomic'
      ? [command, ...command.commands.flatMap(flat)]
      : [command];
  return (sent?.body ?? []).flatMap((element) =>
    element.kind === 'Status' || element.kind === 'Results' ? [] : flat(element),
  );
}

export const get = (uri: string) => ({ kind: 'Get', items: [{ target: { uri } }] }) as const;
export const exec = (uri: string) => ({ kind: 'Exec', items: [{ target: { uri } }] }) as const;
export const replace = (uri: string, data: string) =>
  ({
    kind: 'Replace',
    items: [{ target: { uri }, meta: { format: 'chr', type: 'text/plain' }, data }],
  }) as const;

/** Statuses with one code for all commands of a message. */
export function answerAll(sent: SyncMLMessage, code: (command: Command) => number | undefined = () => 200) {
  return commands(sent).flatMap((command, at) => {
    const said = code(command);
    if (said === undefined) return [];
    const cmd = command.kind;
    return [status(String(at + 2), { msgRef: sent.header.msgId, cmdRef: command.cmdId, cmd }, said)];
  });
}

/** The device's next message, its MsgID one above that of the message it answers. */
export function answering(
  sent: SyncMLMessage,
  body: readonly BodyElement[],
  more: Partial<SyncHdr> & { final?: boolean } = {},
): SyncMLMessage {
  return message(Number(sent.header.msgId) + 1, [headerStatus(sent.header.msgId), ...body], more);
}

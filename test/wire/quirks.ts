import { decodeMessage } from '../../src/dm1/codec.ts';
import type { Command, SyncMLMessage } from '../../src/dm1/message.ts';
import { isCommand } from '../../src/simulator/syncml.ts';
import { post, TYPES, type Wired } from './harness.ts';

/** One message of the gateway, as bytes and as read. */
export interface Said {
  readonly xml: string;
  readonly body: Buffer;
  readonly bytes: number;
  readonly message: SyncMLMessage;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Commands, those of groups among them, in order. */
  readonly commands: readonly Command[];
}

export interface RawDevice {
  readonly id: string;
  /** SyncBody of the first message; 1201 and DevInfo when absent. */
  readonly opening?: string;
  readonly sessionId?: string;
  /** SyncBody of the answer, `undefined` to leave; one Status for each command when absent. */
  readonly answer?: (said: Said, round: number) => string | undefined;
  readonly encode?: (xml: string) => Uint8Array;
  /** Meta of each header. */
  readonly meta?: string;
  /** Number of its nth message, from 1; n when absent. */
  readonly numbered?: (n: number) => number;
  /** Awaited before each message. */
  readonly before?: () => Promise<void>;
  /** Messages that it sends at most; 30 when absent. */
  readonly most?: number;
}

/** Address under which raw devices know their server, hardly one that a gateway would write itself. */
export const TARGET = 'http://gw.example/dm?a=1&amp;b=2';

export function message(device: RawDevice, msgId: number, body: string): string {
  return `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${device.sessionId ?? '1'}</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>${TARGET}</LocURI></Target><Source><LocURI>${device.id}</LocURI></Source>${device.meta ?? ''}</SyncHdr><SyncBody>${body}</SyncBody></SyncML>`;
}

export const item = (uri: string, data: string, meta = '') =>
  `<Item><Source><LocURI>${uri}</LocURI></Source>${meta}<Data>${data}</Data></Item>`;

export const DEVINFO = [
  ['Man', 'Raw'],
  ['Mod', 'M'],
  ['DmV', '1.2'],
  ['Lang', 'en'],
] as const;

export const devInfo = (id: string, cmdId = 2) =>
  `<Replace><CmdID>${cmdId}</CmdID>${[['DevId', id], ...DEVINFO].map(([name, value]) => item(`./DevInfo/${name}`, value!)).join('')}</Replace>`;

/** A Status with the children in DTD order; `more` stands before Data, `after` behind it. */
export const status = (
  cmdId: number | string,
  msgRef: string,
  cmdRef: string,
  cmd: string,
  code: number | string,
  { more = '', after = '' } = {},
) =>
  `<Status><CmdID>${cmdId}</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>${cmdRef}</CmdRef><Cmd>${cmd}</Cmd>${more}<Data>${code}</Data>${after}</Status>`;

export const results = (cmdId: number, msgRef: string, cmdRef: string, items: string, more = '') =>
  `<Results><CmdID>${cmdId}</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>${cmdRef}</CmdRef>${more}${items}</Results>`;

export const headerOk = ({ message: { header } }: Said, code = 200) =>
  status(1, header.msgId, '0', 'SyncHdr', code);

/** Plays a device to the end of its session; gives every message that the gateway sent it. */
export async function talk(gateway: Pick<Wired, 'dm'>, device: RawDevice): Promise<readonly Said[]> {
  const encode = device.encode ?? ((xml: string) => Buffer.from(xml));
  const form = device.encode ? 'wbxml' : 'xml';
  const said: Said[] = [];
  let body: string | undefined =
    device.opening ?? `<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>${devInfo(device.id)}<Final/>`;
  for (let msgId = 1; body !== undefined && msgId < (device.most ?? 30); msgId += 1) {
    await device.before?.();
    const number = device.numbered?.(msgId) ?? msgId;
    const answer = await post(gateway.dm, encode(message(device, number, body)), {
      'content-type': TYPES[form],
    });
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${answer.text}`);
    const decoded = decodeMessage(answer.body, form).message;
    const commands = decoded.body.filter(isCommand).flatMap(flat);
    const last = {
      xml: answer.text,
      body: answer.body,
      bytes: answer.body.length,
      message: decoded,
      headers: answer.headers,
      commands,
    };
    said.push(last);
    if (commands.length === 0 && decoded.final) break;
    body = (device.answer ?? plainly)(last, msgId);
  }
  return said;
}

/** A Status 200 for every command. */
export function plainly(said: Said, _round = 0, code: (command: Command) => number = () => 200): string {
  const { msgId } = said.message.header;
  return `${headerOk(said)}${said.commands
    .map((command, i) => status(i + 2, msgId, command.cmdId, kindOf(command), code(command)))
    .join('')}<Final/>`;
}

export function kindOf(command: Command): string {
  return command.kind === 'Foreign' ? command.name : command.kind;
}

/** Address of a command's only Item. */
export function addressOf(command: Command): string {
  return ('items' in command ? command.items[0]?.target?.uri : undefined) ?? '';
}

function flat(command: Command): Command[] {
  return 'commands' in command ? [command, ...command.commands.flatMap(flat)] : [command];
}

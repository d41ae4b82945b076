import { expect } from 'vitest';
import { decodeMessage, xmlToWbxml } from '../../src/dm1/codec.ts';
import type { Command, Item } from '../../src/dm1/message.ts';
import { isCommand } from '../../src/simulator/syncml.ts';
import { type Answer, post, TYPES, type Wired } from './harness.ts';
import { kindOf } from './quirks.ts';

export interface PcOptions {
  readonly encoding?: 'xml' | 'wbxml';
  readonly agent?: string;
  readonly sessionId?: string;
  /** Session alerts beside 1201 and LoginStatus. */
  readonly alerts?: string;
  /** Value of `com.microsoft.mdm.synctype`: nodes of the other scope are refused with 405. */
  readonly syncType?: 'user' | 'device';
  /** What it says when it is to leave its server: nothing at all. */
  readonly leaves?: boolean;
  /** Codes that it answers for a command on a node, instead of doing it. */
  readonly refuses?: Readonly<Record<string, number>>;
}

export const PC = 'urn:uuid:2C8F5A10-0B3E-4D6C-9C8A-4F1E7A2B9D01';
/** Greater than any gateway's MaxMsgSize would let pass, if Windows read that. */
const OWN_MAX = 524_288;
const NS = 'xmlns="syncml:metinf"';
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Providers of a fresh PC; interior nodes are those that have something below them. */
const NODES: readonly (readonly [path: string, format: string, value: string])[] = [
  ['DevDetail/SwV', 'chr', '10.0.22631.3447'],
  ['DevDetail/FwV', 'chr', '1.4'],
  ['Device/Vendor/MSFT/DMClient/HWDevID', 'chr', 'A1B2'],
  ['Device/Vendor/MSFT/DMClient/Unenroll', 'chr', ''],
  ['Device/Vendor/MSFT/DMClient/Provider/Contoso MDM/UPN', 'chr', 'ann@contoso.example'],
  ['Device/Vendor/MSFT/DMClient/Provider/Contoso MDM/Poll/PollOnLogin', 'bool', '1'],
  ['Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera', 'int', '1'],
  ['Device/Vendor/MSFT/Policy/Result/Camera/AllowCamera', 'int', '1'],
  ['User/Vendor/MSFT/Policy/Config/Start/HideSleep', 'int', '0'],
  ['User/Vendor/MSFT/Policy/Result/Start/HideSleep', 'int', '0'],
  ['Device/Vendor/MSFT/Reboot/RebootNow', 'null', ''],
  ['Device/Vendor/MSFT/Reboot/Schedule/Single', 'chr', ''],
  ['Device/Vendor/MSFT/Update/LastSuccessfulScanTime', 'chr', '2026-01-01T00:00:00Z'],
  ['Device/Vendor/MSFT/Update/InstallableUpdates/a317dafe/Type', 'chr', 'Security'],
  ['Device/Vendor/MSFT/Firewall/MdmStore/PublicProfile/EnableFirewall', 'bool', 'true'],
  ['Device/Vendor/MSFT/Firewall/MdmStore/FirewallRules/Rule 1%2F2/Name', 'chr', 'Web'],
];

/** A Windows 10 PC as [MS-MDM] has it on the wire; its bytes are its own. `./Vendor` is `./Device/Vendor`. */
export class Pc {
  readonly leaves = new Map(NODES.map(([path, format, value]) => [path, { format, value }]));
  /** What it executed, deleted, added and replaced: `Exec 200 Device/…`. */
  readonly done: string[] = [];
  /** Commands of its server by message; those of groups stand in them. */
  readonly heard: (readonly Command[])[] = [];
  readonly statuses: string[] = [];
  readonly #gateway: Wired;
  readonly #o: PcOptions;

  constructor(gateway: Wired, options: PcOptions = {}) {
    this.#gateway = gateway;
    this.#o = options;
  }

  /** A whole session; resolves when the server has nothing more, or the PC has left. */
  async session(): Promise<void> {
    const { alerts = '', syncType } = this.#o;
    const alert = (id: number, type: string, data: string) =>
      `<Alert><CmdID>${id}</CmdID><Data>1224</Data><Item><Meta><Type ${NS}>${type}</Type></Meta><Data>${data}</Data></Item></Alert>`;
    const items = [
      ['DevId', PC],
      ['Man', 'Contoso'],
      ['Mod', 'Book 3'],
      ['DmV', '1.3'],
      ['Lang', 'en-US'],
    ].map(
      ([name, value]) =>
        `<Item><Source><LocURI>./DevInfo/${name}</LocURI></Source><Data>${value}</Data></Item>`,
    );
    let body: string | undefined =
      `<Alert><CmdID>2</CmdID><Data>1201</Data></Alert>${alert(3, 'com.microsoft/MDM/LoginStatus', 'user')}${
        syncType === undefined ? '' : alert(4, 'com.microsoft.mdm.synctype', syncType)
      }${alerts}<Replace><CmdID>9</CmdID>${items.join('')}</Replace><Final/>`;
    let url = `${this.#gateway.dm}?mode=Maintenance&Platform=WoA`;
    for (let msgId = 1; body !== undefined && msgId < 60; msgId += 1) {
      const answer = await this.#post(url, msgId, body);
      const { message } = decodeMessage(answer.body, this.#o.encoding ?? 'xml');
      expect(message.header.msgId).toBe(String(msgId));
      expect(message.header.sessionId).toBe(this.#o.sessionId ?? '1');
      url = message.header.respURI ?? url;
      this.statuses.push(...message.body.flatMap((e) => (e.kind === 'Status' ? [`${e.cmd} ${e.code}`] : [])));
      const commands = message.body.filter(isCommand);
      this.heard.push(commands);
      const left = commands.some((command) => this.#isUnenrol(command));
      body = commands.length === 0 || left ? undefined : this.#answer(message.header.msgId, commands);
    }
  }

  #post(url: string, msgId: number, body: string): Promise<Answer> {
    const { encoding = 'xml', agent = 'MSFT OMA DM Client/1.2.0.1', sessionId = '1' } = this.#o;
    const xml = `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${sessionId}</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>${escaped(url)}</LocURI></Target><Source><LocURI>${PC}</LocURI><LocName>dummy</LocName></Source><Meta><MaxMsgSize ${NS}>${OWN_MAX}</MaxMsgSize></Meta></SyncHdr><SyncBody xmlns:msft="http://schemas.microsoft.com/MobileDevice/MDM">${body}</SyncBody></SyncML>`;
    return post(url, encoding === 'wbxml' ? xmlToWbxml(Buffer.from(xml), { publicId: 0x1201 }) : xml, {
      'content-type': encoding === 'xml' ? `${TYPES.xml}; charset=utf-8` : TYPES.wbxml,
      accept: `${TYPES.xml}, ${TYPES.wbxml}, application/octet-stream`,
      'user-agent': agent,
      'client-request-id': '0',
      'ms-cv': 'x.1.1',
      useragentorigin: '1',
    });
  }

  #isUnenrol(command: Command): boolean {
    return (
      this.#o.leaves === true && command.kind === 'Exec' && pathOf(command.items[0]!).endsWith('/Unenroll')
    );
  }

  /** Statuses with their references behind Data, Results with a Cmd. */
  #answer(msgRef: string, commands: readonly Command[]): string {
    let cmdId = 1;
    const status = (cmdRef: string, cmd: string, code: number, uri = '') => {
      const error = code < 400 ? '' : ' msft:originalerror="0x86000002"';
      const ref = uri === '' ? '' : `<TargetRef>${escaped(uri)}</TargetRef>`;
      return `<Status><CmdID>${cmdId++}</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>${cmdRef}</CmdRef><Cmd>${cmd}</Cmd><Data${error}>${code}</Data>${ref}</Status>`;
    };
    const parts = [status('0', 'SyncHdr', 200)];
    const one = (command: Command, code: number) => {
      const [item] = 'items' in command ? command.items : [];
      this.done.push(`${kindOf(command)} ${code} ${item ? pathOf(item) : ''}`.trim());
      parts.push(status(command.cmdId, kindOf(command), code, item?.target?.uri));
    };
    for (const command of commands) {
      if (command.kind === 'Atomic') {
        const kept = new Map(this.leaves);
        const codes = command.commands.map((each) => this.#run(each, true));
        const failed = codes.findIndex((code) => code >= 400);
        if (failed >= 0) {
          this.leaves.clear();
          for (const [path, leaf] of kept) this.leaves.set(path, leaf);
        }
        parts.push(status(command.cmdId, 'Atomic', failed < 0 ? 200 : 507));
        command.commands.forEach((each, i) => {
          one(each, failed < 0 || i === failed ? codes[i]! : i < failed ? 216 : 215);
        });
      } else if (command.kind === 'Sequence') {
        parts.push(status(command.cmdId, 'Sequence', 200));
        for (const each of command.commands) one(each, this.#run(each, false));
      } else if (command.kind === 'Get') {
        const item = command.items[0]!;
        const read = this.#get(item.target!.uri);
        const code = typeof read === 'number' ? read : 200;
        parts.push(status(command.cmdId, 'Get', code, item.target!.uri));
        if (typeof read === 'number') continue;
        parts.push(
          `<Results><CmdID>${cmdId++}</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>${command.cmdId}</CmdRef><Cmd>Get</Cmd>${read}</Results>`,
        );
      } else one(command, this.#run(command, false));
    }
    return `${parts.join('')}<Final/>`;
  }

  #get(uri: string): string | number {
    if (uri.includes('?prop=')) return 405;
    if (uri.includes('?')) return 406;
    const path = normal(uri);
    const scope = this.#outOfScope(path);
    if (scope) return 405;
    const leaf = this.leaves.get(path);
    const item = (format: string, data: string) =>
      `<Item><Source><LocURI>${escaped(uri)}</LocURI></Source><Meta><Format ${NS}>${format}</Format><Type ${NS}>text/plain</Type></Meta><Data>${escaped(data)}</Data></Item>`;
    if (leaf) return item(leaf.format, leaf.value);
    const names = this.#children(path);
    return names.length === 0 ? 404 : item('node', names.map(encodeURIComponent).join('/'));
  }

  #children(path: string): string[] {
    const start = path === '' ? '' : `${path}/`;
    const below = [...this.leaves.keys()].filter((each) => each.startsWith(start));
    return [...new Set(below.map((each) => decodeURIComponent(each.slice(start.length).split('/')[0]!)))];
  }

  #outOfScope(path: string): boolean {
    const { syncType } = this.#o;
    const scope = path.startsWith('User/') ? 'user' : 'device';
    return syncType !== undefined && path.includes('Vendor/') && scope !== syncType;
  }

  #run(command: Command, atomic: boolean): number {
    if (!('items' in command) || command.kind === 'Alert') return 406;
    const item = command.items[0]!;
    const path = pathOf(item);
    const { refuses = {} } = this.#o;
    if (this.#outOfScope(path)) return 405;
    if (refuses[path] !== undefined) return refuses[path];
    const there = this.leaves.has(path) || this.#children(path).length > 0;
    switch (command.kind) {
      case 'Exec':
        return there ? 200 : 404;
      case 'Delete': {
        if (!there) return 404;
        for (const each of [...this.leaves.keys()])
          if (`${each}/`.startsWith(`${path}/`)) this.leaves.delete(each);
        return 200;
      }
      case 'Add':
      case 'Replace': {
        // A rule is taken as a whole, or not at all.
        if (path.includes('/FirewallRules/') && !atomic) return 500;
        if (command.kind === 'Add' && there) return 418;
        if (item.meta?.format === 'node' || command.meta?.format === 'node') return 200;
        if (command.kind === 'Replace' && !there && !path.includes('/Policy/Config/')) return 404;
        const format = item.meta?.format ?? command.meta?.format ?? 'chr';
        this.leaves.set(path, { format, value: String(item.data ?? '') });
        return 200;
      }
      default:
        // Get in an Atomic, Copy.
        return command.kind === 'Get' ? 500 : 406;
    }
  }
}

function pathOf(item: Item): string {
  return normal(item.target?.uri ?? '');
}

/** One name for what has two: `./Vendor` is `./Device/Vendor`, and so are the nodes of every other kind. */
function normal(uri: string): string {
  expect(uri).toMatch(/^\.(?:\/[^/]+)*$/);
  const path = uri
    .replace(/^\.\/?/, '')
    .replace(/^(device|user)(?=\/)/i, (scope) => (scope.toLowerCase() === 'user' ? 'User' : 'Device'));
  const decoded = path.split('/').map((name) => encodeSlash(decodeURIComponent(name)));
  const all = decoded.join('/').replace(/^Device\/(?=Dev)/, '');
  return /^Vendor(\/|$)/.test(all) ? `Device/${all}` : all;
}

const encodeSlash = (name: string) => name.replaceAll('/', '%2F');

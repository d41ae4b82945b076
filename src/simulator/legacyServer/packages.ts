import type { BodyElement, ItemCommand, SyncMLMessage } from '../../dm1/message.ts';
import { cut, pieceLength } from '../chunks.ts';
import { credOf } from '../credentials.ts';
import type { HttpReply } from '../httpServer.ts';
import { contentTypeOf, dataSize, encodeMessage, isCommand, VERSION_CONSTANTS } from '../syncml.ts';
import type { LargeCommand, Live } from './live.ts';
import type { LegacyServerOptions } from './options.ts';
import { type ServerCommand, toCommand } from './script.ts';
import type { CommandRecord } from './session.ts';

/** Puts a server's packages together: as many commands as the client's MaxMsgSize takes, larger objects in chunks. */
export class Packages {
  readonly #options: LegacyServerOptions;
  readonly #url: () => string;

  /** @param url of the server, known once it has started */
  constructor(options: LegacyServerOptions, url: () => string) {
    this.#options = options;
    this.#url = url;
  }

  /** The next package of the script, or the end of the session. */
  next(live: Live, body: BodyElement[]): HttpReply {
    // A client that answers a chunk with anything but 213 wants no more of them.
    if (live.object?.record?.code !== undefined) live.object = undefined;
    if (live.object) return this.#sendChunk(live, body);
    const commands = live.carry.length > 0 ? live.carry.splice(0) : this.#script(live);
    if (commands.length === 0) {
      live.session.state = 'completed';
      return this.send(live, body, true);
    }
    live.pending.clear();
    const ids = this.#ids(live, body);
    const start = body.length;
    for (const [index, command] of commands.entries()) {
      const before = { body: [...body], used: ids.used };
      body.push(toCommand(command, ids, live.encoding.form));
      if (
        live.clientMaxMsgSize === undefined ||
        this.#encode(live, body, true).length <= live.clientMaxMsgSize
      )
        continue;
      body.splice(0, body.length, ...before.body);
      ids.forget(before.used);
      if (body.length > start || !isLarge(command)) {
        live.carry = [...commands.slice(index)];
        break;
      }
      live.carry = [...commands.slice(index + 1)];
      const built = toCommand(command, this.#ids(live, body), live.encoding.form) as ItemCommand;
      this.#forget(live, command);
      live.object = { command, item: built.items[0]!, rest: built.items[0]!.data ?? '', first: true };
      return this.#sendChunk(live, body);
    }
    return this.send(live, body, true);
  }

  #script(live: Live): readonly ServerCommand[] {
    const { script = [] } = this.#options;
    live.packages += 1;
    return (typeof script === 'function' ? script(live.session) : script[live.packages - 1]) ?? [];
  }

  /** CmdIDs for a message under construction; every command gets its record. */
  #ids(live: Live, body: readonly BodyElement[]) {
    const msgId = live.msgId + 1;
    const order: { key: string; record: CommandRecord }[] = [];
    const ids = {
      used: 0,
      next: (command: ServerCommand): string => {
        const cmdId = String(body.filter((element) => !isCommand(element)).length + ids.used + 1);
        ids.used += 1;
        const record: CommandRecord = { command, code: undefined, statuses: [], results: [] };
        const key = `${msgId}/${cmdId}`;
        live.pending.set(key, record);
        live.session.commands.push(record);
        order.push({ key, record });
        return cmdId;
      },
      forget: (used: number) => {
        for (const { key } of order.splice(used)) {
          live.pending.delete(key);
          live.session.commands.pop();
        }
        ids.used = used;
      },
    };
    return ids;
  }

  #forget(live: Live, command: ServerCommand): void {
    const index = live.session.commands.findIndex((record) => record.command === command);
    if (index >= 0) live.session.commands.splice(index, 1);
    for (const [key, record] of live.pending) if (record.command === command) live.pending.delete(key);
  }

  /** One chunk of an object too large for the client's messages (1x§8). */
  #sendChunk(live: Live, body: BodyElement[]): HttpReply {
    const object = live.object!;
    const cmdId = String(body.length + 1);
    const max = live.clientMaxMsgSize ?? Number.POSITIVE_INFINITY;
    const kind = object.command.kind as 'Add' | 'Replace';
    const build = (data: string | Uint8Array, more: boolean): BodyElement => ({
      kind,
      cmdId,
      items: [
        {
          ...object.item,
          meta: { ...object.item.meta, ...(object.first ? { size: dataSize(object.rest) } : {}) },
          data,
          ...(more ? { moreData: true } : {}),
        },
      ],
    });
    const whole = dataSize(object.rest) <= max;
    if (whole && this.#encode(live, [...body, build(object.rest, false)], true).length <= max) {
      body.push(build(object.rest, false));
      this.#record(live, object, cmdId);
      live.object = undefined;
      return this.send(live, body, true);
    }
    const take = pieceLength(
      object.rest,
      max,
      (piece) => this.#encode(live, [...body, build(piece, true)], false).length,
    );
    body.push(build(cut(object.rest, 0, take), true));
    this.#record(live, object, cmdId);
    object.rest = cut(object.rest, take);
    object.first = false;
    return this.send(live, body, false);
  }

  /** All chunks of an object have one record. */
  #record(live: Live, object: LargeCommand, cmdId: string): void {
    if (!object.record) {
      object.record = { command: object.command, code: undefined, statuses: [], results: [] };
      live.session.commands.push(object.record);
    }
    live.pending.set(`${live.msgId + 1}/${cmdId}`, object.record);
  }

  #message(live: Live, body: readonly BodyElement[], final: boolean): SyncMLMessage {
    const { version, respURI = true, serverCred, maxMsgSize, maxObjSize } = this.#options;
    const constants = version ? VERSION_CONSTANTS[version] : undefined;
    const protocol =
      constants ??
      Object.values(VERSION_CONSTANTS).find((v) => v.verProto === live.verProto) ??
      VERSION_CONSTANTS['1.2'];
    return {
      header: {
        verDTD: protocol.verDTD,
        verProto: protocol.verProto,
        sessionId: live.session.sessionId,
        msgId: String(live.msgId + 1),
        target: { uri: live.session.deviceId },
        source: { uri: this.#url(), ...(serverCred ? { name: serverCred.username } : {}) },
        ...(respURI ? { respURI: live.url } : {}),
        ...(live.proof && serverCred
          ? { cred: credOf(live.proof.scheme, serverCred, live.proof.nonce) }
          : {}),
        ...(maxMsgSize === undefined && maxObjSize === undefined
          ? {}
          : {
              meta: {
                ...(maxMsgSize === undefined ? {} : { maxMsgSize }),
                ...(maxObjSize === undefined ? {} : { maxObjSize }),
              },
            }),
      },
      body,
      final,
    };
  }

  #encode(live: Live, body: readonly BodyElement[], final: boolean): Uint8Array {
    return encodeMessage(this.#message(live, body, final), live.encoding);
  }

  send(live: Live, body: readonly BodyElement[], final: boolean): HttpReply {
    const message = this.#message(live, body, final);
    const bytes = encodeMessage(message, live.encoding);
    live.sent = message;
    live.msgId += 1;
    const headers = { 'content-type': contentTypeOf(live.encoding.form) };
    return { status: 200, headers, body: bytes };
  }
}

/** Whether the command's data may go in chunks. */
function isLarge(command: ServerCommand): boolean {
  return (command.kind === 'Add' || command.kind === 'Replace') && command.data !== undefined;
}

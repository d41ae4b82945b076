import { HMAC_HEADER } from '../../dm1/auth/hmacHeader.ts';
import { defaultEncoding } from '../../dm1/codec.ts';
import type { Encoding, SyncMLMessage } from '../../dm1/message.ts';
import { DM1_TYPES } from '../../dm1/tables/mediaTypes.ts';
import { asCommands, type DialectName, nextMsgId } from '../../dm2/dialects/index.ts';
import type { Dm2Command } from '../../dm2/packages.ts';
import type { DeviceReply, RawMessage } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import { fillStored, holdsStored, type ReadStored, recallStored } from '../objects/fill.ts';
import { maskCredentials, maskRaw, type ReplyMeta } from './entries.ts';
import type { LiveSession, Reply } from './liveSession.ts';
import type { PresentToDevice, Wire } from './ports.ts';

/** An answer twice: as the journal keeps it, without credentials, and as the device gets it. */
export interface WrittenReply {
  readonly meta: ReplyMeta;
  readonly journaled: Uint8Array;
  readonly message?: SyncMLMessage;
  /** A relayed answer, which goes out in its own bytes. */
  readonly raw?: RawMessage;
  /** Its credential is not known any more. */
  readonly blank?: true;
}

/** Writes answers in the device's own encoding (IW-SES-1) and adds what only the gateway may know. */
export class Replies {
  readonly #wire: Wire;
  readonly #present: PresentToDevice;
  readonly #read: ReadStored;

  constructor(wire: Wire, present: PresentToDevice, read: ReadStored) {
    this.#wire = wire;
    this.#present = present;
    this.#read = read;
  }

  /**
   * The answer as the journal keeps it: the same bytes for the same script, whoever runs it. Called once
   * for each answer of a session, in order, for the session counts them where its dialect numbers them.
   */
  write(session: LiveSession, reply: DeviceReply): WrittenReply {
    session.declined = reply.protocol === 'http';
    if (reply.protocol === 'dm2') return this.#writeDm2(session, reply);
    if (reply.protocol === 'http') {
      const { status, headers } = reply;
      return { meta: { status, headers }, journaled: new Uint8Array() };
    }
    const { message, present, raw } = reply;
    const blank = (raw ?? reply).blank && { blank: true as const };
    const { encoding } = session;
    if (!encoding) throw new DragomanError('internal', 'A 2.0 session answered with a SyncML message.');
    if (raw && (raw.mac !== undefined || raw.form === encoding.form)) {
      const enc = raw.form === encoding.form ? encoding : defaultEncoding(raw.form, message.header.verDTD);
      const journaled = maskRaw(raw);
      const meta = {
        enc,
        ...(raw.mac !== undefined && { headers: { [HMAC_HEADER]: raw.mac } }),
        ...(journaled !== raw.body && { blank: true as const }),
      };
      return { meta, journaled, raw, ...blank };
    }
    // Credentials of the gateway's own are added later, so these are a relayed server's.
    const masked = maskCredentials(message);
    const stored = holdsStored(message);
    const meta = {
      enc: encoding,
      ...(present && { present }),
      ...(stored && { stored }),
      ...(masked !== message && { blank: true as const }),
    };
    return { meta, journaled: this.#wire.writeDm1(masked, encoding), message, ...blank };
  }

  /** What goes to the device: the journaled bytes unless a credential belongs in them. */
  async toDevice(session: LiveSession, written: WrittenReply): Promise<Reply> {
    const { meta, journaled, message, raw, blank } = written;
    if (blank || !meta.enc) return this.restore(meta, journaled, session.deviceId, session.dialect);
    const type = DM1_TYPES[meta.enc.form];
    if (raw) return { type, body: raw.body, ...(meta.headers && { headers: meta.headers }) };
    if (!message || (!meta.present && !meta.stored && !meta.blank)) return { type, body: journaled };
    return this.#complete(message, meta, meta.enc, session.deviceId);
  }

  /** The answer that a journal entry holds, for a repeat after the session left this node's memory. */
  async restore(meta: ReplyMeta, body: Uint8Array, deviceId: string, dialect: string): Promise<Reply> {
    if (meta.status !== undefined) return httpReply(meta.status, meta);
    if (!meta.enc) return this.#dm2Reply(dialect, meta, body);
    if (meta.blank) return this.#withoutCred(meta.enc, meta, body);
    if (!meta.present && !meta.stored) {
      return { type: DM1_TYPES[meta.enc.form], body, ...(meta.headers && { headers: meta.headers }) };
    }
    const { message } = this.#wire.readDm1(body, meta.enc.form);
    return this.#complete(meta.stored ? recallStored(message) : message, meta, meta.enc, deviceId);
  }

  /** What a device takes for a server that has not proved itself yet, and challenges (1x§9.4 rule 7). */
  #withoutCred(encoding: Encoding, { headers }: ReplyMeta, body: Uint8Array): Reply {
    const { message } = this.#wire.readDm1(body, encoding.form);
    const header = withoutCred(message.header);
    const elements = message.body.map((each) => (each.kind === 'Status' ? withoutCred(each) : each));
    return {
      type: DM1_TYPES[encoding.form],
      body: this.#wire.writeDm1({ ...message, header, body: elements }, encoding),
      ...(headers && { headers }),
    };
  }

  /** With credentials and stored values. */
  async #complete(
    journaled: SyncMLMessage,
    { present, stored }: ReplyMeta,
    encoding: Encoding,
    deviceId: string,
  ): Promise<Reply> {
    const message = stored ? await fillStored(journaled, this.#read) : journaled;
    const type = DM1_TYPES[encoding.form];
    if (!present) return { type, body: this.#wire.writeDm1(message, encoding) };
    const presented = await this.#present(message, present, deviceId);
    const body = this.#wire.writeDm1(presented.message, encoding);
    const headers = presented.headers?.(body);
    return { type, body, ...(headers && { headers }) };
  }

  #writeDm2(session: LiveSession, reply: Extract<DeviceReply, { protocol: 'dm2' }>): WrittenReply {
    const { package2, accept, lookalike } = reply;
    session.lookalike = lookalike === true;
    const dialect = this.#wire.dm2[session.dialect as DialectName];
    const { commandsCarryMsgId, dataInStatus } = dialect.capabilities;
    if (commandsCarryMsgId) session.msgId = nextMsgId(session.msgId);
    if (dataInStatus === 'multipart') session.asked = asCommands(package2) as Dm2Command[];
    const { body, lost } = dialect.writePackage2(package2, session.msgId);
    const meta: ReplyMeta = {
      ...(accept !== undefined && { accept }),
      ...(lookalike && { lookalike }),
      ...(lost.length > 0 && { lost }),
    };
    return { meta, journaled: body };
  }

  #dm2Reply(name: string, { accept }: ReplyMeta, body: Uint8Array): Reply {
    const type = this.#wire.dm2[name as DialectName].mediaTypes.commands;
    return { type, body, ...(accept !== undefined && { headers: { 'omadm-accept': accept } }) };
  }
}

function withoutCred<T extends { readonly cred?: unknown }>({ cred: _cred, ...rest }: T): Omit<T, 'cred'> {
  return rest;
}

function httpReply(status: number, { headers }: ReplyMeta): Reply {
  return { type: 'text/plain', body: new Uint8Array(), status, ...(headers && { headers }) };
}

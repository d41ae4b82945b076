import type { Encoding, SyncMLMessage } from '../../dm1/message.ts';
import type { DeviceReply } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import { maskCredentials, type ReplyMeta } from './entries.ts';
import type { LiveSession, Reply } from './liveSession.ts';
import type { PresentToDevice, Wire } from './ports.ts';

export const DM1_TYPES = {
  xml: 'application/vnd.syncml.dm+xml',
  wbxml: 'application/vnd.syncml.dm+wbxml',
} as const;

/** An answer twice: as the journal keeps it, without credentials, and as the device gets it. */
export interface WrittenReply {
  readonly meta: ReplyMeta;
  readonly journaled: Uint8Array;
  readonly message?: SyncMLMessage;
}

/** Writes answers in the device's own encoding (IW-SES-1) and adds what only the gateway may know. */
export class Replies {
  readonly #wire: Wire;
  readonly #present: PresentToDevice;

  constructor(wire: Wire, present: PresentToDevice) {
    this.#wire = wire;
    this.#present = present;
  }

  /** The answer as the journal keeps it: the same bytes for the same script, whoever runs it. */
  write(session: LiveSession, reply: DeviceReply): WrittenReply {
    if (reply.protocol === 'dm2') {
      return { meta: {}, journaled: this.#dm2(session).writePackage2(reply.package2) };
    }
    const { message, present } = reply;
    const { encoding } = session;
    if (!encoding) throw new DragomanError('internal', 'A 2.0 session answered with a SyncML message.');
    const journaled = this.#wire.writeDm1(maskCredentials(message), encoding);
    return { meta: { enc: encoding, ...(present && { present }) }, journaled, message };
  }

  /** What goes to the device: the journaled bytes unless a credential belongs in them. */
  async toDevice(session: LiveSession, written: WrittenReply): Promise<Reply> {
    const { meta, journaled, message } = written;
    if (!meta.enc) return { type: this.#dm2(session).requestType, body: journaled };
    const type = DM1_TYPES[meta.enc.form];
    if (!message || (!meta.present && !message.header.cred)) return { type, body: journaled };
    return this.#withCredentials(message, meta.enc, session.deviceId, meta.present);
  }

  /** The answer that a journal entry holds, for a repeat after the session left this node's memory. */
  async restore(meta: ReplyMeta, body: Uint8Array, deviceId: string, dialect: string): Promise<Reply> {
    if (!meta.enc) return { type: this.#dialect(dialect).requestType, body };
    if (!meta.present) return { type: DM1_TYPES[meta.enc.form], body };
    const { message } = this.#wire.readDm1(body, meta.enc.form);
    return this.#withCredentials(message, meta.enc, deviceId, meta.present);
  }

  async #withCredentials(
    message: SyncMLMessage,
    encoding: Encoding,
    deviceId: string,
    present: ReplyMeta['present'],
  ): Promise<Reply> {
    const type = DM1_TYPES[encoding.form];
    if (!present) return { type, body: this.#wire.writeDm1(message, encoding) };
    const presented = await this.#present(message, present, deviceId);
    const body = this.#wire.writeDm1(presented.message, encoding);
    const headers = presented.headers?.(body);
    return { type, body, ...(headers && { headers }) };
  }

  #dm2(session: LiveSession) {
    return this.#dialect(session.dialect);
  }

  #dialect(name: string) {
    const wire = this.#wire.dm2[name] ?? this.#wire.dm2['approved'];
    if (!wire) throw new DragomanError('internal', `No writer for the DM 2.0 dialect ${name}.`);
    return wire;
  }
}

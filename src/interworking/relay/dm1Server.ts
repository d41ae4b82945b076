import { type CodecLimits, DEFAULT_LIMITS, encodeMessage } from '../../dm1/codec.ts';
import type { KeptBack } from '../../dm1/keepBack.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import { type Readdressing, readdressBytes, readdressMessage, roomFor } from '../../dm1/readdress.ts';
import { answerWithStatus } from '../../dm1/session/answerWithStatus.ts';
import { type OpenChunks, outgrows, transcoded } from '../../dm1/transcode.ts';
import type { Opening } from '../context.ts';
import type { BackendEvent, BackendRequest, DeviceReply, Script } from '../script.ts';
import type { Session } from '../session.ts';
import { withinRights } from './dm1Access.ts';
import { abortMessage } from './dm1Messages.ts';

export type Relayed = Extract<BackendEvent, { kind: 'dm1' }>;
type Form = 'xml' | 'wbxml';

/** XML of what real peers write is less than that many times its WBXML. */
const XML_FOR_WBXML = 4;

/** The server of a relayed session, and what either side calls the other. */
export class ServerSide {
  readonly #s: Session;
  readonly #opening: Extract<Opening, { protocol: 'dm1' }>;
  /** What the device calls its server: a URL of the gateway. */
  readonly #shown: string;
  /** How the server is written to. */
  readonly #form: Form;
  /** Where the server wants the next message; the configured URL until it says so. */
  #respURI: string | undefined;
  /** What the server calls itself. */
  #source: string | undefined;
  #msgId = 0;
  /** The server signs what it says, and would take nothing from us. */
  #signed = false;
  /** Largest message that either side takes, by its own word. */
  readonly #most: { device?: number | undefined; server?: number | undefined } = {};
  /** Commands that the device did not get, in the package that it answers. */
  #kept: readonly KeptBack[] = [];
  /** Objects that are half across, where the encodings differ. */
  readonly #open: { toServer?: OpenChunks | undefined; toDevice?: OpenChunks | undefined } = {};

  constructor(s: Session, opening: Extract<Opening, { protocol: 'dm1' }>) {
    const { backend } = s.context;
    this.#s = s;
    this.#opening = opening;
    this.#shown = opening.message.header.target.uri;
    this.#form = backend.mirrors ? opening.encoding.form : backend.encoding;
  }

  get #url(): string {
    return this.#respURI ?? this.#s.context.backend.url;
  }

  request(message: SyncMLMessage): Extract<BackendRequest, { protocol: 'relay' }> {
    this.#most.device = message.header.meta?.maxMsgSize ?? this.#most.device;
    const url = this.#respURI;
    const max = this.#most.server;
    const open = this.#open.toServer;
    return {
      protocol: 'relay',
      addresses: [
        ...this.#forServer(),
        ...this.#announced(message, this.#forDevice(message), [this.#form, this.#opening.encoding.form]),
      ],
      ...(url !== undefined && { url }),
      ...(!this.#s.context.backend.mirrors && { form: this.#form }),
      ...(open && { open }),
      ...(max !== undefined && { max }),
      ...(this.#kept.length > 0 && { kept: this.#kept }),
    };
  }

  #forServer(): readonly Readdressing[] {
    const target = { place: 'Target', to: this.#url } as const;
    return this.#source === undefined
      ? [target]
      : [target, { place: 'SourceRef', from: this.#shown, to: this.#source }];
  }

  #forDevice(answered: SyncMLMessage): readonly Readdressing[] {
    return [
      { place: 'Source', to: this.#shown },
      { place: 'RespURI', to: this.#s.context.deviceUrl },
      { place: 'TargetRef', to: answered.header.target.uri },
    ];
  }

  /**
   * The MaxMsgSize to pass on in a message that names one: what the other side sends must still fit when
   * the gateway has put `back` into it, perhaps in another encoding, and it must be able to take it at all.
   */
  #announced(
    { header }: SyncMLMessage,
    back: readonly Readdressing[],
    [from, to]: readonly [Form, Form],
  ): readonly Readdressing[] {
    const size = header.meta?.maxMsgSize;
    if (size === undefined) return [];
    const grows = from === 'wbxml' && to === 'xml' ? XML_FOR_WBXML : 1;
    const fits = Math.min(Math.floor((size - roomFor(back)) / grows), this.#s.context.limits.messageBytes);
    return fits > 0 ? [{ place: 'MaxMsgSize', to: String(fits) }] : [];
  }

  /** Notes what the server took, who it says it is and where it wants to be answered (IW-SES-9). */
  *take(answered: SyncMLMessage, { message, raw }: Relayed): Script<void> {
    const { source, respURI, msgId, meta } = message.header;
    if (this.#form !== this.#opening.encoding.form) {
      this.#open.toServer = transcoded(answered, this.#form, this.#open.toServer).open;
      yield* this.#noteLost(answered);
    }
    this.#most.server = meta?.maxMsgSize ?? this.#most.server;
    this.#source = source.uri;
    this.#signed ||= raw?.mac !== undefined;
    if (this.#msgId > 0 && Number(msgId) <= this.#msgId) {
      yield* this.#s.note('IW-REL-1', `The server numbers its message ${msgId} after ${this.#msgId}.`);
    }
    this.#msgId = Number(msgId) || this.#msgId + 1;
    if (respURI === undefined || respURI.trim() === '') return;
    const { deviceUrl, backend } = this.#s.context;
    if (raw?.mac !== undefined && !respURI.startsWith(deviceUrl)) {
      yield* this.#s.note(
        'IW-REL-1',
        'The server signs its messages, so its RespURI stays as it is; a device that follows it leaves the gateway. Let the server name the gateway.',
      );
    }
    this.#respURI = behind(respURI.trim(), deviceUrl, backend.url);
  }

  /**
   * The server's message, in which the device finds its own name for the server and nothing that the server
   * may not do; a signed one as it is. `unfit`: why the device cannot be given it.
   */
  *reply(answer: Relayed, answered: SyncMLMessage): Script<DeviceReply | { readonly unfit: string }> {
    const { raw } = answer;
    const { message, kept, notes } = withinRights(this.#s, answer.message);
    for (const text of notes) yield* this.#s.note('20§10.3', text);
    if (!raw) return { protocol: 'dm1', message };
    if (raw.mac !== undefined) {
      return notes.length === 0
        ? { protocol: 'dm1', message, raw }
        : { unfit: 'A command that the server may not send stands in a message that is signed.' };
    }
    this.#kept = answered.final ? kept : [...this.#kept, ...kept];
    const { encoding } = this.#opening;
    const changes = [
      ...this.#forDevice(answered),
      ...this.#announced(message, this.#forServer(), [encoding.form, this.#form]),
    ];
    const readdressed = readdressMessage(message, changes);
    const max = this.#most.device;
    const tooLarge = (bytes: number) => ({
      unfit: `The server's message of ${raw.body.length} bytes would have ${bytes} for the device, which takes ${max}.`,
    });
    if (raw.form === encoding.form && kept.length === 0) {
      const body = readdressBytes(raw.body, raw.form, changes, asLarge(raw.body));
      if (outgrows(raw.body.length, body.length, max)) return tooLarge(body.length);
      return { protocol: 'dm1', message: readdressed, raw: { ...raw, body } };
    }
    let written = readdressed;
    if (raw.form !== encoding.form) {
      const { message: recoded, open } = transcoded(readdressed, encoding.form, this.#open.toDevice);
      this.#open.toDevice = open;
      written = recoded;
      yield* this.#noteLost(message);
    }
    const bytes = max === undefined ? 0 : encodeMessage(written, encoding).length;
    if (outgrows(raw.body.length, bytes, max, true)) return tooLarge(bytes);
    return { protocol: 'dm1', message: written, ...(raw.blank && { blank: true }) };
  }

  /** What SyncML has and DM has not is known by its name alone (1x§1.3). */
  *#noteLost({ body }: SyncMLMessage): Script<void> {
    for (const element of body) {
      if (element.kind !== 'Foreign') continue;
      yield* this.#s.note('IW-REL-1', `${element.name} goes into the other encoding without its content.`);
    }
  }

  /** An answer of the gateway's own, after which the device sends no more. */
  close(message: SyncMLMessage, code: number): DeviceReply {
    const { deviceUrl } = this.#s.context;
    return {
      protocol: 'dm1',
      message: answerWithStatus(message, code, deviceUrl, { msgId: String(this.#msgId + 1) }),
    };
  }

  /**
   * Tells the server in the device's name that there will be no more (IW-SES-10): after `last`, which it
   * has had, or in its stead.
   */
  *abort(last: SyncMLMessage, place: 'after it' | 'in its stead' = 'after it'): Script<void> {
    if (this.#signed) {
      yield* this.#s.note('IW-REL-1', 'The server is not told: it takes signed messages only.');
      return;
    }
    const url = this.#respURI;
    yield* this.#s.perform({
      kind: 'backend.exchange',
      send: {
        protocol: 'dm1',
        message: abortMessage(last, {
          url: this.#url,
          source: this.#source ?? this.#url,
          msgId: this.#msgId,
          hasLast: place === 'after it',
        }),
        form: this.#form,
        ...(url !== undefined && { url }),
      },
    });
  }
}

/** It was within the limits when it came. */
function asLarge({ length }: Uint8Array): CodecLimits {
  return { ...DEFAULT_LIMITS, bytes: length, text: length };
}

/** A RespURI that names the gateway, where a server goes by its public name, is at the configured server's origin. */
function behind(respURI: string, deviceUrl: string, backendUrl: string): string {
  if (!URL.canParse(respURI)) return respURI;
  const url = new URL(respURI);
  if (url.origin !== new URL(deviceUrl).origin) return respURI;
  return `${new URL(backendUrl).origin}${url.pathname}${url.search}`;
}

import { DEFAULT_LIMITS, decodeMessage, maskCreds } from '../../dm1/codec.ts';
import type { Cred, Encoding, SyncMLMessage } from '../../dm1/message.ts';
import { contentBytes } from '../../interworking/content.ts';
import type { SessionContext } from '../../interworking/context.ts';
import { HIDDEN, maskAnswers } from '../../interworking/masking.ts';
import type {
  BackendRequest,
  Effect,
  EffectOf,
  Presentation,
  RawMessage,
  ResultOf,
} from '../../interworking/script.ts';
import type { StoredBytes } from '../../mo/stored.ts';
import type { JournalEntry } from '../../store/schema.ts';
import type { PerformedKind } from './performers.ts';
import { readTagged, writeTagged } from './taggedJson.ts';

/**
 * Kinds of journal entries: `open` and `device` hold a message as it came, `reply` one as it went,
 * `delivered` and `undelivered` tell whether it arrived, where that matters, the names of effects hold their results.
 */
export type EntryKind =
  | 'open'
  | 'device'
  | 'reply'
  | 'delivered'
  | 'undelivered'
  | 'note'
  | 'end'
  | PerformedKind;

/** Beside the bytes of a device's message (`open`, `device`). */
export interface MessageMeta {
  /** Digest of the bytes as they came, credentials included: tells a repeat (IW-SES-4). */
  readonly h: string;
  /** MsgID of a DM 1.x message. */
  readonly m?: string;
  readonly enc?: Encoding;
  readonly dialect?: string;
  /** Content-Type of a body that cannot be read again without it. */
  readonly type?: string;
  /** What reading it had to tolerate, a sentence each. */
  readonly tolerated?: readonly string[];
  /** Control characters that were left out of the message (IW-VAL-4). */
  readonly stripped?: number;
  /** It came elsewhere than to the session's RespURI, and proved itself. */
  readonly strays?: true;
  /** The body is the message as it was read, for parts of it went to the object store. */
  readonly model?: true;
  /** Instead of a message: why none will come. */
  readonly gone?: 'timeout' | 'replaced' | 'shutdown';
}

/** The members of a context that are stored; the opening stands beside it, mappings are shared. */
export type StoredContext = Omit<SessionContext, 'mappings' | 'opening'>;

/** Beside the bytes of an opening (`open`). */
export interface OpenMeta extends MessageMeta {
  /** What the session was given. */
  readonly context: StoredContext;
}

/** Beside the bytes of an answer; they hold no credential of the gateway's, which `present` adds anew. */
export interface ReplyMeta {
  /** What the device says next may have the very bytes of what it said last (IW-SES-4). */
  readonly lookalike?: true;
  readonly enc?: Encoding;
  readonly present?: Presentation;
  /** Something was taken out of it when its session ended: it is not what was sent. */
  readonly wiped?: true;
  /** Values that only the object store holds stand in it as marks. */
  readonly stored?: true;
  /** OMADM-Accept that goes with it (20§9). */
  readonly accept?: string;
  /** What the device's dialect has no place for, a sentence each. */
  readonly lost?: readonly string[];
  /** Beyond those of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A relayed server had a credential in it; it is left out when the journal answers. */
  readonly blank?: true;
  /** It is no message, but what a relayed server said by HTTP. */
  readonly status?: number;
}

export function writeReplyMeta(meta: ReplyMeta): string {
  return meta.present ? writeTagged(meta) : JSON.stringify(meta);
}

export function readReplyMeta(text: string): ReplyMeta {
  return readTagged(text) as ReplyMeta;
}

export interface NoteMeta {
  readonly rule: string;
  readonly text: string;
}

export interface EndMeta {
  readonly ending: string;
  readonly detail?: string;
}

export interface Stored {
  readonly meta: string;
  readonly body: Uint8Array | null;
}

/** What an effect was and gave, for the journal. Large bodies stand beside the JSON, not in it. */
export function storeResult<K extends PerformedKind>(
  kind: K,
  effect: EffectOf<PerformedKind>,
  result: ResultOf<K>,
): Stored;
export function storeResult(
  kind: PerformedKind,
  effect: EffectOf<PerformedKind>,
  result: ResultOf<PerformedKind>,
): Stored {
  switch (effect.kind) {
    case 'backend.exchange': {
      const event = result as ResultOf<'backend.exchange'>;
      if (effect.send.protocol === 'relay') return storeRelayed(effect.send, event);
      const request = maskRequest(effect.send);
      if (event.kind !== 'dm1' && request.protocol === 'dm2') return plain({ request, result: event });
      const masked = event.kind === 'dm1' ? { ...event, message: maskCredentials(event.message) } : event;
      return { meta: writeTagged({ request, result: masked }), body: null };
    }
    case 'transfer': {
      const event = result as ResultOf<'transfer'>;
      const { method, url, headers, body: sent, follow } = effect.transfer;
      const request = {
        method,
        // The pages of a dialogue get what its user typed, a form may put that in the address.
        url: follow === false ? url.replace(/\?.*$/s, `?${HIDDEN}`) : url,
        headers: withoutSecrets(headers),
        ...(sent && { bytes: contentBytes(sent) }),
      };
      if (event.kind === 'failed') return plain({ request, result: event });
      const { body, ...head } = event;
      return { meta: JSON.stringify({ request, result: head }), body };
    }
    case 'repository.offer':
      return plain({
        request: { contentType: effect.contentType, bytes: contentBytes(effect.body) },
        result,
      });
    case 'repository.expect':
      return plain({ result });
    case 'repository.collect': {
      const { at, uploads } = result as ResultOf<'repository.collect'>;
      const bodies: Uint8Array[] = [];
      const list = uploads.map((upload) => {
        if (!upload) return null;
        bodies.push(upload.body);
        const { contentType, stored } = upload;
        return { contentType, bytes: upload.body.length, ...(stored && { stored }) };
      });
      return {
        meta: JSON.stringify({ request: { urls: effect.urls }, result: { at, uploads: list } }),
        body: bodies.length > 0 ? Buffer.concat(bodies) : null,
      };
    }
    case 'object.append':
      return plain({ result });
    case 'object.load': {
      const { at, body } = result as ResultOf<'object.load'>;
      return { meta: JSON.stringify({ request: { stored: effect.stored }, result: { at } }), body };
    }
    case 'authenticate':
      return { meta: writeTagged({ result }), body: null };
    case 'registry.save':
      return plain({ result });
    case 'interaction.open':
      return plain({ request: { alert: effect.alert }, result });
    case 'interaction.wait': {
      const { at, answer } = result as ResultOf<'interaction.wait'>;
      if (!effect.secret || answer.kind !== 'entered') return plain({ result });
      const shown = { at, answer: { ...answer, text: HIDDEN } };
      return { meta: JSON.stringify({ result: shown }), body: Buffer.from(answer.text, 'utf8') };
    }
    case 'alert.keep':
      return plain({ request: { first: effect.first, alerts: effect.alerts.length }, result });
    case 'alert.settle':
      return plain({ request: { settled: effect.settled }, result });
    case 'report.expect':
    case 'report.promise':
    case 'url.check':
    case 'report.close':
    case 'wakeup.answer': {
      const { kind: _kind, ...request } = effect;
      return plain({ request, result });
    }
    default:
      throw new TypeError(`No way to journal ${kind}.`);
  }
}

/** A page of a dialogue: what its user answers to it stands in the device's messages (IW-UI-2). */
export function showsPage(effect: Effect): boolean {
  return effect.kind === 'transfer' && effect.transfer.follow === false;
}

/** The result that {@link storeResult} stored. */
export function restoreResult(row: JournalEntry): unknown {
  switch (row.kind as PerformedKind) {
    case 'backend.exchange':
      return restoreRelayed(row) ?? (readTagged(row.meta) as { result: unknown }).result;
    case 'authenticate':
      return (readTagged(row.meta) as { result: unknown }).result;
    case 'transfer': {
      const { result } = JSON.parse(row.meta) as { result: { kind: string } };
      return result.kind === 'response' ? { ...result, body: row.body ?? new Uint8Array() } : result;
    }
    case 'repository.collect': {
      const { result } = JSON.parse(row.meta) as {
        result: {
          at: number;
          uploads: ({ contentType: string; bytes: number; stored?: StoredBytes } | null)[];
        };
      };
      let offset = 0;
      const uploads = result.uploads.map((upload) => {
        if (!upload) return null;
        const body = (row.body ?? new Uint8Array()).subarray(offset, offset + upload.bytes);
        offset += upload.bytes;
        const { contentType, stored } = upload;
        return { contentType, body, ...(stored && { stored }) };
      });
      return { at: result.at, uploads };
    }
    case 'interaction.wait': {
      const { result } = JSON.parse(row.meta) as { result: ResultOf<'interaction.wait'> };
      if (row.body === null) return result;
      return { ...result, answer: { ...result.answer, text: Buffer.from(row.body).toString('utf8') } };
    }
    case 'object.load': {
      const { result } = JSON.parse(row.meta) as { result: { at: number } };
      return { ...result, body: row.body ?? new Uint8Array() };
    }
    case 'object.append':
    case 'repository.offer':
    case 'repository.expect':
    case 'registry.save':
    case 'interaction.open':
    case 'alert.keep':
    case 'alert.settle':
    case 'report.expect':
    case 'report.promise':
    case 'url.check':
    case 'report.close':
    case 'wakeup.answer':
      return (JSON.parse(row.meta) as { result: unknown }).result;
  }
}

/** A relayed answer is kept in its own bytes, from which the same reply can be made again (IW-SES-4). */
function storeRelayed(send: BackendRequest, event: ResultOf<'backend.exchange'>): Stored {
  if (event.kind !== 'dm1' || !event.raw) return plain({ request: send, result: event });
  const { at, kind, raw } = event;
  const { body: _body, ...head } = raw;
  return {
    meta: JSON.stringify({ request: send, result: { at, kind, raw: head } }),
    body: maskRaw(raw),
  };
}

function restoreRelayed({ meta, body }: JournalEntry): ResultOf<'backend.exchange'> | undefined {
  if (!body) return undefined;
  const { result } = JSON.parse(meta) as {
    result: { at: number; kind: 'dm1'; raw: Omit<RawMessage, 'body'> };
  };
  const { form } = result.raw;
  // It was within the limits when it came.
  const limits = { ...DEFAULT_LIMITS, bytes: body.length, text: body.length };
  const { message, credRanges } = decodeMessage(body, form, limits);
  const blank = credRanges.length > 0 && { blank: true as const };
  return { ...result, message, raw: { ...result.raw, body, ...blank } };
}

/** Bytes of a WBXML Cred with content, and with attributes too; `N` in text. */
const CRED_TOKENS = [0x4e, 0xce] as const;

function mayHoldCred(bytes: Buffer, form: RawMessage['form']): boolean {
  // A name may also stand in a string table.
  if (bytes.includes('Cred')) return true;
  if (form === 'wbxml') return CRED_TOKENS.some((token) => bytes.includes(token));
  // UTF-16, where no name is found as it is written here.
  return bytes[0] === 0xff || bytes[0] === 0xfe;
}

/** The bytes without the data of their credentials, which no journal holds. */
export function maskRaw({ body, form }: RawMessage): Uint8Array {
  // Most have none, and are not worth another reading.
  if (!mayHoldCred(Buffer.from(body.buffer, body.byteOffset, body.length), form)) return body;
  const limits = { ...DEFAULT_LIMITS, bytes: body.length, text: body.length };
  const { credRanges } = decodeMessage(body, form, limits);
  return credRanges.length === 0 ? body : maskCreds(body, credRanges);
}

/** The message without the data of its credentials, which no journal holds. */
export function maskCredentials(message: SyncMLMessage): SyncMLMessage {
  const header = hiddenCred(message.header);
  const body = message.body.some((element) => 'cred' in element)
    ? message.body.map((element) => (element.kind === 'Status' ? hiddenCred(element) : element))
    : message.body;
  return header === message.header && body === message.body ? message : { ...message, header, body };
}

function hiddenCred<T extends { readonly cred?: Cred }>(part: T): T {
  return part.cred ? { ...part, cred: { ...part.cred, data: HIDDEN } } : part;
}

function maskRequest(send: BackendRequest): BackendRequest {
  return send.protocol === 'dm1' ? { ...send, message: maskAnswers(maskCredentials(send.message)) } : send;
}

const SECRET_HEADERS = /^(authorization|cookie|proxy-authorization)$/i;

function withoutSecrets(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.test(name) ? HIDDEN : value]),
  );
}

function plain(meta: object): Stored {
  return { meta: JSON.stringify(meta), body: null };
}

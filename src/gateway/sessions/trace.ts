import { wbxmlToXml } from '../../dm1/codec.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import { HIDDEN, maskJson, maskMessage, maskText } from '../../interworking/masking.ts';
import type { SecretPaths } from '../../mo/secretPaths.ts';
import type { JournalEntry, SessionRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import {
  type EndMeta,
  type EntryKind,
  type MessageMeta,
  type NoteMeta,
  type OpenMeta,
  readReplyMeta,
} from './entries.ts';
import { readModel } from './messageModel.ts';
import { isWbxml, packageOf, readSyncml, writeSyncml } from './storedMessage.ts';
import { readTagged } from './taggedJson.ts';

/** One line of a session's trace, for people who look for what happened and why. */
export interface TraceEntry {
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: EntryKind;
  /** Bytes of the message, where it is one. */
  readonly bytes?: number;
  /** A SyncML message, also one that travelled as WBXML. */
  readonly xml?: string;
  /** A DM 2.0 package, or what an effect was asked and gave. */
  readonly json?: unknown;
  /** A DM 2.0 message of an early dialect, as it travelled. */
  readonly body?: string;
  /** For notes: what was lost, assumed or decided; else a remark. */
  readonly text?: string;
  /** Interworking rule of a note or remark. */
  readonly rule?: string;
}

export interface SessionTrace {
  readonly session: Omit<SessionRow, 'key'>;
  readonly entries: readonly TraceEntry[];
}

/** Longest text of one body in a trace; the journal has the rest. */
const LONGEST_TEXT = 65_536;

/** The trace of a session without the values of `secrets`, or `undefined` when there is none of that id. */
export async function readTrace(
  store: Store,
  sessionId: string,
  secrets: SecretPaths,
): Promise<SessionTrace | undefined> {
  const row = await store.sessions.byId(sessionId);
  if (!row) return undefined;
  const { key: _key, ...session } = row;
  const entries = await store.sessions.entries(sessionId);
  const ticket = ticketIn(entries[0]);
  return {
    session,
    entries: entries.map((entry) => withoutTicket(traceEntry(entry, row.protocol, secrets), ticket)),
  };
}

/** What lets a message into the session: it stands in addresses of either side. */
function ticketIn(opening: JournalEntry | undefined): string | undefined {
  return opening?.kind === 'open' ? (JSON.parse(opening.meta) as OpenMeta).context.ticket : undefined;
}

function withoutTicket(entry: TraceEntry, ticket: string | undefined): TraceEntry {
  if (ticket === undefined || entry.xml === undefined) return entry;
  return { ...entry, xml: entry.xml.replaceAll(ticket, HIDDEN) };
}

function traceEntry(entry: JournalEntry, protocol: 'dm1' | 'dm2', secrets: SecretPaths): TraceEntry {
  const kind = entry.kind as EntryKind;
  const head = { seq: entry.seq, at: entry.at, kind };
  switch (kind) {
    case 'open':
    case 'device': {
      const meta = JSON.parse(entry.meta) as MessageMeta;
      if (meta.gone !== undefined) return { ...head, text: `The device is gone: ${meta.gone}.` };
      const lost = meta.stripped && {
        rule: 'IW-VAL-4',
        text: `${meta.stripped} control characters that XML cannot carry were left out.`,
      };
      const tolerated = meta.tolerated && { rule: 'IW-SES-1', text: meta.tolerated.join(' ') };
      const shown = meta.model ? model(entry.body, secrets) : message(entry.body, protocol, secrets);
      return { ...head, ...shown, ...lost, ...tolerated };
    }
    case 'reply': {
      const { present, lost, status } = readReplyMeta(entry.meta);
      if (status !== undefined) return { ...head, text: `HTTP ${status}, as the server answered.` };
      const remark = present
        ? { text: `Sent with ${present.scheme} credentials, not shown.` }
        : lost && { rule: 'IW-SES-1', text: lost.join(' ') };
      return { ...head, ...message(entry.body, protocol, secrets), ...remark };
    }
    case 'delivered':
      return { ...head, text: 'The answer reached the device.' };
    case 'undelivered':
      return { ...head, text: 'The answer did not reach the device.' };
    case 'note':
      return { ...head, ...(JSON.parse(entry.meta) as NoteMeta) };
    case 'end': {
      const { ending, detail } = JSON.parse(entry.meta) as EndMeta;
      return { ...head, text: detail === undefined ? ending : `${ending}: ${detail}` };
    }
    case 'backend.exchange':
      return {
        ...head,
        json: withXml(readTagged(entry.meta), secrets),
        ...message(entry.body, 'dm1', secrets),
      };
    case 'authenticate':
      return { ...head, json: verdict(readTagged(entry.meta)) };
    default:
      return {
        ...head,
        json: maskJson(JSON.parse(entry.meta), secrets),
        ...(entry.body && { bytes: entry.body.length }),
      };
  }
}

function message(
  body: Uint8Array | null,
  protocol: 'dm1' | 'dm2',
  secrets: SecretPaths,
): Partial<TraceEntry> {
  if (!body) return {};
  const bytes = body.length;
  if (protocol === 'dm1') return { bytes, xml: cut(syncml(body, secrets)) };
  const json = packageOf(body);
  if (json !== undefined) return { bytes, json: maskJson(json, secrets) };
  return { bytes, body: cut(maskText(Buffer.from(body).toString('utf8'), secrets)) };
}

/** A message of which the object store has parts: their names stand in it. */
function model(body: Uint8Array | null, secrets: SecretPaths): Partial<TraceEntry> {
  return body ? { xml: cut(asXml(maskMessage(readModel(body), secrets))) } : {};
}

/** The message as it came, or written anew where something in it is not to be seen. */
function syncml(body: Uint8Array, secrets: SecretPaths): string {
  try {
    const read = readSyncml(body);
    const masked = maskMessage(read, secrets);
    if (masked !== read) return asXml(masked);
    return isWbxml(body) ? wbxmlToXml(body) : Buffer.from(body).toString('utf8');
  } catch (error) {
    return `<!-- The message cannot be shown: ${error instanceof Error ? error.message : ''} -->`;
  }
}

function asXml(read: SyncMLMessage): string {
  return Buffer.from(writeSyncml(read)).toString('utf8');
}

/** Puts SyncML messages of a backend leg in the form that people read. */
function withXml(meta: unknown, secrets: SecretPaths): unknown {
  const { request, result } = meta as {
    request: { message?: SyncMLMessage };
    result: { message?: SyncMLMessage };
  };
  return { request: side(request, secrets), result: side(result, secrets) };
}

function side(half: { message?: SyncMLMessage }, secrets: SecretPaths): unknown {
  const { message: sent, ...rest } = half;
  if (!sent) return maskJson(half, secrets);
  const masked = maskMessage(sent, secrets);
  try {
    return { ...rest, xml: cut(asXml(masked)) };
  } catch {
    return { ...rest, message: masked };
  }
}

/** Nonces are of use to an attacker who also reads the traffic. */
function verdict(meta: unknown): unknown {
  const { result } = meta as { result: Record<string, unknown> };
  const { nextNonce: _nextNonce, challenge, ...rest } = result;
  const scheme = (challenge as { scheme?: string } | undefined)?.scheme;
  return scheme === undefined ? rest : { ...rest, challenge: scheme };
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}… (cut)` : text;
}

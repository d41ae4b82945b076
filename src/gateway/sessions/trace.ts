import { defaultEncoding, encodeMessage, wbxmlToXml } from '../../dm1/codec.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import type { JournalRow, SessionRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type EndMeta, type EntryKind, type MessageMeta, type NoteMeta, readReplyMeta } from './entries.ts';
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
  /** For notes: what was lost, assumed or decided; else a remark. */
  readonly text?: string;
  /** Interworking rule of a note or remark. */
  readonly rule?: string;
}

export interface SessionTrace {
  readonly session: Omit<SessionRow, 'context' | 'key'>;
  readonly entries: readonly TraceEntry[];
}

/** Longest text of one body in a trace; the journal has the rest. */
const LONGEST_TEXT = 65_536;

/** The trace of a session, or `undefined` when there is none of that id. */
export async function readTrace(store: Store, sessionId: string): Promise<SessionTrace | undefined> {
  const row = await store.sessions.byId(sessionId);
  if (!row) return undefined;
  const { context: _context, key: _key, ...session } = row;
  const entries = await store.sessions.entries(sessionId);
  return { session, entries: entries.map((entry) => traceEntry(entry, row.protocol)) };
}

function traceEntry(entry: JournalRow, protocol: 'dm1' | 'dm2'): TraceEntry {
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
      return { ...head, ...message(entry.body, protocol), ...lost, ...tolerated };
    }
    case 'reply': {
      const { present, lost } = readReplyMeta(entry.meta);
      const remark = present
        ? { text: `Sent with ${present.scheme} credentials, not shown.` }
        : lost && { rule: 'IW-SES-1', text: lost.join(' ') };
      return { ...head, ...message(entry.body, protocol), ...remark };
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
      return { ...head, json: withXml(readTagged(entry.meta)), ...message(entry.body, 'dm1') };
    case 'authenticate':
      return { ...head, json: verdict(readTagged(entry.meta)) };
    default:
      return {
        ...head,
        json: JSON.parse(entry.meta),
        ...(entry.body && { bytes: entry.body.length }),
      };
  }
}

function message(body: Uint8Array | null, protocol: 'dm1' | 'dm2'): Partial<TraceEntry> {
  if (!body) return {};
  const bytes = body.length;
  try {
    if (protocol === 'dm2') return { bytes, json: JSON.parse(Buffer.from(body).toString('utf8')) };
    // An XML message begins with '<' or a byte order mark; WBXML with its version, 1 to 3.
    return { bytes, xml: cut((body[0] ?? 0) < 4 ? wbxmlToXml(body) : Buffer.from(body).toString('utf8')) };
  } catch {
    return { bytes, text: cut(Buffer.from(body).toString('utf8')) };
  }
}

/** Puts SyncML messages of a backend leg in the form that people read. */
function withXml(meta: unknown): unknown {
  const { request, result } = meta as {
    request: { message?: SyncMLMessage };
    result: { message?: SyncMLMessage };
  };
  return { request: side(request), result: side(result) };
}

function side(half: { message?: SyncMLMessage }): unknown {
  const { message: syncml, ...rest } = half;
  if (!syncml) return half;
  try {
    const encoding = defaultEncoding('xml', syncml.header.verDTD);
    return { ...rest, xml: cut(Buffer.from(encodeMessage(syncml, encoding)).toString('utf8')) };
  } catch {
    return half;
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

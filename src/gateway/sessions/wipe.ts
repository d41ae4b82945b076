import type { SyncMLMessage } from '../../dm1/message.ts';
import { maskJson, maskMessage, maskText } from '../../interworking/masking.ts';
import type { SecretPaths } from '../../mo/secretPaths.ts';
import { packEntries, unpackEntries } from '../../store/journalRow.ts';
import type { JournalEntry, JournalRow } from '../../store/schema.ts';
import type { EntryKind, MessageMeta, ReplyMeta } from './entries.ts';
import { readModel } from './messageModel.ts';
import { packageOf, readSyncml, writeSyncml } from './storedMessage.ts';
import { readTagged, writeTagged } from './taggedJson.ts';

type Protocol = 'dm1' | 'dm2';

/**
 * The rows of a journal that hold values of secret nodes, or what users answered, without these: for a
 * session that ends and so is never replayed again (IW-ADDR-3). The others are not among them.
 */
export function wipeRows(
  rows: readonly JournalRow[],
  protocol: Protocol,
  secrets: SecretPaths,
): readonly JournalRow[] {
  return rows.flatMap((row) => {
    const entries = unpackEntries(row);
    const wiped = entries.map((entry) => {
      try {
        return wipeEntry(entry, protocol, secrets);
      } catch {
        // What cannot be read cannot be told from a secret.
        return { ...entry, body: null };
      }
    });
    return wiped.some((entry, i) => entry !== entries[i]) ? packEntries(wiped) : [];
  });
}

function wipeEntry(entry: JournalEntry, protocol: Protocol, secrets: SecretPaths): JournalEntry {
  switch (entry.kind as EntryKind) {
    case 'open':
    case 'device':
      return wipeMessage(entry, protocol, secrets);
    case 'reply': {
      const body = entry.body && wipeBody(entry.body, protocol, secrets);
      if (body === entry.body) return entry;
      // It must not be given to a device that repeats its message.
      const meta: ReplyMeta = { ...(readTagged(entry.meta) as ReplyMeta), wiped: true };
      return { ...entry, meta: writeTagged(meta), body };
    }
    case 'backend.exchange': {
      const body = entry.body && wipeBody(entry.body, 'dm1', secrets);
      const meta = wipeExchange(entry.meta, secrets);
      return body === entry.body && meta === entry.meta ? entry : { ...entry, meta, body };
    }
    // Documents, of which a trace shows no more than that they came.
    case 'transfer':
    case 'repository.collect':
    case 'object.load':
      return { ...entry, meta: wipeJson(entry.meta, secrets), body: null };
    default: {
      const meta = wipeJson(entry.meta, secrets);
      return meta === entry.meta ? entry : { ...entry, meta };
    }
  }
}

function wipeMessage(entry: JournalEntry, protocol: Protocol, secrets: SecretPaths): JournalEntry {
  if (!entry.body) return entry;
  const { model, ...meta } = JSON.parse(entry.meta) as MessageMeta;
  if (!model) {
    const body = wipeBody(entry.body, protocol, secrets);
    return body === entry.body ? entry : { ...entry, body };
  }
  const read = readModel(entry.body);
  const masked = maskMessage(read, secrets);
  return masked === read ? entry : { ...entry, meta: JSON.stringify(meta), body: writeSyncml(masked) };
}

/** The bytes themselves where nothing in them is secret. */
function wipeBody(body: Uint8Array, protocol: Protocol, secrets: SecretPaths): Uint8Array {
  if (protocol === 'dm1') {
    const read = readSyncml(body);
    const masked = maskMessage(read, secrets);
    return masked === read ? body : writeSyncml(masked);
  }
  const json = packageOf(body);
  if (json !== undefined) {
    const masked = maskJson(json, secrets);
    return masked === json ? body : Buffer.from(JSON.stringify(masked), 'utf8');
  }
  const text = Buffer.from(body).toString('utf8');
  const masked = maskText(text, secrets);
  return masked === text ? body : Buffer.from(masked, 'utf8');
}

function wipeJson(meta: string, secrets: SecretPaths): string {
  const json: unknown = JSON.parse(meta);
  const masked = maskJson(json, secrets);
  return masked === json ? meta : JSON.stringify(masked);
}

/** Both halves hold a message, in either generation's terms. */
function wipeExchange(meta: string, secrets: SecretPaths): string {
  const { request, result } = readTagged(meta) as Record<'request' | 'result', { message?: SyncMLMessage }>;
  const masked = { request: wipeHalf(request, secrets), result: wipeHalf(result, secrets) };
  return masked.request === request && masked.result === result ? meta : writeTagged(masked);
}

function wipeHalf<H extends { message?: SyncMLMessage }>(half: H, secrets: SecretPaths): H {
  const { message } = half;
  if (!message) return maskJson(half, secrets) as H;
  const masked = maskMessage(message, secrets);
  return masked === message ? half : { ...half, message: masked };
}

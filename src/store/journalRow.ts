import type { JournalEntry, JournalRow } from './schema.ts';

/** Its body may go before the rest of the journal does, so that entries of this kind have rows of their own. */
export const CONFIDENTIAL = 'interaction.wait';

/**
 * Rows of entries that become durable together, one where none is confidential. `entries` are of one
 * session and consecutive; their meta is JSON as `JSON.stringify` writes it, which has no line breaks.
 */
export function packEntries(entries: readonly JournalEntry[]): JournalRow[] {
  const at = entries.findIndex(({ kind }) => kind === CONFIDENTIAL);
  if (at < 0) return entries.length > 0 ? [pack(entries)] : [];
  const before = entries.slice(0, at);
  return [
    ...(before.length > 0 ? [pack(before)] : []),
    pack(entries.slice(at, at + 1)),
    ...packEntries(entries.slice(at + 1)),
  ];
}

function pack(entries: readonly JournalEntry[]): JournalRow {
  const { session_id, seq } = entries[0]!;
  let lines = '';
  const bodies: Uint8Array[] = [];
  for (const { kind, at, meta, body } of entries) {
    lines += `${lines && '\n'}${kind} ${at} ${body?.length ?? '-'} ${meta}`;
    if (body) bodies.push(body);
  }
  const [body = null] = bodies;
  return { session_id, seq, entries: lines, bodies: bodies.length > 1 ? Buffer.concat(bodies) : body };
}

/** The entries that {@link packEntries} put into a row; bodies are views on the row's, `null` where that is gone. */
export function unpackEntries({ session_id, seq, entries, bodies }: JournalRow): JournalEntry[] {
  let offset = 0;
  return entries.split('\n').map((line, i) => {
    const kindEnd = line.indexOf(' ');
    const atEnd = line.indexOf(' ', kindEnd + 1);
    const bytesEnd = line.indexOf(' ', atEnd + 1);
    const bytes = line.slice(atEnd + 1, bytesEnd);
    let body: Uint8Array | null = null;
    if (bytes !== '-' && bodies) {
      body = bodies.subarray(offset, offset + Number(bytes));
      offset += body.length;
    }
    return {
      session_id,
      seq: seq + i,
      kind: line.slice(0, kindEnd),
      at: Number(line.slice(kindEnd + 1, atEnd)),
      meta: line.slice(bytesEnd + 1),
      body,
    };
  });
}

import { wbxmlToXml } from '../dm1/codec.ts';
import type { JournalRow, SessionRow } from '../store/schema.ts';

/** One line of a session's trace: a journal entry in readable form. */
export interface TraceEntry {
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  /** Kind of the journal entry: `open`, `device`, `reply`, `note`, `end`, or the name of an effect. */
  readonly kind: string;
  /** A message or document as text: WBXML as XML, what is no text as its size. */
  readonly text?: string;
  /** What the entry says beside that. */
  readonly data?: unknown;
}

const LONGEST_DOCUMENT = 16_384;

/** Never throws: what cannot be shown is described. */
export function traceEntry({ seq, at, kind, meta, body }: JournalRow): TraceEntry {
  const data = readMeta(meta);
  const text = body === null ? undefined : readable(body, kind, data);
  const shown = withoutDigests(kind, data);
  return {
    seq,
    at: new Date(Number(at)).toISOString(),
    kind,
    ...(text === undefined ? {} : { text }),
    ...(shown === undefined ? {} : { data: shown }),
  };
}

function readMeta(meta: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(meta);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : { value };
  } catch {
    return {};
  }
}

/** Message digests tell a reader nothing. */
function withoutDigests(kind: string, data: Record<string, unknown>): unknown {
  const { h: _, enc: __, ...rest } = data;
  const shown = kind === 'open' || kind === 'device' || kind === 'reply' ? rest : data;
  return Object.keys(shown).length === 0 ? undefined : shown;
}

function readable(body: Uint8Array, kind: string, data: Record<string, unknown>): string {
  const message = kind === 'open' || kind === 'device' || kind === 'reply';
  const encoding = data['enc'] as { form?: string } | undefined;
  if (encoding?.form === 'wbxml' || (message && looksBinary(body))) {
    try {
      return indentXml(wbxmlToXml(body));
    } catch {
      return `(${body.length} bytes that are no WBXML)`;
    }
  }
  const text = new TextDecoder().decode(message ? body : body.subarray(0, LONGEST_DOCUMENT));
  if (!message && looksBinary(body)) return `(${body.length} bytes)`;
  const more = text.length < body.length && !message ? `\n… (${body.length} bytes)` : '';
  if (text.startsWith('<')) return indentXml(text) + more;
  return indentJson(text) + more;
}

function looksBinary(body: Uint8Array): boolean {
  return body.subarray(0, 512).some((byte) => byte < 9);
}

function indentJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Each element on a line of its own, two blanks deeper than the one around it; text stays as it is. */
export function indentXml(xml: string): string {
  const lines: string[] = [];
  let depth = 0;
  for (const part of xml.trim().split(/(?<=>)\s*(?=<)/)) {
    const closes = part.startsWith('</');
    if (closes) depth = Math.max(0, depth - 1);
    const previous = lines[lines.length - 1];
    const opensOnly = /^<[^!?/][^>]*(?<!\/)>[^<]*$/.test(part);
    if (closes && previous !== undefined && isOpenTagOf(previous, part))
      lines[lines.length - 1] = previous + part;
    else lines.push('  '.repeat(depth) + part);
    if (opensOnly) depth += 1;
  }
  return lines.join('\n');
}

/** Whether `line` is an element's start that nothing but text follows, and `end` is its end tag. */
function isOpenTagOf(line: string, end: string): boolean {
  const name = /^<\/([^\s>]+)/.exec(end)?.[1];
  const open = /^\s*<([^\s/>]+)[^>]*>[^<]*$/.exec(line)?.[1];
  return name !== undefined && name === open;
}

const ARROWS: Readonly<Record<string, string>> = {
  open: 'device -> gateway',
  device: 'device -> gateway',
  reply: 'device <- gateway',
  'backend.exchange': 'gateway <-> backend',
  transfer: 'gateway <-> URL',
};

/** The whole trace as people read it. */
export function traceText(session: SessionRow, entries: readonly TraceEntry[]): string {
  const head = [
    `session ${session.id}`,
    `device  ${session.device_id} (${session.protocol}) on backend ${session.backend}`,
    `state   ${session.state}${session.ending === null ? '' : `, ${session.ending}`}${session.detail === null ? '' : `: ${session.detail}`}`,
  ];
  const lines = entries.flatMap((entry) => {
    if (entry.kind === 'delivered') return [];
    const title = `${entry.at}  ${ARROWS[entry.kind] ?? entry.kind}`;
    if (entry.kind === 'note') {
      const { rule, text } = entry.data as { rule: string; text: string };
      return [`${entry.at}  note [${rule}] ${text}`];
    }
    const data = entry.data === undefined ? [] : indent(JSON.stringify(entry.data, null, 2));
    return ['', title, ...data, ...(entry.text === undefined ? [] : indent(entry.text))];
  });
  return `${[...head, ...lines].join('\n')}\n`;
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`);
}

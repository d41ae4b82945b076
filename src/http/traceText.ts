import type { SessionTrace, TraceEntry } from '../gateway/sessions/trace.ts';

const TITLES: Readonly<Record<string, string>> = {
  open: 'device → gateway',
  device: 'device → gateway',
  reply: 'device ← gateway',
  'backend.exchange': 'gateway ⇄ backend',
  transfer: 'gateway ⇄ URL',
  'repository.offer': 'document offered to the device',
  'repository.expect': 'upload expected from the device',
  'repository.collect': 'uploads of the device',
  'registry.save': 'registry',
  'interaction.open': 'page opened for the user',
  'interaction.wait': 'answer of the user',
  authenticate: 'credentials checked',
};

/** The whole trace as people read it; the entries say the same as the JSON form. */
export function traceText({ session, entries }: SessionTrace): string {
  const ended = session.ending === null ? '' : `, ${session.ending}`;
  const why = session.detail === null ? '' : `: ${session.detail}`;
  const head = [
    `session ${session.id}`,
    `device  ${session.device_id} (${session.protocol}), backend ${session.backend}`,
    `state   ${session.state}${ended}${why}`,
  ];
  return `${[...head, ...entries.flatMap(entryLines)].join('\n')}\n`;
}

function entryLines(entry: TraceEntry): string[] {
  const at = new Date(entry.at).toISOString();
  switch (entry.kind) {
    case 'delivered':
      return [`${at}  the answer reached the device`];
    case 'undelivered':
      return [`${at}  the answer did not reach the device`];
    case 'note':
      return [`${at}  note [${entry.rule ?? ''}] ${entry.text ?? ''}`];
    case 'end':
      return ['', `${at}  end: ${entry.text ?? ''}`];
    default: {
      const size = entry.bytes === undefined ? '' : ` (${entry.bytes} bytes)`;
      return ['', `${at}  ${TITLES[entry.kind] ?? entry.kind}${size}`, ...body(entry)];
    }
  }
}

function body({ xml, json, body: message, text, rule }: TraceEntry): string[] {
  const parts = [
    ...(xml === undefined ? [] : indentXml(xml).split('\n')),
    ...(json === undefined ? [] : JSON.stringify(json, null, 2).split('\n')),
    ...(message === undefined ? [] : message.trimEnd().split(/\r?\n/)),
    ...(text === undefined ? [] : (rule === undefined ? text : `[${rule}] ${text}`).split('\n')),
  ];
  return parts.map((line) => `  ${line}`);
}

/** An element with its start and end tags and what is between; text is a part without children. */
interface Part {
  readonly open: string;
  close: string;
  readonly children: Part[];
}

/** Elements on lines of their own, two blanks deeper than the one around them, as long as they do not fit `width`. */
export function indentXml(xml: string, width = 100): string {
  const root: Part = { open: '', close: '', children: [] };
  const around: Part[] = [root];
  for (const token of xml.trim().split(/(?=<)/)) {
    const inner = around[around.length - 1] ?? root;
    if (token.startsWith('</')) {
      inner.close = token.trim();
      if (around.length > 1) around.pop();
      continue;
    }
    const part: Part = { open: token.trim(), close: '', children: [] };
    inner.children.push(part);
    if (/^<[^!?/][^>]*(?<!\/)>/.test(token)) around.push(part);
  }
  return root.children.flatMap((part) => partLines(part, '', width)).join('\n');
}

function partLines(part: Part, indent: string, width: number): string[] {
  const inline = inlined(part, width - indent.length);
  if (inline !== undefined) return [indent + inline];
  const inner = part.children.flatMap((child) => partLines(child, `${indent}  `, width));
  return [indent + part.open, ...inner, indent + part.close];
}

/** The part on one line, or `undefined` when that is longer than `room`; a leaf is never broken. */
function inlined(part: Part, room: number): string | undefined {
  let text = part.open;
  for (const child of part.children) {
    const inner = inlined(child, room);
    if (inner === undefined || text.length > room) return undefined;
    text += inner;
  }
  text += part.close;
  return text.length <= room || part.children.length === 0 ? text : undefined;
}

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
      return [];
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

function body({ xml, json, text }: TraceEntry): string[] {
  const parts = [
    ...(xml === undefined ? [] : indentXml(xml).split('\n')),
    ...(json === undefined ? [] : JSON.stringify(json, null, 2).split('\n')),
    ...(text === undefined ? [] : text.split('\n')),
  ];
  return parts.map((line) => `  ${line}`);
}

/** Each element on a line of its own, two blanks deeper than the one around it; text stays as it is. */
export function indentXml(xml: string): string {
  const lines: string[] = [];
  let depth = 0;
  for (const part of xml.trim().split(/(?=<)/)) {
    const closes = part.startsWith('</');
    if (closes) depth = Math.max(0, depth - 1);
    const previous = lines[lines.length - 1];
    if (closes && previous !== undefined && isStartOf(previous, part))
      lines[lines.length - 1] = previous + part;
    else lines.push('  '.repeat(depth) + part);
    if (/^<[^!?/][^>]*(?<!\/)>[^<]*$/.test(part)) depth += 1;
  }
  return lines.join('\n');
}

/** Whether `line` is an element's start tag, perhaps with text, and `end` its end tag. */
function isStartOf(line: string, end: string): boolean {
  const name = /^<\/([^\s>]+)/.exec(end)?.[1];
  return name !== undefined && /^\s*<([^\s/>]+)[^>]*>[^<]*$/.exec(line)?.[1] === name;
}

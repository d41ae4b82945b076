import { wbxmlToXml } from '../../dm1/codec.ts';
import { indentXml } from '../../http/traceText.ts';
import type { LoggedMessage } from '../../simulator/eventLog.ts';

const WIDTH = 72;
const MOST_LINES = 30;

/** A message as the demo shows it: an arrow, its size, and its body without what every message repeats. */
export function messageLines(message: LoggedMessage): string[] {
  const { direction, bytes, contentType, status } = message;
  const type = contentType.split(';', 1)[0]?.replace('application/', '') ?? '';
  const answered = status === undefined || status === 200 ? '' : `HTTP ${status}, `;
  const title = `${direction === 'sent' ? '──▶' : '◀──'} ${answered}${type || 'no content'}, ${bytes.length} bytes`;
  const lines = body(bytes, type);
  const more = lines.length - MOST_LINES;
  return [title, ...lines.slice(0, MOST_LINES), ...(more > 0 ? [`… ${more} more lines`] : []), ''];
}

function body(bytes: Uint8Array, type: string): string[] {
  if (bytes.length === 0) return [];
  if (type.endsWith('wbxml')) return syncml(wbxmlToXml(bytes));
  const text = Buffer.from(bytes).toString('utf8');
  if (type.endsWith('xml')) return syncml(text);
  try {
    return json(JSON.parse(text));
  } catch {
    return text.split('\n');
  }
}

/** The body of a SyncML message; headers, and the device's DevInfo that opens every session, in short. */
function syncml(xml: string): string[] {
  const shown = xml
    .replace(/<\?xml[^>]*\?>/, '')
    .replace(/<SyncHdr\b[\s\S]*?<\/SyncHdr>/, '<SyncHdr> … </SyncHdr>')
    .replace(
      /<Replace\b(?:(?!<\/Replace>)[\s\S])*\.\/DevInfo\/[\s\S]*?<\/Replace>/,
      '<Replace> … ./DevInfo … </Replace>',
    )
    .replace(
      /<Status>[\s\S]*?<Cmd>(\w+)<\/Cmd>[\s\S]*?<Data>(\d+)<\/Data>[\s\S]*?<\/Status>/g,
      '<Status> $1: $2 </Status>',
    )
    .replace(/<CmdID>\d+<\/CmdID>/g, '')
    .replace(/<Cred\b[\s\S]*?<\/Cred>/, '<Cred> … </Cred>');
  return indentXml(shown, WIDTH).split('\n');
}

/** Values that fit stand on one line. */
function json(value: unknown, indent = ''): string[] {
  const inline = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + inline.length <= WIDTH)
    return [indent + inline];
  const list = Array.isArray(value);
  const inner = Object.entries(value).map(([name, item]) => {
    const lines = json(item, `${indent}  `);
    if (!list) lines[0] = `${indent}  ${JSON.stringify(name)}: ${lines[0]?.trimStart() ?? ''}`;
    return lines;
  });
  for (const lines of inner.slice(0, -1)) lines.push(`${lines.pop() ?? ''},`);
  return [`${indent}${list ? '[' : '{'}`, ...inner.flat(), `${indent}${list ? ']' : '}'}`];
}

import type { LoggedMessage } from '../../simulator/eventLog.ts';
import type { ConformanceReport, ItemResult, Verdict } from './report.ts';

const COUNTED: readonly Verdict[] = ['pass', 'fail', 'not supported'];
/** Headers whose values are secrets. */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie']);

/** `24 pass, 0 fail, 2 not supported`. */
export function summary({ items }: ConformanceReport): string {
  return COUNTED.map(
    (verdict) => `${items.filter((item) => item.verdict === verdict).length} ${verdict}`,
  ).join(', ');
}

/** One line an item; with `exchange`, the messages below it. */
export function asText(report: ConformanceReport, { exchange = false } = {}): string {
  const lines = report.items.flatMap((result) => [
    `${result.verdict.padEnd(13)}  ${result.item.id}  ${result.item.feature.name}: ${result.detail}`,
    ...(exchange ? result.exchange.flatMap((message) => indented(asMessage(message))) : []),
  ]);
  return `${[...lines, '', conclusion(report)].join('\n')}\n`;
}

function conclusion(report: ConformanceReport): string {
  const { role, conforms } = report;
  return `${summary(report)}: the ${role} ${conforms ? 'conforms' : 'does not conform'}.`;
}

export function asJson(report: ConformanceReport): string {
  const items = report.items.map(({ item, asked, verdict, detail, exchange }) => ({
    id: item.id,
    feature: item.feature.name,
    clause: item.feature.clause,
    mandatory: item.mandatory,
    ...(item.needs !== undefined && { needs: item.needs, asked }),
    verdict,
    detail,
    exchange: exchange.map((message) => ({
      direction: message.direction,
      head: head(message),
      ...bodyOf(message),
    })),
  }));
  return `${JSON.stringify({ role: report.role, conforms: report.conforms, items }, undefined, 2)}\n`;
}

/** For build servers: an item that is not supported is skipped where it is optional, else it failed. */
export function asJunit(report: ConformanceReport): string {
  const outcomes = report.items.map((result) => ({ result, outcome: outcomeOf(result) }));
  const count = (kind: string) => outcomes.filter(({ outcome }) => outcome === kind).length;
  const cases = outcomes.map(({ result, outcome }) => {
    const { item, detail, exchange } = result;
    const name = xml(`${item.id} ${item.feature.name}`);
    const messages = xml(exchange.map(asMessage).join('\n\n'));
    return [
      `    <testcase classname="dm20.${report.role}" name="${name}">`,
      ...(outcome === 'passed' ? [] : [`      <${outcome} message="${xml(detail)}"/>`]),
      `      <system-out>${messages}</system-out>`,
      '    </testcase>',
    ].join('\n');
  });
  const suite = `name="DM 2.0 ${report.role}" tests="${cases.length}" failures="${count('failure')}" skipped="${count('skipped')}"`;
  return `${['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', `  <testsuite ${suite}>`, ...cases, '  </testsuite>', '</testsuites>'].join('\n')}\n`;
}

function outcomeOf({ verdict, item, asked }: ItemResult): 'passed' | 'failure' | 'skipped' {
  if (verdict === 'pass') return 'passed';
  return verdict === 'fail' || (item.mandatory && asked) ? 'failure' : 'skipped';
}

/** A table for a page; it holds nothing that differs from run to run. */
export function asMarkdown(report: ConformanceReport): string {
  const rows = report.items.map(({ item, verdict, detail }) =>
    [item.id, item.feature.name, item.feature.clause, verdict, detail.replaceAll('|', '\\|')].join(' | '),
  );
  return [
    conclusion(report),
    '',
    '| item | feature | clause | verdict | what was seen |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n');
}

/** A message as it was on the wire, credentials aside; a body that is no text is base64. */
function asMessage(message: LoggedMessage): string {
  const { body = '', base64 } = bodyOf(message);
  return `${message.direction === 'sent' ? '>' : '<'} ${head(message)}\n${base64 ?? body}`.trimEnd();
}

function head({ direction, method, status, url, headers = {}, contentType }: LoggedMessage): string {
  const first = method === undefined ? `${status ?? ''} from ${url}` : `${method} ${url}`;
  const start = method === undefined && direction === 'sent' ? `${status ?? ''} for ${url}` : first;
  const lines = Object.entries(headers).map(
    ([name, value]) => `${name}: ${SECRET.has(name) ? '(masked)' : value}`,
  );
  const typed = lines.length === 0 && contentType !== '' ? [`content-type: ${contentType}`] : lines;
  return [start.trim(), ...typed].join('\n');
}

function bodyOf({ bytes }: LoggedMessage): { body?: string; base64?: string } {
  const text = Buffer.from(bytes).toString('utf8');
  const exact = Buffer.compare(Buffer.from(text, 'utf8'), bytes) === 0 && !/[\0-\x08\x0e-\x1f]/.test(text);
  return exact ? { body: text } : { base64: Buffer.from(bytes).toString('base64') };
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `    ${line}`);
}

/** Text and attributes; what XML 1.0 cannot carry is left out. */
function xml(text: string): string {
  const carried = text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '');
  return carried.replace(/[<>&"]/g, (character) => ENTITIES[character] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

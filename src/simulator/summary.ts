import type { BodyElement } from '../dm1/message.ts';
import type { LoggedMessage } from './eventLog.ts';
import { decodeMessage, isCommand, isGroup } from './syncml.ts';

/** One line about a message: when, which way, how large, and what it says. */
export function summaryLine(message: LoggedMessage): string {
  const { direction, bytes, at, contentType, status, url } = message;
  const arrow = direction === 'sent' ? '->' : '<-';
  const time = new Date(at).toISOString().slice(11, 23);
  const http = status === undefined ? '' : ` HTTP ${status}`;
  const type = contentType === '' ? '' : ` ${contentType.split(';')[0]}`;
  return `${time} ${arrow} ${new URL(url).pathname}${http}${type} ${bytes.length} B ${contents(message)}`.trimEnd();
}

/** What the message says, without values: names, counts and codes only, so that no secret shows. */
export function contents({ bytes, contentType }: LoggedMessage): string {
  if (bytes.length === 0) return '';
  try {
    const form = /syncml[^;]*\+(xml|wbxml)/i.exec(contentType)?.[1]?.toLowerCase();
    if (form === 'xml' || form === 'wbxml') return syncml(bytes, form);
    return contentType.includes('json') ? json(bytes) : '';
  } catch {
    return '(unreadable)';
  }
}

function syncml(bytes: Uint8Array, form: 'xml' | 'wbxml'): string {
  const { header, body, final } = decodeMessage(bytes, form).message;
  const parts = body.map(element);
  return `session ${header.sessionId} message ${header.msgId}: ${parts.join(' ')}${final ? ' Final' : ''}`;
}

function element(at: BodyElement): string {
  if (at.kind === 'Status') return `${at.cmd ?? 'Status'}=${at.code}`;
  if (at.kind === 'Alert') return `Alert(${at.code})`;
  if (isCommand(at) && isGroup(at)) return `${at.kind}(${at.commands.map(element).join(' ')})`;
  return 'items' in at && at.items.length > 1 ? `${at.kind}x${at.items.length}` : at.kind;
}

function json(bytes: Uint8Array): string {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (Array.isArray(value)) return `${value.length} objects`;
  const { MOS, CMD, Status, Alert } = value as Record<string, unknown>;
  const parts: string[] = [];
  if (Array.isArray(MOS)) parts.push(`MOS(${MOS.length})`);
  if (Array.isArray(CMD)) parts.push(`CMD ${CMD.map((command: string[]) => command[0]).join(' ')}`);
  if (Array.isArray(Status)) parts.push(`Status ${Status.map((item: { sc: number }) => item.sc).join(' ')}`);
  if (Array.isArray(Alert))
    parts.push(`Alert ${Alert.map((item: { AlertType: string }) => item.AlertType).join(' ')}`);
  return parts.join(', ');
}

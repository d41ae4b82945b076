import type { SyncMLMessage } from '../../dm1/message.ts';
import type { Incoming } from './incoming.ts';

const STARTS: ReadonlySet<string> = new Set(['1200', '1201']);

/** What a message opens (IW-SES-3); `proves`: it offers credentials, wherever they stand. */
export function opens(message: SyncMLMessage, proves: boolean): Incoming['opens'] {
  let command = false;
  let start = false;
  for (const element of message.body) {
    if (element.kind === 'Status' || element.kind === 'Results') continue;
    command = true;
    if (element.kind === 'Alert' && STARTS.has(element.code.trim())) start = true;
  }
  const first = message.header.msgId.trim() === '1';
  if (start && first) return 'always';
  if (start && proves) return 'again';
  // Some clients tell their unenrolment in a first message without 1201 (1x§15.5).
  return start || (first && command) ? 'if-none' : 'never';
}

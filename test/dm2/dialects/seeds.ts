import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { DragomanError } from '../../../src/support/errors.ts';

const folder = new URL('../../../fixtures/dm2/seeds/', import.meta.url);

export const seed = (name: string) => readFileSync(new URL(name, folder), 'utf8');

export interface Block {
  readonly start: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As printed: line feeds, empty lines. */
  readonly body: Buffer;
}

/** An HTTP message as a draft prints it: empty lines may stand between its headers, none ends them. */
export function httpBlock(name: string): Block {
  const lines = seed(name).split('\n');
  const headers: Record<string, string> = {};
  let at = 1;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const header = /^([A-Za-z-]+): (.*)$/.exec(line);
    if (header !== null) headers[(header[1] ?? '').toLowerCase()] = header[2] ?? '';
    else if (line !== '') break;
  }
  return { start: lines[0] ?? '', headers, body: Buffer.from(lines.slice(at).join('\n'), 'utf8') };
}

/** What travelled: the lines that say something, each ended by CR LF. */
export function wire(body: Buffer): string {
  return body
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('Content length'))
    .map((line) => `${line}\r\n`)
    .join('');
}

export const bytes = (text: string) => Buffer.from(text, 'utf8');
export const text = (body: Uint8Array) => Buffer.from(body).toString('utf8');

/** First cells of a table in which every cell begins with a tab. */
export function firstCells(name: string): string[] {
  return seed(name)
    .split(/\n\s*\n(?=\t)/)
    .map((row) => row.replace(/^\s+/, '').split('\n')[0]?.trim() ?? '')
    .filter((cell) => cell !== '');
}

export function refusal(run: () => unknown): DragomanError {
  try {
    run();
  } catch (error) {
    if (error instanceof DragomanError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

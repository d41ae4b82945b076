import { readFileSync, writeFileSync } from 'node:fs';
import { Option } from 'commander';
import { DragomanError } from '../support/errors.ts';
import type { Io } from './io.ts';

/** How a command shows bytes, where no file takes them. */
export type BytesForm = 'hex' | 'base64';

export const bytesForm = () =>
  new Option('--as <form>', 'how bytes are shown')
    .choices(['hex', 'base64'] satisfies BytesForm[])
    .default('hex');

/** Reads a file, `-` for standard input. */
export function readGiven(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new DragomanError('configuration', `${file} cannot be read (${reason}).`, { cause: error });
  }
}

/** Reads a file; one that holds nothing but hex digits or base64 is decoded. */
export function readBytes(file: string): Uint8Array {
  const bytes = readGiven(file);
  const text = bytes.toString('latin1').replace(/\s+/g, '');
  if (text.length > 0 && text.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(text))
    return Buffer.from(text, 'hex');
  if (text.length >= 16 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    return Buffer.from(text, 'base64');
  }
  return bytes;
}

/** Writes to the file where one is named, else shows the bytes in the form asked for. */
export function giveBytes(
  io: Io,
  bytes: Uint8Array,
  { output, as }: { readonly output?: string; readonly as: BytesForm },
): void {
  if (output === undefined) io.out(`${Buffer.from(bytes).toString(as)}\n`);
  else writeFileSync(output, bytes);
}

/** An argument that is base64 by its meaning. */
export function base64Flag(name: string, text: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw new DragomanError('configuration', `${name}: ${JSON.stringify(text)} is no base64.`);
  }
  return Buffer.from(text, 'base64');
}

import { readFileSync } from 'node:fs';

/** Version of the program, from its package.json two folders up from the code. */
export const VERSION: string = read();

function read(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

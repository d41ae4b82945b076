import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = 'fixtures/captures';

/** One captured message. */
export interface Capture {
  readonly name: string;
  readonly form: 'xml' | 'wbxml';
  readonly body: Uint8Array;
}

/** Every captured message: bodies of HTTP exchanges, and what libwbxml made of a document. */
export function captures(): Capture[] {
  return ['libdmclient', 'wbxml', 'windows'].flatMap((folder) =>
    readdirSync(`${FOLDER}/${folder}`).map((name) => capture(`${folder}/${name}`)),
  );
}

export function capture(name: string): Capture {
  const bytes = readFileSync(`${FOLDER}/${name}`);
  const body = name.endsWith('.http') ? bytes.subarray(bytes.indexOf('\r\n\r\n') + 4) : bytes;
  return { name, form: /wbxml-|\.wbxml$/.test(name) ? 'wbxml' : 'xml', body: Uint8Array.from(body) };
}

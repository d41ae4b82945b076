/** Node formats, the same set in DM 1.x (Meta/Format, 1x§7.3) and DM 2.0 (20§6.2). */
export const FORMATS = [
  'b64',
  'bin',
  'bool',
  'chr',
  'int',
  'node',
  'null',
  'xml',
  'date',
  'time',
  'float',
] as const;

export type Format = (typeof FORMATS)[number];

const known: ReadonlySet<string> = new Set(FORMATS);

/** Reads a format name in any case and with blanks around it (`Chr` is sent by real clients, 1x§16.1). */
export function parseFormat(text: string | undefined): Format | undefined {
  if (text === undefined) return undefined;
  const name = text.trim().toLowerCase();
  return known.has(name) ? (name as Format) : undefined;
}

/** Formats whose values are bytes, not text. */
export function isBinary(format: Format | undefined): boolean {
  return format === 'b64' || format === 'bin';
}

/** Input types of an 1102 (1x§4.3); `A`, any characters, is the default. */
export const INPUT_TYPES = ['A', 'N', 'D', 'T', 'P', 'I'] as const;
export type InputType = (typeof INPUT_TYPES)[number];

/** Echo types: `T` shows what is typed (default), `P` masks it. */
export type EchoType = 'T' | 'P';

/** The options string in the first Item of a UI alert (1x§4.3). */
export interface UiOptions {
  /** MINDT: seconds that the text stays at least. */
  readonly minSeconds?: number;
  /** MAXDT: seconds after which nobody is waited for any longer. */
  readonly maxSeconds?: number;
  /** DR, decoded; what it means depends on the alert. */
  readonly defaultResponse?: string;
  readonly maxLength?: number;
  readonly inputType?: InputType;
  readonly echo?: EchoType;
}

/** Longest options string that is looked at, in characters. */
const LONGEST = 16_384;
/** Numbers above are as good as none. */
const LARGEST = 2_147_483_647;

/**
 * Reads an options string with every tolerance: keys in any case, blanks, `;` or an escaped `&amp;` as
 * separator, escapes that are none, unknown keys, values out of range. Of a repeated key the first counts.
 *
 * ```ts
 * parseUiOptions('MINDT=10&DR=John+Doe&it=n') // { minSeconds: 10, defaultResponse: 'John Doe', inputType: 'N' }
 * ```
 */
export function parseUiOptions(text: string): UiOptions {
  const values = new Map<string, string>();
  for (const pair of text.slice(0, LONGEST).split(/&amp;|[&;]/i)) {
    const at = pair.indexOf('=');
    if (at < 0) continue;
    const key = decode(pair.slice(0, at)).trim().toUpperCase();
    if (!values.has(key)) values.set(key, decode(pair.slice(at + 1)));
  }
  const minSeconds = positive(values.get('MINDT'));
  const maxSeconds = positive(values.get('MAXDT'));
  const maxLength = positive(values.get('MAXLEN'));
  const defaultResponse = values.get('DR');
  const letter = values.get('IT')?.trim().toUpperCase();
  const inputType = INPUT_TYPES.find((type) => type === letter);
  const echo = values.get('ET')?.trim().toUpperCase();
  return {
    ...(minSeconds !== undefined && { minSeconds }),
    ...(maxSeconds !== undefined && { maxSeconds }),
    ...(defaultResponse !== undefined && { defaultResponse }),
    ...(maxLength !== undefined && { maxLength }),
    ...(inputType !== undefined && { inputType }),
    ...((echo === 'T' || echo === 'P') && { echo }),
  };
}

/** Writes an options string, defaults left out; empty when there is nothing to say. */
export function formatUiOptions(options: UiOptions): string {
  const { minSeconds, maxSeconds, defaultResponse, maxLength, inputType, echo } = options;
  const pairs: [string, string | number | undefined][] = [
    ['MINDT', minSeconds],
    ['MAXDT', maxSeconds],
    ['DR', defaultResponse],
    ['MAXLEN', maxLength],
    ['IT', inputType === 'A' ? undefined : inputType],
    ['ET', echo === 'T' ? undefined : echo],
  ];
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${encode(String(value))}`)
    .join('&');
}

function positive(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*\+?\d{1,10}\s*$/.test(text)) return undefined;
  const value = Number(text);
  return value > 0 && value <= LARGEST ? value : undefined;
}

/** RFC 2396 with `+` for a blank; a text that is no valid escape sequence stays as it is. */
function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')).replaceAll('%20', '+');
}

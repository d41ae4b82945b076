import { MEDIA_TYPE } from './packages.ts';

/** Type and subtype in lower case, without parameters; `undefined` when it is none. */
export function essence(contentType: string | undefined): string | undefined {
  if (contentType === undefined) return undefined;
  const end = contentType.indexOf(';');
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  return /^[^\s/;,]+\/[^\s/;,]+$/.test(type) ? type : undefined;
}

/** Names under which MO serializations travel, beside any `*+json` (20§15 Q5). */
const SERIALIZATION_TYPES: ReadonlySet<string> = new Set([
  MEDIA_TYPE.serialization,
  'application/json',
  'application/dmmo+json',
  'text/json',
]);

/** Whether a body of that Content-Type may be an MO serialization (20§15 Q5). */
export function isSerialization(contentType: string | undefined): boolean {
  const type = essence(contentType);
  return type !== undefined && (SERIALIZATION_TYPES.has(type) || type.endsWith('+json'));
}

export interface AcceptedType {
  /** Lower case; `*` and `*+json` may stand for the subtype, `*` for the type. */
  readonly type: string;
  /** 0 to 1; 0 refuses the type. */
  readonly q: number;
}

/** More than any honest list holds. */
const MOST_TYPES = 64;

/**
 * Reads `Accept` or `OMADM-Accept` (20§9). Early clients separate the types by `;` (20§1.3): what
 * stands between semicolons is a type when it has a slash and no `=`, a parameter otherwise.
 */
export function parseAccept(header: string): AcceptedType[] {
  const types: AcceptedType[] = [];
  for (const element of header.split(',')) {
    let type: string | undefined;
    let q = 1;
    for (const piece of element.split(';')) {
      const text = piece.trim().toLowerCase();
      if (text.includes('/') && !text.includes('=')) {
        if (type !== undefined) types.push({ type, q });
        type = text;
        q = 1;
      } else if (/^q\s*=/.test(text)) {
        q = quality(text.slice(text.indexOf('=') + 1).trim());
      }
    }
    if (type !== undefined) types.push({ type, q });
    if (types.length > MOST_TYPES) break;
  }
  return types.slice(0, MOST_TYPES);
}

function quality(text: string): number {
  const q = Number(text);
  return text === '' || !(q >= 0) ? 1 : Math.min(q, 1);
}

/**
 * The member of `supported` that the peer likes best, the earlier one where it likes several equally;
 * `undefined` (406) when it accepts none. No list, or an empty one, accepts everything.
 */
export function chooseType(accept: string | undefined, supported: readonly string[]): string | undefined {
  const accepted = accept === undefined ? [] : parseAccept(accept);
  if (accepted.length === 0) return supported[0];
  let best: string | undefined;
  let bestQ = 0;
  for (const type of supported) {
    const q = qualityOf(type, accepted);
    if (q > bestQ) {
      best = type;
      bestQ = q;
    }
  }
  return best;
}

/** Quality by the most specific entry that covers the type (RFC 9110, 12.5.1). */
function qualityOf(type: string, accepted: readonly AcceptedType[]): number {
  const name = essence(type) ?? type;
  let found = -1;
  let q = 0;
  for (const entry of accepted) {
    const rank = specificity(entry.type, name);
    if (rank > found) {
      found = rank;
      q = entry.q;
    }
  }
  return q;
}

function specificity(pattern: string, name: string): number {
  if (pattern === name) return 3;
  const slash = name.indexOf('/');
  const [type, subtype] = pattern.split('/', 2);
  if (type !== '*' && type !== name.slice(0, slash)) return -1;
  if (subtype === '*') return type === '*' ? 0 : 1;
  return subtype?.startsWith('*+') && name.endsWith(subtype.slice(1)) ? 2 : -1;
}

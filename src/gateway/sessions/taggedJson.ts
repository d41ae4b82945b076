/** Member that stands for bytes; no message model has one of this name. */
const BYTES = '$b64';

/** JSON in which bytes travel as `{"$b64": base64}`. */
export function writeTagged(value: unknown): string {
  return JSON.stringify(value, tag);
}

export function readTagged(text: string): unknown {
  return text.includes(BYTES) ? JSON.parse(text, untag) : JSON.parse(text);
}

// The receiver's member is looked at because Buffer turns itself into something else before we see it.
function tag(this: unknown, key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const original = (this as Record<string, unknown>)[key];
  if (!(original instanceof Uint8Array)) return value;
  return {
    [BYTES]: Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString('base64'),
  };
}

function untag(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const text = (value as Record<string, unknown>)[BYTES];
  return typeof text === 'string' && Object.keys(value).length === 1
    ? new Uint8Array(Buffer.from(text, 'base64'))
    : value;
}

/** A MOID with `urn:` in front where the peer left it out (20§1.2 C11); names such as `com.example/1.0/Thing` stay. */
export function normaliseMoid(moid: string): string {
  const id = moid.trim();
  if (/^urn:/i.test(id)) return `urn:${id.slice(4)}`;
  return /^[A-Za-z0-9-]+:[^/]*$/.test(id) ? `urn:${id}` : id;
}

/** Whether a text can only be a MOID: a URN, or `com.company/1.0/Name` (1x§13). */
export function isMoid(text: string): boolean {
  return /^(?:urn:)?oma:mo:|^urn:[a-z0-9-]+:mo[:-]|^[a-z][\w-]*(?:\.[\w-]+)+\/[\d.]+\/\S+$/i.test(text);
}

/**
 * The name of an unnamed root under `MOData` (20§6.1): the piece of the MOID after `urn:oma:mo:oma-` up to
 * the next colon (`fumo`, `dm-dmacc`), of other ids the piece that names the object.
 */
export function rootNameOf(moid: string): string {
  const id = normaliseMoid(moid);
  const oma = /^urn:oma:mo:(?:oma-)?([^:]+)/.exec(id) ?? /^urn:[^:]+:mo:([^:]+)/.exec(id);
  if (oma?.[1] !== undefined) return oma[1];
  const last = id.split('/').at(-1);
  return last === undefined || last === '' ? id : last;
}

/** What a TNDS can tell of a node (1x§7.4). */
export const TNDS_PROPERTIES = [
  'ACL',
  'Format',
  'Name',
  'Size',
  'Title',
  'TStamp',
  'Type',
  'VerNo',
  'Value',
] as const;

export type TndsProperty = (typeof TNDS_PROPERTIES)[number];

export type TndsSelection = ReadonlySet<TndsProperty>;

/** NodeName tells the Name already; it is written once more only where it is asked for. */
const USUAL = TNDS_PROPERTIES.filter((name) => name !== 'Name');
const ALL: TndsSelection = new Set(USUAL);
const byName: ReadonlyMap<string, TndsProperty> = new Map(TNDS_PROPERTIES.map((name) => [name, name]));

/**
 * Reads what stands behind `?list=TNDS`: `+Value+ACL` only these, `-Format` all but it, nothing for all.
 * `undefined` for a name that is no property, where one of `missing` is asked for, and where `+` and `-` are
 * mixed; that is for status 406.
 */
export function parseSelection(
  text: string,
  missing: readonly TndsProperty[] = [],
): TndsSelection | undefined {
  if (text === '') return ALL;
  const sign = text[0];
  if (sign !== '+' && sign !== '-') return undefined;
  const named = new Set<TndsProperty>();
  for (const name of text.slice(1).split(sign)) {
    const property = byName.get(name);
    if (property === undefined || (sign === '+' && missing.includes(property))) return undefined;
    named.add(property);
  }
  return sign === '+' ? named : new Set(USUAL.filter((name) => !named.has(name)));
}

import { type ClientUri, formatClientUri, parseClientUri, type Segment } from '../../clientUri.ts';

/**
 * MIID of the only instance of an object whose Path is `/`. Early clients give such an object no
 * instance name, the approved protocol needs one in MOS.
 */
export const ONLY_INSTANCE = '~';

/** Fields of an address that a dialect knows, by the names that it gives them; absent: none. */
export interface AddressFields {
  readonly levels?: string;
  readonly cv?: string;
}

/**
 * An address of an early dialect as the approved one writes it: `oma:mo:oma-mms:1.3/1?Levels=2` becomes
 * `urn:oma:mo:oma-mms:1.3/1/?lv=2` (20§1.2 C11, 20§4.3). What does not parse stays as it is, to be
 * answered where addresses are read.
 */
export function toApproved(address: string): string {
  const uri = parseClientUri(address, { bareInstance: true });
  return 'error' in uri ? address : formatClientUri(uri);
}

/** The reverse; `lost` names the fields for which the dialect has no word. */
export function toDraft(
  address: string,
  fields: AddressFields,
): { readonly address: string; readonly lost: readonly string[] } {
  const uri = parseClientUri(address, { bareInstance: true });
  if ('error' in uri) return { address, lost: [] };
  const lost: string[] = [];
  const other = [...uri.other];
  const named = [
    ['levels', fields.levels, uri.levels],
    ['cv', fields.cv, uri.cv],
  ] as const;
  for (const [field, name, value] of named) {
    if (value === undefined) continue;
    if (name === undefined) lost.push(`The field ${field} of ${address} has no place in this dialect.`);
    else other.push({ name, value: String(value) });
  }
  const { levels: _levels, cv: _cv, ...place } = uri;
  const text = formatClientUri({
    ...place,
    moid: bareMoid(uri.moid),
    instance: isOnlyInstance(uri.instance) ? { kind: 'empty' } : uri.instance,
    other,
  });
  return { address: uri.path.length === 0 ? withoutRootSlash(text) : text, lost };
}

function isOnlyInstance(instance: ClientUri['instance']): boolean {
  return instance.kind === 'named' && instance.name === ONLY_INSTANCE;
}

/** Early documents leave `urn:` out in front of OMA's own ids (20§1.2 C11). */
export function bareMoid(moid: string): string {
  return moid.startsWith('urn:oma:mo:') ? moid.slice('urn:'.length) : moid;
}

function withoutRootSlash(text: string): string {
  const question = text.indexOf('?');
  const end = question < 0 ? text.length : question;
  return `${text.slice(0, end - 1)}${text.slice(end)}`;
}

/** The instance and names below it that a Path of TNDS20 gives: `/`, `/1`, `/1/Name`, `//Name`. */
export function readPath(path: string): { readonly miid: string | undefined; readonly below: string[] } {
  const pieces = (path.startsWith('/') ? path.slice(1) : path).split('/');
  const miid = unescaped(pieces[0] ?? '');
  const below = pieces.slice(1).map(unescaped);
  if (below.at(-1) === '') below.pop();
  return { miid: miid === '' ? undefined : miid, below };
}

/** The Path of an instance or of a node below it. */
export function writePath(miid: string | undefined, below: readonly string[]): string {
  const named: Segment[] = below.map((name) => ({ kind: 'named', name }));
  const only = miid === undefined || miid === ONLY_INSTANCE;
  const text = formatClientUri({
    moid: '',
    instance: only ? { kind: 'empty' } : { kind: 'named', name: miid },
    path: named,
    nv: [],
    other: [],
  });
  return below.length === 0 ? text.slice(0, -1) : text;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

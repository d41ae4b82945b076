import type { SerializationItem } from './packages.ts';

/** `ClientURI` of an item whose peer told none. */
export const NO_CLIENT_URI = '';
/** The one name under `MOData` that stands for a leaf's bare value: no node has an empty name. */
export const BARE_VALUE = '';

/**
 * Items of an MO serialization from any JSON that peers send for one: an array of items or a single
 * one, a tree without the item around it, a bare value (IW-VAL-5). Never fails; what holds no data
 * becomes an item with empty `MOData`.
 */
export function toItems(json: unknown): SerializationItem[] {
  return Array.isArray(json) ? json.map(toItem) : [toItem(json)];
}

function toItem(json: unknown): SerializationItem {
  if (!isTree(json)) return { ClientURI: NO_CLIENT_URI, MOData: { [BARE_VALUE]: json } };
  const { ClientURI, DDF, CV, MOData } = json;
  if (MOData === undefined) return { ClientURI: NO_CLIENT_URI, MOData: json };
  return {
    ...(typeof DDF === 'string' ? { DDF } : {}),
    ClientURI: typeof ClientURI === 'string' ? ClientURI : NO_CLIENT_URI,
    ...(typeof CV === 'string' ? { CV } : {}),
    MOData: isTree(MOData) ? MOData : { [BARE_VALUE]: MOData },
  };
}

/** A JSON object; a number kept by its letters is an object of a class, and a leaf. */
export function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  );
}

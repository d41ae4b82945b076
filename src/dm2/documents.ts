import { DIALECTS, type Dialect, READ_LIMITS } from './dialects/index.ts';
import { essence, isSerialization } from './mediaTypes.ts';
import type { MoItem, SerializationItem } from './packages.ts';
import { type ReadItem, type ReadTarget, readSerialization, readSerializationBody } from './serialization.ts';

/** What early dialects call a document of management objects (20§6.3). */
const TNDS20 = DIALECTS['draft-text-1'].mediaTypes.document;

/** Types of documents for `Accept`, the best one of `dialect` first. */
export function documentAccept(dialect: Dialect): string {
  const own = dialect.mediaTypes.document;
  return own === TNDS20 ? `${own}, application/json;q=0.9, */*;q=0.8` : `${own}, application/json, */*`;
}

/** Whether a body of that Content-Type is a document of management objects in any dialect. */
export function isMoDocument(contentType: string | undefined): boolean {
  return isSerialization(contentType) || essence(contentType) === TNDS20;
}

/**
 * Reads a document of management objects of any dialect by its Content-Type; `target` tells where it
 * belongs where it does not say so. Throws DragomanError `malformed` or `too-large`.
 */
export function readMoDocument(
  { contentType, body }: { readonly contentType: string | undefined; readonly body: Uint8Array },
  target?: ReadTarget,
): ReadItem[] {
  if (essence(contentType) !== TNDS20) return readSerializationBody(body, target);
  return readSerialization(readTnds20Document(body).items, target);
}

/** As {@link readMoDocument}, as items whose trees are not looked into, and the objects that it lists. */
export function readMoItems({
  contentType,
  body,
}: {
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}): { readonly items: readonly SerializationItem[]; readonly mos?: readonly MoItem[] } {
  return essence(contentType) === TNDS20
    ? readTnds20Document(body)
    : DIALECTS.approved.readDocument(body, { ...READ_LIMITS, bytes: Number.POSITIVE_INFINITY });
}

function readTnds20Document(body: Uint8Array) {
  // Its size was bounded where it was fetched.
  const bytes = Number.POSITIVE_INFINITY;
  return DIALECTS['draft-text-1'].readDocument(body, { ...READ_LIMITS, bytes });
}

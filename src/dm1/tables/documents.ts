/** Document types: public ids and namespaces (1x§1.1, §12.1). */
export interface DocumentType {
  readonly publicId: number | undefined;
  readonly fpi: string;
  readonly namespace: string;
  /** Page that the root element is on. */
  readonly page: number;
}

export const DOCUMENT_TYPES: readonly DocumentType[] = Object.freeze([
  { publicId: 0x0fd1, fpi: '-//SYNCML//DTD SyncML 1.0//EN', namespace: 'SYNCML:SYNCML1.0', page: 0 },
  { publicId: 0x0fd3, fpi: '-//SYNCML//DTD SyncML 1.1//EN', namespace: 'SYNCML:SYNCML1.1', page: 0 },
  { publicId: 0x1201, fpi: '-//SYNCML//DTD SyncML 1.2//EN', namespace: 'SYNCML:SYNCML1.2', page: 0 },
  { publicId: 0x1202, fpi: '-//SYNCML//DTD MetInf 1.2//EN', namespace: 'syncml:metinf', page: 1 },
  { publicId: undefined, fpi: '-//OMA//DTD-DM-DDF 1.2//EN', namespace: 'syncml:dmddf1.2', page: 2 },
]);

/** Public id of a document that names none. */
export const UNKNOWN_PUBLIC_ID = 1;

export function documentType(publicId: number | string): DocumentType | undefined {
  return DOCUMENT_TYPES.find((row) => row.publicId === publicId || row.fpi === publicId);
}

/** Root namespace of a message of that VerDTD; 1.3 keeps the 1.2 syntax (1x§1.1). */
export function namespaceOf(verDTD: string): string {
  const minor = /^1\.([01])(?:\.|$)/.exec(verDTD.trim());
  return minor === null ? 'SYNCML:SYNCML1.2' : `SYNCML:SYNCML1.${minor[1]}`;
}

/** Numeric public id for a root namespace. */
export function publicIdOf(namespace: string): number {
  return DOCUMENT_TYPES.find((row) => row.namespace === namespace)?.publicId ?? 0x1201;
}

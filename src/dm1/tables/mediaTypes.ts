/** Content types of messages as they are sent (1x§1.5). */
export const DM1_TYPES = {
  xml: 'application/vnd.syncml.dm+xml',
  wbxml: 'application/vnd.syncml.dm+wbxml',
} as const;

/** Those that are read; the ones without `.dm` are obsolete and still in use. */
export const DM1_FORMS: Readonly<Record<string, 'xml' | 'wbxml'>> = Object.freeze({
  [DM1_TYPES.xml]: 'xml',
  [DM1_TYPES.wbxml]: 'wbxml',
  'application/vnd.syncml+xml': 'xml',
  'application/vnd.syncml+wbxml': 'wbxml',
});

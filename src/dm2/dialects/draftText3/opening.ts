import type { Dialect } from '../dialect.ts';
import { READ_LIMITS } from '../limits.ts';
import { readTextDocument, readTextOpening, writeTextDocument, writeTextOpening } from '../text/message.ts';
import { IDENTITY_HEADER, STYLE } from './capabilities.ts';

export const opening = {
  readOpening: (message, limits = READ_LIMITS) => readTextOpening(message, limits),
  writeOpening: (written) => writeTextOpening(written, IDENTITY_HEADER, STYLE),
  readDocument: (body, limits = READ_LIMITS) => readTextDocument(body, limits),
  writeDocument: (document) => writeTextDocument(document, STYLE),
} satisfies Pick<Dialect, 'readOpening' | 'writeOpening' | 'readDocument' | 'writeDocument'>;

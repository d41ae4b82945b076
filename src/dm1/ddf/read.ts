import type { DdfDocument } from '../../mo/pack/fromDdf.ts';
import { DragomanError } from '../../support/errors.ts';
import { type CodecLimits, DEFAULT_LIMITS } from '../codec/limits.ts';
import { openText } from '../xml/charset.ts';
import { XmlCursor } from '../xml/cursor.ts';
import { assemble } from './assemble.ts';
import { withoutDoctype } from './doctype.ts';
import { DdfReader } from './reader.ts';

/** What the description of one device may take: it is the operator's file, but no reason to run out of memory. */
export const DDF_LIMITS: CodecLimits = Object.freeze({
  ...DEFAULT_LIMITS,
  bytes: 8 * 1024 * 1024,
  depth: 128,
  totalDepth: 128,
  text: 64 * 1024,
});

/**
 * Reads a device description framework document (1x§11.1, §11.4). Its external DOCTYPE is never fetched,
 * elements of other namespaces (vendors' additions) are read over.
 *
 * @throws DragomanError `mapping` with file, line:column, path of the node and reason
 */
export function readDdf(document: string | Uint8Array, file = 'DDF', limits = DDF_LIMITS): DdfDocument {
  try {
    if (document.length > limits.bytes) {
      throw new DragomanError(
        'too-large',
        `the file has a length of ${document.length}; the limit is ${limits.bytes}.`,
      );
    }
    const { text, start } = openText(document);
    const source = withoutDoctype(text, start);
    const cursor = new XmlCursor(source, start, limits);
    const { nodes, ...head } = new DdfReader(cursor, source).document();
    cursor.finish();
    return { file, ...head, tops: assemble(nodes) };
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    throw new DragomanError('mapping', `${file}:${error.detail}`, { cause: error });
  }
}

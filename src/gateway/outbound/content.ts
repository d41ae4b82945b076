import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { DragomanError } from '../../support/errors.ts';

const DECODERS: Readonly<
  Record<string, (body: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify(gunzip) as never,
  'x-gzip': promisify(gunzip) as never,
  deflate: promisify(inflate) as never,
  br: promisify(brotliDecompress) as never,
};

/**
 * Undoes a Content-Encoding, bounded to `limit` bytes like the body itself. Names that no coding has (peers put `UTF-8`
 * there) are taken for what they are: nothing done to the body.
 */
export async function decodeContent(
  body: Uint8Array,
  encoding: string | undefined,
  limit: number,
): Promise<Uint8Array> {
  const name = encoding?.trim().toLowerCase() ?? '';
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (!decoder) return body;
  try {
    return await decoder(body, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limit);
    throw new DragomanError('malformed', `The body is no valid ${name} data.`, { cause: error });
  }
}

function tooLarge(limit: number): DragomanError {
  return new DragomanError('too-large', `The body is larger than ${limit} bytes.`);
}

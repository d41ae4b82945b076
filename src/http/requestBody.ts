import type { IncomingMessage, ServerResponse } from 'node:http';
import { DragomanError } from '../support/errors.ts';

/**
 * Reads the whole body of a request, chunked or not. Sends `100 Continue` only for a body that is to
 * be read. Throws `too-large`; what is over the limit is read and dropped up to the same amount
 * again, as a peer that is still writing when the connection closes would lose the answer.
 * @param limit bytes
 * @returns the body, or `undefined` when the peer went away before its end
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<Uint8Array | undefined> {
  const announced = Number(request.headers['content-length'] ?? 0);
  const waits = request.headers.expect?.toLowerCase() === '100-continue';
  if (announced > limit && (waits || announced > 2 * limit)) throw tooLarge(limit);
  if (waits) response.writeContinue();

  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    // Leaving the loop must not destroy the socket: the answer still has to go out on it.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > 2 * limit) break;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    return undefined;
  }
  if (size > limit) throw tooLarge(limit);
  if (!request.complete) return undefined;
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
}

function tooLarge(limit: number): DragomanError {
  return new DragomanError(
    'too-large',
    `The body is larger than ${limit} bytes. Send less at once, or raise limits.messageBytes.`,
  );
}

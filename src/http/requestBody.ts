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

  return collect(request, limit);
}

/**
 * Gives the body of a request to a receiver, which may make the peer wait. Throws what the receiver
 * throws, and `too-large` beyond `limit` bytes; the connection is of no more use then.
 * @returns what the receiver made of it, or `undefined` when the peer went away before its end
 */
export async function receiveBody<R>(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  receiver: { write(chunk: Uint8Array): Promise<void> | undefined; end(): Promise<R> },
): Promise<R | undefined> {
  const announced = Number(request.headers['content-length'] ?? 0);
  const waits = request.headers.expect?.toLowerCase() === '100-continue';
  if (announced > limit && (waits || announced > 2 * limit)) throw tooLarge(limit);
  if (waits) response.writeContinue();
  const whole = await new Promise<boolean>((resolve, reject) => {
    let size = 0;
    let refused: Error | undefined;
    const done = () => {
      if (size > limit) refused ??= tooLarge(limit);
      if (refused) reject(refused);
      else resolve(request.complete);
    };
    const take = (chunk: Uint8Array) => {
      size += chunk.length;
      if (size > 2 * limit) {
        request.pause();
        done();
        return;
      }
      const busy = refused || size > limit ? undefined : receiver.write(chunk);
      if (!busy) return;
      request.pause();
      // What was refused is read to its end, so that the peer is there for the answer.
      busy
        .catch((error: Error) => {
          refused = error;
        })
        .then(() => request.resume());
    };
    request.on('data', take).on('end', done).on('close', done).on('error', done);
  });
  return whole ? await receiver.end() : undefined;
}

/** By events: iterating over a stream costs several times what reading it does. */
function collect(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const done = () => {
      if (size > limit) reject(tooLarge(limit));
      else if (!request.complete) resolve(undefined);
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size));
    };
    const take = (chunk: Uint8Array) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0;
      if (size <= 2 * limit) return;
      request.pause();
      done();
    };
    request.on('data', take).on('end', done).on('close', done).on('error', done);
  });
}

function tooLarge(limit: number): DragomanError {
  return new DragomanError(
    'too-large',
    `The body is larger than ${limit} bytes. Send less at once, or raise limits.messageBytes.`,
  );
}

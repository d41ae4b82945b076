import type { Dispatcher, Pool } from 'undici';
import { DragomanError } from '../../support/errors.ts';
import { flatten, type OutboundBounds, type OutboundResponse, TookTooLong } from './exchange.ts';

/**
 * A request whose answer is given to a receiver as it arrives, at the receiver's pace. Streams cost more
 * than the events of an {@link Exchange}, so only answers that may be large come this way.
 */
export async function streamed(
  pool: Pool,
  request: Dispatcher.RequestOptions,
  bounds: OutboundBounds & Required<Pick<OutboundBounds, 'receiver'>>,
): Promise<OutboundResponse> {
  const { bytes, timeout, began = performance.now() } = bounds;
  const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeout - (performance.now() - began))));
  try {
    const { statusCode: status, headers: raw, body } = await pool.request({ ...request, signal });
    const headers = flatten(raw);
    const refuse = () => {
      body.on('error', () => undefined).destroy();
      return new DragomanError('too-large', `The body is larger than ${bytes} bytes.`);
    };
    if (Number(headers['content-length']) > bytes) throw refuse();
    const receiver = bounds.receiver(status, headers);
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytes) throw refuse();
      await receiver.write(chunk);
    }
    return { status, headers, ...(await receiver.end()) };
  } catch (error) {
    if (signal.aborted) throw new TookTooLong('no answer in time');
    throw error;
  }
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closing } from '../harness.ts';

export interface RawRequest {
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A server that keeps what it gets and answers the given bytes, one after the other; `{origin}` in them is its own. */
export async function rawServer(
  type: string,
  answers: readonly string[],
): Promise<{ readonly url: string; readonly got: readonly RawRequest[] }> {
  const got: RawRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    got.push({
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    });
    const answer = answers[got.length - 1] ?? '';
    response.writeHead(200, { 'content-type': type }).end(answer.replaceAll('{origin}', origin()));
  });
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closing({ close: () => void server.close() });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `${origin()}/DM20`, got };
}

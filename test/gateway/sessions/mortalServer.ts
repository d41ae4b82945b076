/**
 * A gateway in a process of its own that kills itself: `mortalServer.ts STORE-URL WORLD-FILE BOUNDARY`.
 * It prints its port; what its performers did is appended to WORLD-FILE, the outside world.
 */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { openStore } from '../../../src/store/store.ts';
import { toyGateway } from './toySession.ts';

const [url = '', worldFile = '', at = '0'] = process.argv.slice(2);
let count = 0;
async function boundary(): Promise<void> {
  count += 1;
  if (count === Number(at)) process.kill(process.pid, 'SIGKILL');
}

const store = await openStore(url);
const acts: string[] = [];
acts.push = (act: string) => {
  appendFileSync(worldFile, `${act}\n`);
  return 0;
};
const { port } = toyGateway(store, { world: { acts }, boundary });
const server = createServer(async (request, response) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const delivered = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.writableFinished));
  });
  const headers = Object.fromEntries(Object.entries(request.headers).map(([n, v]) => [n, String(v)]));
  await boundary();
  const answer = await port.handle({
    headers,
    body: Buffer.concat(parts),
    url: request.url ?? '',
    delivered,
  });
  await boundary();
  response.writeHead(answer.status, answer.headers).end(answer.body);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : 0}\n`);
});

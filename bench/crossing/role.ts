/** Entry of the processes that the crossing benchmark starts; the first argument is the role. */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import httpProxy from 'http-proxy';
import { Agent } from 'node:http';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { startGateway } from '../../src/http/assemble.ts';
import { createLogger } from '../../src/support/log.ts';
import { LegacyServer } from '../../src/simulator/index.ts';

const [role, text] = process.argv.slice(2);
const options = JSON.parse(text ?? '{}');

const ROLES: Readonly<Record<string, () => Promise<string>>> = {
  gateway: startTheGateway,
  proxy: startProxy,
  upstream: () => listen(createServer(sized)),
  dm2: () => listen(createServer(dm2Backend)),
  legacy: async () => await new LegacyServer({ ...options, keepMessages: false }).start(),
};

async function startTheGateway(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = loadConfig({
    text: JSON.stringify({
      listen: { devices: '127.0.0.1:0', admin: '127.0.0.1:0' },
      admin: { token: 'benchmarks' },
      store: `sqlite:${join(folder, 'bench.db')}`,
      deviceAuth: { dm1: 'none', dm2: 'none' },
      ...options,
    }),
    env: {},
  });
  const gateway = await startGateway(config, { log: createLogger({ level: 'info', destination: createWriteStream('/dev/null') }) });
  return gateway.urls.devices;
}

async function startProxy(): Promise<string> {
  const proxy = httpProxy.createProxyServer({
    target: options.target,
    agent: new Agent({ keepAlive: true, maxSockets: 64 }),
  });
  return await listen(createServer((request, response) => proxy.web(request, response)));
}

/** Answers with as many bytes as the request's header says. */
const body = Buffer.alloc(1 << 20, 0x20);
const sized: RequestListener = (request, response) => {
  request.resume();
  request.on('end', () => {
    const length = Number(request.headers['x-answer-bytes'] ?? 0);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
    response.end(body.subarray(0, length));
  });
};

/** Package#1 gets the configured commands, Package#3 gets END. */
const dm2Backend: RequestListener = (request, response) => {
  request.resume();
  request.on('end', () => {
    const opening = request.headers['content-type']?.includes('initiation');
    const CMD = opening ? options.commands : [['END']];
    response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.request+json' });
    response.end(JSON.stringify({ CMD }));
  });
};

function listen(server: Server): Promise<string> {
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

const start = ROLES[role ?? ''];
if (!start) throw new Error(`no role ${role}`);
const url = await start();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: (user + system) * 1000, memory: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
process.send?.({ url });

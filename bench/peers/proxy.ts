import { Agent, createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import httpProxy from 'http-proxy';
import type { Peer } from './role.ts';

/** The `http-proxy` package as its documentation shows it, with or without kept-alive connections to its target. */
export async function startProxy(options: { target: string; keepAlive: boolean }): Promise<Peer> {
  const { target, keepAlive } = options;
  const proxy = httpProxy.createProxyServer({
    target,
    ...(keepAlive && { agent: new Agent({ keepAlive, maxSockets: 64 }) }),
  });
  return counted((request, response) => proxy.web(request, response));
}

/** What the proxy forwards to: answers with as many bytes as the header `x-answer-bytes` says. */
export function startUpstream(): Promise<Peer> {
  const filler = Buffer.alloc(16 << 20, 0x20);
  return counted((request, response) => {
    request.resume();
    request.on('end', () => {
      const length = Number(request.headers['x-answer-bytes'] ?? 0);
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
      response.end(filler.subarray(0, length));
    });
  });
}

export async function counted(handle: RequestListener): Promise<Peer> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    handle(request, response);
  });
  return { url: await listen(server), count: () => requests };
}

function listen(server: Server): Promise<string> {
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}

import { LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { counted } from './proxy.ts';
import type { Peer } from './role.ts';

/** A 2.0 server without a library between: Package#1 gets the configured commands, Package#3 gets END. */
export function startDm2({ commands }: { commands: readonly (readonly string[])[] }): Promise<Peer> {
  const opening = JSON.stringify({ CMD: commands });
  const ending = JSON.stringify({ CMD: [['END']] });
  return counted((request, response) => {
    request.resume();
    request.on('end', () => {
      const initiation = request.headers['content-type']?.includes('initiation') === true;
      response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.request+json' });
      response.end(initiation ? opening : ending);
    });
  });
}

/** A legacy server that sends the packages of `script` in every session. */
export async function startLegacy(options: {
  script: readonly (readonly ServerCommand[])[];
  maxMsgSize?: number;
}): Promise<Peer> {
  let requests = 0;
  const server: LegacyServer = new LegacyServer({
    ...options,
    keepMessages: false,
    onMessage: ({ direction }) => {
      if (direction === 'received') requests += 1;
      // The simulator keeps what it saw of every session, for tests.
      if (server.sessions.length > 1000) server.sessions.length = 0;
    },
  });
  return { url: await server.start(), count: () => requests };
}

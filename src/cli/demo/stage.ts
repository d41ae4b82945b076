import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEDIA_TYPE } from '../../dm2/packages.ts';
import { loadConfig } from '../../gateway/config/load.ts';
import { type Gateway, startGateway } from '../../http/assemble.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Logger } from '../../support/log.ts';
import { PACKAGE_DOCUMENT } from './scenario.ts';

/** All that the demo runs beside its devices. */
export interface Stage {
  readonly gateway: Gateway;
  /** Origin of the web server with the documents that commands name. */
  readonly documents: string;
  strike(): Promise<void>;
}

/** Starts gateway and web server on an empty database of their own; free ports where the usual ones are taken. */
export async function buildStage(log: Logger): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-demo-'));
  const web = await serveDocuments();
  try {
    const gateway = await start(folder, web.host, log);
    return {
      gateway,
      documents: `http://${web.host}`,
      strike: async () => {
        await gateway.stop();
        await web.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await web.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function start(folder: string, documents: string, log: Logger): Promise<Gateway> {
  const at = (devices: string, admin: string) =>
    startGateway(
      loadConfig({
        text: JSON.stringify({
          listen: { devices, admin },
          store: `sqlite:${join(folder, 'demo.db')}`,
          outbound: { allow: [documents] },
        }),
      }),
      { log },
    );
  try {
    return await at('127.0.0.1:8080', '127.0.0.1:8081');
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code !== 'configuration') throw error;
    return at('127.0.0.1:0', '127.0.0.1:0');
  }
}

async function serveDocuments(): Promise<{ host: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url !== '/package.json') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': MEDIA_TYPE.serialization });
    response.end(JSON.stringify(PACKAGE_DOCUMENT));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

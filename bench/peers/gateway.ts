import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { startGateway } from '../../src/http/assemble.ts';
import { createLogger, logDestination } from '../../src/support/log.ts';
import type { Peer } from './role.ts';

/**
 * A gateway as operators run it: SQLite file, info log to a file, every limit as it stands but the one
 * on requests of one device, which a benchmark with few devices would meet. `options` are configuration.
 */
export async function startTheGateway(options: Readonly<Record<string, unknown>>): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = loadConfig({
    text: JSON.stringify({
      listen: { devices: '127.0.0.1:0', admin: '127.0.0.1:0' },
      admin: { token: 'benchmarks' },
      store: `sqlite:${join(folder, 'bench.db')}`,
      deviceAuth: { dm1: 'none', dm2: 'none' },
      ...options,
      limits: { requestsPerDevice: 1_000_000, ...(options['limits'] as object | undefined) },
    }),
    env: {},
  });
  const log = createLogger({
    level: 'info',
    destination: logDestination({ dest: join(folder, 'log') }),
  });
  const gateway = await startGateway(config, { log });
  return { url: gateway.urls.devices };
}

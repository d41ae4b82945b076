/**
 * A gateway in a process of its own: `node standby.mjs DIST`. It loads everything, then waits for one
 * line on its input, the configuration as JSON, and prints `ready` once it listens.
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const dist = pathToFileURL(`${process.argv[2]}/`);
const { startGateway } = await import(new URL('http/assemble.js', dist));
const { loadConfig } = await import(new URL('gateway/config/load.js', dist));
const { createLogger } = await import(new URL('support/log.js', dist));

process.stdout.write('standing by\n');
for await (const text of createInterface({ input: process.stdin })) {
  await startGateway(loadConfig({ text, env: {} }), { log: createLogger({ level: 'silent' }) });
  process.stdout.write('ready\n');
}

/** A whole gateway in a process of its own: `gatewayProcess.ts CONFIG-FILE`; it prints where devices post and the admin port. */
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { startGateway } from '../../../src/http/assemble.ts';
import { createLogger } from '../../../src/support/log.ts';

const config = loadConfig({ file: process.argv[2] ?? '', env: {} });
const gateway = await startGateway(config, { log: createLogger({ level: 'silent' }) });
process.stdout.write(`${gateway.urls.devices} ${gateway.urls.admin}\n`);

import type { Command } from 'commander';
import { type Gateway, startGateway } from '../http/assemble.ts';
import { VERSION } from '../http/version.ts';
import { createLogger, logDestination } from '../support/log.ts';
import { addConfigFlags, type ConfigFlags, printableStore, readConfig } from './configFlags.ts';
import type { Io } from './io.ts';

/** `dragoman serve`: the gateway, until SIGINT or SIGTERM; SIGHUP has it read certificates again. Logs go to standard error, one JSON object a line. */
export function addServe(program: Command, io: Io): void {
  const command = program.command('serve').description('run the gateway');
  addConfigFlags(command, true).action(async (flags: ConfigFlags) => {
    const config = readConfig(flags, io);
    const log = createLogger({
      level: config.log.level,
      destination: logDestination({ fd: 2 }),
    });
    const gateway = await startGateway(config, { log });
    io.onReload(() => gateway.reload());
    io.out(greeting(gateway, config.store));
    await io.ended();
    io.err('stopping: refusing new sessions, finishing what is in flight\n');
    await gateway.stop();
  });
}

function greeting({ urls, token, tokenGenerated }: Gateway, store: string): string {
  const lines = [
    `Dragoman ${VERSION} is ready`,
    `  devices  ${urls.devices}`,
    `  admin    ${urls.admin}`,
    `  public   ${urls.public}`,
    `  store    ${printableStore(store)}`,
  ];
  if (tokenGenerated) {
    lines.push(
      `  token    ${token}`,
      '           (made for this run; set admin.token or admin.tokenFile to keep one)',
    );
  }
  return `${lines.join('\n')}\n`;
}

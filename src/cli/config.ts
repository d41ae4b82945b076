import type { Command } from 'commander';
import { stringify } from 'yaml';
import { describeConfig } from '../gateway/config/describe.ts';
import { addConfigFlags, type ConfigFlags, printableStore, readConfig } from './configFlags.ts';
import type { Io } from './io.ts';

const SECRETS: ReadonlySet<string> = new Set(['token', 'password']);

/** `dragoman config show|keys`. */
export function addConfig(program: Command, io: Io): void {
  const config = program.command('config').description('check and explain the configuration');

  const show = config
    .command('show')
    .description('check the configuration and print it with all defaults; secrets are masked');
  addConfigFlags(show, true).action((flags: ConfigFlags) => {
    const read = readConfig(flags, io);
    io.out(stringify(masked({ ...read, store: printableStore(read.store) })));
  });

  config
    .command('keys')
    .description('list every key with its default, its environment variable and what it means')
    .action(() => {
      for (const { key, type, default: standard, env, description } of describeConfig()) {
        const facts = [
          type,
          ...(standard === undefined ? [] : [`default ${standard}`]),
          ...(env ? [env] : []),
        ];
        io.out(`${key}  (${facts.join('; ')})\n    ${description}\n`);
      }
    });
}

function masked(value: unknown, name = ''): unknown {
  if (SECRETS.has(name) && value !== undefined) return '***';
  if (Array.isArray(value)) return value.map((item) => masked(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item, key)]));
}

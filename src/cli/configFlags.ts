import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../gateway/config/config.ts';
import { type ConfigSources, loadConfig } from '../gateway/config/load.ts';
import type { Io } from './io.ts';

/** Flags that every command with a configuration takes. */
export interface ConfigFlags {
  readonly config?: string;
  readonly listenDevices?: string;
  readonly listenAdmin?: string;
  readonly publicUrl?: string;
  readonly store?: string;
  readonly logLevel?: string;
  readonly set?: readonly (readonly [string, string])[];
}

/** Adds `--config`, `--store` and `--set`; with `ports` also what only a serving gateway needs. */
export function addConfigFlags(command: Command, ports: boolean): Command {
  command
    .option('-c, --config <file>', 'configuration file, YAML or JSON (or DRAGOMAN_CONFIG)')
    .option('--store <url>', 'database: sqlite:FILE or postgres://user@host/db');
  if (ports) {
    command
      .option('--listen-devices <host:port>', 'where devices come in')
      .option('--listen-admin <host:port>', 'where REST API, metrics and health are')
      .option('--public-url <url>', 'how devices reach the gateway')
      .option('--log-level <level>', 'silent, fatal, error, warn, info, debug or trace');
  }
  return command.option(
    '--set <key=value>',
    'any other key of the configuration, as limits.sessions=500; repeatable',
    (text: string, before: readonly (readonly [string, string])[] = []) => {
      const at = text.indexOf('=');
      if (at < 1) throw new InvalidArgumentError('It must be key=value.');
      return [...before, [text.slice(0, at), text.slice(at + 1)] as const];
    },
  );
}

/** Flags over environment over file over defaults. Throws ConfigError. */
export function readConfig(flags: ConfigFlags, io: Io): Config {
  const file = flags.config ?? io.env['DRAGOMAN_CONFIG'];
  const sources: ConfigSources = {
    ...(file === undefined ? {} : { file }),
    env: io.env,
    flags: {
      'listen.devices': flags.listenDevices,
      'listen.admin': flags.listenAdmin,
      publicUrl: flags.publicUrl,
      store: flags.store,
      'log.level': flags.logLevel,
      ...Object.fromEntries(flags.set ?? []),
    },
  };
  return loadConfig(sources);
}

/** The URL of a store without its password. */
export function printableStore(store: string): string {
  return store.replace(/^(postgres(?:ql)?:\/\/[^:@/]*):[^@]*@/, '$1:***@');
}

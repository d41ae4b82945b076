import type { Command } from 'commander';
import { importDevicesFile } from '../gateway/registry/importCsv.ts';
import { Registry } from '../gateway/registry/registry.ts';
import { openStore } from '../store/store.ts';
import { addConfigFlags, type ConfigFlags, printableStore, readConfig } from './configFlags.ts';
import { EXIT, Exit, type Io, table } from './io.ts';

/** `dragoman devices import|list`: straight on the store, whether a gateway runs or not. */
export function addDevices(program: Command, io: Io): void {
  const devices = program.command('devices').description('look after registered devices');

  const importing = devices
    .command('import')
    .description('register devices from CSV with a header row: id,username,password,…')
    .argument('<file>', 'CSV file');
  addConfigFlags(importing, false).action((file: string, flags: ConfigFlags) =>
    withRegistry(flags, io, async (registry, store) => {
      const { imported, refused, problems } = await importDevicesFile(registry, file);
      for (const { line, column, message } of problems) {
        io.err(`${file}:${line}: ${column === undefined ? '' : `${column} `}${message}\n`);
      }
      if (refused > problems.length) io.err(`… and ${refused - problems.length} more\n`);
      io.out(`${imported} imported into ${printableStore(store)}, ${refused} refused\n`);
      if (refused > 0) throw new Exit(EXIT.failed);
    }),
  );

  const listing = devices
    .command('list')
    .description('show registered devices')
    .option('--prefix <text>', 'only identifiers that start so');
  addConfigFlags(listing, false).action((flags: ConfigFlags & { prefix?: string }) =>
    withRegistry(flags, io, async (registry) => {
      const filter = flags.prefix === undefined ? {} : { idPrefix: flags.prefix };
      const rows: string[][] = [['ID', 'SPEAKS', 'MODEL', 'FIRMWARE', 'LAST SEEN']];
      for (let after: string | undefined; ; ) {
        const page = await registry.list({ limit: 1000, filter, ...(after === undefined ? {} : { after }) });
        for (const { id, protocol, dialect, devInfo, lastSeen } of page.devices) {
          const model = [devInfo['Man'], devInfo['Mod']].filter(Boolean).join(' ');
          const seen = lastSeen === undefined ? 'never' : new Date(lastSeen).toISOString();
          rows.push([id, dialect ?? protocol ?? '-', model || '-', devInfo['FwV'] ?? '-', seen]);
        }
        if (page.next === undefined) break;
        after = page.next;
      }
      io.out(table(rows));
    }),
  );
}

async function withRegistry(
  flags: ConfigFlags,
  io: Io,
  work: (registry: Registry, store: string) => Promise<void>,
): Promise<void> {
  const config = readConfig(flags, io);
  const store = await openStore(config.store);
  try {
    await work(new Registry(store), config.store);
  } finally {
    await store.close();
  }
}

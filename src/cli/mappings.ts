import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { formatPackError } from '../mo/pack/compile.ts';
import { checkPacks, loadPacks, SHIPPED_PACKS } from '../mo/pack/files.ts';
import { listPacks } from '../mo/pack/mappingSet.ts';
import { DragomanError } from '../support/errors.ts';
import { EXIT, Exit, type Io, table } from './io.ts';
import { addFromDdf } from './mappingsFromDdf.ts';

/** `dragoman mappings check|list|from-ddf`. */
export function addMappings(program: Command, io: Io): void {
  const mappings = program.command('mappings').description('look at mapping packs, and make them');
  addFromDdf(mappings, io);

  mappings
    .command('check')
    .description('say what is wrong in mapping packs, with file and line')
    .argument('[folder-or-file...]', 'packs; the shipped ones when absent')
    .action((paths: readonly string[]) => {
      const rows = (paths.length > 0 ? paths : [SHIPPED_PACKS]).flatMap((path) => checkPacks(existing(path)));
      for (const { file, errors } of rows) {
        if (errors.length === 0) io.out(`ok    ${file}\n`);
        for (const error of errors) io.out(`wrong ${formatPackError(error)}\n`);
      }
      const wrong = rows.filter(({ errors }) => errors.length > 0).length;
      io.out(`${rows.length} ${rows.length === 1 ? 'pack' : 'packs'}, ${wrong} wrong\n`);
      if (wrong > 0) throw new Exit(EXIT.failed);
    });

  mappings
    .command('list')
    .description('show what the mapping packs describe')
    .argument('[folder...]', 'folders of packs that come on top of the shipped ones')
    .action((folders: readonly string[]) => {
      const rows = listPacks(loadPacks([SHIPPED_PACKS, ...folders.map(existing)]));
      const cells = rows.map(({ moid, title, roots, nodes, alerts, profiles }) => {
        const more = [...(alerts > 0 ? [`${alerts} alerts`] : []), ...profiles];
        return [moid === '' ? '-' : moid, title, String(nodes), [...roots, ...more].join(', ')];
      });
      io.out(table([['MOID', 'TITLE', 'NODES', 'ROOTS'], ...cells]));
    });
}

function existing(path: string): string {
  if (existsSync(path)) return path;
  throw new DragomanError('mapping', `${path}: there is no such folder or file.`);
}

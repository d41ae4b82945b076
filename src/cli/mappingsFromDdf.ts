import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { readDdf } from '../dm1/ddf/read.ts';
import { normaliseMoid } from '../mo/moid.ts';
import { compilePacks } from '../mo/pack/compile.ts';
import { loadPacks, SHIPPED_PACKS } from '../mo/pack/files.ts';
import { packFromDdf } from '../mo/pack/fromDdf.ts';
import { listPacks } from '../mo/pack/mappingSet.ts';
import { DragomanError } from '../support/errors.ts';
import type { Io } from './io.ts';

interface Flags {
  readonly moid?: string;
  readonly root?: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** `dragoman mappings from-ddf FILE`: the mapping pack of a management object that a DDF describes. */
export function addFromDdf(mappings: Command, io: Io): void {
  mappings
    .command('from-ddf')
    .description('write a mapping pack with the formats, access types and occurrence that a DDF tells')
    .argument('<file>', 'device description (DDF, XML)')
    .option('--moid <id>', 'the object, when the description has several or names none')
    .option('--root <path>', 'where legacy devices hold it (./FUMO/<x>), when the description does not tell')
    .option('-o, --output <file>', 'write the pack there instead of to standard output')
    .option('--force', 'overwrite that file')
    .action((file: string, { moid, root, output, force }: Flags) => {
      const text = packFromDdf(readDdf(read(file), file), {
        ...(moid !== undefined && { moid }),
        ...(root !== undefined && { root }),
      });
      const [made] = listPacks(compilePacks([{ file: output ?? `pack of ${file}`, text }]));
      if (output === undefined) io.out(text);
      else write(output, text, force === true);
      const shipped = made && shippedFor(made.moid);
      if (shipped !== undefined && basename(output ?? '') !== shipped) {
        io.err(
          `${shipped} ships with Dragoman and describes ${made!.moid} already; name this pack ${shipped} to replace it.\n`,
        );
      }
      if (output !== undefined && made) io.out(`${output}: ${made.moid}, ${made.nodes} nodes\n`);
    });
}

/** File name of the shipped pack that describes the object. */
function shippedFor(moid: string): string | undefined {
  const wanted = normaliseMoid(moid);
  const row = listPacks(loadPacks([SHIPPED_PACKS])).find((pack) =>
    [pack.moid, ...pack.aliases].some((id) => id !== '' && normaliseMoid(id) === wanted),
  );
  return row && basename(row.file);
}

function read(file: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(file));
  } catch (cause) {
    throw new DragomanError('mapping', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function write(file: string, text: string, force: boolean): void {
  try {
    writeFileSync(file, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const why = exists ? 'exists; --force overwrites it' : `cannot be written: ${(cause as Error).message}`;
    throw new DragomanError('mapping', `${file} ${why}.`, { cause });
  }
}

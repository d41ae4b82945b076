import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DragomanError } from '../../support/errors.ts';
import { analysePacks, compilePacks } from './compile.ts';
import type { PackError, PackText } from './document.ts';
import type { PackMappings } from './mappingSet.ts';

/** Folder of the packs that come with Dragoman. */
export const SHIPPED_PACKS = fileURLToPath(new URL('../../../mappings', import.meta.url));

const MAX_BYTES = 1_048_576;

/** The `.yaml` and `.yml` files of a folder, by name; of a file that file alone. */
export function readPackFiles(dir: string): readonly PackText[] {
  try {
    const names = statSync(dir).isDirectory()
      ? readdirSync(dir)
          .filter((name) => /\.ya?ml$/.test(name))
          .sort()
          .map((name) => join(dir, name))
      : [dir];
    return names.map((file) => {
      if (statSync(file).size > MAX_BYTES)
        throw new DragomanError('mapping', `${file}: is larger than ${MAX_BYTES} bytes`);
      return { file, text: readFileSync(file, 'utf8') };
    });
  } catch (cause) {
    if (cause instanceof DragomanError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DragomanError('mapping', `Mapping packs of ${dir} cannot be read: ${why}`, { cause });
  }
}

/**
 * Loads all packs of several folders into one set. A file of a later folder stands in for one of the same
 * name in an earlier, so that an operator can replace a shipped pack.
 */
export function loadPacks(dirs: readonly string[]): PackMappings {
  return compilePacks(collect(dirs));
}

function collect(dirs: readonly string[]): readonly PackText[] {
  const byName = new Map<string, PackText>();
  for (const pack of dirs.flatMap(readPackFiles)) byName.set(basename(pack.file), pack);
  return [...byName.values()];
}

/** Every file of a folder with what is wrong with it, alone or beside the others. */
export function checkPacks(dir: string): readonly { file: string; errors: readonly PackError[] }[] {
  const packs = readPackFiles(dir);
  const { errors } = analysePacks(packs);
  return packs.map(({ file }) => ({ file, errors: errors.filter((error) => error.file === file) }));
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DragomanError } from '../../support/errors.ts';

/** PEM files of one purpose, which an operator may replace while the gateway runs. */
export class PemFiles<Name extends string> {
  readonly #files: readonly (readonly [Name, string])[];
  readonly #key: string;
  #seen = '';

  /** `key` is that of the configuration above the names, for messages; a name without a file is passed over. */
  constructor(key: string, files: Readonly<Partial<Record<Name, string>>>) {
    this.#key = key;
    this.#files = (Object.entries(files) as [Name, string | undefined][]).filter(
      (entry): entry is [Name, string] => entry[1] !== undefined,
    );
  }

  /** What they hold now. Throws `configuration` with the key of a file that cannot be read. */
  read(): Readonly<Partial<Record<Name, Buffer>>> {
    this.#seen = this.#fingerprint();
    const found: Partial<Record<Name, Buffer>> = {};
    for (const [name, file] of this.#files) {
      try {
        found[name] = readFileSync(file);
      } catch (error) {
        throw new DragomanError('configuration', `${this.#key}.${name}: ${file} cannot be read.`, {
          cause: error,
        });
      }
    }
    return found;
  }

  /** Whether they hold something else than when they were last read, usable or not. */
  changed(): boolean {
    return this.#fingerprint() !== this.#seen;
  }

  #fingerprint(): string {
    const hash = createHash('sha256');
    for (const [name, file] of this.#files) {
      hash.update(`${name}\n`);
      try {
        hash.update(readFileSync(file));
      } catch {
        hash.update('unreadable');
      }
    }
    return hash.digest('base64');
  }
}

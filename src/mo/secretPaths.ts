/** Stands for any one name in a declared path. */
const ANY = '<x>';

/**
 * The nodes that packs mark `secret`, in both generations' names. A path counts as one when it ends as a
 * declared one does, wherever its object is mounted: a trace shows a value too few rather than too many.
 */
export class SecretPaths {
  readonly #byName = new Map<string, (readonly string[])[]>();
  /** By the last name of a path, which is the rarest, the other names of each path that ends in it. */
  readonly #others = new Map<string, (readonly string[])[]>();

  /** `declared`: paths below the root of their object, `<x>` for any one name. */
  constructor(declared: Iterable<readonly string[]>) {
    for (const path of declared) {
      const name = path.at(-1);
      if (name === undefined) continue;
      add(this.#byName, name, path);
      const names = path.filter((each) => each !== ANY);
      const last = names.pop();
      if (last !== undefined) add(this.#others, last, names);
    }
  }

  /**
   * Whether a message may tell of a secret node: all names of some path stand in it, wherever. Spares
   * reading most messages; what is told so is not secret for sure.
   */
  mayStandIn(message: string | Uint8Array): boolean {
    const bytes =
      typeof message === 'string'
        ? message
        : Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    // UTF-16, where no name is found as it is written here.
    if (bytes[0] === 0xff || bytes[0] === 0xfe) return true;
    for (const [last, paths] of this.#others) {
      if (!bytes.includes(last)) continue;
      if (paths.some((names) => names.every((name) => bytes.includes(name)))) return true;
    }
    return false;
  }

  /** Whether some secret node bears this name, where its place cannot be told. */
  hasName(name: string): boolean {
    return this.#byName.has(name);
  }

  has(path: readonly string[]): boolean {
    const fits = (declared: readonly string[]) => {
      const from = path.length - declared.length;
      return from >= 0 && declared.every((name, i) => name === ANY || name === path[from + i]);
    };
    const named = this.#byName.get(path.at(-1) ?? '') ?? [];
    return named.some(fits) || (this.#byName.get(ANY) ?? []).some(fits);
  }
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

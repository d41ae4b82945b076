import type { KeySchema } from './schema.ts';

/** One scalar or list key of the configuration, by its dotted path. */
export interface ConfigKey {
  readonly path: readonly string[];
  readonly schema: KeySchema;
}

/** All keys below `schema` that an environment variable or a flag can set: scalars and lists of text. */
export function settableKeys(schema: KeySchema, path: readonly string[] = []): readonly ConfigKey[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, child]) => settableKeys(child, [...path, name]));
  }
  if (schema.type === 'object') return [];
  if (schema.type === 'array' && schema.items?.type !== 'string') return [];
  return [{ path, schema }];
}

/** `limits.messageBytes` is `DRAGOMAN_LIMITS_MESSAGE_BYTES`. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((name) =>
    name
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replace(/[^A-Za-z0-9]/g, '_')
      .toUpperCase(),
  );
  return `DRAGOMAN_${words.join('_')}`;
}

/** Text from an environment variable or a flag as the key's type; text that is none stays for the validator to refuse. */
export function fromText(schema: KeySchema, text: string): unknown {
  switch (schema.type) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    default:
      return text;
  }
}

export type Tree = { [name: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets a value in a tree, making what is missing on the way; a scalar in the way stays for the validator. */
export function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined;
    if (isTree(next)) at = next;
    else if (next === undefined || next === null) {
      const made: Tree = {};
      at[name] = made;
      at = made;
    } else return;
  }
  const last = path[path.length - 1];
  if (last !== undefined) at[last] = value;
}

/**
 * Fills in the schema's defaults, deeply; groups that hold defaults are made, others stay absent. An
 * empty YAML key (`limits:` with nothing below it) counts as absent.
 */
export function withDefaults(schema: KeySchema, given: unknown): unknown {
  const value = given === null ? undefined : given;
  if (!schema.properties) return value === undefined ? schema.default : value;
  if (value !== undefined && !isTree(value)) return value;
  if (value === undefined && (schema.required?.length ?? 0) > 0) return undefined;
  const result: Tree = { ...(value ?? {}) };
  for (const [name, child] of Object.entries(schema.properties)) {
    const filled = withDefaults(child, Object.hasOwn(result, name) ? result[name] : undefined);
    if (filled !== undefined) result[name] = filled;
    else delete result[name];
  }
  return value === undefined && Object.keys(result).length === 0 ? undefined : result;
}

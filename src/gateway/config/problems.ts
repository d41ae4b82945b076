import type { ErrorObject } from 'ajv';
import { DragomanError } from '../../support/errors.ts';
import type { KeySchema } from './schema.ts';

/** One thing wrong with the configuration; `path` is the dotted key, empty for the document itself. */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with a configuration, found in one go. */
export class ConfigError extends DragomanError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super('configuration', problems.map((p) => (p.path ? `${p.path}: ${p.message}` : p.message)).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** An ajv error in the words of someone who edits the file. */
export function toProblem(schema: KeySchema, prefix: readonly string[], error: ErrorObject): ConfigProblem {
  const segments = error.instancePath
    .split('/')
    .slice(1)
    .map((s) => s.replace(/~1/g, '/').replace(/~0/g, '~'));
  const where = [...prefix, ...segments];
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(error.params['additionalProperty']);
      const near = nearest(name, Object.keys(schemaAt(schema, segments)?.properties ?? {}));
      return {
        path: dotted([...where, name]),
        message: `unknown key${near ? `; did you mean "${near}"?` : ''}`,
      };
    }
    case 'required':
      return {
        path: dotted([...where, String(error.params['missingProperty'])]),
        message: 'is required',
      };
    case 'enum':
      return {
        path: dotted(where),
        message: `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`,
      };
    case 'propertyNames':
      return {
        path: dotted([...where, String(error.params['propertyName'])]),
        message: 'is no usable name: letters, digits, ".", "_" and "-", at most 64',
      };
    case 'pattern':
      return {
        path: dotted(where),
        message: `has the wrong form: ${schemaAt(schema, segments)?.description ?? ''}`,
      };
    default:
      return { path: dotted(where), message: error.message ?? 'is wrong' };
  }
}

export function dotted(path: readonly string[]): string {
  return path.join('.');
}

function schemaAt(schema: KeySchema, path: readonly string[]): KeySchema | undefined {
  let at: KeySchema | undefined = schema;
  for (const name of path) {
    const extra: boolean | KeySchema | undefined = at?.additionalProperties;
    at = at?.items ?? at?.properties?.[name] ?? (typeof extra === 'object' ? extra : undefined);
  }
  return at;
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.min(3, Math.floor(name.length / 2) + 1);
  for (const candidate of known) {
    const distance = editDistance(name.slice(0, 40).toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substituted));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

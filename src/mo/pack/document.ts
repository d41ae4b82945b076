import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { type PackDocument, packSchema } from './schema.ts';

/** One thing that is wrong with a pack file. */
export interface PackError {
  readonly file: string;
  /** Place within the file, `nodes.DevType.legacy`; empty for the file as a whole. */
  readonly path: string;
  /** Counted from 1. */
  readonly line?: number;
  readonly reason: string;
}

export interface PackText {
  readonly file: string;
  readonly text: string;
}

/** A read pack file, with the means to complain about places in it. */
export interface ReadPack {
  readonly file: string;
  readonly document: PackDocument;
  error(path: readonly string[], reason: string): PackError;
}

/** Schemas of our own are held against the meta-schema by a test, not at every start. */
const validate = new Ajv2020({
  validateSchema: false,
  allErrors: true,
  strict: true,
  strictRequired: false,
  verbose: true,
}).compile(packSchema);

/** Reads one pack file against the schema; every error it finds goes to `errors`. */
export function readPack({ file, text }: PackText, errors: PackError[]): ReadPack | undefined {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines });
  if (yaml.errors.length > 0) {
    for (const { message, linePos } of yaml.errors) {
      const reason = message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
      errors.push({ file, path: '', ...(linePos && { line: linePos[0].line }), reason });
    }
    return undefined;
  }
  const error = (path: readonly string[], reason: string): PackError => {
    const line = lineOf(yaml, path, lines);
    return { file, path: path.join('.'), ...(line !== undefined && { line }), reason };
  };
  let content: unknown;
  try {
    content = yaml.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    errors.push(error([], cause instanceof Error ? cause.message : 'cannot be read'));
    return undefined;
  }
  if (!validate(content)) {
    for (const found of mostTelling(validate.errors ?? []))
      errors.push(error(pathOf(found), reasonOf(found)));
    return undefined;
  }
  return { file, document: content as PackDocument, error };
}

/** Line of the deepest node of `path` that the file has. */
function lineOf(yaml: Document, path: readonly string[], lines: LineCounter): number | undefined {
  for (let n = path.length; n >= 0; n -= 1) {
    const node = n === 0 ? yaml.contents : yaml.getIn(path.slice(0, n), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** Of a choice the choice itself is told, not what each alternative lacks; and nothing twice. */
function mostTelling(found: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = found.filter((e) => e.keyword === 'oneOf' || e.keyword === 'anyOf');
  const told = new Set<string>();
  return found.filter((e) => {
    if (e.keyword === 'propertyNames' || choices.some((c) => e.schemaPath.startsWith(`${c.schemaPath}/`)))
      return false;
    const key = `${pathOf(e).join('/')} ${reasonOf(e)}`;
    if (told.has(key)) return false;
    told.add(key);
    return true;
  });
}

function pathOf({ instancePath, params, propertyName }: ErrorObject): readonly string[] {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
  const extra: unknown = params['additionalProperty'] ?? propertyName;
  return typeof extra === 'string' ? [...path, extra] : path;
}

function reasonOf({ keyword, params, message, schema }: ErrorObject): string {
  switch (keyword) {
    case 'additionalProperties':
      return 'is no key that a pack knows';
    case 'enum':
      return `must be one of ${(params['allowedValues'] as readonly string[]).join(', ')}`;
    case 'oneOf':
    case 'anyOf':
      return `must have one of ${(schema as readonly { required: readonly string[] }[]).flatMap((s) => s.required).join(', ')}`;
    case 'not':
      return 'moid and layoutOf exclude each other';
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    default:
      return message ?? keyword;
  }
}

import { createReadStream } from 'node:fs';
import type { NewDevice } from '../../store/schema.ts';
import { DragomanError } from '../../support/errors.ts';
import { CsvError, type CsvRecord, readCsv } from './csv.ts';
import { type Registration, toNewRow } from './registration.ts';
import type { Registry } from './registry.ts';

/** One row that was not imported. */
export interface ImportProblem {
  /** From 1, the header row included. */
  readonly line: number;
  /** Name of the column, where one is to blame. */
  readonly column?: string;
  readonly message: string;
}

export interface ImportResult {
  readonly imported: number;
  /** The first {@link MOST_PROBLEMS} of them. */
  readonly problems: readonly ImportProblem[];
  readonly refused: number;
}

const MOST_PROBLEMS = 100;

const COLUMNS = [
  'id',
  'username',
  'password',
  'auth',
  'serverUsername',
  'serverPassword',
  'serverAuth',
  'notifyVia',
  'notifyAddress',
  'notifyServerId',
  'notifySecret',
  'notifyData',
] as const satisfies readonly (keyof Registration)[];
type Column = (typeof COLUMNS)[number];

const SCHEMES: Readonly<Partial<Record<Column, readonly string[]>>> = {
  auth: ['none', 'basic', 'md5', 'hmac', 'digest', 'mtls'],
  serverAuth: ['md5', 'basic', 'hmac'],
};
const BATCH = 500;

/** Imports a CSV file; throws `configuration` when it cannot be read. */
export async function importDevicesFile(registry: Registry, file: string): Promise<ImportResult> {
  try {
    return await importDevices(registry, createReadStream(file, { encoding: 'utf8' }));
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new DragomanError('configuration', `devices: ${file} cannot be read.`, { cause: error });
  }
}

/**
 * Imports devices from CSV with a header row that names the columns (`id`, `username`, `password`, and
 * optionally `auth`, `serverUsername`, … as in {@link Registration}) in any order. Rows that are right
 * are kept, whatever others are; importing a file again changes nothing. Throws `configuration` for a
 * header that is wrong.
 */
export async function importDevices(
  registry: Registry,
  chunks: AsyncIterable<string> | Iterable<string>,
): Promise<ImportResult> {
  const problems: ImportProblem[] = [];
  let refused = 0;
  let imported = 0;
  let columns: readonly Column[] | undefined;
  let batch: NewDevice[] = [];
  const refuse = (problem: ImportProblem) => {
    refused += 1;
    if (problems.length < MOST_PROBLEMS) problems.push(problem);
  };
  const flush = async () => {
    await registry.registerRows(batch);
    imported += batch.length;
    batch = [];
  };

  try {
    for await (const record of readCsv(chunks)) {
      if (!columns) {
        columns = readHeader(record);
        continue;
      }
      const row = toRow(columns, record);
      if ('message' in row) refuse(row);
      else batch.push(row);
      if (batch.length === BATCH) await flush();
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const column = columns?.[error.column - 1];
    refuse({
      line: error.line,
      ...(column ? { column } : {}),
      message: `${error.message}; reading stopped here`,
    });
  }
  await flush();
  if (!columns && refused === 0) throw headerError('the file is empty');
  return { imported, problems, refused };
}

function readHeader({ fields }: CsvRecord): readonly Column[] {
  const columns = fields.map((field) => {
    const name = field.trim().toLowerCase();
    const column = COLUMNS.find((c) => c.toLowerCase() === name);
    if (!column) throw headerError(`there is no column "${field.trim()}"`);
    return column;
  });
  if (!columns.includes('id')) throw headerError('the column "id" is missing');
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice) throw headerError(`the column "${twice}" stands there twice`);
  return columns;
}

function headerError(message: string): DragomanError {
  return new DragomanError(
    'configuration',
    `devices, line 1: ${message}; columns are ${COLUMNS.join(', ')}.`,
  );
}

function toRow(columns: readonly Column[], { line, fields }: CsvRecord): NewDevice | ImportProblem {
  if (fields.length > columns.length) {
    return { line, message: `has ${fields.length} fields where the header names ${columns.length}` };
  }
  const values: Partial<Record<Column, string>> = {};
  for (const [index, column] of columns.entries()) {
    // Spaces around names are slips of an editor; a password keeps every character.
    const secret = column === 'password' || column === 'serverPassword';
    const value = secret ? fields[index] : fields[index]?.trim();
    if (value !== undefined && value !== '') values[column] = value;
    const schemes = SCHEMES[column];
    if (schemes && values[column] !== undefined && !schemes.includes(values[column])) {
      return { line, column, message: `must be one of ${schemes.join(', ')}` };
    }
  }
  if (values.id === undefined) return { line, column: 'id', message: 'is empty' };
  if (values.username !== undefined && values.password === undefined) {
    return { line, column: 'password', message: 'is empty' };
  }
  try {
    return toNewRow(values as Registration);
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    return { line, column: blamed(error), message: error.detail };
  }
}

function blamed(error: DragomanError): Column {
  if (error.code === 'malformed') return 'id';
  if (error.detail.includes('notify')) return error.detail.includes('Data') ? 'notifyData' : 'notifySecret';
  return error.detail.includes('server') ? 'serverUsername' : 'username';
}

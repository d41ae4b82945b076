/** One record of a CSV file and the line on which it starts, counted from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** A quote that closes nothing, or text behind a closing quote. */
export class CsvError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number, message: string) {
    super(message);
    this.name = 'CsvError';
    this.line = line;
    this.column = column;
  }
}

const LONGEST_FIELD = 65_536;

/**
 * Reads CSV (RFC 4180) piece by piece: quoted fields with doubled quotes and line breaks, LF or CRLF, a
 * byte order mark, blank lines skipped. Throws `CsvError` where the quoting is broken.
 */
export async function* readCsv(
  chunks: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<CsvRecord, void, undefined> {
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  let fields: string[] = [];
  let field = '';
  let line = 1;
  let startLine = 1;
  let first = true;
  let afterCr = false;

  const endField = () => {
    fields.push(field);
    field = '';
    state = 'start';
  };
  const endRecord = (): CsvRecord | undefined => {
    endField();
    const record = { line: startLine, fields };
    fields = [];
    line += 1;
    startLine = line;
    return record.fields.length === 1 && record.fields[0] === '' ? undefined : record;
  };

  for await (const chunk of chunks) {
    for (const char of first ? chunk.replace(/^\uFEFF/, '') : chunk) {
      const lineFeedOfPair = afterCr && char === '\n';
      afterCr = false;
      if (lineFeedOfPair) continue;
      if (state === 'quoted') {
        if (char === '"') state = 'closed';
        else {
          if (char === '\n') line += 1;
          field += char;
        }
      } else if (state === 'closed' && char === '"') {
        field += '"';
        state = 'quoted';
      } else if (char === ',') endField();
      else if (char === '\n' || char === '\r') {
        afterCr = char === '\r';
        const record = endRecord();
        if (record) yield record;
      } else if (state === 'closed') {
        throw new CsvError(line, fields.length + 1, 'there is text behind a closing quote');
      } else if (char === '"' && state === 'start') state = 'quoted';
      else {
        field += char;
        state = 'plain';
      }
      if (field.length > LONGEST_FIELD) {
        throw new CsvError(startLine, fields.length + 1, 'a field is too long; is a quote left open?');
      }
    }
    if (chunk.length > 0) first = false;
  }
  if (state === 'quoted') throw new CsvError(startLine, fields.length + 1, 'a quote is left open');
  if (fields.length > 0 || field !== '' || state === 'closed') {
    const record = endRecord();
    if (record) yield record;
  }
}

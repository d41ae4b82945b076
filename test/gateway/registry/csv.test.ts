import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../../src/gateway/registry/csv.ts';

async function read(chunks: Iterable<string>): Promise<{ line: number; fields: readonly string[] }[]> {
  const records = [];
  for await (const record of readCsv(chunks)) records.push(record);
  return records;
}

const quote = (field: string) => `"${field.replace(/"/g, '""')}"`;

describe('readCsv', () => {
  it('reads back whatever is quoted, in whatever pieces it comes', async () => {
    const field = fc.string({
      unit: fc.constantFrom('a', ' ', ',', '"', '\n', '\r', 'é', '😀'),
      maxLength: 6,
    });
    const record = fc.array(field, { minLength: 2, maxLength: 4 });
    const end = fc.constantFrom('\n', '\r\n', '\r');
    await fc.assert(
      fc.asyncProperty(
        fc.array(record),
        end,
        fc.integer({ min: 1, max: 7 }),
        async (records, lineEnd, size) => {
          const text = records.map((r) => r.map(quote).join(',') + lineEnd).join('');
          const characters = [...text];
          const chunks = [];
          for (let i = 0; i < characters.length; i += size)
            chunks.push(characters.slice(i, i + size).join(''));
          expect((await read(chunks)).map((r) => r.fields)).toEqual(records);
        },
      ),
    );
  });

  it('counts lines, also those inside quotes and the blank ones', async () => {
    const records = await read(['a,b\n\n"x\ny",c\r\n\r\nd,e']);
    expect(records.map((r) => r.line)).toEqual([1, 3, 6]);
  });

  it('does not hold an endless field in memory', async () => {
    const endless = function* () {
      yield 'id\n"';
      for (;;) yield 'x'.repeat(4096);
    };
    await expect(read(endless())).rejects.toMatchObject({
      line: 2,
      message: expect.stringContaining('too long'),
    });
  });
});

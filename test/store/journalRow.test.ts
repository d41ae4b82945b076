import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packEntries, unpackEntries } from '../../src/store/journalRow.ts';
import type { JournalEntry } from '../../src/store/schema.ts';

const arbitraryEntry = fc.record({
  kind: fc.constantFrom('open', 'backend.exchange', 'interaction.wait', 'end'),
  at: fc.nat({ max: 2_000_000_000_000 }),
  meta: fc.json(),
  body: fc.option(fc.uint8Array({ maxLength: 20 })),
});

describe('rows of the journal', () => {
  it('keep confidential entries apart, whose bodies may go before the rest', () => {
    const entry = (seq: number, kind: string) => ({
      session_id: 's',
      seq,
      kind,
      at: 1,
      meta: '{}',
      body: Uint8Array.of(seq),
    });
    const kinds = ['open', 'interaction.wait', 'interaction.wait', 'end', 'x'];
    const rows = packEntries(kinds.map((kind, seq) => entry(seq, kind)));
    expect(rows.map(({ seq, bodies }) => [seq, ...bodies!])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3, 4],
    ]);
    expect(unpackEntries({ ...rows[1]!, bodies: null })).toEqual([{ ...entry(1, kinds[1]!), body: null }]);
  });

  it('give back the entries that were put into them', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryEntry, { minLength: 1, maxLength: 6 }),
        fc.nat({ max: 50 }),
        (list, first) => {
          const entries = list.map((entry, i) => ({ ...entry, session_id: 's', seq: first + i }));
          const found = packEntries(entries).flatMap(unpackEntries);
          const plain = (each: JournalEntry) => ({ ...each, body: each.body && [...each.body] });
          expect(found.map(plain)).toEqual(entries.map(plain));
        },
      ),
    );
  });
});

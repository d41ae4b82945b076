import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scrItems } from '../../src/qa/conformance/features.ts';

const table = (role: string) =>
  readFileSync(
    new URL(`../../fixtures/dm2/seeds/normative-chapter/${role}-conformance.txt`, import.meta.url),
    'utf8',
  );

/** Item, function, clause and requirement stand in lines of their own. */
const ROW = /\t(DM-PACK-\d{3}-[CS]-[MO])\n\tSupport of (.+)\n\tSection (\S+)\n\t(DM-PACK-\S+)?\n/g;

describe.each(['client', 'server'] as const)('the conformance items of a %s', (role) => {
  it('are those of appendix B, in its order, with what they need [20§13]', () => {
    const rows = [...table(role).matchAll(ROW)].map(([, id, name, clause, needs]) => ({
      id,
      clause,
      mandatory: id?.endsWith('M'),
      ...(needs !== undefined && { needs }),
      name: name?.replace(/^(DM )?(.*?)( Command| Mechanism)?$/i, '$2').toLowerCase(),
    }));
    const ours = scrItems(role).map(({ id, mandatory, needs, feature: { name, clause } }) => ({
      id,
      clause,
      mandatory,
      ...(needs !== undefined && { needs }),
      name: name.toLowerCase(),
    }));
    expect(rows).toHaveLength(26);
    expect(ours).toEqual(rows);
  });
});

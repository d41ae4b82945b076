import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const FIXTURES = path('../../../fixtures/dm2/');
const TESTS = path('../../');

function filesUnder(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .sort();
}

/** Every test source but this one, which reads nothing. */
const sources = filesUnder(TESTS, /\.ts$/)
  .filter((name) => !name.endsWith('seedCoverage.test.ts'))
  .map((name) => readFileSync(`${TESTS}/${name}`, 'utf8'));

const fixtures = filesUnder(FIXTURES, /\.(?:txt|json)$/).filter((name) => name.includes('/'));

describe('the examples and tables of the drafts', () => {
  it('are all here, as the list of them says', () => {
    const listed = readFileSync(`${FIXTURES}/seeds/README.md`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .flatMap((line) => [...line.matchAll(/`([\w-]+\.txt)`/g)].map(([, name]) => name));
    const there = filesUnder(`${FIXTURES}/seeds`, /\.txt$/).map((name) => name.split('/').at(-1));
    expect([...listed].sort()).toEqual([...there].sort());
  });

  it.each(fixtures)('%s is read by a test', (fixture) => {
    const name = fixture
      .split('/')
      .at(-1)!
      .replace(/\.\w+$/, '');
    const folder = fixture.split('/').at(-2)!;
    // By its path, or by its name where a table of names is walked in that folder.
    const read = sources.some(
      (source) =>
        source.includes(`${folder}/${name}`) ||
        (new RegExp(`['"\`]${name}(?:\\.\\w+)?['"\`]`).test(source) && source.includes(folder)),
    );
    expect(read).toBe(true);
  });
});

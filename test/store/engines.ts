import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Postgres, postgresBinaries, startPostgres } from './postgres.ts';

/** Gives the URL of a new, empty store. */
export type NewStoreUrl = () => Promise<string>;

/** Runs a suite on SQLite files and, where it is installed, on PostgreSQL. */
export function onEveryEngine(title: string, suite: (newUrl: NewStoreUrl) => void): void {
  describe(`${title} on SQLite`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-store-'));
    let count = 0;
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    suite(async () => {
      count += 1;
      return `sqlite:${join(folder, `${count}.db`)}`;
    });
  });
  describe.runIf(postgresBinaries() !== undefined)(`${title} on PostgreSQL`, () => {
    let server: Postgres;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server.stop());
    suite(() => server.database());
  });
}

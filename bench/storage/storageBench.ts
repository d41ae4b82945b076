import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from '../../src/gateway/registry/registry.ts';
import type { SessionRow } from '../../src/store/schema.ts';
import type { SessionWrite } from '../../src/store/sessions.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { postgresBinaries, startPostgres } from '../../test/store/postgres.ts';
import type { Result, Settings } from '../report.ts';
import { type Candidate, interleave, type Table } from '../rounds.ts';

/** Sessions whose messages come up in one turn of the event loop. */
const GROUP = 16;
const SESSIONS = 200;
const BODY = new TextEncoder().encode('x'.repeat(1500));

const METHOD = `The store by itself, in one process. A journal commit adds two entries, one with a message of ${BODY.length} bytes,
and changes the session's row, as a message of a device does; ${GROUP} sessions at once share a transaction. A registry
write changes the device's row every time. SQLite on a file (WAL, synchronous NORMAL, as in production); PostgreSQL
on the same machine, without fsync, where it is installed. Wall time, as a store waits for more than CPU.`;

export async function storageBench(settings: Settings): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
  const tables: Table[] = [];
  try {
    settings.progress('storage SQLite');
    tables.push(await measure('SQLite', `sqlite:${join(folder, 'storage.db')}`, settings));
    if (postgresBinaries() === undefined) {
      tables.push({ title: 'PostgreSQL: not installed here', columns: [''], rows: [] });
    } else {
      settings.progress('storage PostgreSQL');
      const server = await startPostgres();
      try {
        tables.push(await measure('PostgreSQL', await server.database(), settings));
      } finally {
        await server.stop();
      }
    }
    return { title: 'Storage', method: METHOD, tables, goals: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(name: string, url: string, settings: Settings): Promise<Table> {
  const store = await openStore(url);
  try {
    const writes = settings.quick ? 320 : 1600;
    const candidates = [
      await journal(store, 'journal commit, one session', 1, writes),
      await journal(store, `journal commit, ${GROUP} sessions at once`, GROUP, writes),
      await registry(store, writes / 2),
    ];
    const measured = await interleave(candidates, settings.rounds);
    return {
      title: name,
      columns: ['', 'per second', 'µs each', 'quartiles'],
      rows: measured.map(({ name: what, nanoseconds: { q1, median, q3 } }) => [
        what,
        String(Math.round(1e9 / median)),
        (median / 1000).toFixed(1),
        `${(q1 / 1000).toFixed(1)}–${(q3 / 1000).toFixed(1)}`,
      ]),
    };
  } finally {
    await store.close();
  }
}

/** Nanoseconds for the commit of one message, `group` of them in a transaction. */
async function journal(store: Store, name: string, group: number, writes: number): Promise<Candidate> {
  const ids = Array.from({ length: SESSIONS }, (_, n) => `${name}-${n}`);
  const sequence = new Map(ids.map((id) => [id, 0]));
  await refuseNone(store.sessions.commit(ids.map((id) => ({ id, open: openRow(id), entries: [] }))));
  let next = 0;
  let at = Date.now();
  const write = (): SessionWrite => {
    const id = ids[next++ % ids.length]!;
    const seq = sequence.get(id)!;
    sequence.set(id, seq + 2);
    at += 1;
    const entry = { session_id: id, at, meta: '{"h":"0123456789abcdef","m":"2"}' };
    return {
      id,
      patch: { updated_at: at, deadline: at + 300_000 },
      entries: [
        { ...entry, seq, kind: 'device', body: BODY },
        { ...entry, seq: seq + 1, kind: 'sent', body: null },
      ],
    };
  };
  return {
    name,
    async measure() {
      const start = process.hrtime.bigint();
      for (let done = 0; done < writes; done += group) {
        await refuseNone(store.sessions.commit(Array.from({ length: group }, write)));
      }
      return Number(process.hrtime.bigint() - start) / writes;
    },
  };
}

async function refuseNone(committed: Promise<readonly unknown[]>): Promise<void> {
  for (const error of await committed) if (error !== undefined) throw error;
}

function openRow(id: string): SessionRow {
  const now = Date.now();
  return {
    id,
    key: id,
    device_id: id,
    protocol: 'dm1',
    backend: 'bench',
    state: 'live',
    opened_at: now,
    updated_at: now,
    deadline: now + 300_000,
    ending: null,
    detail: null,
    node: 'bench',
  };
}

async function registry(store: Store, writes: number): Promise<Candidate> {
  const devices = new Registry(store);
  const ids = Array.from({ length: SESSIONS }, (_, n) => `device-${n}`);
  for (const id of ids) await devices.register({ id, username: id, password: 'secret-of-it' });
  let next = 0;
  return {
    name: 'registry write',
    async measure() {
      const start = process.hrtime.bigint();
      for (let i = 0; i < writes; i++) {
        next += 1;
        await devices.apply(ids[next % ids.length]!, { devInfo: { FwV: `1.${next}`, Man: 'Example' } });
      }
      return Number(process.hrtime.bigint() - start) / writes;
    },
  };
}

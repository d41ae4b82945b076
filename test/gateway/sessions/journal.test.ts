import { afterEach, expect, it } from 'vitest';
import { Journal } from '../../../src/gateway/sessions/journal.ts';
import type { SessionStore, SessionWrite } from '../../../src/store/sessions.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';

function entry(id: string, seq: number) {
  return { session_id: id, seq, kind: 'note', at: seq, meta: '{}', body: null };
}

onEveryEngine('journal', (newUrl) => {
  let store: Store | undefined;
  afterEach(async () => {
    await store?.close();
    store = undefined;
  });

  async function counted(): Promise<{ journal: Journal; commits: (readonly SessionWrite[])[] }> {
    store = await openStore(await newUrl());
    const real = store.sessions;
    const commits: (readonly SessionWrite[])[] = [];
    const sessions = {
      entries: (id: string) => real.entries(id),
      commit: (writes: readonly SessionWrite[]) => {
        commits.push(writes);
        return real.commit(writes);
      },
    } as unknown as SessionStore;
    return { journal: new Journal(sessions), commits };
  }

  it('puts what arrives in one turn of the event loop into one transaction', async () => {
    const { journal, commits } = await counted();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => journal.append(`s${i}`, [entry(`s${i}`, 0), entry(`s${i}`, 1)])),
    );
    expect(commits.map((c) => c.length)).toEqual([20]);
    expect((await journal.read('s19')).map((r) => r.seq)).toEqual([0, 1]);
  });

  it('is durable when it resolves, and keeps the order of a session', async () => {
    const { journal } = await counted();
    const done: number[] = [];
    const writes = [0, 1, 2, 3].map(async (seq) => {
      await journal.append('s', [entry('s', seq)]);
      done.push(seq);
      expect((await journal.read('s')).some((row) => row.seq === seq)).toBe(true);
    });
    await Promise.all(writes);
    expect(done).toEqual([0, 1, 2, 3]);
    await journal.settled();
  });

  it('rejects only the session whose place in the journal is taken', async () => {
    const { journal } = await counted();
    await journal.append('a', [entry('a', 0)]);
    const outcome = await Promise.allSettled([
      journal.append('a', [entry('a', 0)]),
      journal.append('b', [entry('b', 0)]),
    ]);
    expect(outcome.map((o) => o.status)).toEqual(['rejected', 'fulfilled']);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ids, L2N_COMMANDS, playL2n, recordL2n } from '../crossing/l2n.ts';
import { withChildren } from '../peers/child.ts';
import { fixed, type Result, type Settings } from '../report.ts';
import { fleet } from './fleet.ts';

const METHOD = `Known legacy devices open a session (XML) in which a 2.0 backend asks three commands, get the first of them and
fall silent; each session waits in the gateway's memory. Heap and buffers after garbage collection, less what there
was before the first session. That includes the record of the session's device in the registry's cache. Afterwards
all sessions are played to their end, with the answers that were recorded.`;

/** Live heap per session that waits for its device. */
export async function memoryBench(settings: Settings): Promise<Result> {
  const sizes = settings.quick ? [200, 1000] : [1000, 10_000];
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
  settings.progress('memory');
  try {
    const rows = await withChildren(async (start) => {
      const devices = 2 * sizes.at(-1)!;
      const { store } = await fleet((options) => start('gateway', options), join(folder, 'm.db'), devices);
      const backend = await start('dm2', { commands: L2N_COMMANDS });
      const gateway = await start('gateway', {
        store,
        backends: { dms: { protocol: 'dm2', url: `${backend.url}/dm20` } },
        routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
        limits: { sessions: devices, cachedDevices: devices },
      });
      const exchanges = await recordL2n(gateway.url, { encoding: 'xml' });
      // Code, pools and prepared statements are no part of a session.
      await playL2n(gateway.url, exchanges, ids(sizes.at(-1)! + 1, 500), 'W000');
      const empty = await gateway.heap();
      const table: string[][] = [];
      let open = 0;
      for (const size of sizes) {
        const parked = await playL2n(gateway.url, exchanges.slice(0, 1), ids(open + 1, size - open), 'P000');
        if (parked.differing > 0) throw new Error(`${parked.differing} sessions did not open as recorded`);
        open = size;
        const bytes = (await gateway.heap()) - empty;
        table.push([String(size), fixed(bytes / 2 ** 20, 1), fixed(bytes / size / 1024, 1)]);
      }
      const { differing } = await playL2n(gateway.url, exchanges.slice(1), ids(1, open), 'P000');
      if (differing > 0) throw new Error(`${differing} parked sessions did not end as recorded`);
      return table;
    });
    return {
      title: 'Memory',
      method: METHOD,
      tables: [{ title: 'Sessions that wait', columns: ['sessions', 'MB', 'kB/session'], rows }],
      goals: [],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { discoverL2n, ids, playL2n, recordL2n, sessionIdOf } from '../crossing/l2n.ts';
import { withChildren } from '../peers/child.ts';
import { fixed, type Result, type Settings } from '../report.ts';

const DEVICES = 500;
/** Sessions after which caches are full: the gateway keeps the last ones to answer repeats. */
const SETTLED = 30_000;
const MOST_SECONDS = 420;
const TOLERANCE = 0.05;

const METHOD = `Complete sessions of ${DEVICES} known legacy devices (XML): one GET of a 2.0 backend, two messages each. Heap and
buffers of the gateway after garbage collection, every tenth of the way; growth is what it has at the end over what
it had after ${SETTLED} sessions, when caches of bounded size are full. The journal grows on disk until it is pruned.`;

/** Live heap over many complete sessions. */
export async function growthBench(settings: Settings): Promise<Result> {
  const sessions = settings.quick ? 5000 : 100_000;
  const settled = settings.quick ? 2000 : SETTLED;
  settings.progress('growth');
  const points = await withChildren(async (start) => {
    const backend = await start('dm2', { commands: [['GET', 'urn:oma:mo:oma-fumo:1.0//State']] });
    const gateway = await start('gateway', {
      backends: { dms: { protocol: 'dm2', url: `${backend.url}/dm20` } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    });
    const exchanges = await recordL2n(gateway.url, { encoding: 'xml' });
    await discoverL2n(gateway.url, ids(1, DEVICES), { encoding: 'xml' });
    const found: { sessions: number; heap: number }[] = [];
    const until = Date.now() + MOST_SECONDS * 1000;
    for (let done = 0; done < sessions && Date.now() < until; ) {
      const { differing } = await playL2n(
        gateway.url,
        exchanges,
        ids(1, DEVICES),
        sessionIdOf(done / DEVICES),
      );
      if (differing > 0) throw new Error(`${differing} answers were not as recorded`);
      done += DEVICES;
      if (done % (sessions / 10) === 0) found.push({ sessions: done, heap: await gateway.heap() });
    }
    return found;
  });
  const before = points.find((point) => point.sessions >= settled);
  const last = points.at(-1);
  const growth = before && last && last.sessions > before.sessions ? last.heap / before.heap - 1 : undefined;
  return {
    title: 'Growth',
    method: METHOD,
    tables: [
      {
        title: 'Heap over complete sessions',
        columns: ['sessions', 'MB'],
        rows: points.map((point) => [String(point.sessions), fixed(point.heap / 2 ** 20, 2)]),
      },
    ],
    goals: [
      {
        what: `Heap after ${last?.sessions ?? 0} sessions, over that after ${before?.sessions ?? settled}`,
        goal: `≤ ${TOLERANCE * 100} % more`,
        result: growth === undefined ? 'too few sessions in the time' : `${fixed(growth * 100, 1)} %`,
        met: growth === undefined ? undefined : growth <= TOLERANCE,
      },
    ],
  };
}

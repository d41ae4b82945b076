import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idOf, playL2n, sessionIdOf } from '../crossing/l2n.ts';
import { withChildren } from '../peers/child.ts';
import { fixed, type Result, type Settings } from '../report.ts';
import { type Candidate, interleave } from '../rounds.ts';
import { fleet } from '../sessions/fleet.ts';

/** How much dearer a check-in may be with the largest fleet than with the smallest. */
const TOLERANCE = 1.25;

const METHOD = `A check-in of a known legacy device for which nothing waits, in XML: one message, as most messages of a fleet
are. The devices of each round are drawn from the whole registry; with 1,000 or 10,000 of them all records end up
in the gateway's memory, with more the record is read from SQLite nearly every time.`;

export async function registryBench(settings: Settings): Promise<Result> {
  const sizes = settings.quick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000];
  const checkIns = settings.quick ? 300 : 1000;
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
  try {
    const measured = await withChildren(async (start) => {
      const candidates: Candidate[] = [];
      for (const size of sizes) {
        settings.progress(`registry ${size}`);
        const { store, exchanges } = await fleet(
          (options) => start('gateway', options),
          join(folder, `${size}.db`),
          size,
        );
        const gateway = await start('gateway', { store });
        let session = 0;
        const play = () => playL2n(gateway.url, exchanges, draw(checkIns, size), sessionIdOf(session++));
        for (let played = 0; played < (settings.quick ? 300 : 8000); played += checkIns) {
          const { differing } = await play();
          if (differing > 0) throw new Error(`${differing} check-ins were not answered as recorded`);
        }
        candidates.push({
          name: String(size),
          async measure() {
            const before = await gateway.cpu();
            const { messages } = await play();
            return ((await gateway.cpu()) - before) / messages;
          },
        });
      }
      return interleave(candidates, settings.rounds);
    });
    const dearer = measured.map(({ ratio }) => 1 / ratio.median);
    return {
      title: 'Registered devices',
      method: METHOD,
      tables: [
        {
          title: 'Check-in with nothing pending',
          columns: ['devices', 'CPU ms/check-in', 'quartiles', 'times the first'],
          rows: measured.map(({ name, nanoseconds: { q1, median, q3 } }, i) => [
            name,
            fixed(median / 1e6, 3),
            `${fixed(q1 / 1e6, 3)}–${fixed(q3 / 1e6, 3)}`,
            fixed(dearer[i]!, 2),
          ]),
        },
      ],
      goals: [
        {
          what: `Check-in with ${sizes.at(-1)} registered devices, times that with ${sizes[0]}`,
          goal: `≤ ${TOLERANCE} (flat)`,
          result: fixed(dearer.at(-1)!, 2),
          met: dearer.at(-1)! <= TOLERANCE,
        },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Identifiers of `count` different devices, evenly over all of them, other ones each time. */
function draw(count: number, size: number): Set<string> {
  const drawn = new Set<string>();
  while (drawn.size < Math.min(count, size)) drawn.add(idOf(1 + Math.floor(Math.random() * size)));
  return drawn;
}

import { Dm2Backend, Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { type Child, withChildren } from '../peers/child.ts';
import { fixed, type Goal, type Result, type Settings } from '../report.ts';
import {
  type Candidate,
  interleave,
  type Measured,
  type Quartiles,
  quartiles,
  type Table,
} from '../rounds.ts';

const MOID = 'urn:example:mo:big:1.0';
/** Leaves whose value an HGET changes. */
const CHANGED = 5;
/** How much dearer than a node among 1,000 one among 10,000 may be: linear cost, and room for noise. */
const TOLERANCE = 1.3;

type Notation = { [name: string]: Notation | string };

const METHOD = `An object of so many nodes, ten children to each interior node, text values of 20 characters, in a
simulated device of either generation. The gateway's CPU time over a whole session is shared among the nodes; the
cost of another node is what a session with the larger object takes more, by the nodes it has more, so that the
fixed cost of a session is not in it. HGET replaces the object by a document that differs in ${CHANGED} leaves. SyncML
messages are 64 KB at most, in XML.`;

/** A session each over objects of 10 to 10,000 nodes. */
export async function treeBench(settings: Settings): Promise<Result> {
  const sizes = settings.quick ? [10, 100, 1000] : [10, 100, 1000, 10_000];
  const tables: Table[] = [];
  const goals: Goal[] = [];
  const kinds = [
    ['L2N, GET of the whole object', (gateway: Gateway, size: number) => legacyDevice(gateway, size, 'GET')],
    [
      'L2N, HGET that differs in few leaves',
      (gateway: Gateway, size: number) => legacyDevice(gateway, size, 'HGET'),
    ],
    ['N2L, Get with ?list=StructData', dm2Device],
  ] as const;
  for (const [title, make] of kinds) {
    settings.progress(`tree ${title}`);
    const { measured, rounds } = await withChildren(async (start) => {
      const devices: Sessions[] = [];
      for (const size of sizes)
        devices.push(await make({ start: (options) => start('gateway', options) }, size));
      try {
        return await time(devices, sizes, settings.rounds);
      } finally {
        for (const device of devices) await device.close();
      }
    });
    const another = sizes
      .slice(1)
      .map((size, i) =>
        quartiles(rounds[i + 1]!.map((cpu, round) => (cpu - rounds[i]![round]!) / (size - sizes[i]!) / 1000)),
      );
    tables.push(table(title, sizes, measured, another));
    const [smaller, larger] = [rounds.at(-2)!, rounds.at(-1)!];
    const [few, many] = sizes.slice(-2) as [number, number];
    const least = rounds.at(-3)!;
    const ratio = quartiles(
      larger.map(
        (cpu, round) =>
          (cpu - smaller[round]!) /
          (many - few) /
          ((smaller[round]! - least[round]!) / (few - sizes.at(-3)!)),
      ),
    ).median;
    goals.push({
      what: `${title}: cost of another node at ${many}, times that at ${few}`,
      goal: `≤ ${TOLERANCE} (linear)`,
      result: fixed(ratio, 2),
      met: ratio <= TOLERANCE,
    });
  }
  return { title: 'Tree size', method: METHOD, tables, goals };
}

interface Gateway {
  start(options: unknown): Promise<Child>;
}

/** A device behind a gateway of its own: nothing of one size warms up or fills what another uses. */
interface Sessions {
  readonly gateway: Child;
  session(): Promise<void>;
  close(): Promise<void>;
}

async function time(devices: readonly Sessions[], sizes: readonly number[], count: number) {
  const rounds = sizes.map((): number[] => []);
  const candidates = devices.map(({ gateway, session }, i): Candidate => {
    // One short session says little: the collector of garbage is in it or is not.
    const repeats = Math.max(3, Math.min(100, Math.round(10_000 / sizes[i]!)));
    return {
      name: String(sizes[i]),
      async measure() {
        const before = await gateway.cpu();
        for (let n = 0; n < repeats; n++) await session();
        const cpu = ((await gateway.cpu()) - before) / repeats;
        rounds[i]!.push(cpu);
        return cpu;
      },
    };
  });
  for (const [i, { session }] of devices.entries()) {
    // Before anything counts, about what the optimizing compiler waits for.
    for (let n = 0; n < Math.max(10, Math.min(300, 20_000 / sizes[i]!)); n++) await session();
  }
  const measured = await interleave(candidates, count);
  return { measured, rounds: rounds.map((round) => round.slice(-count)) };
}

function table(
  title: string,
  sizes: readonly number[],
  measured: readonly Measured[],
  another: readonly Quartiles[],
): Table {
  return {
    title,
    columns: ['nodes', 'CPU ms/session', 'quartiles', 'CPU µs/node', 'another node costs, µs', 'quartiles'],
    rows: measured.map(({ name, nanoseconds: { q1, median, q3 } }, i) => {
      const more = another[i - 1];
      return [
        name,
        fixed(median / 1e6, 2),
        `${fixed(q1 / 1e6, 2)}–${fixed(q3 / 1e6, 2)}`,
        fixed(median / 1000 / sizes[i]!, 2),
        more ? fixed(more.median, 2) : '',
        more ? `${fixed(more.q1, 2)}–${fixed(more.q3, 2)}` : '',
      ];
    }),
  };
}

async function legacyDevice({ start }: Gateway, size: number, verb: 'GET' | 'HGET'): Promise<Sessions> {
  let turn = 0;
  const backend = new Dm2Backend({
    script: [[verb === 'GET' ? ['GET', `${MOID}//`] : ['HGET', '{origin}/repository/doc', `${MOID}//`]]],
    keepMessages: false,
  });
  const gateway = await start({
    backends: { dms: { protocol: 'dm2', url: await backend.start() } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const device = new LegacyDevice({
    url: gateway.url,
    deviceId: `IMEI:${String(size).padStart(15, '0')}`,
    tree: { ...IDENTITY, Big: { $type: MOID, ...grow(size, 0) } },
    maxMsgSize: 65_536,
    keepMessages: false,
  });
  const session = async (): Promise<void> => {
    turn += 1;
    backend.documents.set('doc', {
      body: [{ ClientURI: `${MOID}//`, MOData: { Big: grow(size, turn) } }],
    });
    const { outcome, detail } = await device.session();
    const status = backend.sessions.at(-1)?.commands[0]?.status?.sc;
    backend.sessions.length = 0;
    if (outcome !== 'completed' || status !== 200) {
      throw new Error(`${verb} of ${size} nodes: ${outcome} ${detail ?? ''}, status ${status}`);
    }
  };
  await session();
  const close = async (): Promise<void> => {
    await device.close();
    await backend.close();
  };
  return { gateway, session, close };
}

async function dm2Device({ start }: Gateway, size: number): Promise<Sessions> {
  const server = new LegacyServer({
    script: [[{ kind: 'Get', uris: [`./MO/${MOID}/big1?list=StructData`] }]],
    maxMsgSize: 65_536,
    keepMessages: false,
  });
  const gateway = await start({
    backends: { old: { protocol: 'dm1', url: await server.start() } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'old' }],
  });
  const device = new Dm2Client({
    url: gateway.url,
    deviceId: `IMEI:${String(size).padStart(15, '0')}`,
    objects: [
      { moid: 'urn:oma:mo:oma-dm-devinfo:1.2', miid: 'devinfo', tree: IDENTITY.DevInfo },
      { moid: MOID, miid: 'big1', root: 'Big', tree: grow(size, 0) },
    ],
    keepMessages: false,
  });
  const session = async (): Promise<void> => {
    const { outcome, detail } = await device.session();
    const command = server.sessions.at(-1)?.commands[0];
    const results = command?.results.length ?? 0;
    server.sessions.length = 0;
    if (outcome !== 'completed' || command?.code !== '200' || results < size) {
      throw new Error(
        `StructData of ${size} nodes: ${outcome} ${detail ?? ''}, status ${command?.code}, ${results} results`,
      );
    }
  };
  await session();
  const close = async (): Promise<void> => {
    await device.close();
    await server.close();
  };
  return { gateway, session, close };
}

const IDENTITY = {
  DevInfo: {
    $type: 'urn:oma:mo:oma-dm-devinfo:1.0',
    DevId: 'bench',
    Man: 'Example',
    Mod: 'Bench',
    DmV: '1.2',
    Lang: 'en',
  },
};

/** A tree of `size` nodes with its root, its first leaves told apart by `turn`. */
function grow(size: number, turn: number): Notation {
  const root: Notation = {};
  const open: Notation[] = [root];
  let left = size - 1;
  let leaves = 0;
  while (left > 0) {
    const at = open.shift()!;
    for (let i = 0; i < 10 && left > 0; i++, left--) {
      // Interior while the nodes that are still to come need room.
      if (left > (open.length + 1) * 10) {
        const child: Notation = {};
        at[`N${i}`] = child;
        open.push(child);
      } else {
        leaves += 1;
        const value = leaves <= CHANGED ? `changed ${turn % 1000} `.padEnd(20, '.') : 'text of twenty chars';
        at[`L${i}`] = value;
      }
    }
  }
  return root;
}

import type { LegacyDeviceOptions } from '../../src/simulator/index.ts';
import { type Child, withChildren } from '../peers/child.ts';
import { fixed, type Result, type Settings } from '../report.ts';
import { type Candidate, interleave } from '../rounds.ts';
import { discoverL2n, ids, L2N_COMMANDS, type Played, playL2n, recordL2n, sessionIdOf } from './l2n.ts';
import { discoverN2l, N2L_SCRIPT, playN2l, recordN2l } from './n2l.ts';

type Encoding = 'xml' | 'wbxml';

interface CrossingBench {
  readonly name: string;
  readonly file: string;
  /** Least throughput per CPU, that of http-proxy being one. */
  readonly goal?: number;
  prepare(start: Start, devices: number): Promise<Prepared>;
}

const CROSSINGS: readonly CrossingBench[] = [
  {
    name: 'L2N, XML',
    file: 'L2N-xml',
    goal: 0.33,
    prepare: (start, n) => l2n(start, n, { encoding: 'xml' }),
  },
  {
    name: 'L2N, WBXML',
    file: 'L2N-wbxml',
    goal: 0.4,
    prepare: (start, n) => l2n(start, n, { encoding: 'wbxml' }),
  },
  { name: 'N2L, XML', file: 'N2L-xml', goal: 0.33, prepare: (start, n) => n2l(start, n, 'xml') },
  { name: 'N2L, WBXML', file: 'N2L-wbxml', goal: 0.4, prepare: (start, n) => n2l(start, n, 'wbxml') },
  {
    name: 'L2N, XML, with a report',
    file: 'L2N-xml-report',
    prepare: (start, n) => l2n(start, n, { encoding: 'xml', exec: REPORTED }),
  },
];

/** The Exec of each session is under way at its end; the next one begins with its report. */
const REPORTED = () => ({
  status: 202,
  alert: {
    type: 'urn:oma:at:lawmo:1.0:OperationComplete',
    source: './LAWMO/Operations/FullyLock',
    data: '1200',
  },
});

/** Device messages, roughly, before anything is timed: the optimizing compiler needs some thousands. */
const WARM_UP = 12_000;
const PER_ROUND = 3000;

/** A crossing that is ready to be played against a gateway or a proxy. */
interface Prepared {
  readonly gateway: Child;
  /** As it comes: a connection for each message. */
  readonly proxy: Child;
  readonly keptAlive: Child;
  readonly perSession: number;
  readonly backendPerSession: number;
  backendRequests(): Promise<number>;
  play(url: string, sessions: number): Promise<Played>;
}

type Start = Parameters<Parameters<typeof withChildren>[0]>[0];

/**
 * Complete sessions with a backend, SQLite journal and log, beside a reverse proxy that forwards device
 * messages of the same number and sizes. What counts is the CPU time of the gateway's process, which all
 * its threads share, against that of the proxy's.
 */
export async function crossingBench(settings: Settings): Promise<Result> {
  const rows: string[][] = [];
  const goals: Result['goals'][number][] = [];
  const devices = settings.quick ? 50 : 400;
  for (const { name, file, prepare, goal } of CROSSINGS) {
    settings.progress(`crossing ${name}`);
    const measured = await withChildren(async (start) =>
      run(await prepare(start, devices), devices, settings, file),
    );
    rows.push(...measured.rows.map(([first, ...rest]) => [`${name}: ${first}`, ...rest]));
    if (goal === undefined) continue;
    goals.push({
      what: `${name}, throughput per CPU of http-proxy as it comes`,
      goal: `≥ ${goal}`,
      result: `${fixed(measured.ratio, 2)} (${fixed(measured.keptAlive, 2)} with an agent)`,
      met: measured.ratio >= goal,
    });
  }
  return {
    title: 'Crossing',
    method: METHOD,
    tables: [
      {
        title: 'Complete sessions; CPU of the named process only',
        columns: [
          '',
          'device messages a session',
          'CPU ms/message',
          'quartiles',
          'sessions per CPU second',
          'throughput of the proxy',
          'quartiles',
        ],
        rows,
      },
    ],
    goals,
  };
}

const METHOD = `A recorded session is replayed for many devices, each with its own identifier and a new session, 8 at a
time. L2N: two GETs (three leaves) and one EXEC from a 2.0 backend; the device is known already and executes at
once ("with a report": it does so later, and each session begins with the alert of the last one). N2L: Gets
of three leaves, a Replace and an Exec from a legacy server that speaks the named encoding; uploads to and
downloads from the Data Repository count as device messages. Gateway, proxy, backend and upstream are
processes of their own; SQLite on a file, the info log written to a file. Before timing, every session must
have reached the backend as often as it should, with answers as long as those recorded. \`http-proxy\` as it
comes opens a connection to its target for each message; the goals are set against that. Given an agent it
keeps connections alive, as the gateway does towards its backends: the harder comparison, and no goal.`;

async function run(prepared: Prepared, devices: number, settings: Settings, name: string) {
  const { gateway, proxy, keptAlive, perSession } = prepared;
  const targets = [gateway.url, `${proxy.url}/dm`, `${keptAlive.url}/dm`] as const;
  const sessions = Math.max(devices, Math.ceil((settings.quick ? 300 : PER_ROUND) / perSession));
  for (let played = 0; played < (settings.quick ? 300 : WARM_UP); played += sessions * perSession) {
    for (const url of targets) await prepared.play(url, sessions);
  }
  await check(prepared, devices);
  if (settings.profile !== undefined) {
    await gateway.profile();
    for (let i = 0; i < 4; i++) await prepared.play(gateway.url, sessions);
    await gateway.profile(`${settings.profile}/${name}.cpuprofile`);
  }
  const candidate = (title: string, child: Child, url: string): Candidate => ({
    name: title,
    async measure() {
      const before = await child.cpu();
      const { messages } = await prepared.play(url, sessions);
      return ((await child.cpu()) - before) / messages;
    },
  });
  const measured = await interleave(
    [
      candidate('http-proxy', proxy, targets[1]),
      candidate('http-proxy with an agent', keptAlive, targets[2]),
      candidate('Dragoman', gateway, targets[0]),
    ],
    settings.rounds,
  );
  const rows = measured.map(({ name: title, nanoseconds, ratio }) => [
    title,
    String(perSession),
    fixed(nanoseconds.median / 1e6, 3),
    `${fixed(nanoseconds.q1 / 1e6, 3)}–${fixed(nanoseconds.q3 / 1e6, 3)}`,
    String(Math.round(1e9 / (nanoseconds.median * perSession))),
    fixed(ratio.median, 2),
    `${fixed(ratio.q1, 2)}–${fixed(ratio.q3, 2)}`,
  ]);
  const ratio = measured[2]!.ratio.median;
  return { rows, ratio, keptAlive: ratio / measured[1]!.ratio.median };
}

/** Every session must reach the backend as it should and give the recorded answers. */
async function check(prepared: Prepared, devices: number): Promise<void> {
  const before = await prepared.backendRequests();
  const { differing } = await prepared.play(prepared.gateway.url, devices);
  const requests = ((await prepared.backendRequests()) - before) / devices;
  if (requests !== prepared.backendPerSession || differing > 0) {
    throw new Error(
      `a session made ${requests} backend requests instead of ${prepared.backendPerSession}; ${differing} answers differ`,
    );
  }
}

async function proxies(start: Start): Promise<Pick<Prepared, 'proxy' | 'keptAlive'>> {
  const target = (await start('upstream')).url;
  return {
    proxy: await start('proxy', { target, keepAlive: false }),
    keptAlive: await start('proxy', { target, keepAlive: true }),
  };
}

async function l2n(start: Start, devices: number, options: Partial<LegacyDeviceOptions>): Promise<Prepared> {
  const backend = await start('dm2', { commands: L2N_COMMANDS });
  const gateway = await start('gateway', {
    backends: { dms: { protocol: 'dm2', url: `${backend.url}/dm20` } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const exchanges = await recordL2n(gateway.url, options);
  await discoverL2n(gateway.url, ids(1, devices), options);
  let session = 0;
  return {
    ...(await proxies(start)),
    gateway,
    perSession: exchanges.length,
    backendPerSession: 2,
    backendRequests: () => backend.count(),
    play: (url, sessions) =>
      inTurns(sessions, devices, (n) => playL2n(url, exchanges, ids(1, n), sessionIdOf(session++))),
  };
}

async function n2l(start: Start, devices: number, encoding: Encoding): Promise<Prepared> {
  const legacy = await start('legacy', { script: N2L_SCRIPT });
  const gateway = await start('gateway', {
    backends: { old: { protocol: 'dm1', url: legacy.url, encoding } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'old' }],
  });
  const steps = await recordN2l(gateway.url);
  await discoverN2l(gateway.url, ids(1, devices));
  return {
    ...(await proxies(start)),
    gateway,
    perSession: steps.length,
    backendPerSession: N2L_SCRIPT.length + 1,
    backendRequests: () => legacy.count(),
    play: (url, sessions) =>
      inTurns(sessions, devices, (n) => playN2l(url, steps, ids(1, n), url === gateway.url)),
  };
}

/** As many sessions as asked for, none of them beside another of the same device. */
async function inTurns(
  sessions: number,
  devices: number,
  play: (devices: number) => Promise<Played>,
): Promise<Played> {
  let messages = 0;
  let differing = 0;
  for (let left = sessions; left > 0; left -= devices) {
    const played = await play(Math.min(left, devices));
    messages += played.messages;
    differing += played.differing;
  }
  return { messages, differing };
}

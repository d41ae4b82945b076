/** Entry of the processes that benchmarks start: `role.js ROLE OPTIONS`; it answers the questions of `Child`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { startDm2, startLegacy } from './backends.ts';
import type { Role } from './child.ts';
import { startTheGateway } from './gateway.ts';
import { startProxy, startUpstream } from './proxy.ts';

/** Where a peer listens, and how many requests it has answered. */
export interface Peer {
  readonly url: string;
  readonly count?: () => number;
}

const ROLES: Readonly<Record<Role, (options: never) => Promise<Peer>>> = {
  gateway: startTheGateway,
  proxy: startProxy,
  upstream: startUpstream,
  dm2: startDm2,
  legacy: startLegacy,
};

const [role, text] = process.argv.slice(2);
const peer = await ROLES[role as Role](JSON.parse(text ?? '{}') as never);
let profiler: Session | undefined;

const ANSWERS: Readonly<Record<string, (value?: string) => unknown>> = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
  },
  heap: () => {
    // Twice: what the first round finalizes, the second frees.
    globalThis.gc?.();
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  rss: () => process.memoryUsage.rss(),
  peakRss,
  count: () => peer.count?.() ?? 0,
  profile,
};

/** The high-water mark of this process alone: `maxRSS` would count the process that forked it, too. */
function peakRss(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

async function profile(file?: string): Promise<boolean> {
  if (file === undefined) {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.setSamplingInterval', { interval: 200 });
    await profiler.post('Profiler.start');
  } else if (profiler) {
    const { profile: samples } = await profiler.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(samples));
    profiler.disconnect();
  }
  return true;
}

process.on('message', async ({ question, value }: { question: string; value?: string }) => {
  process.send?.(await ANSWERS[question]?.(value));
});
process.on('disconnect', () => process.exit());
process.send?.({ url: peer.url });

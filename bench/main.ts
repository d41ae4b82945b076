/** `npm run bench [-- NAME …] [--quick] [--profile DIR]`: prints tables and, unless quick, writes docs/benchmarks.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { codecBench } from './codec/codecBench.ts';
import { crossingBench } from './crossing/crossingBench.ts';
import { registryBench } from './registry/registryBench.ts';
import { circumstances, type Measurement, machine, page, type Result, type Settings } from './report.ts';
import { printTable } from './rounds.ts';
import { growthBench } from './sessions/growthBench.ts';
import { largeObjectBench } from './sessions/largeObjectBench.ts';
import { memoryBench } from './sessions/memoryBench.ts';
import { storageBench } from './storage/storageBench.ts';
import { treeBench } from './tree/treeBench.ts';

const BENCHMARKS: Readonly<Record<string, (settings: Settings) => Promise<Result>>> = {
  codec: codecBench,
  crossing: crossingBench,
  tree: treeBench,
  registry: registryBench,
  memory: memoryBench,
  large: largeObjectBench,
  storage: storageBench,
  growth: growthBench,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, profile: { type: 'string' } },
});
for (const name of positionals) {
  if (!(name in BENCHMARKS)) {
    process.stderr.write(
      `There is no benchmark ${name}; choose from ${Object.keys(BENCHMARKS).join(', ')}.\n`,
    );
    process.exit(2);
  }
}
const settings: Settings = {
  quick: values.quick,
  rounds: values.quick ? 3 : 9,
  ...(values.profile !== undefined && { profile: values.profile }),
  progress: (what) => process.stderr.write(`bench: ${what} …\n`),
};
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const before = circumstances();
  const result = await run(settings);
  for (const table of result.tables) process.stdout.write(`${printTable(table)}\n`);
  for (const { what, goal, result: found, met } of result.goals) {
    const verdict = met === undefined ? 'not measured' : met ? 'met' : 'NOT MET';
    process.stdout.write(`${verdict}: ${what}: ${found} (goal ${goal})\n`);
  }
  if (!settings.quick) keep(name, { ...before, result });
}

/** Adds a measurement to those of this machine, and writes the page of all of them. */
function keep(name: string, measurement: Measurement): void {
  const here = JSON.stringify(machine());
  const file = 'dist-bench/results.json';
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const results = { ...(kept?.machine === here ? kept.results : {}), [name]: measurement };
  writeFileSync(file, JSON.stringify({ machine: here, results }));
  const inOrder = Object.keys(BENCHMARKS).flatMap((key): [string, Measurement][] =>
    results[key] ? [[key, results[key]]] : [],
  );
  writeFileSync('docs/benchmarks.md', page(new Map(inOrder)));
}

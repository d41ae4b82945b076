/** `npm run bench [-- NAME …] [--quick] [--profile DIR]`: prints tables and, after a full run, writes docs/benchmarks.md. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { codecBench } from './codec/codecBench.ts';
import { crossingBench } from './crossing/crossingBench.ts';
import { registryBench } from './registry/registryBench.ts';
import { page, type Result, type Settings } from './report.ts';
import { printTable } from './rounds.ts';
import { growthBench } from './sessions/growthBench.ts';
import { memoryBench } from './sessions/memoryBench.ts';
import { storageBench } from './storage/storageBench.ts';
import { treeBench } from './tree/treeBench.ts';

const BENCHMARKS: Readonly<Record<string, (settings: Settings) => Promise<Result>>> = {
  codec: codecBench,
  crossing: crossingBench,
  tree: treeBench,
  registry: registryBench,
  memory: memoryBench,
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
const results: Result[] = [];
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const result = await run(settings);
  results.push(result);
  for (const table of result.tables) process.stdout.write(`${printTable(table)}\n`);
  for (const { what, goal, result: found, met } of result.goals) {
    process.stdout.write(
      `${met ? 'met' : met === undefined ? 'not measured' : 'NOT MET'}: ${what}: ${found} (goal ${goal})\n`,
    );
  }
}
if (positionals.length === 0 && !values.quick) {
  writeFileSync('docs/benchmarks.md', page(results, 'npm run bench'));
  process.stderr.write('bench: wrote docs/benchmarks.md\n');
}

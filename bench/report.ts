import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import type { Table } from './rounds.ts';

/** How the benchmarks are run. */
export interface Settings {
  /** Fewer rounds, devices and nodes: to see that all runs, not to trust the figures. */
  readonly quick: boolean;
  readonly rounds: number;
  /** Folder for CPU profiles of the gateway. */
  readonly profile?: string;
  progress(what: string): void;
}

export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly result: string;
  /** `undefined` where it could not be measured. */
  readonly met: boolean | undefined;
}

/** What one benchmark found. */
export interface Result {
  readonly title: string;
  /** What was done, in Markdown. */
  readonly method: string;
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
}

export const fixed = (value: number, digits: number): string => value.toFixed(digits);

/** A ratio with two digits, without calling 0.996 one. */
export const share = (value: number): string => value.toFixed(2);

/** The page docs/benchmarks.md. */
export function page(results: readonly Result[], command: string): string {
  const [cpu] = cpus();
  const facts = [
    ['Date', new Date().toISOString().slice(0, 10)],
    ['Command', `\`${command}\``],
    ['Node', process.version],
    ['CPU', `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}`],
    ['Memory', `${Math.round(totalmem() / 2 ** 30)} GB`],
    ['System', `${type()} ${release()}`],
    ['Commit', commit()],
  ];
  return [
    '# Benchmarks',
    'Written by `npm run bench`; run it to see the figures of your machine. Every ratio is taken from interleaved rounds, reference and candidate in turn (at least 9 rounds; median, first and third quartile), as machines drift. CPU time is that of one process with all its threads, so what else the machine does blurs it less than it would wall time.',
    markdown(['', ''], facts),
    '## Goals and results',
    markdown(
      ['', 'goal', 'result', 'met'],
      results.flatMap(({ goals }) =>
        goals.map(({ what, goal, result, met }) => [what, goal, result, verdict(met)]),
      ),
    ),
    ...results.flatMap(({ title, method, tables }) => [
      `## ${title}`,
      method,
      ...tables.flatMap((table) => [`**${table.title}**`, markdown(table.columns, table.rows)]),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return 'not measured';
  return met ? 'yes' : '**no**';
}

function markdown(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'not known';
  }
}

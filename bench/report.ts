import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
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

/** A result with the circumstances under which it came about. */
export interface Measurement {
  readonly result: Result;
  readonly date: string;
  readonly commit: string;
  /** Load average of the machine before it began. */
  readonly load: string;
}

/** To be called before a benchmark begins: what is noted is the state it started from. */
export function circumstances(): Omit<Measurement, 'result'> {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    load: fixed(loadavg()[0] ?? 0, 1),
  };
}

/** What the figures depend on; results of different machines never share a page. */
export function machine(): readonly (readonly [string, string])[] {
  const [cpu] = cpus();
  return [
    ['Node', process.version],
    ['CPU', `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}`],
    ['Memory', `${Math.round(totalmem() / 2 ** 30)} GB`],
    ['System', `${type()} ${release()}`],
  ];
}

const INTRODUCTION = `Written by \`npm run bench\`, which runs all, or by \`npm run bench -- NAME …\`, which runs the named ones and
keeps what this machine measured before of the others. Every ratio is taken from interleaved rounds, reference and candidate
in turn (9 rounds; median, first and third quartile), as machines drift. CPU time is that of one process with all its
threads, so what else the machine does blurs it less than wall time.`;

/** The page docs/benchmarks.md. */
export function page(measurements: ReadonlyMap<string, Measurement>): string {
  const all = [...measurements];
  const parts = [
    '# Benchmarks',
    INTRODUCTION,
    markdown(['machine', ''], machine()),
    '## Goals and results',
    markdown(
      ['', 'goal', 'result', 'met'],
      all.flatMap(([, { result }]) =>
        result.goals.map(({ what, goal, result: found, met }) => [what, goal, found, verdict(met)]),
      ),
    ),
    ...all.flatMap(([name, { result, date, commit: revision, load }]) => [
      `## ${result.title}`,
      `\`npm run bench -- ${name}\`, ${date}, commit ${revision}, load average ${load} before it.`,
      result.method,
      ...result.tables.flatMap((table) => [`**${table.title}**`, markdown(table.columns, table.rows)]),
    ]),
  ];
  return `${parts.join('\n\n')}\n`;
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

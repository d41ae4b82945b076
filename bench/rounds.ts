/** Something to time: `measure` runs for a while and says how many nanoseconds one message took (CPU or wall, as it says). */
export interface Candidate {
  readonly name: string;
  measure(): number | Promise<number>;
}

export interface Quartiles {
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
}

export interface Measured {
  readonly name: string;
  readonly nanoseconds: Quartiles;
  /** How many times faster than the first candidate, taken round by round. */
  readonly ratio: Quartiles;
}

/** A table of a benchmark report. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Times all candidates in turn, round after round, so that whatever else the machine does hits all of
 * them alike. The first candidate is the reference of the ratios; one round to warm up is not counted.
 */
export async function interleave(candidates: readonly Candidate[], rounds = 9): Promise<Measured[]> {
  const times = candidates.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, candidate] of candidates.entries()) {
      const nanoseconds = await candidate.measure();
      if (round >= 0) times[index]!.push(nanoseconds);
    }
  }
  const reference = times[0]!;
  return candidates.map(({ name }, index) => ({
    name,
    nanoseconds: quartiles(times[index]!),
    ratio: quartiles(times[index]!.map((time, round) => reference[round]! / time)),
  }));
}

/**
 * A synchronous function, repeated for about `milliseconds` per round; CPU time of the process counts, so
 * that waiting for a busy machine does not. The first round is longer, for the optimizing compiler.
 */
export function inProcess(name: string, work: () => unknown, milliseconds = 40): Candidate {
  let batch = 16;
  let window = milliseconds * 10;
  return {
    name,
    measure() {
      let runs = 0;
      const start = cpu();
      let now = start;
      while (now - start < window * 1000) {
        const before = now;
        for (let i = 0; i < batch; i++) work();
        runs += batch;
        now = cpu();
        if (now - before < 1000) batch *= 2;
      }
      window = milliseconds;
      return ((now - start) * 1000) / runs;
    },
  };
}

/** CPU time of this process in microseconds. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

export function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (fraction: number) => {
    const position = (sorted.length - 1) * fraction;
    const low = sorted[Math.floor(position)]!;
    const high = sorted[Math.ceil(position)]!;
    return low + (high - low) * (position - Math.floor(position));
  };
  return { q1: at(0.25), median: at(0.5), q3: at(0.75) };
}

/** Rows of messages per second, megabytes per second and ratios for messages of `bytes` bytes. */
export function throughputTable(title: string, bytes: number, measured: readonly Measured[]): Table {
  return {
    title,
    columns: ['', 'messages/s', 'MB/s', 'µs/message', 'times the reference', 'quartiles'],
    rows: measured.map(({ name, nanoseconds, ratio }) => [
      name,
      Math.round(1e9 / nanoseconds.median).toString(),
      ((bytes * 1000) / nanoseconds.median).toFixed(1),
      (nanoseconds.median / 1000).toFixed(2),
      ratio.median.toFixed(2),
      `${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)}`,
    ]),
  };
}

export function printTable(table: Table): string {
  const rows = [table.columns, ...table.rows];
  const widths = table.columns.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return `${table.title}\n${rows.map(line).join('\n')}\n`;
}

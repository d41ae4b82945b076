/** Where a command reads and writes; tests give it buffers. */
export interface Io {
  /** Results. */
  out(text: string): void;
  /** Progress and complaints. */
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Width for tables and columns. */
  readonly columns: number;
  /** Escape sequences are welcome. */
  readonly color: boolean;
  /** Resolves when the user or the system asks the process to end. */
  ended(): Promise<void>;
  /** Calls back whenever the system asks the process to read its files again. */
  onReload(again: () => void): void;
}

/** The process itself. `NO_COLOR` is honoured. */
export function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    columns: process.stdout.columns ?? 160,
    color: process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '',
    ended: () =>
      new Promise((resolve) => {
        const end = (signal: NodeJS.Signals) => {
          // Who asks twice is in a hurry.
          process.once(signal, () => process.exit(1));
          resolve();
        };
        process.once('SIGINT', end);
        process.once('SIGTERM', end);
      }),
    onReload: (again) => void process.on('SIGHUP', again),
  };
}

/** What the process ends with. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Ends a command with this code, after it has said why. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Columns as wide as their widest cell, two blanks between them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

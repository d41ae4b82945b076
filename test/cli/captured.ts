import type { Io } from '../../src/cli/io.ts';
import { runProgram } from '../../src/cli/program.ts';

export interface Captured {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process; `ended` is when Ctrl-C would come, `told` hears of progress so far. */
export async function dragoman(
  args: readonly string[],
  options: {
    env?: Record<string, string>;
    ended?: (out: string) => Promise<void>;
    told?: (err: string) => void;
  } = {},
): Promise<Captured> {
  let out = '';
  let err = '';
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
      options.told?.(err);
    },
    env: options.env ?? {},
    columns: 120,
    color: false,
    ended: async () => options.ended?.(out),
    onReload: () => undefined,
  };
  const code = await runProgram(args, io);
  return { code, out, err };
}

import { type Command, Option } from 'commander';
import {
  runSimulate,
  SIMULATE_FLAGS,
  SIMULATED,
  type Simulated,
  type SimulateFlags,
} from '../simulator/index.ts';
import { EXIT, Exit, type Io } from './io.ts';

const WHAT: Readonly<Record<Simulated, string>> = {
  device: 'a DM 1.x device',
  client: 'a DM 2.0 client',
  server: 'a DM 1.x management server, until Ctrl-C',
  backend: 'a DM 2.0 management server, until Ctrl-C',
};

/** `dragoman simulate KIND`: one peer of either generation, a line for each of its messages. */
export function addSimulate(program: Command, io: Io): void {
  const simulate = program.command('simulate').description('run a simulated device or management server');
  for (const kind of SIMULATED) {
    const command = simulate.command(kind).description(WHAT[kind]);
    for (const row of SIMULATE_FLAGS) {
      if (!row.kinds.some((known) => known === kind)) continue;
      const option = new Option(`--${row.flag} <${row.value.toLowerCase()}>`, row.text);
      command.addOption('choices' in row ? option.choices(row.choices) : option);
    }
    command.action(async () => {
      const ending = new AbortController();
      void io.ended().then(() => ending.abort());
      const signal = ending.signal;
      const code = await runSimulate(kind, flagsOf(command), {
        print: (line) => io.out(`${line}\n`),
        signal,
      });
      if (code !== EXIT.ok) throw new Exit(code);
    });
  }
}

/** Values under the names of the flags, which commander turns into camel case. */
function flagsOf(command: Command): SimulateFlags {
  const values: Record<string, string> = command.opts();
  const named = command.options.map((option) => [
    option.long?.slice(2) ?? '',
    values[option.attributeName()],
  ]);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

import type { Command } from 'commander';
import { silentLogger } from '../../support/log.ts';
import { EXIT, Exit, type Io } from '../io.ts';
import { type Account, type Actor, actors } from './actors.ts';
import { Api, type JobResult } from './api.ts';
import { painter, sideBySide, wrap } from './columns.ts';
import { messageLines } from './messages.ts';
import { type Step, scenario, UPDATE_ALERT } from './scenario.ts';
import { buildStage, type Stage } from './stage.ts';

/** `dragoman demo`: both generations through one scenario, on this machine alone. */
export function addDemo(program: Command, io: Io): void {
  program
    .command('demo')
    .description('run a gateway with simulated devices of both generations through one scenario')
    .option('--once', 'end after the scenario; exit code 0 only if every step came out as expected')
    .option('--brief', 'print results and notes without the messages')
    .action(async ({ once, brief }: { once?: true; brief?: true }) => {
      const stage = await buildStage(silentLogger);
      try {
        const failures = await new Demo(stage, io, brief === true).run();
        if (once) {
          if (failures > 0) throw new Exit(EXIT.failed);
          return;
        }
        io.out(`The gateway stays up; Ctrl-C ends it. For example:\n  ${example(stage)}\n`);
        await io.ended();
      } finally {
        await stage.strike();
      }
    });
}

function example({ gateway }: Stage): string {
  return `curl -H 'Authorization: Bearer ${gateway.token}' ${gateway.urls.admin}/api/devices`;
}

/** Runs the scenario and tells it. */
class Demo {
  readonly #stage: Stage;
  readonly #io: Io;
  readonly #brief: boolean;
  readonly #api: Api;
  readonly #paint: ReturnType<typeof painter>;
  readonly #width: number;
  #failures = 0;

  constructor(stage: Stage, io: Io, brief: boolean) {
    this.#stage = stage;
    this.#io = io;
    this.#brief = brief;
    this.#api = new Api(stage.gateway.urls.admin, stage.gateway.token);
    this.#paint = painter(io.color);
    this.#width = Math.min(Math.max(io.columns, 80), 200);
  }

  /** How many results were other than expected. */
  async run(): Promise<number> {
    const { urls, token } = this.#stage.gateway;
    this.#say('bold', 'Dragoman demo: one operator, one REST API, devices of both generations');
    this.#io.out(`  devices  ${urls.devices}\n  admin    ${urls.admin}\n  token    ${token}\n`);
    const cast = actors(urls.devices);
    try {
      await this.#register(cast.map(({ account }) => account));
      const players = cast.map(({ actor }) => actor);
      const steps = scenario(this.#stage.documents);
      for (const [index, step] of steps.entries())
        await this.#play(step, `${index + 1}/${steps.length + 1}`, players);
      await this.#reports(`${steps.length + 1}/${steps.length + 1}`, players);
    } finally {
      for (const { actor } of cast) await actor.device.close();
    }
    const verdict =
      this.#failures === 0 ? 'every step came out as expected' : `${this.#failures} unexpected results`;
    this.#say(this.#failures === 0 ? 'green' : 'red', `\nDone: ${verdict} on all three devices.`);
    return this.#failures;
  }

  async #register(accounts: readonly Account[]): Promise<void> {
    for (const account of accounts) await this.#api.call('POST', '/api/devices', account);
    this.#io.out(
      `  ${accounts.length} devices registered: MD5 authentication for DM 1.2, HTTP Basic for DM 2.0\n`,
    );
  }

  async #play(step: Step, number: string, players: readonly Actor[]): Promise<void> {
    this.#say(
      'bold',
      `\n━━ ${number} ${step.title} ${'━'.repeat(Math.max(0, this.#width - step.title.length - 8))}`,
    );
    for (const command of step.commands)
      this.#io.out(`  queued for each device: ${JSON.stringify(command)}\n`);
    const lines = new Map<Actor, string[]>();
    const results: string[] = [];
    for (const player of players) {
      this.#io.err(`  … ${player.label}\n`);
      const { deviceId } = player.device.options;
      const job = await this.#api.queue(deviceId, step.commands);
      lines.set(player, await this.#session(player));
      const result = await this.#api.result(job);
      results.push(this.#result(player, result, step));
    }
    this.#messages(players, lines);
    await this.#notes(players);
    this.#io.out(`\n${results.join('')}`);
  }

  async #session({ device }: Actor): Promise<string[]> {
    const before = device.messages.length;
    const report = await device.session();
    const messages = device.messages.slice(before);
    const problems = [
      ...(report.outcome === 'completed' ? [] : [`the session ${report.outcome}: ${report.detail ?? ''}`]),
      ...report.violations.map((text) => `the device complains: ${text}`),
    ];
    this.#failures += problems.length;
    return [...messages.flatMap(messageLines), ...problems];
  }

  #result({ label }: Actor, { state, Status, detail }: JobResult, { expected, shows }: Step): string {
    const codes = Status.map(({ sc }) => sc);
    const complete = shows === undefined || JSON.stringify(Status).includes(shows);
    const good = state === 'done' && codes.join() === expected.join() && complete;
    if (!good) this.#failures += 1;
    const said = `${state}, status ${codes.join(', ') || '-'}${detail === undefined ? '' : ` (${detail})`}`;
    const wanted = good ? '' : `  expected ${expected.join(', ')}${complete ? '' : ` and "${shows}"`}`;
    return `  ${this.#paint(good ? 'green' : 'red', good ? '✓' : '✗')} ${label.padEnd(14)} ${said}${wanted}\n`;
  }

  /** The first device of each generation beside the other; further ones in a line. */
  #messages(players: readonly Actor[], lines: ReadonlyMap<Actor, readonly string[]>): void {
    if (this.#brief) return;
    const modern = players.find(({ generation }) => generation === 'dm2');
    const legacy = players.find(({ generation }) => generation === 'dm1');
    if (!modern || !legacy) return;
    const shown = sideBySide(
      [`${modern.label} device`, '', ...(lines.get(modern) ?? [])],
      [`${legacy.label} device`, '', ...(lines.get(legacy) ?? [])],
      this.#width,
    );
    this.#io.out(`\n${shown.join('\n')}\n`);
    for (const player of players) {
      if (player === modern || player === legacy) continue;
      const arrows = (lines.get(player) ?? []).filter((line) => /^(──▶|◀──) /.test(line));
      const sizes = arrows.map((line) => /(\d+) bytes/.exec(line)?.[1] ?? '?');
      this.#io.out(
        `${this.#paint('dim', `  ${player.label}: the same messages in ${sizes.join(' + ')} bytes`)}\n`,
      );
    }
  }

  async #notes(players: readonly Actor[]): Promise<void> {
    const seen = new Set<string>();
    for (const { device } of players) {
      for (const { kind, rule, text } of await this.#api.lastTrace(device.options.deviceId)) {
        if (kind === 'note') seen.add(`[${rule}] ${text}`);
      }
    }
    for (const note of seen) {
      for (const line of wrap(`  note ${note}`, this.#width)) this.#io.out(`${this.#paint('cyan', line)}\n`);
    }
  }

  /** The update that was started asynchronously reports its end by an alert, in a later session. */
  async #reports(number: string, players: readonly Actor[]): Promise<void> {
    this.#say('bold', `\n━━ ${number} The devices report that the update is done ━━`);
    for (const player of players) {
      const problems = (await this.#session(player)).filter((line) => /^the (session|device) /.test(line));
      const alerts = await this.#api.alerts(player.device.options.deviceId);
      const found = alerts.find(({ alert }) => alert.AlertType === UPDATE_ALERT);
      if (!found) this.#failures += 1;
      const mark = this.#paint(found ? 'green' : 'red', found ? '✓' : '✗');
      const said = found ? JSON.stringify(found.alert) : 'no alert arrived';
      this.#io.out(`  ${mark} ${player.label.padEnd(14)} ${[said, ...problems].join('; ')}\n`);
    }
  }

  #say(style: 'bold' | 'green' | 'red', text: string): void {
    this.#io.out(`${this.#paint(style, text)}\n`);
  }
}

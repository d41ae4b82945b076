import { formatCommand, parseCommand } from '../../dm2/codec.ts';
import type { Dialect } from '../../dm2/dialects/index.ts';
import type { Alert, Dm2Command, Package3, RawCommand, StatusItem } from '../../dm2/packages.ts';
import { ERRORS } from '../../support/errors.ts';
import { answerUrl } from '../answerUrl.ts';
import { deviceDialect } from '../dialects.ts';
import { type KeptAlerts, keptFromDm2 } from '../keptAlerts.ts';
import type { DeviceReply, Script } from '../script.ts';
import type { Session } from '../session.ts';
import { KnownInstances } from './instances.ts';

/** Device capability: its Status lists were wrong before, so it gets one command per package (IW-SES-12). */
const ONE_BY_ONE = 'oneCommandPerPackage';

/** Commands that change nothing on the client. */
const READS: ReadonlySet<string> = new Set(['GET', 'HPUT', 'HPOST', 'SHOW']);

export const END: DeviceReply = { protocol: 'dm2', package2: { CMD: [['END']] } };

/**
 * The DM 2.0 client of a session: runs commands on it and collects the alerts that it sends meanwhile.
 * END is never among them; the script ends the session with it alone (IW-SES-8).
 */
export class Dm2Device {
  readonly #s: Session;
  /** How it speaks and what it can do. */
  readonly dialect: Dialect;
  readonly alerts: KeptAlerts<Alert>;
  readonly instances = new KnownInstances();
  /** OMADM-Accept for its uploads, where a server behind it has one (20§9). */
  accept: string | undefined;
  /** Its last message, which waits for an answer. */
  said: Package3 | undefined;
  gone: 'timeout' | 'replaced' | 'shutdown' | undefined;
  /** Packages pass in their own bytes where they can (IW-REL-1): those that only read get no CONT of ours. */
  passes = false;
  /** Where it sends its answers, as far as its server says. */
  #url: string;
  /** Packages so far. */
  #packages = 0;
  /** Status items of the last answer: one with as many may be the same bytes again. */
  #answered: number | undefined;

  constructor(s: Session) {
    this.#s = s;
    this.#url = s.context.deviceUrl;
    this.dialect = deviceDialect(s.context);
    this.alerts = keptFromDm2(s);
  }

  *run(commands: readonly Dm2Command[]): Script<readonly StatusItem[]> {
    return yield* this.runRaw(commands.map(formatCommand));
  }

  /** One Status item for each command, in order; 500 for all when the client is gone or its list is wrong. */
  *runRaw(commands: readonly RawCommand[]): Script<readonly StatusItem[]> {
    const items: (StatusItem | undefined)[] = [];
    for (const command of commands) items.push(yield* this.#refusal(command));
    let left = commands.filter((_, i) => items[i] === undefined);
    const answered: StatusItem[] = [];
    while (left.length > 0) {
      const size = this.#s.capability(ONE_BY_ONE) ? 1 : left.length;
      answered.push(...(yield* this.#send(left.slice(0, size))));
      left = left.slice(size);
    }
    return items.map((item) => item ?? answered.shift()!);
  }

  get #takesCont(): boolean {
    return this.dialect.capabilities.verbs.has('CONT') && !this.#s.capability(ONE_BY_ONE);
  }

  /** Takes the client to a URL of its own for this answer, and makes the answer longer than the last. */
  #cont(): RawCommand {
    return formatCommand({
      verb: 'CONT',
      serverUri: answerUrl(this.#url, this.#packages),
    });
  }

  /** The answer to a command that the client's dialect cannot say; it is never sent. */
  *#refusal(raw: RawCommand): Script<StatusItem | undefined> {
    const { commandOptions, capabilities } = this.dialect;
    const command = parseCommand(raw, commandOptions);
    const wrong = 'error' in command;
    if (wrong && capabilities.carriesWrongCommands) return undefined;
    const refusal = wrong ? command : this.dialect.refuses(command);
    if (!refusal) return undefined;
    yield* this.#s.note('IW-SES-1', `Not sent, for the client's dialect cannot say it: ${refusal.detail}`);
    return { sc: ERRORS[refusal.error].dm2 };
  }

  *#send(commands: readonly RawCommand[]): Script<readonly StatusItem[]> {
    const failed = commands.map(() => ({ sc: 500 }));
    if (this.gone) return failed;
    const reads = commands.every(([verb = '']) => READS.has(verb));
    if (!reads) this.instances.clear();
    this.#packages += 1;
    const lookalike = this.#answered === commands.length && !this.dialect.capabilities.commandsCarryMsgId;
    const moved = commands.findLast(([verb]) => verb === 'CONT')?.[1];
    const mayCont = this.#takesCont && moved === undefined && !(this.passes && reads);
    const cont = lookalike && mayCont ? [this.#cont()] : [];
    this.#url = moved ?? this.#url;
    const event = yield* this.#s.perform({
      kind: 'device.exchange',
      reply: {
        protocol: 'dm2',
        package2: { CMD: [...commands, ...cont] },
        ...(this.accept !== undefined && { accept: this.accept }),
        ...(lookalike && cont.length === 0 && { lookalike }),
      },
    });
    switch (event.kind) {
      case 'gone':
        this.gone = event.reason;
        return failed;
      case 'dm1':
        return failed;
      case 'package3': {
        this.said = event.package3;
        const { Status, Alert } = event.package3;
        // The next answer tells the client that they arrived: from then on they are ours to deliver.
        yield* this.alerts.keep(Alert ?? []);
        this.#answered = Status.length;
        // A client that has nothing to say of CONT is told by the URL that it answers at.
        const extra = Status.length - commands.length;
        if (extra === 0) return Status;
        if (extra === cont.length) return Status.slice(0, commands.length);
        this.#s.learn(ONE_BY_ONE, true);
        yield* this.#s.note(
          'IW-SES-12',
          `The client answered ${commands.length} commands with ${Status.length} Status items; none is trusted, and it gets one command per package from now on.`,
        );
        return failed;
      }
    }
  }
}

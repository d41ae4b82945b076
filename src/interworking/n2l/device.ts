import { formatCommand } from '../../dm2/codec.ts';
import type { Alert, Dm2Command, RawCommand, StatusItem } from '../../dm2/packages.ts';
import { type KeptAlerts, keptFromDm2 } from '../keptAlerts.ts';
import type { DeviceReply, Script } from '../script.ts';
import type { Session } from '../session.ts';

/** Device capability: its Status lists were wrong before, so it gets one command per package (IW-SES-12). */
const ONE_BY_ONE = 'oneCommandPerPackage';

export const END: DeviceReply = { protocol: 'dm2', package2: { CMD: [['END']] } };

/**
 * The DM 2.0 client of a session: runs commands on it and collects the alerts that it sends meanwhile.
 * END is never among them; the script ends the session with it alone (IW-SES-8).
 */
export class Dm2Device {
  readonly #s: Session;
  readonly alerts: KeptAlerts<Alert>;
  gone: 'timeout' | 'replaced' | 'shutdown' | undefined;

  constructor(s: Session) {
    this.#s = s;
    this.alerts = keptFromDm2(s);
  }

  *run(commands: readonly Dm2Command[]): Script<readonly StatusItem[]> {
    return yield* this.runRaw(commands.map(formatCommand));
  }

  /** One Status item for each command, in order; 500 for all when the client is gone or its list is wrong. */
  *runRaw(commands: readonly RawCommand[]): Script<readonly StatusItem[]> {
    const items: StatusItem[] = [];
    let left = [...commands];
    while (left.length > 0) {
      const size = this.#s.capability(ONE_BY_ONE) ? 1 : left.length;
      items.push(...(yield* this.#send(left.slice(0, size))));
      left = left.slice(size);
    }
    return items;
  }

  *#send(commands: readonly RawCommand[]): Script<readonly StatusItem[]> {
    const failed = commands.map(() => ({ sc: 500 }));
    if (this.gone) return failed;
    const event = yield* this.#s.perform({
      kind: 'device.exchange',
      reply: { protocol: 'dm2', package2: { CMD: commands } },
    });
    switch (event.kind) {
      case 'gone':
        this.gone = event.reason;
        return failed;
      case 'dm1':
        return failed;
      case 'package3': {
        const { Status, Alert } = event.package3;
        // The next answer tells the client that they arrived: from then on they are ours to deliver.
        yield* this.alerts.keep(Alert ?? []);
        if (Status.length === commands.length) return Status;
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

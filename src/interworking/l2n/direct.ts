import type { PlannedCommand } from '../../dm1/session/server.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { formatTreePath } from '../../mo/treePath.ts';
import type { MoAddress } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2, succeeded } from '../status.ts';
import type { LegacyDevice } from './device.ts';
import { resolveOnDevice } from './resolve.ts';

export type DirectCommand = Extract<Dm2Command, { verb: 'DELETE' | 'EXEC' }>;

interface Plan {
  readonly command: DirectCommand;
  readonly targets: readonly MoAddress[];
  /** Set when the command failed before anything was sent. */
  readonly sc?: number;
}

/**
 * Consecutive DELETE and EXEC (IW-DEL-1, IW-EXEC-1): each is one or a few 1.x commands that need no
 * look at the device in between, so they share a message, in order.
 */
export function* runDirect(
  s: Session,
  device: LegacyDevice,
  commands: readonly DirectCommand[],
): Script<StatusItem[]> {
  const plans: Plan[] = [];
  for (const command of commands) plans.push(yield* plan(s, device, command));
  const correlate = s.capability('correlator') !== false;
  const sent = plans.map(({ command, targets }, i) =>
    targets.map((target) => commandFor(s, command, target, i, correlate)),
  );
  const answers = yield* device.runInOrder(sent.flat());
  let at = 0;
  const items: StatusItem[] = [];
  for (const [i, { command, targets, sc }] of plans.entries()) {
    const own = answers.slice(at, at + sent[i]!.length);
    at += own.length;
    if (sc !== undefined) {
      items.push({ sc });
      continue;
    }
    if (command.verb === 'DELETE')
      forget(
        s,
        targets.filter((_, k) => succeeded(own[k]!.code)),
      );
    const failed = own.find((answer) => !succeeded(answer.code));
    items.push({ sc: statusToDm2((failed ?? own[0]!).code) });
  }
  return items;
}

function* plan(s: Session, device: LegacyDevice, command: DirectCommand): Script<Plan> {
  const resolved = yield* resolveOnDevice(s, device, command.clientUri);
  if (!resolved.ok) return { command, targets: [], sc: resolved.sc };
  if (command.verb === 'EXEC' && resolved.targets.length > 1) {
    yield* s.note(
      'IW-EXEC-1',
      `EXEC of ${command.clientUri} was refused: it names ${resolved.targets.length} nodes.`,
    );
    return { command, targets: [], sc: 405 };
  }
  // Deepest first, so that no match disappears together with one above it.
  const targets = [...resolved.targets].sort((a, b) => b.path.length - a.path.length);
  return { command, targets };
}

function commandFor(
  s: Session,
  command: DirectCommand,
  target: MoAddress,
  index: number,
  correlate: boolean,
): PlannedCommand {
  const items = [{ target: { uri: formatTreePath(target.mapping.legacy(target.path)) } }];
  if (command.verb === 'DELETE') return { kind: 'Delete', items };
  // Unique for the device: two sessions of one device never open in the same millisecond.
  const correlator = `${s.now.toString(36)}-${index}`;
  return { kind: 'Exec', ...(correlate && { correlator }), items };
}

/** An instance whose root is gone is no mount any more (IW-INV-1). */
function forget(s: Session, deleted: readonly MoAddress[]): void {
  const roots = deleted.filter(({ path }) => path.length === 0).map(({ mapping }) => mapping.mount);
  s.unmount(roots);
}

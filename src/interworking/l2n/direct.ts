import type { PlannedCommand } from '../../dm1/session/server.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { formatTreePath } from '../../mo/treePath.ts';
import { ERRORS } from '../../support/errors.ts';
import { namesDelegation } from '../access/delegation.ts';
import { runOnDelegation } from '../access/delegationCommands.ts';
import { clientUri, type MoAddress, toLegacyUri } from '../addresses.ts';
import { completedAlert } from '../reports.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2, succeeded } from '../status.ts';
import { expandFor } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { resolveOnDevice } from './resolve.ts';

export type DirectCommand = Extract<Dm2Command, { verb: 'DELETE' | 'EXEC' }>;

interface Plan {
  readonly command: DirectCommand;
  readonly targets: readonly MoAddress[];
  /** Set when the command failed before anything was sent. */
  readonly sc?: number;
  /** The report that its ServerURI was promised (IW-EXEC-2). */
  readonly promised?: Promised;
}

interface Promised {
  readonly n: number;
  readonly correlator: string;
  readonly clientUri: string;
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
  const sent = plans.map(({ command, targets, promised }, i) => {
    // Unique for the device: two sessions of one device never open in the same millisecond.
    const correlator = promised?.correlator ?? `${s.now.toString(36)}-${i}`;
    return targets.map((target) => commandFor(command, target, correlate ? correlator : undefined));
  });
  const answers = yield* device.runInOrder(sent.flat());
  let at = 0;
  const items: StatusItem[] = [];
  for (const [i, { command, targets, sc, promised }] of plans.entries()) {
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
    const { code } = failed ?? own[0]!;
    items.push({ sc: promised ? yield* settle(s, promised, code) : statusToDm2(code) });
  }
  return items;
}

function* plan(s: Session, device: LegacyDevice, command: DirectCommand): Script<Plan> {
  if (namesDelegation(s, command.clientUri)) {
    return { command, targets: [], ...(yield* runOnDelegation(s, command)) };
  }
  const resolved = yield* resolveOnDevice(
    s,
    device,
    command.clientUri,
    command.verb === 'EXEC' ? 'execute' : 'write',
  );
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
  const [target] = targets;
  if (command.verb === 'DELETE' || command.serverUri === undefined || !target) return { command, targets };
  const promised = yield* promise(s, command.serverUri, target);
  return typeof promised === 'number'
    ? { command, targets: [], sc: promised }
    : { command, targets, promised };
}

/** Makes sure, before anything is executed, that the result can be told to ServerURI (IW-EXEC-2). */
function* promise(s: Session, given: string, target: MoAddress): Script<Promised | number> {
  const serverUri = yield* expandFor(s, given);
  if (serverUri === undefined) return 400;
  const n = s.number();
  const named = clientUri(target.mapping.mount, target.path);
  const answer = yield* s.perform({
    kind: 'report.promise',
    n,
    serverUri,
    uri: toLegacyUri(target),
    clientUri: named,
  });
  if ('correlator' in answer) return { n, correlator: answer.correlator, clientUri: named };
  yield* s.note('IW-EXEC-2', `EXEC was refused, as nothing may be sent to its ServerURI: ${answer.detail}`);
  return ERRORS[answer.refused].dm2;
}

/** With ServerURI the result always comes there, later (20§3.5); a failure is told at once. */
function* settle(s: Session, { n, clientUri: node }: Promised, code: number): Script<number> {
  const sc = statusToDm2(code);
  if (sc === 202) return sc;
  const done = sc >= 200 && sc < 300;
  yield* s.perform({ kind: 'report.close', n, ...(done && { alert: completedAlert(node, code) }) });
  return done ? 202 : sc;
}

function commandFor(
  command: DirectCommand,
  target: MoAddress,
  correlator: string | undefined,
): PlannedCommand {
  const items = [{ target: { uri: formatTreePath(target.mapping.legacy(target.path)) } }];
  if (command.verb === 'DELETE') return { kind: 'Delete', items };
  return { kind: 'Exec', ...(correlator !== undefined && { correlator }), items };
}

/** An instance whose root is gone is no mount any more (IW-INV-1). */
function forget(s: Session, deleted: readonly MoAddress[]): void {
  const roots = deleted.filter(({ path }) => path.length === 0).map(({ mapping }) => mapping.mount);
  s.unmount(roots);
}

import type { Command, Item, ItemCommand } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import type { Dm2Command } from '../../dm2/packages.ts';
import { clientUri, type MoAddress } from '../addresses.ts';
import { isUiAlert } from '../interaction/alert.ts';
import { effectOf } from '../interaction/answers.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
import { runAtomic } from './atomic.ts';
import { runCopy } from './copy.ts';
import type { Dm2Device } from './device.ts';
import { runGets } from './gets.ts';
import { runUiAlert, skipped } from './interaction.ts';
import { actsOn, addressOf } from './targets.ts';
import { runWrites } from './writes.ts';

/** Consecutive commands that run as one: all Gets, all writes, or all Deletes and Execs. */
type Run =
  | { readonly kind: 'gets' | 'direct'; readonly commands: ItemCommand[] }
  | { readonly kind: 'writes'; readonly commands: (ItemCommand & { kind: 'Add' | 'Replace' })[] }
  | { readonly kind: 'single'; readonly command: Command };

/** What users decided so far in one message (1x§4.5). */
interface Decisions {
  /** Nothing more of the message is executed. */
  cancelled: boolean;
}

/**
 * Executes a legacy server's commands on the 2.0 client, in order; one answer for each. What a user's "No"
 * ends in a Sequence, and a cancel everywhere, is answered 215.
 */
export function* execute(
  s: Session,
  device: Dm2Device,
  commands: readonly Command[],
  within: 'SyncBody' | 'Sequence' = 'SyncBody',
  decisions: Decisions = { cancelled: false },
): Script<ServerCommandAnswer[]> {
  const answers: ServerCommandAnswer[] = [];
  let rejected = false;
  for (const run of runsOf(commands)) {
    if (decisions.cancelled || rejected) {
      answers.push(...(run.kind === 'single' ? [run.command] : run.commands).map(skipped));
      continue;
    }
    switch (run.kind) {
      case 'gets':
        answers.push(...(yield* runGets(s, device, run.commands)));
        break;
      case 'writes':
        answers.push(...(yield* runWrites(s, device, run.commands)));
        break;
      case 'direct':
        answers.push(...(yield* runDirect(s, device, run.commands)));
        break;
      case 'single':
        answers.push(yield* runSingle(s, device, run.command, decisions));
        if (within === 'Sequence' && run.command.kind === 'Alert' && isUiAlert(run.command))
          rejected = effectOf(answers.at(-1)!.code).skipsSiblings;
        break;
    }
  }
  return answers;
}

function runsOf(commands: readonly Command[]): Run[] {
  const runs: Run[] = [];
  for (const command of commands) {
    const last = runs.at(-1);
    switch (command.kind) {
      case 'Get':
        if (last?.kind === 'gets') last.commands.push(command);
        else runs.push({ kind: 'gets', commands: [command] });
        break;
      case 'Add':
      case 'Replace': {
        const write = { ...command, kind: command.kind };
        if (last?.kind === 'writes') last.commands.push(write);
        else runs.push({ kind: 'writes', commands: [write] });
        break;
      }
      case 'Delete':
      case 'Exec':
        if (last?.kind === 'direct') last.commands.push(command);
        else runs.push({ kind: 'direct', commands: [command] });
        break;
      default:
        runs.push({ kind: 'single', command });
    }
  }
  return runs;
}

function* runSingle(
  s: Session,
  device: Dm2Device,
  command: Command,
  decisions: Decisions,
): Script<ServerCommandAnswer> {
  switch (command.kind) {
    case 'Sequence':
      return { code: 200, children: yield* execute(s, device, command.commands, 'Sequence', decisions) };
    case 'Atomic':
      return yield* runAtomic(s, device, command, function* (child) {
        const [answer] = yield* execute(s, device, [child], 'SyncBody', decisions);
        return answer!;
      });
    case 'Copy':
      return yield* runCopy(s, device, command);
    case 'Alert':
      if (isUiAlert(command)) {
        const answer = yield* runUiAlert(s, device, command);
        if (effectOf(answer.code).skipsMessage) decisions.cancelled = true;
        return answer;
      }
      yield* s.note('IW-UI-2', `Alert ${command.code} cannot be shown on this device.`);
      return { code: 406 };
    case 'Foreign':
      return { code: 406 };
    default:
      return { code: 500 };
  }
}

/** Delete and Exec are one 2.0 command per Item (IW-WR-3). */
function* runDirect(
  s: Session,
  device: Dm2Device,
  commands: readonly ItemCommand[],
): Script<ServerCommandAnswer[]> {
  const sent: Dm2Command[] = [];
  const plans: DirectPlan[][] = [];
  for (const command of commands) {
    const plan: DirectPlan[] = [];
    for (const item of command.items) plan.push(yield* planDirect(s, command, item, sent));
    plans.push(plan);
  }
  const items = yield* device.run(sent);
  for (const { index, report } of plans.flat()) {
    if (report === undefined || index === undefined || items[index]!.sc < 300) continue;
    yield* s.perform({ kind: 'report.close', n: report });
  }
  const deleted: MoAddress[] = [];
  const answers = plans.map((plan, i): ServerCommandAnswer => {
    const coded = plan.map((each) => {
      if (each.index === undefined) return { uri: each.uri, code: each.code };
      const { sc } = items[each.index]!;
      if (sc === 200 && commands[i]!.kind === 'Delete') deleted.push(each.target);
      return { uri: each.uri, code: statusToDm1(sc) };
    });
    if (coded.length === 0) return { code: 400 };
    return { code: coded.find(({ code }) => code >= 300)?.code ?? coded[0]!.code, items: coded };
  });
  const gone = deleted.filter(({ path }) => path.length === 0).map(({ mapping }) => mapping.mount);
  s.unmount(gone);
  return answers;
}

/** One Item of a Delete or Exec: what is sent for it, or why nothing is. */
type DirectPlan =
  | { readonly uri: string; readonly code: number; readonly index?: undefined; readonly report?: undefined }
  | {
      readonly uri: string;
      readonly index: number;
      readonly target: MoAddress;
      /** Number of the report that its Correlator makes us await (IW-WR-3). */
      readonly report?: number;
    };

function* planDirect(s: Session, command: ItemCommand, item: Item, sent: Dm2Command[]): Script<DirectPlan> {
  const uri = item.target?.uri ?? '';
  const at = addressOf(item);
  if (!at) return { uri, code: 404 };
  if (at.query !== undefined) return { uri, code: 405 };
  const target = actsOn(s, at.path, command.kind === 'Exec' ? 'execute' : 'write');
  if (typeof target === 'number') return { uri, code: target };
  const named = clientUri(target.mapping.mount, target.path);
  const index = sent.length;
  if (command.kind !== 'Exec') {
    sent.push({ verb: 'DELETE', clientUri: named });
    return { uri, index, target };
  }
  const correlator = command.correlator?.trim();
  if (!correlator) {
    sent.push({ verb: 'EXEC', clientUri: named });
    return { uri, index, target };
  }
  const report = s.number();
  const expected = yield* s.perform({ kind: 'report.expect', n: report, correlator, uri, clientUri: named });
  sent.push({ verb: 'EXEC', clientUri: named, serverUri: expected.url });
  return { uri, index, target, report };
}

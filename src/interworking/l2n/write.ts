import type { CommandAnswer, PlannedCommand } from '../../dm1/session/server.ts';
import { formatTreePath } from '../../mo/treePath.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { succeeded } from '../status.ts';
import { writeLeaf } from '../values.ts';
import type { LegacyDevice } from './device.ts';
import { type Change, inverse, leafValue } from './diff.ts';

/** How often a batch is sent again with Add and Replace exchanged or refused deletions left out. */
const MAX_ROUNDS = 4;

/** The code that a command reports: 200, or that of the change which could not be made. */
export interface WriteResult {
  readonly code: number;
}

/**
 * Makes all changes or none (IW-HGET-3): in one Atomic where the device has it; elsewhere in order, and
 * on a failure what was done is put back. Add that meets 418 turns into Replace, Replace that meets
 * 404 into Add; a node that refuses deletion (405) stays, and that fails nothing (IW-HGET-2).
 */
export function* write(s: Session, device: LegacyDevice, wanted: readonly Change[]): Script<WriteResult> {
  let planned = [...wanted];
  const fewest = s.capability('atomicAlone') ? 1 : 2;
  let silent = false;
  if (planned.length >= fewest && s.capability('atomic') !== false) {
    for (let round = 0; round < MAX_ROUNDS && planned.length >= fewest; round++) {
      const answers = yield* device.run(
        planned.map((change) => commandOf(device, change)),
        'Atomic',
      );
      if (answers.every((answer) => succeeded(answer.code))) {
        s.learn('atomic', true);
        return { code: 200 };
      }
      if (device.ended) return { code: 500 };
      silent = answers.every(({ answered, code }) => !answered && code !== 413);
      const why = notTaken(s, answers, silent);
      if (why !== undefined) {
        yield* s.note('IW-HGET-3', `${why}; on a failure the gateway puts back what it changed.`);
        break;
      }
      const failed = failedChild(answers);
      const { code } = answers[failed] ?? { code: 500 };
      if (answers.some((each) => succeeded(each.code))) {
        // What was rolled back says 216; a 200 beside a failure is a change that stands.
        s.learn('atomic', false);
        yield* s.note('IW-HGET-3', 'The device keeps changes of an Atomic of which another failed.');
        return yield* inOrder(s, device, planned, answers);
      }
      const kept = planned.filter((_, i) => answers[i]!.code === 516);
      if (kept.length > 0) {
        yield* s.note('IW-HGET-3', 'The device could not roll back an Atomic, so the gateway does.');
        yield* putBack(s, device, kept);
        return { code };
      }
      const mended = yield* mend(s, planned[failed]!, code);
      if (mended === undefined) return { code };
      planned = planned.flatMap((change, i) => (i === failed ? mended : [change]));
    }
    if (planned.length === 0) return { code: 200 };
  }
  const result = yield* inOrder(s, device, planned);
  // One that answers the same changes by themselves has no Atomic; one that answers nothing proves nothing.
  if (silent && result.code === 200) s.learn('atomic', false);
  return result;
}

/** What an Atomic says of children that did not fail themselves: not executed, rolled back or not (1x§3.2). */
const SPARED: ReadonlySet<number> = new Set([215, 216, 516]);

function failedChild(answers: readonly CommandAnswer[]): number {
  return answers.findIndex(({ code }) => !succeeded(code) && !SPARED.has(code));
}

/** The Atomic was undone because what was to be said of it fits no message (1x§3.2). */
const TOO_LONG = 517;

/**
 * Why an Atomic as such came to nothing, so that its changes may be made one by one; `undefined` when a child
 * failed. A device that does not say a word of it may have made them: to make them again does no harm.
 */
function notTaken(s: Session, answers: readonly CommandAnswer[], silent: boolean): string | undefined {
  if (answers.every(({ code }) => code === 413)) return 'The changes do not fit into one message';
  if (silent) return 'The device does not answer an Atomic';
  if (answers.some(({ code }) => code === 516)) return undefined;
  if (answers.some(({ group }) => group === TOO_LONG)) return 'The answer to an Atomic does not fit';
  if (failedChild(answers) < 0) s.learn('atomic', false);
  return s.capability('atomic') === false ? 'The device has no Atomic' : undefined;
}

/** What to send instead of a change that met `code`; `undefined` when it simply failed. */
function* mend(s: Session, change: Change, code: number): Script<Change[] | undefined> {
  if (change.op === 'Add' && code === 418) {
    return change.node.children
      ? []
      : [{ op: 'Replace', path: change.path, node: change.node, before: undefined }];
  }
  if (change.op === 'Add' && code === 404 && change.path.length > 1) {
    const parent = change.path.slice(0, -1);
    return [
      { op: 'Add', path: parent, node: { name: parent.at(-1)!, format: 'node', children: [] } },
      change,
    ];
  }
  if (change.op === 'Replace' && code === 404) return [{ op: 'Add', path: change.path, node: change.node }];
  if (change.op === 'Delete' && (code === 405 || code === 404)) {
    if (code === 405) yield* s.note('IW-HGET-2', `${formatTreePath(change.path)} is permanent and stays.`);
    return [];
  }
  return undefined;
}

/** `given`: what the device said to all of them, where they were sent before. */
function* inOrder(
  s: Session,
  device: LegacyDevice,
  wanted: readonly Change[],
  given?: readonly CommandAnswer[],
): Script<WriteResult> {
  const done: Change[] = [];
  let open: readonly Change[] = wanted;
  let answers = given;
  for (let round = 0; open.length > 0; round++) {
    answers ??= yield* device.runInOrder(open.map((change) => commandOf(device, change)));
    const next: Change[] = [];
    let failure: number | undefined;
    for (const [i, change] of open.entries()) {
      const { code, answered } = answers[i]!;
      // What got no answer may have been done.
      if (succeeded(code) || (!answered && code !== 413)) done.push(change);
      if (succeeded(code)) continue;
      const again = given !== undefined && answers === given && SPARED.has(code) ? [change] : undefined;
      const mended = again ?? (round < MAX_ROUNDS ? yield* mend(s, change, code) : undefined);
      if (mended) next.push(...mended);
      else failure ??= code;
    }
    if (failure !== undefined) {
      yield* putBack(s, device, done);
      return { code: failure };
    }
    open = next;
    answers = undefined;
  }
  return { code: 200 };
}

/** What says of a change that there was nothing to change. */
const ALREADY: Readonly<Record<Change['op'], number | undefined>> = {
  Add: 418,
  Delete: 404,
  Replace: undefined,
};

function* putBack(s: Session, device: LegacyDevice, done: readonly Change[]): Script<void> {
  if (done.length === 0) return;
  if (device.ended) {
    yield* s.note('IW-HGET-3', `The device left before ${done.length} change(s) could be put back.`);
    return;
  }
  const undo = [...done].reverse().flatMap(inverse);
  const answers = yield* device.runInOrder(undo.map((change) => commandOf(device, change)));
  const lost = undo.filter(({ op }, i) => !succeeded(answers[i]!.code) && answers[i]!.code !== ALREADY[op]);
  const impossible = done.length - done.filter((change) => inverse(change).length > 0).length;
  const text =
    lost.length + impossible === 0
      ? `A later change failed; ${undo.length} change(s) were put back.`
      : `A later change failed; not put back: ${lost.map((change) => formatTreePath(change.path)).join(', ') || `${impossible} value(s) not known before`}.`;
  yield* s.note('IW-HGET-3', text);
}

function commandOf(device: LegacyDevice, change: Change): PlannedCommand {
  const target = { uri: formatTreePath(change.path) };
  switch (change.op) {
    case 'Delete':
      return { kind: 'Delete', items: [{ target }] };
    case 'Add':
      if (change.node.children) {
        // The empty Data is for clients that crash without it (1x§16.1).
        const type = change.node.type !== undefined ? { type: change.node.type } : {};
        return { kind: 'Add', items: [{ target, meta: { format: 'node', ...type }, data: '' }] };
      }
      return { kind: 'Add', items: [{ target, ...leafOf(device, change) }] };
    case 'Replace':
      return { kind: 'Replace', items: [{ target, ...leafOf(device, change) }] };
  }
}

function leafOf(device: LegacyDevice, change: Extract<Change, { op: 'Add' | 'Replace' }>) {
  const { node } = change;
  return writeLeaf(device.encoding.form, leafValue(node), node.format, node.type);
}

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
      const failed = answers.findIndex(({ code }) => !succeeded(code) && !SPARED.has(code));
      const why = notUnderstood(s, answers, failed);
      if (why !== undefined) {
        yield* s.note('IW-HGET-3', `${why}; on a failure the gateway puts back what it changed.`);
        break;
      }
      const answer = answers[failed]!;
      if (answers.some((each) => succeeded(each.code))) {
        // What was rolled back says 216; a 200 beside a failure is a change that stands.
        s.learn('atomic', false);
        yield* s.note('IW-HGET-3', 'The device keeps changes of an Atomic of which another failed.');
        return yield* inOrder(s, device, planned, answers);
      }
      if (answers.some((each) => each.code === 516)) {
        yield* s.note(
          'IW-HGET-3',
          'The device could not roll back an Atomic; its tree may be partly changed.',
        );
        return { code: answer.code };
      }
      const mended = yield* mend(s, planned[failed]!, answer.code);
      if (mended === undefined) return { code: answer.code };
      planned = planned.flatMap((change, i) => (i === failed ? mended : [change]));
    }
    if (planned.length === 0) return { code: 200 };
  }
  return yield* inOrder(s, device, planned);
}

/** What an Atomic says of children that did not fail themselves: not executed, rolled back or not (1x§3.2). */
const SPARED: ReadonlySet<number> = new Set([215, 216, 516]);

/** Why an Atomic as such was refused, so that nothing of it was executed; `undefined` when a child failed. */
function notUnderstood(s: Session, answers: readonly CommandAnswer[], failed: number): string | undefined {
  if (answers.every(({ code }) => code === 413)) return 'The changes do not fit into one message';
  if (failed < 0) s.learn('atomic', false);
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
      const { code } = answers[i]!;
      if (succeeded(code)) {
        done.push(change);
        continue;
      }
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

function* putBack(s: Session, device: LegacyDevice, done: readonly Change[]): Script<void> {
  if (done.length === 0) return;
  if (device.ended) {
    yield* s.note('IW-HGET-3', `The device left before ${done.length} change(s) could be put back.`);
    return;
  }
  const undo = [...done].reverse().flatMap(inverse);
  const answers = yield* device.runInOrder(undo.map((change) => commandOf(device, change)));
  const lost = undo.filter((_, i) => !succeeded(answers[i]!.code));
  const impossible = done.length - done.filter((change) => inverse(change).length > 0).length;
  const text =
    lost.length + impossible === 0
      ? `A later change failed; ${undo.length} change(s) were put back.`
      : `A later change failed; not put back: ${lost.map((change) => formatTreePath(change.path)).join(', ') || `${impossible} value(s) not known before`}.`;
  yield* s.note('IW-HGET-3', text);
}

export function commandOf(device: LegacyDevice, change: Change): PlannedCommand {
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

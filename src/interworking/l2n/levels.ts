import type { Item } from '../../dm1/message.ts';
import type { CommandAnswer } from '../../dm1/session/server.ts';
import { parseFormat } from '../../mo/format.ts';
import { decodeSegment, formatTreePath, parseTreePath, samePath, type TreePath } from '../../mo/treePath.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { succeeded } from '../status.ts';
import { childNames, readLeaf } from '../values.ts';
import type { LegacyDevice } from './device.ts';
import { type Draft, get, type ReadRequest, type ReadResult, typeOf } from './readRequest.ts';

/** A node while its level is being read. */
interface Open {
  readonly path: TreePath;
  readonly depth: number;
  readonly levels: number;
  readonly names: boolean;
  readonly parent: Draft | undefined;
  readonly root: number;
}

/** Reads subtrees node by node: a Get for each, all those of one level in a batch (IW-GET-1). */
export function* readByLevels(
  s: Session,
  device: LegacyDevice,
  requests: readonly ReadRequest[],
): Script<ReadResult[]> {
  const roots = new Array<{ draft?: Draft; code: number }>(requests.length);
  let round: Open[] = requests.map((request, root) => ({
    path: request.legacy,
    depth: 0,
    levels: request.levels ?? s.context.limits.depth,
    names: request.names === true,
    parent: undefined,
    root,
  }));
  let seen = 0;
  while (round.length > 0) {
    seen += round.length;
    if (seen > s.context.limits.nodes) {
      yield* s.note(
        'IW-GET-1',
        `The subtree has more than ${s.context.limits.nodes} nodes; reading it was given up.`,
      );
      for (const open of round) roots[open.root] = { code: 413 };
      break;
    }
    const answers = yield* device.run(round.map((open) => get(formatTreePath(open.path))));
    const next: Open[] = [];
    for (const [i, open] of round.entries()) {
      const answer = answers[i]!;
      const item = succeeded(answer.code) ? itemFor(open.path, answer) : undefined;
      if (!item) {
        // A child that may not be read is left out, as in a list (1x§7.4); the node asked for fails.
        const code = succeeded(answer.code) ? 500 : answer.code;
        if (!open.parent) roots[open.root] = { code };
        else
          yield* s.note(
            'IW-GET-1',
            `${formatTreePath(open.path)} was left out: the device answered ${code}.`,
          );
        continue;
      }
      const draft = yield* draftOf(s, open, item);
      if (open.parent) open.parent.children!.push(draft);
      else roots[open.root] = { draft, code: 200 };
      if (!draft.children || open.depth >= open.levels) continue;
      for (const name of childNames(item.data)) {
        const segment = decodeSegment(name) ?? name;
        if (open.names && open.depth + 1 === open.levels) draft.children.push({ name: segment });
        else next.push({ ...open, path: [...open.path, segment], depth: open.depth + 1, parent: draft });
      }
    }
    round = next;
  }
  return roots.map(({ draft, code }) => (draft ? { ok: true, node: draft } : { ok: false, code }));
}

function itemFor(path: TreePath, { results }: CommandAnswer): Item | undefined {
  const exact = results.find((item) => {
    const at = item.source && parseTreePath(item.source.uri);
    return at !== undefined && samePath(at, path);
  });
  return exact ?? (results.length === 1 ? results[0] : undefined);
}

function* draftOf(s: Session, open: Open, item: Item): Script<Draft> {
  const name = open.path.at(-1) ?? '.';
  if (parseFormat(item.meta?.format) === 'node') {
    return { name, format: 'node', ...typeOf(item.meta?.type), children: [] };
  }
  const leaf = readLeaf(item);
  if (leaf.removed > 0) {
    yield* s.note(
      'IW-VAL-4',
      `${leaf.removed} character(s) that XML cannot carry were taken out of ${formatTreePath(open.path)}.`,
    );
  }
  return {
    name,
    format: leaf.format,
    ...(leaf.type !== undefined && { type: leaf.type }),
    value: leaf.value,
  };
}

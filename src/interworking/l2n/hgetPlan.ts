import { type JsonNode, toNode } from '../../dm2/serialization.ts';
import type { MountMapping } from '../../mo/mapping.ts';
import { descendant, type MoNode } from '../../mo/node.ts';
import { samePath, type TreePath } from '../../mo/treePath.ts';
import { validatorOf } from '../../mo/validator.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { LegacyDevice } from './device.ts';
import { type Change, changes } from './diff.ts';
import { type ObjectRead, readObjects } from './objects.ts';
import type { Place } from './resolve.ts';

type Planned =
  | {
      readonly ok: true;
      readonly changes: readonly Change[];
      /** Of what stands there afterwards, as far as can be told. */
      readonly validator: string;
    }
  | { readonly ok: false; readonly sc: number };

/** What a document wants at a place, given what stands there. */
export interface Content {
  readonly leaf: boolean;
  wanted(existing: MoNode | undefined): ReturnType<typeof toNode>;
}

export function jsonContent({ address: { mapping, path } }: Place, json: JsonNode): Content {
  return {
    leaf: !('children' in json),
    wanted: (existing) =>
      toNode({ ...json, name: path.at(-1) ?? mapping.rootName }, (below) => {
        const known = existing && descendant(existing, below)?.format;
        return known ?? mapping.definition([...path, ...below])?.format;
      }),
  };
}

/** The difference between what stands at a place and what the document wants there. */
export function* planObject(
  s: Session,
  device: LegacyDevice,
  place: Place,
  content: Content,
): Script<Planned> {
  const { mapping, path } = place.address;
  const definition = mapping.definition(path);
  const { leaf } = content;
  // A leaf of known format is simply written: its Replace says the same as a read and a Replace would.
  const plain = samePath(mapping.sources(path)[0]?.path ?? [], path);
  const blind = leaf && plain && definition?.format !== undefined && definition.format !== 'node';
  let existing: MoNode | undefined;
  let known: ObjectRead['found'] = [];
  if (!place.fresh && !blind) {
    const [result] = yield* readObjects(s, device, [{ address: place.address }]);
    known = result!.found;
    if (result!.ok) existing = result!.node;
    else if (device.ended) return { ok: false, sc: 500 };
  }
  const wanted = content.wanted(existing);
  if ('error' in wanted) {
    yield* s.note('IW-VAL-2', `${[...path, ...wanted.path].join('/') || 'The value'}: ${wanted.detail}`);
    return { ok: false, sc: 415 };
  }
  if (blind) {
    const [target] = mapping.toLegacy(path, wanted);
    if (!target) return { ok: false, sc: 405 };
    const change: Change = { op: 'Replace', path: target.legacy, node: target.node, before: undefined };
    return { ok: true, changes: [change], validator: validatorOf(wanted) };
  }
  const planned = legacyChanges(mapping, path, existing, wanted, known);
  const after = planned.length === 0 && existing ? existing : wanted;
  return { ok: true, changes: planned, validator: validatorOf(after) };
}

/** Compares in legacy terms, place by place: a joined object is written where its parts live (IW-ADDR-3). */
function legacyChanges(
  mapping: MountMapping,
  path: readonly string[],
  existing: MoNode | undefined,
  wanted: MoNode,
  known: ObjectRead['found'],
): Change[] {
  const before = existing ? mapping.toLegacy(path, existing, known) : [];
  const after = mapping.toLegacy(path, wanted, known);
  const at = (list: typeof before, legacy: TreePath) =>
    list.find((part) => samePath(part.legacy, legacy))?.node;
  const stays = (legacy: TreePath): boolean => {
    const definition = mapping.definition(mapping.fromLegacy(legacy) ?? []);
    return definition?.permanent === true || definition?.occurs === 'One';
  };
  return after.flatMap((part) => changes(part.legacy, at(before, part.legacy), part.node, stays));
}

import type { Source } from '../../mo/mapping.ts';
import { type MoNode, pruned } from '../../mo/node.ts';
import { delegationNode } from '../access/delegation.ts';
import type { MoAddress } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { LegacyDevice } from './device.ts';
import { readSubtrees } from './read.ts';
import type { ReadRequest, ReadResult } from './readRequest.ts';

/** A read object, and what its sources gave in legacy terms. */
export type ObjectRead = ReadResult & {
  readonly found: readonly { readonly source: Source; readonly node: MoNode | undefined }[];
};

export interface ObjectRequest {
  readonly address: MoAddress;
  readonly levels?: number;
  /** Of the last of these levels only names are wanted. */
  readonly names?: boolean;
}

/**
 * Reads nodes in DM 2.0 terms: every legacy subtree that holds a part of one (IW-ADDR-3) in one batch,
 * joined and renamed afterwards. The first source decides whether the node exists.
 */
export function* readObjects(
  s: Session,
  device: LegacyDevice,
  requests: readonly ObjectRequest[],
): Script<readonly ObjectRead[]> {
  const plans = requests.map(({ address, levels, names }) =>
    s.isSynthesised(address.mapping.mount)
      ? []
      : address.mapping.sources(address.path).flatMap((source) => {
          const below = source.path.length - address.path.length;
          if (levels !== undefined && levels < below) return [];
          const format = address.mapping.definition(source.path)?.format;
          const request: ReadRequest = {
            legacy: source.legacy,
            ...(levels !== undefined && { levels: levels - below }),
            ...(names && address.mapping.shownByName && { names }),
            ...(format !== undefined && format !== 'node' && { leaf: true }),
          };
          return [{ source, request }];
        }),
  );
  const results = yield* readSubtrees(
    s,
    device,
    plans.flatMap((plan) => plan.map(({ request }) => request)),
  );
  let at = 0;
  return plans.map((plan, i): ObjectRead => {
    const found = plan.map(({ source }) => ({ source, result: results[at++]! }));
    const { address, levels } = requests[i]!;
    return s.isSynthesised(address.mapping.mount) ? shown(s, address, levels) : join(address, found);
  });
}

/** A node of an object that only the gateway has. */
function shown(s: Session, { path }: MoAddress, levels: number | undefined): ObjectRead {
  const node = delegationNode(s, path);
  return node ? { ok: true, node: pruned(node, levels), found: [] } : { ok: false, code: 404, found: [] };
}

function join(address: MoAddress, read: readonly { source: Source; result: ReadResult }[]): ObjectRead {
  const found = read.map(({ source, result }) => ({ source, node: result.ok ? result.node : undefined }));
  const first = read[0]?.result;
  if (!first) return { ok: false, code: 404, found };
  const node = read.some(({ result }) => result.ok) ? address.mapping.toDm2(address.path, found) : undefined;
  if (node) return { ok: true, node, found };
  return { ok: false, code: first.ok ? 404 : first.code, found };
}

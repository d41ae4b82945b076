import type { Source } from '../../mo/mapping.ts';
import type { MoNode } from '../../mo/node.ts';
import type { MoAddress } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { LegacyDevice } from './device.ts';
import { type ReadRequest, type ReadResult, readSubtrees } from './read.ts';

export interface ObjectRequest {
  readonly address: MoAddress;
  readonly levels?: number;
}

/**
 * Reads nodes in DM 2.0 terms: every legacy subtree that holds a part of one (IW-ADDR-3) in one batch,
 * joined and renamed afterwards. The first source decides whether the node exists.
 */
export function* readObjects(
  s: Session,
  device: LegacyDevice,
  requests: readonly ObjectRequest[],
): Script<readonly ReadResult[]> {
  const plans = requests.map(({ address, levels }) =>
    address.mapping.sources(address.path).flatMap((source) => {
      const below = source.path.length - address.path.length;
      if (levels !== undefined && levels < below) return [];
      const format = address.mapping.definition(source.path)?.format;
      const request: ReadRequest = {
        legacy: source.legacy,
        ...(levels !== undefined && { levels: levels - below }),
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
  return plans.map((plan, i): ReadResult => {
    const found = plan.map(({ source }) => ({ source, result: results[at++]! }));
    return join(requests[i]!.address, found);
  });
}

function join(address: MoAddress, found: readonly { source: Source; result: ReadResult }[]): ReadResult {
  const first = found[0];
  if (!first) return { ok: false, code: 404 };
  if (!first.result.ok && found.length === 1) return first.result;
  const nodes = found.map(({ source, result }) => ({ source, node: result.ok ? result.node : undefined }));
  const node: MoNode | undefined = address.mapping.toDm2(address.path, nodes);
  if (node && found.some(({ result }) => result.ok)) return { ok: true, node };
  return first.result.ok ? { ok: false, code: 404 } : first.result;
}

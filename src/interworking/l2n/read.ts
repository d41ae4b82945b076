import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { LegacyDevice } from './device.ts';
import { readByLevels } from './levels.ts';
import { type Listed, learnRefused, readByLists } from './lists.ts';
import type { ReadRequest, ReadResult } from './readRequest.ts';

/**
 * Reads subtrees of a legacy device (IW-GET-1): a whole subtree by a list, where the device has one; all
 * else level by level, all requests of a round in one batch. Results are in request order.
 */
export function* readSubtrees(
  s: Session,
  device: LegacyDevice,
  requests: readonly ReadRequest[],
): Script<readonly ReadResult[]> {
  const whole = requests.filter(({ leaf, levels }) => !leaf && levels === undefined);
  const lists = yield* readByLists(
    s,
    device,
    whole.map(({ legacy }) => legacy),
  );
  const listed = new Map<ReadRequest, Listed>(whole.map((request, i) => [request, lists[i]!]));
  const left = requests.filter((request) => !listed.get(request)?.result);
  const read = yield* readByLevels(s, device, left);
  const plain = new Map(left.map((request, i) => [request, read[i]!]));
  return requests.map((request): ReadResult => {
    const { result, refused = [] } = listed.get(request) ?? {};
    if (result) return result;
    const found = plain.get(request)!;
    if (found.ok) learnRefused(s, refused, found.node);
    return found;
  });
}

import { encodeSegment, type TreePath } from '../mo/treePath.ts';
import type { Session } from './session.ts';

/** DevDetail nodes that tell how long an address may be; 0 means no limit (1x§7.1). */
export const URI_LIMITS = ['URI/MaxDepth', 'URI/MaxTotLen', 'URI/MaxSegLen'] as const;

/** Whether the device's own limits allow the address; if not, 414 before anything is sent (IW-ADDR-5). */
export function addressFits(s: Session, path: TreePath): boolean {
  const [depth, total, segment] = URI_LIMITS.map((name) => {
    const limit = Number(s.devInfo[name] ?? '0');
    return Number.isInteger(limit) && limit > 0 ? limit : Number.POSITIVE_INFINITY;
  }) as [number, number, number];
  if (path.length > depth) return false;
  let length = 1;
  for (const name of path) {
    const bytes = new TextEncoder().encode(encodeSegment(name)).length;
    if (bytes > segment) return false;
    length += bytes + 1;
  }
  return length <= total;
}

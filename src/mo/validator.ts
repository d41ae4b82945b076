import { createHash, type Hash } from 'node:crypto';
import { isInterior, type MoNode } from './node.ts';
import { isStored, storedMark } from './stored.ts';

/**
 * A validator of the content of a subtree (IW-GET-3): 16 hex digits of SHA-256 over names and values, the
 * same whatever the order of children. Formats and types do not count, as not every way to read a node
 * tells them; nor does the name of the subtree's own root.
 */
export function validatorOf(node: MoNode): string {
  const hash = createHash('sha256');
  feed(hash, node);
  return hash.digest('hex').slice(0, 16);
}

function feed(hash: Hash, node: MoNode): void {
  if (isInterior(node)) {
    const children = [...(node.children ?? [])].sort((a, b) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
    );
    hash.update(`n${children.length};`);
    for (const child of children) {
      text(hash, 'k', child.name);
      feed(hash, child);
    }
  } else if (node.value === undefined) hash.update('u;');
  else if (typeof node.value === 'string') text(hash, 't', node.value);
  else if (isStored(node.value)) text(hash, 's', storedMark(node.value));
  else hash.update(`b${node.value.length};`).update(node.value);
}

/** Lengths come first, so that no two trees feed the same bytes. */
function text(hash: Hash, kind: string, value: string): void {
  hash.update(`${kind}${value.length};${value}`);
}

import { descendant, type MoNode } from '../../mo/node.ts';
import type { MoAddress } from '../addresses.ts';

/**
 * Instances of a 2.0 client that this session has read whole, with their validators (20§11): while one
 * holds, none of its nodes need be sent again.
 */
export class KnownInstances {
  readonly #known = new Map<string, { readonly cv: string; readonly node: MoNode }>();

  /** The validator to send along when `address` is read again; the node is there as well then. */
  validator(address: MoAddress): string | undefined {
    return this.node(address) && this.#known.get(keyOf(address))?.cv;
  }

  node(address: MoAddress): MoNode | undefined {
    const known = this.#known.get(keyOf(address));
    return known && descendant(known.node, address.path);
  }

  learn(address: MoAddress, node: MoNode, cv: string | undefined): void {
    if (address.path.length > 0) return;
    if (cv === undefined) this.#known.delete(keyOf(address));
    else this.#known.set(keyOf(address), { cv, node });
  }

  /** Something was changed: also a client whose validator forgets to change is read again. */
  clear(): void {
    this.#known.clear();
  }
}

function keyOf({ mapping: { mount } }: MoAddress): string {
  return JSON.stringify([mount.moid, mount.miid]);
}

import type { MoNode } from '../../mo/node.ts';

/** A node with the run-time properties that TNDS can tell beside Format and Type (1x§11.1). */
export interface TndsNode extends MoNode {
  readonly children?: readonly TndsNode[];
  readonly acl?: string;
  readonly title?: string;
  /** `20010711T163817Z`; as written where it is no time that can be read. */
  readonly tstamp?: string;
  readonly verNo?: string;
  /** Bytes of the value, as the peer tells them. */
  readonly size?: string;
}

/** A subtree of a TNDS document and its place. */
export interface PlacedNode {
  /** Segments from the command's target to the node's parent; `'target'` when it is the target itself. */
  readonly below: readonly string[] | 'target';
  readonly node: TndsNode;
}

/** What a TNDS document holds (1x§11.2). */
export interface TndsDocument {
  readonly man?: string;
  readonly mod?: string;
  /**
   * One entry for each subtree of which the document does not hold the parent; nearly always a single one.
   * Parents come before children, and no node occurs twice.
   */
  readonly nodes: readonly PlacedNode[];
}

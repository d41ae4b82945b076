import type { Format } from '../../mo/format.ts';

/** A Node element as it was read. */
export interface ReadNode {
  readonly name?: string;
  readonly path?: string;
  readonly format?: Format;
  readonly type?: string;
  readonly typeKind?: 'MIME' | 'DDFName';
  readonly acl?: string;
  readonly title?: string;
  readonly tstamp?: string;
  readonly verNo?: string;
  readonly size?: string;
  readonly value?: string | Uint8Array;
  readonly children: readonly ReadNode[];
}

/** A place below the target: the node that the document has there, and what is below it. */
export interface Spot {
  readonly name: string;
  node?: ReadNode;
  readonly children: Map<string, Spot>;
}

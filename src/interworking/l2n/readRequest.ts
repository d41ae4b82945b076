import type { PlannedCommand } from '../../dm1/session/server.ts';
import type { Format } from '../../mo/format.ts';
import type { MoNode, Value } from '../../mo/node.ts';
import type { TreePath } from '../../mo/treePath.ts';

/** What to read: a legacy node and how many levels below it (absent: all). */
export interface ReadRequest {
  readonly legacy: TreePath;
  readonly levels?: number;
  /** Known to be a leaf: a plain Get gives it without asking for a list. */
  readonly leaf?: boolean;
  /** Of the last level only the names are wanted, which stand in the node above. */
  readonly names?: boolean;
}

export type ReadResult =
  | { readonly ok: true; readonly node: MoNode }
  | { readonly ok: false; readonly code: number };

export function get(uri: string): PlannedCommand {
  return { kind: 'Get', items: [{ target: { uri } }] };
}

/** A node while what is known of it still comes in. */
export interface Draft {
  name: string;
  format?: Format;
  type?: string;
  value?: Value;
  children?: Draft[];
}

/** The Type of an interior node is its MOID or nothing; some devices say `text/plain` (1x§7.4). */
export function typeOf(type: string | undefined): { type?: string } {
  const text = type?.trim();
  return text && text !== 'text/plain' ? { type: text } : {};
}

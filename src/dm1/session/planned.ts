import type { AlertCommand, BodyElement, Item, ItemCommand, SyncHdr } from '../message.ts';

/** A command before a message gives it its CmdID. */
export type PlannedItemCommand = Omit<ItemCommand, 'cmdId'>;
export type PlannedAlert = Omit<AlertCommand, 'cmdId'>;
export type PlannedCommand = PlannedItemCommand | PlannedAlert;

/** What a peer said to one command. */
export interface CommandAnswer {
  /** The Status; of several, the first that failed. 500 when there was none. */
  readonly code: number;
  /** One entry per Item of the command, in its order. */
  readonly items: readonly { readonly uri: string; readonly code: number }[];
  /** Items of all Results, in order of arrival; each has a Source, and Meta with what Results/Meta said. */
  readonly results: readonly Item[];
  /** Items of its Status: user answers, failing implicit nodes. */
  readonly statusItems: readonly Item[];
  /** False when `code` stands in for a Status that never came, or the command was not sent. */
  readonly answered: boolean;
  /** Status of the Sequence or Atomic that it went in, where there was one. */
  readonly group?: number;
}

/** Bytes that parts of a message take on the wire, where it is not the codec that knows. May err on the large side. */
export interface Sizing {
  /** A body element as encoded. */
  readonly measure?: (element: BodyElement) => number;
  /** All of a message but its body elements: prologue, header, SyncBody, Final. */
  readonly measureEnvelope?: (header: SyncHdr) => number;
  /** Bytes that our credentials add to a message that presents them. */
  readonly credBytes?: number;
}

export function unanswered(code: number): CommandAnswer {
  return { code, items: [], results: [], statusItems: [], answered: false };
}

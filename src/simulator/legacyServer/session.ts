import type { AlertCommand, Item, Meta, Results, Status } from '../../dm1/message.ts';
import type { CredScheme } from '../credentials.ts';
import type { ServerCommand } from './script.ts';

/** What the client answered to one command of the script. */
export interface CommandRecord {
  readonly command: ServerCommand;
  /** First failing code, else the first; `undefined` while unanswered. */
  code: string | undefined;
  readonly statuses: Status[];
  readonly results: ResultItem[];
}

/** One item of Results, put together if it came in chunks. */
export interface ResultItem {
  readonly uri: string;
  readonly meta: Meta;
  readonly data: string | Uint8Array;
}

/** One session as the server saw it. */
export interface ServerSession {
  readonly deviceId: string;
  readonly sessionId: string;
  /** `1200` or `1201`. */
  opening: string | undefined;
  readonly devInfo: Record<string, string>;
  /** Alerts 1223, 1224, 1226, each as received. */
  readonly alerts: AlertCommand[];
  readonly commands: CommandRecord[];
  /** How the client authenticated, once it has. */
  authenticated: 'none' | CredScheme | undefined;
  messages: number;
  state: 'open' | 'completed' | 'aborted' | 'refused';
  /** Breaches of the specification by the client, in words. */
  readonly violations: string[];
}

/** Results of a chunked object so far. */
export interface PartialResults {
  readonly first: Results;
  readonly chunks: (string | Uint8Array)[];
}

export function resultItem(results: Results, item: Item): ResultItem {
  return {
    uri: item.source?.uri ?? results.sourceRef ?? results.targetRef ?? '',
    meta: { ...results.meta, ...item.meta },
    data: item.data ?? '',
  };
}

export function joinChunks(chunks: readonly (string | Uint8Array)[]): string | Uint8Array {
  if (chunks.every((chunk) => typeof chunk === 'string')) return chunks.join('');
  return new Uint8Array(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as Uint8Array))));
}

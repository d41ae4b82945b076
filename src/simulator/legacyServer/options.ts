import type { Account, CredScheme } from '../credentials.ts';
import type { OnMessage } from '../eventLog.ts';
import type { HttpServerOptions } from '../httpServer.ts';
import type { DmVersion } from '../syncml.ts';
import type { ServerCommand } from './script.ts';
import type { ServerSession } from './session.ts';

/** Next commands for a session, given all it has seen; an empty list or `undefined` ends it. */
export type ServerScript =
  | readonly (readonly ServerCommand[])[]
  | ((session: ServerSession) => readonly ServerCommand[] | undefined);

export interface LegacyServerOptions extends HttpServerOptions {
  readonly path?: string;
  readonly serverId?: string;
  /** What the server speaks; it mirrors the client when absent. */
  readonly version?: DmVersion;
  readonly encoding?: 'mirror' | 'xml' | 'wbxml';
  /** What is demanded of clients. */
  readonly auth?: { readonly type: 'none' | CredScheme } & Partial<Account>;
  /** How the server authenticates itself when it is asked to; `atOnce`: in its first message already (1x§9.4 rule 6). */
  readonly serverCred?: {
    readonly scheme: 'basic' | 'md5';
    readonly username: string;
    readonly password: string;
    readonly atOnce?: true;
  };
  /** Code of a challenge: 401 when absent. */
  readonly challengeCode?: 401 | 407;
  readonly script?: ServerScript;
  readonly maxMsgSize?: number;
  readonly maxObjSize?: number;
  /** False leaves RespURI out. */
  readonly respURI?: boolean;
  readonly onMessage?: OnMessage;
  readonly keepMessages?: boolean;
}

import type { Encoding, SyncMLMessage } from '../../dm1/message.ts';
import type { DialectName, Opening as Dm2Opening } from '../../dm2/dialects/index.ts';
import type { Package3 } from '../../dm2/packages.ts';
import type { Opening } from '../../interworking/context.ts';
import type { AuthVerdict } from '../../interworking/script.ts';
import type { ErrorCode } from '../../support/errors.ts';
import type { PostedUrl } from '../reports/reportUrl.ts';
import type { MessageMark, Reply } from './liveSession.ts';
import type { DeviceRequest } from './request.ts';

/** A device's message, decoded and identified, on its way to its session. */
export interface Incoming {
  readonly protocol: 'dm1' | 'dm2';
  readonly deviceId: string;
  /** IW-SES-3. */
  readonly key: string;
  readonly at: number;
  readonly mark: MessageMark;
  /** Bytes for the journal, credentials masked. */
  readonly stored: Uint8Array;
  readonly encoding?: Encoding;
  readonly dialect: string;
  /** Content-Type as it came, where the bytes cannot be read again without it. */
  readonly contentType?: string;
  /** What reading it had to tolerate, a sentence each. */
  readonly tolerated?: readonly string[];
  /** Control characters that were left out of it (IW-VAL-4). */
  readonly stripped?: number;
  /**
   * What the message would open. `always`: it ends whatever session there is (1200/1201 with MsgID 1;
   * Package#1); `again`: Package 1 anew with credentials, as after a challenge, ends it too when these are
   * good; otherwise it opens one only where it belongs to none.
   */
  readonly opening?: Opening;
  readonly opens: 'always' | 'again' | 'if-none' | 'never';
  /** The message as an event of a live session. */
  readonly event?:
    | { readonly kind: 'dm1'; readonly message: SyncMLMessage; readonly strays?: true }
    | {
        readonly kind: 'package3';
        readonly package3: Package3;
        /** Of the commands that it answers, where the dialect numbers them. */
        readonly msgId?: number;
      };
  readonly request: DeviceRequest;
}

export type Unproven = Extract<AuthVerdict, { ok: false }>;

/** What became of a message. */
export type Answer =
  | {
      readonly kind: 'reply';
      readonly reply: Reply;
      readonly session: string;
      readonly repeated?: true;
      /** Whether it came from its device is the backend's to judge (IW-REL-1). */
      readonly claimed?: true;
    }
  /** No session begins or goes on for now; a new try may. */
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail: string }
  /** It did not prove to come from its device; no session heard of it. */
  | { readonly kind: 'unproven'; readonly verdict: Unproven }
  /** It opens nothing and belongs to no session. */
  | { readonly kind: 'no-session' }
  /** An earlier MsgID than the one awaited, and not the last one again; its session is unharmed. */
  | { readonly kind: 'out-of-order'; readonly session: string }
  /** Its session ended by a fault of ours. */
  | { readonly kind: 'lost'; readonly code: ErrorCode; readonly session: string };

/** A 2.0 client's first message as a session script sees it. */
export function dm2Opening(
  dialect: DialectName,
  { package1, devInfo, items }: Dm2Opening,
  { reportToken, notifiedAs }: Omit<PostedUrl, 'shown'> = {},
): Opening {
  return {
    protocol: 'dm2',
    dialect,
    package1,
    ...(Object.keys(devInfo).length > 0 && { devInfo }),
    ...(items.length > 0 && { items }),
    ...(reportToken !== undefined && { reportToken }),
    ...(notifiedAs !== undefined && { notifiedAs }),
  };
}

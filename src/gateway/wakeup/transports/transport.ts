import type { OutboundClient } from '../../outbound/client.ts';
import type { OutboundGuard } from '../../outbound/guard.ts';

/** Something binary for one device, on its way out: a notification or a bootstrap document. */
export interface Push {
  /** The same for every copy. */
  readonly id: string;
  readonly deviceId: string;
  /** As the transport needs it. */
  readonly address: string;
  /** Media type without parameters. */
  readonly contentType: string;
  /** SEC and MAC of a bootstrap document (1x§14); SEC is a number in the CP profile. */
  readonly protection?: { readonly sec: string; readonly mac?: string };
  readonly body: Uint8Array;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** From 1: repeats to the device count, retries of a copy that the transport did not take do not. */
  readonly copy: number;
}

/** Hands pushes over. */
export interface Transport {
  readonly type: 'webhook' | 'pap' | 'udp';
  /**
   * Resolves once the push was taken; that says nothing about the device.
   *
   * @throws DragomanError `backend-failed` where a later try may succeed, any other code where none will
   */
  send(push: Push): Promise<void>;
}

export interface TransportTools {
  readonly guard: OutboundGuard;
  readonly client: OutboundClient;
  readonly limits: { readonly messageBytes: number; readonly backendSeconds: number };
}

/** Value of X-WAP-Application-ID for the DM client of a device (1x§10.2). */
const DM_APPLICATION = 'x-wap-application:syncml.dm';

/**
 * The application that a push is for; none for a CP profile, which devices know by its type alone and whose
 * SEC and MAC leave no room in the 48 bytes of headers that a device takes (1x§10.2).
 */
export function applicationOf({ contentType }: Pick<Push, 'contentType'>): string | undefined {
  return /connectivity/i.test(contentType) ? undefined : DM_APPLICATION;
}

import type {
  NotificationForm,
  NotificationNote,
  WakeRequest,
} from '../../interworking/notification/wakeRequest.ts';
import type { NotificationRow } from '../../store/schema.ts';
import { readTagged, writeTagged } from '../sessions/taggedJson.ts';

/** A notification of one device from its request to the session that answers it (IW-NOT-1, -2). */
export interface Wakeup {
  readonly id: string;
  readonly deviceId: string;
  /** NOTIFICATION-ID or session id that the device is told. */
  readonly number: number;
  /** `api`, `job`, or `server:` and a server identifier. */
  readonly askedBy: string;
  /** The number that the asker gave; answers carry it back to it. */
  readonly askedNumber?: number;
  readonly form: NotificationForm;
  readonly request: WakeRequest;
  readonly via: string;
  readonly address?: string;
  /**
   * `waiting` for its transport, `sent` and unanswered, `answered` by a session; `failed` for good,
   * `expired` unanswered, `withdrawn`.
   */
  readonly state: NotificationRow['state'];
  readonly attempts: number;
  /** Copies that the transport took. */
  readonly sent: number;
  readonly nextAt: number;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The session that answered. */
  readonly sessionId?: string;
  readonly jobId?: string;
  /** Why it was not sent, or not yet, or ended. */
  readonly detail?: string;
  readonly notes: readonly NotificationNote[];
}

export function toWakeup(row: NotificationRow): Wakeup {
  return {
    id: row.id,
    deviceId: row.device_id,
    number: Number(row.number),
    askedBy: row.asked_by,
    form: row.form,
    request: readTagged(row.request) as WakeRequest,
    via: row.via,
    state: row.state,
    attempts: Number(row.attempts),
    sent: Number(row.sent),
    nextAt: Number(row.next_at),
    expiresAt: Number(row.expires_at),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    notes: JSON.parse(row.notes),
    ...(row.asked_number !== null && { askedNumber: Number(row.asked_number) }),
    ...(row.address !== null && { address: row.address }),
    ...(row.session_id !== null && { sessionId: row.session_id }),
    ...(row.job_id !== null && { jobId: row.job_id }),
    ...(row.detail !== null && { detail: row.detail }),
  };
}

export function writeRequest(request: WakeRequest): string {
  return writeTagged(request);
}

import type { DeviceEvent } from '../../interworking/script.ts';
import type { JournalEntry, SessionRow } from '../../store/schema.ts';
import { DragomanError, type ErrorCode } from '../../support/errors.ts';
import { advance, type Driver, drive, fail, JournalRefused, wiped } from './drive.ts';
import type { LiveSession } from './liveSession.ts';

export type Gone = Extract<DeviceEvent, { kind: 'gone' }>['reason'];

/** How often a script that was told that its device is gone may still ask for it. */
const MOST_GOODBYES = 3;

/**
 * Tells a script that its device is gone, so that it ends its backend leg tidily (IW-SES-10), and sees
 * to it that it ends. Throws JournalRefused when another node drives the session.
 */
export async function sayGoodbye(session: LiveSession, reason: Gone, driver: Driver): Promise<void> {
  if (!session.parked) await drive(session, driver);
  for (let n = 0; n < MOST_GOODBYES && !session.ended; n += 1) await tellGone(session, reason, driver);
  if (!session.ended) await fail(session, driver, new Error('The script does not end.'));
}

async function tellGone(session: LiveSession, reason: Gone, driver: Driver): Promise<void> {
  const at = driver.now();
  session.parked = false;
  session.recordMessage('device', at, { h: '', gone: reason }, null);
  try {
    advance(session, { kind: 'gone', at, reason } satisfies DeviceEvent);
  } catch (error) {
    await fail(session, driver, error);
    return;
  }
  await drive(session, driver);
}

/** Ends a session whose script cannot be brought back. Throws JournalRefused when another node was faster. */
export async function abandon(
  row: SessionRow,
  entries: readonly JournalEntry[],
  error: unknown,
  driver: Driver,
): Promise<void> {
  const known = error instanceof DragomanError;
  const code: ErrorCode = known ? error.code : 'diverged';
  const detail = known ? error.detail : 'The replayed script failed; see the log.';
  driver.log.error({ session: row.id, device: row.device_id, code, error }, 'A session was lost.');
  const at = driver.now();
  const seq = (entries.at(-1)?.seq ?? -1) + 1;
  const meta = JSON.stringify({ ending: code, detail });
  const rewrites = await wiped(row.id, row.protocol, driver);
  try {
    await driver.journal.write({
      id: row.id,
      patch: { state: 'failed', ending: code, detail, updated_at: at },
      entries: [{ session_id: row.id, seq, kind: 'end', at, meta, body: null }],
      places: 'all',
      forget: true,
      rewrites,
    });
  } catch (cause) {
    throw new JournalRefused('The journal did not take an entry.', { cause });
  }
  driver.metrics.sessionEnded(code);
  driver.ended({ id: row.id, key: row.key, deviceId: row.device_id, backend: row.backend, ending: code });
}

import type { SyncMLMessage } from '../../dm1/message.ts';
import { type Alert, SESSION_ALERT } from '../../dm2/packages.ts';
import {
  ALERT_CODE,
  notificationNumber,
  serverInitiated,
  sessionAlertToDm1,
  sessionAlertToDm2,
} from '../alerts.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';

/** The session alert for a legacy device's session, with the number that whoever woke it gave (IW-NOT-2). */
export function* sessionAlertOfLegacy(
  s: Session,
  code: string | undefined,
  sessionId: string,
): Script<Alert> {
  if (code !== ALERT_CODE.serverInitiated) return sessionAlertToDm2(code, sessionId);
  const found = yield* answered(s, notificationNumber(sessionId));
  return found ? serverInitiated(found.number) : sessionAlertToDm2(code, sessionId);
}

/**
 * Marks the notification that a relayed device answers: its session id passes to the server as it is, and is
 * the server's own unless that number was in use (IW-NOT-2).
 */
export function* answeredByRelayed(s: Session, { body, header }: SyncMLMessage): Script<void> {
  if (!body.some((e) => e.kind === 'Alert' && e.code.trim() === ALERT_CODE.serverInitiated)) return;
  const number = notificationNumber(header.sessionId);
  const found = yield* answered(s, number);
  if (found?.number === undefined || found.number === number) return;
  yield* s.note(
    'IW-NOT-2',
    `The server asked with number ${found.number}; the session that answers is ${header.sessionId}.`,
  );
}

/** Package#1's alerts, their session alert with the number that whoever woke the client gave (IW-NOT-2). */
export function* withAskedNumber(s: Session, alerts: readonly Alert[]): Script<readonly Alert[]> {
  const { notifiedAs } = s.context;
  const { code, notificationId } = sessionAlertToDm1(alerts);
  if (code !== ALERT_CODE.serverInitiated && notifiedAs === undefined) return alerts;
  const found = yield* answered(s, notificationId ?? notifiedAs);
  if (!found || (notificationId !== undefined && found.number === notificationId)) return alerts;
  const others = alerts.filter(({ AlertType }) => !OPENERS.has(AlertType));
  return [serverInitiated(found.number), ...others];
}

const OPENERS: ReadonlySet<string> = new Set([SESSION_ALERT.serverInitiated, SESSION_ALERT.clientInitiated]);

function* answered(s: Session, number: number | undefined): Script<{ readonly number?: number } | undefined> {
  const { answers } = yield* s.perform({
    kind: 'wakeup.answer',
    ...(number !== undefined && { number }),
  });
  if (!answers) return undefined;
  if (answers.again) {
    yield* s.note('IW-NOT-2', `Notification ${answers.id} was answered by an earlier session already.`);
  }
  return answers.number === undefined ? {} : { number: answers.number };
}

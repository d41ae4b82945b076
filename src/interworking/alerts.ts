import type { AlertCommand, Item } from '../dm1/message.ts';
import { type Alert, MARKS, type Mark, SESSION_ALERT } from '../dm2/packages.ts';
import { isBinary, parseFormat } from '../mo/format.ts';
import { decodeBase64, encodeBase64 } from '../mo/lexical.ts';
import { plainLegacyUri, toClientUri } from './addresses.ts';
import type { Script } from './script.ts';
import type { Session } from './session.ts';

/** 1.x alert codes that matter to the translation (1x§4.1). */
export const ALERT_CODE = {
  serverInitiated: '1200',
  clientInitiated: '1201',
  abort: '1223',
  clientEvent: '1224',
  generic: '1226',
} as const;

/** How a type is prefixed by the 1.2 rule; real clients mostly leave it out (1x§5.2). */
const TYPE_PREFIX = /^\s*(?:Reversed-Domain-Name|Content-Type)\s*:\s*/i;

/** The session alert of Package#1 for the way in which the legacy device came (IW-ALERT-1). */
export function sessionAlertToDm2(code: string | undefined, sessionId: string): Alert {
  if (code !== ALERT_CODE.serverInitiated) return { AlertType: SESSION_ALERT.clientInitiated };
  return serverInitiated(notificationNumber(sessionId));
}

/** The number of a notification in the session id that answers it: 16 bits in upper-case hex (1x§10.1). */
export function notificationNumber(sessionId: string): number | undefined {
  return /^[0-9A-Fa-f]{1,4}$/.test(sessionId) ? Number.parseInt(sessionId, 16) : undefined;
}

/** The session alert that brings a NOTIFICATION-ID back (20§15 Q6). */
export function serverInitiated(number: number | undefined): Alert {
  return {
    AlertType: SESSION_ALERT.serverInitiated,
    ...(number !== undefined && { DataType: 'text/plain', Data: { NotificationID: String(number) } }),
  };
}

/** 1200 or 1201, and the notification id where Package#1 carries one in any form (20§15 Q6). */
export function sessionAlertToDm1(alerts: readonly Alert[]): {
  code: '1200' | '1201';
  notificationId?: number;
} {
  const alert = alerts.find((a) => a.AlertType === SESSION_ALERT.serverInitiated);
  if (!alert) return { code: ALERT_CODE.clientInitiated };
  for (const value of Object.values(alert.Data ?? {})) {
    const id =
      typeof value === 'number' ? value : typeof value === 'string' ? Number(value.trim() || Number.NaN) : -1;
    if (Number.isInteger(id) && id >= 0 && id <= 0xffff)
      return { code: ALERT_CODE.serverInitiated, notificationId: id };
  }
  return { code: ALERT_CODE.serverInitiated };
}

/** Told once, in the first session after a bootstrap through the gateway (IW-ALERT-1). */
export const BOOTSTRAP_COMPLETE: Alert = Object.freeze({ AlertType: SESSION_ALERT.bootstrapComplete });

/** Alerts that only say how the session began; the gateway answers them itself. */
export function isSessionAlert(alert: Alert): boolean {
  return Object.values<string>(SESSION_ALERT).includes(alert.AlertType);
}

/** Status that the gateway gives for a legacy device's alert, before anything is forwarded (IW-ALERT-4). */
export function judgeAlert(alert: AlertCommand): number {
  switch (alert.code) {
    case ALERT_CODE.generic:
      return alert.items.length === 0 ? 412 : 200;
    case ALERT_CODE.clientEvent:
      if (alert.items.length === 0) return 412;
      return alert.items.every((item) => itemType(item) !== undefined) ? 200 : 406;
    case ALERT_CODE.serverInitiated:
    case ALERT_CODE.clientInitiated:
    case '1222':
    case ALERT_CODE.abort:
      return 200;
    default:
      return 406;
  }
}

function itemType(item: Item): string | undefined {
  const type = item.meta?.type?.replace(TYPE_PREFIX, '').trim();
  return type || undefined;
}

/** One 2.0 alert for each Item of a 1224 or 1226 (IW-ALERT-2); notes what cannot cross. */
export function* alertsToDm2(s: Session, alerts: readonly AlertCommand[]): Script<Alert[]> {
  const out: Alert[] = [];
  for (const alert of alerts) {
    if (judgeAlert(alert) !== 200) continue;
    for (const item of alert.items) {
      const type = itemType(item);
      if (type === undefined) {
        yield* s.note(
          'IW-ALERT-2',
          'An alert Item without Meta Type was not forwarded: a 2.0 alert needs one.',
        );
        continue;
      }
      out.push({
        AlertType: s.context.mappings.alertToDm2(type),
        ...(yield* uriMember(s, 'SourceURI', item.source?.uri)),
        ...(yield* uriMember(s, 'TargetURI', item.target?.uri)),
        ...(yield* markMember(s, item.meta?.mark)),
        ...dataMembers(item),
      });
    }
  }
  return out;
}

function* uriMember(
  s: Session,
  member: 'SourceURI' | 'TargetURI',
  uri: string | undefined,
): Script<Partial<Alert>> {
  if (uri === undefined || uri.trim() === '') return {};
  const mapped = toClientUri(s, uri);
  if (mapped !== undefined) return { [member]: mapped };
  yield* s.note(
    'IW-ALERT-2',
    `${member} left out: ${uri} belongs to no known management object of the device.`,
  );
  return {};
}

function* markMember(s: Session, mark: string | undefined): Script<Partial<Alert>> {
  if (mark === undefined) return {};
  const known = MARKS.find((name) => name === mark.trim().toLowerCase());
  if (known !== undefined) return { Mark: known };
  yield* s.note('IW-ALERT-5', `Mark "${mark}" is none of the seven; the default "informational" applies.`);
  return {};
}

function dataMembers(item: Item): Partial<Alert> {
  if (item.data === undefined) return {};
  const { DataType, value } = alertData(item);
  return { DataType, Data: { DM1x: value } };
}

function alertData(item: Item): { DataType: string; value: string | number } {
  const name = item.meta?.format?.trim() ?? 'chr';
  const format = parseFormat(name);
  // The content type of a `Content-Type:` alert type is the data's own; else the 1.x Format name stands.
  const contentType = /^\s*Content-Type\s*:\s*(\S+)/i.exec(item.meta?.type ?? '')?.[1];
  const DataType = contentType ?? format ?? name;
  if (item.data instanceof Uint8Array) return { DataType, value: encodeBase64(item.data) };
  const text = item.data ?? '';
  if (format === 'int' && /^\s*[+-]?\d{1,15}\s*$/.test(text)) return { DataType, value: Number(text) };
  return { DataType, value: text };
}

/** The 1226 that says to a legacy server what a 2.0 client's alert says (IW-ALERT-3). */
export function alertToDm1(s: Session, alert: Alert, correlator?: string): Omit<AlertCommand, 'cmdId'> {
  const source = alert.SourceURI !== undefined ? plainLegacyUri(s, alert.SourceURI) : undefined;
  const target = alert.TargetURI !== undefined ? plainLegacyUri(s, alert.TargetURI) : undefined;
  const { format, data } = dataToDm1(alert);
  return {
    kind: 'Alert',
    code: ALERT_CODE.generic,
    ...(correlator !== undefined && { correlator }),
    items: [
      {
        ...(target !== undefined && { target: { uri: target } }),
        ...(source !== undefined && { source: { uri: source } }),
        meta: {
          type: s.context.mappings.alertToDm1(alert.AlertType),
          format,
          mark: alert.Mark ?? ('informational' satisfies Mark),
        },
        ...(data !== undefined && { data }),
      },
    ],
  };
}

function dataToDm1(alert: Alert): { format: string; data?: string | Uint8Array } {
  if (alert.Data === undefined) return { format: 'chr' };
  const format = parseFormat(alert.DataType) ?? (alert.DataType === 'text/xml' ? 'xml' : 'chr');
  if (!Object.hasOwn(alert.Data, 'DM1x')) {
    return { format: 'chr', data: JSON.stringify(alert.Data) };
  }
  const value = alert.Data['DM1x'];
  if (typeof value === 'number') return { format: parseFormat(alert.DataType) ?? 'int', data: String(value) };
  if (typeof value !== 'string') return { format, data: JSON.stringify(value) };
  if (!isBinary(parseFormat(format))) return { format, data: value };
  // Bytes travel as such, in whatever way the encoding has for them (IW-VAL-3); text that is none stays text.
  const bytes = decodeBase64(value);
  return bytes === undefined ? { format: 'chr', data: value } : { format, data: bytes };
}

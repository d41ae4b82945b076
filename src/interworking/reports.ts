import type { AlertCommand } from '../dm1/message.ts';
import { namedPath, parseClientUri, withUrn } from '../dm2/clientUri.ts';
import type { Alert } from '../dm2/packages.ts';
import { isWithin, parseTreePath, samePath } from '../mo/treePath.ts';
import { ALERT_CODE } from './alerts.ts';

/** A report of an asynchronous EXEC that is awaited; oldest first wherever several are listed. */
export interface AwaitedReport {
  readonly id: string;
  readonly correlator?: string;
  /** Legacy address of the executed node. */
  readonly uri: string;
  /** The same node in DM 2.0 terms. */
  readonly clientUri: string;
}

/** AlertTypes of the gateway's own reports: no object defines one for these (20§3.5). */
export const REPORT_ALERT = {
  /** The device was done at once; Data is its status. */
  complete: 'urn:x-dragoman:at:exec:complete',
  /** The device never reported. */
  missing: 'urn:x-dragoman:at:exec:no-report',
} as const;

/** Types of alerts that ask for something and end nothing (1x§5.4). */
const NOT_FINAL = /(?:userrequest|devicerequest|TrapNotification|TrapInactiveNotification)$/i;

/**
 * The report that a legacy device's alert is: by the Correlator it brings back; on devices that drop it,
 * by the node that it names, or the object around that (1x§5.3, §5.4).
 */
export function reportOfLegacyAlert<R extends AwaitedReport>(
  awaited: readonly R[],
  alert: AlertCommand,
): R | undefined {
  if (alert.code !== ALERT_CODE.generic) return undefined;
  const correlator = alert.correlator?.trim();
  if (correlator) return awaited.find((report) => report.correlator === correlator);
  for (const { source, meta } of alert.items) {
    const type = meta?.type?.trim() ?? '';
    const from = source && parseTreePath(source.uri);
    if (!from || from.length === 0 || NOT_FINAL.test(type)) continue;
    const near = awaited.filter(({ uri }) => {
      const path = parseTreePath(uri);
      return path && isWithin(from, path);
    });
    const exact = near.find(({ uri }) => samePath(from, parseTreePath(uri) ?? []));
    // FUMO names the alert after the operation, whatever node it gives.
    const named = near.find(({ uri }) => endsWithName(type, parseTreePath(uri)?.at(-1)));
    const found = exact ?? named ?? near[0];
    if (found) return found;
  }
  return undefined;
}

/** The report that a 2.0 client's alert is: the one whose node it names. */
export function reportOfAlert<R extends AwaitedReport>(awaited: readonly R[], alert: Alert): R | undefined {
  const { SourceURI, AlertType } = alert;
  if (SourceURI === undefined || NOT_FINAL.test(AlertType)) return undefined;
  return awaited.find(({ clientUri }) => sameNode(clientUri, SourceURI));
}

/** Which of the alerts that came to a report's own URL is that report: the one from its node, else the first. */
export function alertAtReport(alerts: readonly Alert[], report: AwaitedReport): number {
  const own = alerts.findIndex(
    ({ SourceURI }) => SourceURI !== undefined && sameNode(report.clientUri, SourceURI),
  );
  return own >= 0 ? own : alerts.length > 0 ? 0 : -1;
}

/** What ServerURI gets when the device was done at once (IW-EXEC-2); `code` is its status. */
export function completedAlert(clientUri: string, code: number): Alert {
  return {
    AlertType: REPORT_ALERT.complete,
    SourceURI: clientUri,
    Mark: 'informational',
    DataType: 'chr',
    Data: { DM1x: String(code) },
  };
}

/** What ServerURI gets when the device never reported (IW-EXEC-2). */
export function missingAlert(clientUri: string, hours: number): Alert {
  return {
    AlertType: REPORT_ALERT.missing,
    SourceURI: clientUri,
    Mark: 'warning',
    DataType: 'application/json',
    Data: { sc: 408, reason: `The device sent no report within ${hours} hours.` },
  };
}

function endsWithName(type: string, name: string | undefined): boolean {
  return name !== undefined && type.toLowerCase().endsWith(`.${name.toLowerCase()}`);
}

/** Whether two ClientURIs name the same node; an instance left open is any (20§4.2). */
function sameNode(one: string, other: string): boolean {
  const [a, b] = [parseClientUri(one), parseClientUri(other)];
  if ('error' in a || 'error' in b) return one === other;
  const [from, to] = [namedPath(a), namedPath(b)];
  if (!from || !to || !samePath(from, to) || withUrn(a.moid) !== withUrn(b.moid)) return false;
  if (a.instance.kind !== 'named' || b.instance.kind !== 'named') return true;
  return a.instance.name === b.instance.name;
}

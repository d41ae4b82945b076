import type { Alert, Package1, Package3, RawCommand, StatusItem } from '../../dm2/packages.ts';
import { visibleMos } from '../access/commands.ts';
import { showDelegation } from '../access/delegation.ts';
import { isRestricted } from '../access/rights.ts';
import { BOOTSTRAP_COMPLETE, isSessionAlert, sessionAlertToDm2 } from '../alerts.ts';
import { Dm2BackendLeg, mosOf } from '../backendLeg.ts';
import type { SessionContext } from '../context.ts';
import { isDeviceUrl } from '../deviceUrl.ts';
import type { DueAlert } from '../keptAlerts.ts';
import { askObjects } from '../n2l/askObjects.ts';
import { Dm2Device, END } from '../n2l/device.ts';
import { devInfoItems, keepOpeningAlerts } from '../n2l/dm2DeviceOnLegacyBackend.ts';
import { learnClient, mountObjects } from '../n2l/mounts.ts';
import { withAskedNumber } from '../notification/answer.ts';
import type { Script, SessionScript } from '../script.ts';
import { Session } from '../session.ts';
import { runOnClient } from './crossing.ts';

/** Relay: a DM 2.0 device on a DM 2.0 or built-in backend; packages pass as they are (IW-REL-1). */
export function* dm2OnDm2(context: SessionContext): SessionScript {
  const s = new Session(context);
  const device = new Dm2Device(s);
  if (context.opening.protocol !== 'dm2') throw new TypeError('This relay needs a DM 2.0 opening');
  const { package1 } = context.opening;
  learnClient(s, context.opening);
  mountObjects(s, package1.MOS);
  showDelegation(s);
  yield* keepOpeningAlerts(s, device.alerts, package1.Alert ?? []);
  yield* s.save();
  const told = withBootstrap(s, yield* withAskedNumber(s, package1.Alert ?? []));
  const backend = new Dm2BackendLeg(s);
  const alike = speaksAlike(device, backend);
  if (!alike) yield* askObjects(s, device, package1.MOS);
  let due = device.alerts.take();
  yield* readDevInfo(s, device, backend);
  if (device.gone) return { ending: 'device-gone' };
  device.passes = alike && !context.backend.builtin;
  const opening = openingFor(s, device, backend, withAlerts(package1, told, due));
  let answer = yield* backend.forward(opening, undefined, alike && opening === package1);
  while (answer.ok) {
    yield* device.alerts.settle(due);
    if (s.bootstrapDue) s.learnBootstrapTold();
    const { CMD } = answer.package2;
    // END and CONT are for the gateway: it ends the device's session itself, and stays in between.
    const own = CMD.filter((command) => !is(command, 'END') && !movesBackend(s, command));
    const items = yield* runOnClient(s, device, backend, own);
    yield* s.save();
    if (CMD.length === 0 || CMD.some((command) => is(command, 'END')))
      return { ending: 'completed', reply: END };
    const moved = CMD.findLast((command) => movesBackend(s, command))?.[1];
    if (moved !== undefined) backend.continueAt(moved);
    let at = 0;
    const status = CMD.map((command) => (movesBackend(s, command) ? { sc: 200 } : items[at++]!));
    // What cannot stand beside Status items is delivered behind this session (IW-ALERT-6).
    due = backend.takesAlertsAnyTime ? device.alerts.take() : [];
    const alerts = due.map(({ alert }) => alert);
    answer = yield* backend.respond(status, alerts, {
      unchanged: alike && isSaid(device.said, status, alerts),
      left: device.gone !== undefined,
    });
    if (device.gone && answer.ok) yield* device.alerts.settle(due);
    if (device.gone) return { ending: 'device-gone' };
  }
  yield* s.note('IW-SES-10', `The backend failed, so the client gets END: ${answer.detail}`);
  return { ending: 'backend-failed', reply: END, detail: answer.detail };
}

/** One dialect on both sides, without numbers that each side counts for itself. */
function speaksAlike(device: Dm2Device, { dialect }: Dm2BackendLeg): boolean {
  return device.dialect === dialect && !dialect.capabilities.commandsCarryMsgId;
}

/** Whether that is just what the device said: nothing was added, left out or answered for it. */
function isSaid(
  said: Package3 | undefined,
  status: readonly StatusItem[],
  alerts: readonly Alert[],
): boolean {
  return said !== undefined && areSame(said.Status, status) && areSame(said.Alert ?? [], alerts);
}

function areSame(ones: readonly object[], others: readonly object[]): boolean {
  return ones.length === others.length && ones.every((one, i) => one === others[i]);
}

/** A server whose first message holds DevInfo gets it also of a client that did not tell it so. */
function* readDevInfo(s: Session, device: Dm2Device, backend: Dm2BackendLeg): Script<void> {
  if (!backend.dialect.capabilities.openingCarriesDevInfo || s.devInfo['Man'] !== undefined) return;
  yield* devInfoItems(s, device);
  yield* s.save();
}

/** What an early client leaves out, for a server that counts on it (20§2.4). */
function openingFor(s: Session, device: Dm2Device, backend: Dm2BackendLeg, package1: Package1): Package1 {
  const { MOS: all } = package1;
  const own = all && isRestricted(s) ? { ...package1, MOS: visibleMos(s, all) } : package1;
  if (device.dialect.mediaTypes.opening === backend.dialect.mediaTypes.opening) return own;
  const { MOS = mosOf(s), Alert: alerts = [] } = own;
  return { MOS, Alert: alerts.some(isSessionAlert) ? alerts : [sessionAlertToDm2(undefined, ''), ...alerts] };
}

/** Clients of a bootstrap tell that it is complete; for one that does not the gateway does (IW-ALERT-1). */
function withBootstrap(s: Session, alerts: readonly Alert[]): readonly Alert[] {
  const told = alerts.some(({ AlertType }) => AlertType === BOOTSTRAP_COMPLETE.AlertType);
  return s.bootstrapDue && !told ? [...alerts, BOOTSTRAP_COMPLETE] : alerts;
}

/** The client's own Package#1, without the alerts that others deliver. */
function withAlerts(package1: Package1, told: readonly Alert[], due: readonly DueAlert<Alert>[]): Package1 {
  const { Alert: all = [] } = package1;
  const kept = new Set(due.map(({ alert }) => alert));
  const now = told.filter((alert) => isSessionAlert(alert) || kept.has(alert));
  return areSame(now, all) ? package1 : { ...package1, Alert: now };
}

/** CONT to any place but another URL of the device port, which is the device's own matter (IW-SES-9). */
function movesBackend(s: Session, command: RawCommand): boolean {
  return is(command, 'CONT') && !isDeviceUrl(s.context.deviceUrl, command[1] ?? '');
}

function is(command: RawCommand, ...verbs: readonly string[]): boolean {
  return verbs.includes(command[0]?.toUpperCase() ?? '');
}

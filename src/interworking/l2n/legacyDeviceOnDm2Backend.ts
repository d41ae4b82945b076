import { declaredCapabilities } from '../../dm1/capabilities.ts';
import type { Alert } from '../../dm2/packages.ts';
import { withInitiatedBy } from '../../dm2/serverUri.ts';
import { showDelegation } from '../access/delegation.ts';
import { BOOTSTRAP_COMPLETE, sessionAlertToDm2 } from '../alerts.ts';
import { Dm2BackendLeg } from '../backendLeg.ts';
import type { SessionContext } from '../context.ts';
import { sessionAlertOfLegacy } from '../notification/answer.ts';
import type { Script, SessionOutcome, SessionScript } from '../script.ts';
import { Session } from '../session.ts';
import { expandFor } from '../transfer.ts';
import { readAcls } from './acls.ts';
import { provideDefaults } from './defaults.ts';
import { LegacyDevice } from './device.ts';
import { assumedMounts, devInfoOf, discover, takeInventory } from './inventory.ts';
import { runPackage } from './package.ts';
import { publishChanges } from './subscriptions.ts';

/** L2N: a DM 1.x device managed by a DM 2.0 backend, one whole session (IW-SES-6). */
export function* legacyDeviceOnDm2Backend(context: SessionContext): SessionScript {
  const s = new Session(context);
  const device = new LegacyDevice(s);
  assumedMounts(s);
  const opened = yield* device.open();
  if (opened.kind !== 'open') {
    const reply = 'reply' in opened && opened.reply;
    return {
      ending: opened.kind === 'refused' ? 'refused' : opened.kind === 'aborted' ? 'aborted' : 'device-gone',
      ...('reason' in opened && { detail: opened.reason }),
      ...(reply && { reply: { protocol: 'dm1', message: reply } as const }),
    };
  }
  s.learnPeer({ protocol: 'dm1', dialect: `${opened.verProto} ${device.encoding.form}` });
  for (const [name, value] of Object.entries(declaredCapabilities(opened.verProto))) s.learn(name, value);
  s.learnDevInfo(devInfoOf(s, opened.devInfo));
  yield* takeInventory(s, device);
  yield* readAcls(s, device);
  showDelegation(s);
  const toOpen = yield* provideDefaults(s, device);
  yield* s.save();

  const { sessionId } =
    context.opening.protocol === 'dm1' ? context.opening.message.header : { sessionId: '' };
  const backend = new Dm2BackendLeg(s);
  for (const { serverUri } of toOpen) {
    const url = yield* expandFor(s, serverUri);
    if (url === undefined || device.ended) continue;
    const alert = sessionAlertToDm2(undefined, sessionId);
    yield* converse(s, device, backend, alert, withInitiatedBy(url, 'Device'));
  }
  const began = yield* sessionAlertOfLegacy(s, opened.sessionAlert, sessionId);
  const { ending, detail } = yield* converse(s, device, backend, began);
  const reply = yield* device.close();
  return { ending, ...(reply && { reply }), ...(detail !== undefined && { detail }) };
}

/** Package after package until the backend has no more to do; at `url` instead of its own, where given. */
function* converse(
  s: Session,
  device: LegacyDevice,
  backend: Dm2BackendLeg,
  sessionAlert: Alert,
  url?: string,
): Script<SessionOutcome> {
  let told = yield* device.tell();
  const complete = url === undefined && s.bootstrapDue ? [BOOTSTRAP_COMPLETE] : [];
  let answer = yield* backend.initiate([sessionAlert, ...complete, ...told.alerts], url);
  if (answer.ok && complete.length > 0) s.learnBootstrapTold();
  while (answer.ok) {
    yield* device.alerts.settle(told.due);
    const result = yield* runPackage(s, device, answer.package2.CMD, backend.accept);
    if (result.continueAt !== undefined) backend.continueAt(result.continueAt);
    if (s.softwareChanged && !device.ended) {
      s.softwareChanged = false;
      yield* s.note('IW-INV-2', 'FwV or SwV changed; the device is looked at again.');
      yield* discover(s, device);
    }
    yield* s.save();
    if (result.ends) yield* publishChanges(s, device);
    // What cannot stand beside Status items waits for an opening.
    if (result.ends || backend.takesAlertsAnyTime) told = yield* device.tell();
    else told = { due: [], alerts: [] };
    if (result.ends) {
      if (told.due.length === 0) return { ending: 'completed' };
      // The backend is done, yet the device has told more: that opens a backend session of its own.
      answer = yield* backend.initiate([sessionAlertToDm2(undefined, ''), ...told.alerts], url);
    } else {
      answer = yield* backend.respond(result.status, told.alerts, { left: device.ended !== undefined });
      if (device.ended) {
        // The device left: its answers were delivered, and nobody is there for further commands (IW-SES-10).
        if (answer.ok) yield* device.alerts.settle(told.due);
        return { ending: device.ended === 'gone' ? 'device-gone' : 'aborted' };
      }
    }
  }
  yield* s.note('IW-SES-10', `The backend failed, so the device session is closed: ${answer.detail}`);
  yield* publishChanges(s, device);
  return { ending: 'backend-failed', detail: answer.detail };
}

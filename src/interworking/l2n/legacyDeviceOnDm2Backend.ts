import { declaredCapabilities } from '../../dm1/capabilities.ts';
import { sessionAlertToDm2 } from '../alerts.ts';
import { Dm2BackendLeg } from '../backendLeg.ts';
import type { SessionContext } from '../context.ts';
import type { SessionOutcome, SessionScript } from '../script.ts';
import { Session } from '../session.ts';
import { LegacyDevice } from './device.ts';
import { assumedMounts, devInfoOf, discover, takeInventory } from './inventory.ts';
import { runPackage } from './package.ts';

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
  yield* s.save();

  const { sessionId } =
    context.opening.protocol === 'dm1' ? context.opening.message.header : { sessionId: '' };
  const backend = new Dm2BackendLeg(s);
  let told = yield* device.tell();
  let answer = yield* backend.initiate([sessionAlertToDm2(opened.sessionAlert, sessionId), ...told.alerts]);
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
    told = yield* device.tell();
    if (result.ends) {
      if (told.due.length === 0) return finished(device, 'completed');
      // The backend is done, yet the device has told more: that opens a backend session of its own.
      answer = yield* backend.initiate([sessionAlertToDm2(undefined, sessionId), ...told.alerts]);
    } else {
      answer = yield* backend.respond(result.status, told.alerts);
      if (device.ended) {
        // The device left: its answers were delivered, and nobody is there for further commands (IW-SES-10).
        if (answer.ok) yield* device.alerts.settle(told.due);
        return finished(device, device.ended === 'gone' ? 'device-gone' : 'aborted');
      }
    }
  }
  yield* s.note('IW-SES-10', `The backend failed, so the device session is closed: ${answer.detail}`);
  return finished(device, 'backend-failed', answer.detail);
}

function finished(device: LegacyDevice, ending: SessionOutcome['ending'], detail?: string): SessionOutcome {
  const reply = device.close();
  return { ending, ...(reply && { reply }), ...(detail !== undefined && { detail }) };
}

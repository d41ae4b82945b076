import type { RawCommand } from '../../dm2/packages.ts';
import { Dm2BackendLeg } from '../backendLeg.ts';
import type { SessionContext } from '../context.ts';
import { Dm2Device, END } from '../n2l/device.ts';
import { mountObjects } from '../n2l/mounts.ts';
import type { SessionScript } from '../script.ts';
import { Session } from '../session.ts';

/** Relay: a DM 2.0 device on a DM 2.0 or built-in backend; packages pass as they are (IW-REL-1). */
export function* dm2OnDm2(context: SessionContext): SessionScript {
  const s = new Session(context);
  const device = new Dm2Device(s);
  if (context.opening.protocol !== 'dm2') throw new TypeError('This relay needs a DM 2.0 opening');
  const { package1 } = context.opening;
  s.learnPeer({ protocol: 'dm2', dialect: 'approved' });
  mountObjects(s, package1.MOS);
  yield* s.save();
  const backend = new Dm2BackendLeg(s);
  let answer = yield* backend.forward(package1);
  while (answer.ok) {
    const { CMD } = answer.package2;
    // END and CONT are for the gateway: it ends the device's session itself, and stays in between.
    const own = CMD.filter((command) => !is(command, 'END', 'CONT'));
    const items = yield* device.runRaw(own);
    yield* s.save();
    if (CMD.length === 0 || CMD.some((command) => is(command, 'END')))
      return { ending: 'completed', reply: END };
    const moved = CMD.findLast((command) => is(command, 'CONT'))?.[1];
    if (moved !== undefined) backend.continueAt(moved);
    let at = 0;
    const status = CMD.map((command) => (is(command, 'CONT') ? { sc: 200 } : items[at++]!));
    answer = yield* backend.respond(status, device.takeAlerts());
    if (device.gone) return { ending: 'device-gone' };
  }
  yield* s.note('IW-SES-10', `The backend failed, so the client gets END: ${answer.detail}`);
  return { ending: 'backend-failed', reply: END, detail: answer.detail };
}

function is(command: RawCommand, ...verbs: readonly string[]): boolean {
  return verbs.includes(command[0]?.toUpperCase() ?? '');
}

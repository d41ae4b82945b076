import type { SyncMLMessage } from '../../dm1/message.ts';
import { ERRORS, type ErrorCode } from '../../support/errors.ts';
import type { SessionContext } from '../context.ts';
import { assumedMounts, devInfoOf } from '../l2n/inventory.ts';
import { answeredByRelayed } from '../notification/answer.ts';
import type { BackendEvent, DeviceReply, SessionScript } from '../script.ts';
import { Session } from '../session.ts';
import { asksForAbort, devInfoItems, faultOf, headerCode, isOver } from './dm1Messages.ts';
import { ServerSide } from './dm1Server.ts';

/**
 * Relay: a DM 1.x device on a DM 1.x server (IW-REL-1). Messages pass in their own bytes, save the
 * addresses by which each side knows the other; credentials, challenges and nonces are between the two.
 */
export function* dm1OnDm1(context: SessionContext): SessionScript {
  const s = new Session(context);
  const { opening, limits } = context;
  if (opening.protocol !== 'dm1') throw new TypeError('This relay needs a DM 1.x opening');
  const leg = new ServerSide(s, opening);
  assumedMounts(s);
  let { message } = opening;
  let devInfo = devInfoItems(message);
  let unanswered = true;
  for (let count = 1; ; count += 1) {
    const aborting = asksForAbort(message);
    const answer = yield* s.perform({ kind: 'backend.exchange', send: leg.request(message) });
    let reply: DeviceReply;
    if (answer.kind === 'http') {
      reply = { protocol: 'http', status: answer.status, headers: answer.headers };
      // Its next opening, with what was asked for, begins anew.
      if (message === opening.message) return { ending: 'refused', reply, detail: `HTTP ${answer.status}` };
    } else {
      const failure = failureOf(message, answer);
      if (answer.kind !== 'dm1' || failure) {
        if (aborting) return { ending: 'aborted', reply: leg.close(message, 200) };
        const { code = 'backend-failed', detail = 'The answer is of DM 2.0.' } = failure ?? {};
        yield* s.note('IW-REL-1', `The device is told that its session failed: ${detail}`);
        // The server has not had the message.
        if (code === 'too-large' || code === 'forbidden') yield* leg.abort(message, 'in its stead');
        return { ending: 'backend-failed', reply: leg.close(message, ERRORS[code].dm1), detail };
      }
      yield* leg.take(message, answer);
      if (headerCode(answer.message) < 300) {
        // The server has accepted the device: only now is it known to be the one that it says.
        if (unanswered) {
          s.learnPeer({ protocol: 'dm1', dialect: `${message.header.verProto} ${opening.encoding.form}` });
          if (s.bootstrapDue) s.learnBootstrapTold();
        }
        s.learnDevInfo(devInfoOf(s, devInfo));
        devInfo = [];
        yield* s.save();
        if (unanswered) yield* answeredByRelayed(s, opening.message);
        unanswered = false;
      }
      const passed = yield* leg.reply(answer, message);
      if ('unfit' in passed) {
        const detail = passed.unfit;
        yield* s.note('IW-REL-1', `The session ends: ${detail}`);
        yield* leg.abort(message);
        return { ending: 'backend-failed', reply: leg.close(message, ERRORS['backend-failed'].dm1), detail };
      }
      reply = passed;
      if (aborting || asksForAbort(answer.message)) return { ending: 'aborted', reply };
      if (isOver(message, answer.message)) {
        return { ending: headerCode(answer.message) < 300 ? 'completed' : 'refused', reply };
      }
    }
    if (count >= limits.messages) {
      yield* s.note('IW-REL-1', `The session has come to its limit of ${limits.messages} messages.`);
      yield* leg.abort(message);
      return { ending: 'aborted', reply: leg.close(message, ERRORS['too-many'].dm1) };
    }
    const event = yield* s.perform({ kind: 'device.exchange', reply });
    if (event.kind !== 'dm1') {
      // Another session of the device is the server's own sign that this one is over, maybe by the same name.
      if (event.kind === 'gone' && event.reason !== 'replaced') yield* leg.abort(message);
      return { ending: 'device-gone' };
    }
    message = event.message;
    devInfo = [...devInfo, ...devInfoItems(message)];
  }
}

/** Why the device cannot be given this answer, if so. */
function failureOf(
  asked: SyncMLMessage,
  answer: BackendEvent,
): { readonly code?: ErrorCode; readonly detail: string } | undefined {
  if (answer.kind === 'failed') return answer;
  const detail = answer.kind === 'dm1' ? faultOf(asked, answer.message) : undefined;
  return detail === undefined ? undefined : { detail };
}

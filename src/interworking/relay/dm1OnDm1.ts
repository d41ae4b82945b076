import { type CodecLimits, DEFAULT_LIMITS } from '../../dm1/codec.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import type { Readdressing } from '../../dm1/readdress.ts';
import { readdressBytes, readdressMessage } from '../../dm1/readdress.ts';
import { answerWithStatus } from '../../dm1/session/answerWithStatus.ts';
import { ERRORS, type ErrorCode } from '../../support/errors.ts';
import type { SessionContext } from '../context.ts';
import { assumedMounts, devInfoOf } from '../l2n/inventory.ts';
import { answeredByRelayed } from '../notification/answer.ts';
import type { BackendEvent, DeviceReply, Script, SessionScript } from '../script.ts';
import { Session } from '../session.ts';
import { abortMessage, asksForAbort, devInfoItems, faultOf, headerCode, isOver } from './dm1Messages.ts';

type Relayed = Extract<BackendEvent, { kind: 'dm1' }>;

/**
 * Relay: a DM 1.x device on a DM 1.x server (IW-REL-1). Messages pass in their own bytes, save the
 * addresses by which each side knows the other; credentials, challenges and nonces are between the two.
 */
export function* dm1OnDm1(context: SessionContext): SessionScript {
  const s = new Session(context);
  const { opening, limits } = context;
  if (opening.protocol !== 'dm1') throw new TypeError('This relay needs a DM 1.x opening');
  const leg = new ServerSide(s, opening.message.header.target.uri);
  assumedMounts(s);
  let { message } = opening;
  let devInfo = devInfoItems(message);
  let unanswered = true;
  for (let count = 1; ; count += 1) {
    const aborting = asksForAbort(message);
    const answer = yield* s.perform({ kind: 'backend.exchange', send: leg.request() });
    const failure = failureOf(message, answer);
    if (answer.kind !== 'dm1' || failure) {
      if (aborting) return { ending: 'aborted', reply: leg.close(message, 200) };
      const { code = 'backend-failed', detail = 'The answer is of DM 2.0.' } = failure ?? {};
      yield* s.note('IW-REL-1', `The device is told that its session failed: ${detail}`);
      return { ending: 'backend-failed', reply: leg.close(message, ERRORS[code].dm1), detail };
    }
    yield* leg.take(answer);
    if (headerCode(answer.message) < 300) {
      // The server has accepted the device: only now is it known to be the one that it says.
      s.learnPeer({ protocol: 'dm1', dialect: `${message.header.verProto} ${opening.encoding.form}` });
      s.learnDevInfo(devInfoOf(s, devInfo));
      if (s.bootstrapDue) s.learnBootstrapTold();
      yield* s.save();
      if (unanswered) yield* answeredByRelayed(s, opening.message);
      unanswered = false;
    }
    const reply = leg.reply(answer, message);
    if (aborting || asksForAbort(answer.message)) return { ending: 'aborted', reply };
    if (isOver(message, answer.message)) {
      return { ending: headerCode(answer.message) < 300 ? 'completed' : 'refused', reply };
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

/** The server of a relayed session, and what either side calls the other. */
class ServerSide {
  readonly #s: Session;
  /** What the device calls its server: a URL of the gateway. */
  readonly #shown: string;
  /** Where the server wants the next message; the configured URL until it says so. */
  #respURI: string | undefined;
  /** What the server calls itself. */
  #source: string | undefined;
  #msgId = 0;

  constructor(s: Session, shown: string) {
    this.#s = s;
    this.#shown = shown;
  }

  get #url(): string {
    return this.#respURI ?? this.#s.context.backend.url;
  }

  request() {
    const addresses: Readdressing[] = [{ place: 'Target', to: this.#url }];
    if (this.#source !== undefined) {
      addresses.push({ place: 'SourceRef', from: this.#shown, to: this.#source });
    }
    const url = this.#respURI;
    return { protocol: 'relay', addresses, ...(url !== undefined && { url }) } as const;
  }

  /** Notes who the server says it is and where it wants to be answered (IW-SES-9). */
  *take({ message, raw }: Relayed): Script<void> {
    const { source, respURI, msgId } = message.header;
    this.#source = source.uri;
    this.#msgId = Number(msgId) || this.#msgId + 1;
    if (respURI === undefined || respURI.trim() === '') return;
    const { deviceUrl, backend } = this.#s.context;
    if (raw?.mac !== undefined && !respURI.startsWith(deviceUrl)) {
      yield* this.#s.note(
        'IW-REL-1',
        'The server signs its messages, so its RespURI stays as it is; a device that follows it leaves the gateway. Let the server name the gateway.',
      );
    }
    this.#respURI = behind(respURI.trim(), deviceUrl, backend.url);
  }

  /** The server's message, in which the device finds its own name for the server; a signed one as it is. */
  reply({ message, raw }: Relayed, answered: SyncMLMessage): DeviceReply {
    if (raw?.mac !== undefined) return { protocol: 'dm1', message, raw };
    const addresses: readonly Readdressing[] = [
      { place: 'Source', to: this.#shown },
      { place: 'RespURI', to: this.#s.context.deviceUrl },
      { place: 'TargetRef', to: answered.header.target.uri },
    ];
    return {
      protocol: 'dm1',
      message: readdressMessage(message, addresses),
      ...(raw && { raw: { ...raw, body: readdressBytes(raw.body, raw.form, addresses, asLarge(raw.body)) } }),
    };
  }

  /** An answer of the gateway's own, after which the device sends no more. */
  close(message: SyncMLMessage, code: number): DeviceReply {
    const { deviceUrl } = this.#s.context;
    return {
      protocol: 'dm1',
      message: answerWithStatus(message, code, deviceUrl, { msgId: String(this.#msgId + 1) }),
    };
  }

  /** Tells the server in the device's name that there will be no more (IW-SES-10). */
  *abort(last: SyncMLMessage): Script<void> {
    const { opening } = this.#s.context;
    const url = this.#respURI;
    yield* this.#s.perform({
      kind: 'backend.exchange',
      send: {
        protocol: 'dm1',
        message: abortMessage(last, {
          url: this.#url,
          source: this.#source ?? this.#url,
          msgId: this.#msgId,
        }),
        ...(opening.protocol === 'dm1' && { form: opening.encoding.form }),
        ...(url !== undefined && { url }),
      },
    });
  }
}

/** It was within the limits when it came. */
function asLarge({ length }: Uint8Array): CodecLimits {
  return { ...DEFAULT_LIMITS, bytes: length, text: length };
}

/** A RespURI that names the gateway, where a server goes by its public name, is at the configured server's origin. */
function behind(respURI: string, deviceUrl: string, backendUrl: string): string {
  if (!URL.canParse(respURI)) return respURI;
  const url = new URL(respURI);
  if (url.origin !== new URL(deviceUrl).origin) return respURI;
  return `${new URL(backendUrl).origin}${url.pathname}${url.search}`;
}

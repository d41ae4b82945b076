import type { Admission } from '../gateway/auth/admission.ts';
import type { Dm1Attempt } from '../gateway/auth/attempts.ts';
import type { DeviceAuthenticator } from '../gateway/auth/authenticator.ts';
import type { Interactions } from '../gateway/interaction/interactions.ts';
import type { DevicePortOptions } from '../gateway/sessions/devicePort.ts';
import type { Answer, Incoming } from '../gateway/sessions/incoming.ts';
import type { AuthenticateDm1, RecognisesDm1 } from '../gateway/sessions/ports.ts';
import { isLeftToServer } from '../interworking/sessions.ts';
import { DEVICE_PATH } from './deviceEndpoint.ts';

/** How a DM 1.x message is authenticated before a session hears of it (IW-AUTH-1). */
export function authenticatesDm1(authenticator: DeviceAuthenticator): {
  readonly authenticate: AuthenticateDm1;
  readonly recognises: RecognisesDm1;
} {
  return {
    authenticate: async (message, context) =>
      isLeftToServer(context)
        ? { ok: true, status: 212, scheme: 'none', at: message.at }
        : authenticator.verifyDm1(attemptOf(message)),
    recognises: (message) => authenticator.recognises(attemptOf(message)),
  };
}

function attemptOf({ deviceId, key, mark, event, request }: Incoming): Dm1Attempt {
  if (event?.kind !== 'dm1') throw new TypeError('Only DM 1.x messages carry their own credentials.');
  const { header } = event.message;
  const { peer = '' } = request;
  return {
    deviceId,
    // Strangers elsewhere may use the same SessionID; their tries are not this device's.
    sessionId: `${peer} ${key}`,
    first: mark.msgId?.trim() === '1',
    peer,
    header,
    ...(header.cred && { cred: header.cred }),
    request,
  };
}

/** What stands between the device port and the sessions: authentication of 2.0 clients, and request rates. */
export function deviceGate({
  runner,
  authenticator,
  interactions,
  admission,
}: {
  readonly runner: DevicePortOptions['runner'];
  readonly authenticator: DeviceAuthenticator;
  readonly interactions: Interactions;
  readonly admission: Admission;
}): Pick<DevicePortOptions, 'runner' | 'authenticateDm2'> {
  return {
    runner: {
      deliver: async (message) => {
        const { deviceId, protocol, opens, request } = message;
        admission.check(deviceId);
        // A 2.0 client, which is authenticated by now, waits for no answer any more when it begins anew.
        if (protocol === 'dm2' && opens === 'always') interactions.abandon(deviceId);
        const answer = await runner.deliver(message);
        if (isOwn(answer) || protocol === 'dm2') admission.count(deviceId);
        else admission.countClaimed(deviceId, request.peer);
        return answer;
      },
    },
    authenticateDm2: async ({ headers, url, certificate, peer }, deviceId) => {
      const { authorization } = headers;
      const verdict = await authenticator.verifyDm2({
        deviceId,
        ...(authorization !== undefined && { authorization }),
        method: 'POST',
        uri: url ?? DEVICE_PATH,
        ...(certificate && { certificate }),
        ...(peer !== undefined && { peer }),
      });
      if (!verdict.ok) admission.countClaimed(deviceId, peer);
      return verdict;
    },
  };
}

/** A session took the message, so it came from its device as far as DM 1.x can tell (1x§9.4). */
function isOwn(answer: Answer): boolean {
  return answer.kind === 'reply' ? !answer.claimed : answer.kind === 'lost';
}

import type { Command } from '../dm1/message.ts';
import type { ServerCommandAnswer } from '../dm1/session/client.ts';
import { type Alert, type RawCommand, SESSION_ALERT } from '../dm2/packages.ts';
import type { ErrorCode } from '../support/errors.ts';
import { instancesOf } from './addresses.ts';
import { alertsToDm2 } from './alerts.ts';
import { Dm2BackendLeg, mosOf } from './backendLeg.ts';
import type { SessionContext } from './context.ts';
import { LegacyServer, toItems } from './n2l/dm2DeviceOnLegacyBackend.ts';
import { DEVINFO } from './n2l/mounts.ts';
import type { DeviceAlert, Script } from './script.ts';
import { Session } from './session.ts';

/** What is to be delivered, and where if not to the backend's own URL. */
export type Delivery = DeviceAlert & { readonly correlator?: string; readonly url?: string };

export type DeliveryOutcome =
  /** The backend took it. */
  | { readonly kind: 'delivered' }
  /** No repeat will change its mind. */
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string };

/** Failures that a repeat does not mend. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'backend-refused',
  'outbound-refused',
  'bad-address',
  'too-large',
]);

/**
 * A backend session of its own for an alert whose device is not there (IW-ALERT-6, IW-EXEC-2). Commands
 * that the backend sends are answered as those of a device that left: 500, not executed (IW-SES-10).
 */
export function* deliverAlert(context: SessionContext, delivery: Delivery): Script<DeliveryOutcome> {
  const s = new Session(context);
  if (context.backend.protocol === 'dm2') return yield* toDm2(s, delivery);
  if (delivery.protocol === 'dm2') return yield* toLegacyServer(s, delivery);
  return {
    kind: 'refused',
    detail: `Backend ${context.backend.name} is a DM 1.x server now, and so was the alert's device.`,
  };
}

function* toDm2(s: Session, delivery: Delivery): Script<DeliveryOutcome> {
  const alerts = delivery.protocol === 'dm1' ? yield* alertsToDm2(s, [delivery.alert]) : [delivery.alert];
  if (alerts.length === 0) return { kind: 'delivered' };
  const backend = new Dm2BackendLeg(s);
  const opening: Alert = { AlertType: SESSION_ALERT.clientInitiated };
  const package1 = { MOS: mosOf(s), Alert: [opening, ...alerts] };
  const answer = yield* backend.forward(package1, delivery.url);
  if (!answer.ok) return failed(answer);
  const { CMD } = answer.package2;
  if (CMD.length > 0 && !CMD.some(isEnd)) {
    yield* s.note('IW-SES-10', `${CMD.length} commands were not executed: their device is not there.`);
    // The alert is theirs already, whatever becomes of this.
    yield* backend.respond(
      CMD.map(() => ({ sc: 500 })),
      [],
    );
  }
  return { kind: 'delivered' };
}

function* toLegacyServer(
  s: Session,
  { alert, correlator }: Extract<Delivery, { protocol: 'dm2' }>,
): Script<DeliveryOutcome> {
  const server = new LegacyServer(s, []);
  const [mount] = instancesOf(s, DEVINFO);
  const due = [{ n: 0, alert, ...(correlator !== undefined && { correlator }) }];
  let asked = yield* server.open(mount ? toItems(s, mount) : [], due);
  let settled = server.settled();
  if (asked.kind === 'commands') {
    yield* s.note('IW-SES-10', 'Commands were not executed: their device is not there.');
    asked = yield* server.answer(
      asked.commands.map(({ command }) => absent(command)),
      [],
    );
    settled = [...settled, ...server.settled()];
  }
  if (asked.kind === 'commands' || asked.kind === 'given-up') yield* server.abort();
  yield* s.save();
  const [verdict] = settled;
  if (verdict) {
    return verdict.refused === undefined
      ? { kind: 'delivered' }
      : { kind: 'refused', detail: verdict.refused };
  }
  switch (asked.kind) {
    case 'refused':
      return { kind: 'failed', detail: `The legacy server answered ${asked.code} to the header.` };
    case 'gone':
      return failed(server.gone);
    default:
      return { kind: 'failed', detail: 'The legacy server did not accept the alert.' };
  }
}

function failed({ code, detail }: { readonly code: ErrorCode; readonly detail: string }): DeliveryOutcome {
  return { kind: FINAL.has(code) ? 'refused' : 'failed', detail };
}

function absent(command: Command): ServerCommandAnswer {
  return {
    code: 500,
    ...('commands' in command && { children: command.commands.map(absent) }),
  };
}

function isEnd([verb]: RawCommand): boolean {
  return verb?.trim().toUpperCase() === 'END';
}

import type { Machine } from '../dm1/turn.ts';
import type { AuthVerdict, BackendEvent, DeviceEvent, Script } from './script.ts';
import type { Session } from './session.ts';

/** Drives a DM 1.x state machine whose peer is the session's device; `beforeAnswer` runs before each answer to it. */
export function* driveDevice<R>(
  s: Session,
  machine: Machine<R>,
  on: {
    readonly gone: (reason: Extract<DeviceEvent, { kind: 'gone' }>['reason']) => void;
    readonly strayed: () => void;
    readonly beforeAnswer: () => Script<void>;
  },
): Script<R> {
  let step = machine.next();
  while (!step.done) {
    const turn = step.value;
    switch (turn.kind) {
      case 'verify': {
        const verdict: AuthVerdict = yield* s.perform({
          kind: 'authenticate',
          header: turn.header,
          ...(turn.cred && { cred: turn.cred }),
        });
        step = machine.next(verdict);
        break;
      }
      case 'store': {
        const { kind: _, ...piece } = turn;
        step = machine.next((yield* s.perform({ kind: 'object.append', ...piece })).chunk);
        break;
      }
      case 'send': {
        yield* on.beforeAnswer();
        const event = yield* s.perform({
          kind: 'device.exchange',
          reply: { protocol: 'dm1', message: turn.message, ...(turn.present && { present: turn.present }) },
        });
        if (event.kind === 'gone') on.gone(event.reason);
        if (event.kind === 'dm1' && event.strays) on.strayed();
        step = machine.next(event.kind === 'dm1' ? event.message : undefined);
        break;
      }
    }
  }
  return step.value;
}

/** Drives a DM 1.x state machine whose peer is the legacy backend; `url` is read anew at every message. */
export function* driveBackend<R>(
  s: Session,
  machine: Machine<R>,
  url: () => string | undefined,
  onFailed: (failure: Extract<BackendEvent, { kind: 'failed' }>) => void,
): Script<R> {
  let step = machine.next();
  while (!step.done) {
    const turn = step.value;
    if (turn.kind === 'verify') {
      // The legacy server is known by its URL and TLS identity; we never challenge it (1x§9.4, 6).
      step = machine.next({ ok: true, status: 212, scheme: 'none' });
      continue;
    }
    if (turn.kind === 'store') {
      const { kind: _, ...piece } = turn;
      step = machine.next((yield* s.perform({ kind: 'object.append', ...piece })).chunk);
      continue;
    }
    const to = url();
    const event = yield* s.perform({
      kind: 'backend.exchange',
      send: {
        protocol: 'dm1',
        message: turn.message,
        ...(to !== undefined && { url: to }),
        ...(turn.present && { present: turn.present }),
      },
    });
    if (event.kind === 'failed') onFailed(event);
    step = machine.next(event.kind === 'dm1' ? event.message : undefined);
  }
  return step.value;
}

import type { Alert, MoItem, Package1, Package2, Package3, StatusItem } from '../dm2/packages.ts';
import type { BackendEvent, Script } from './script.ts';
import type { Session } from './session.ts';

export type BackendAnswer =
  | { readonly ok: true; readonly package2: Package2; readonly accept?: string }
  | { readonly ok: false; readonly detail: string };

/** The gateway as a DM 2.0 client of the session's backend. */
export class Dm2BackendLeg {
  readonly #s: Session;
  #url: string | undefined;
  /** OMADM-Accept as last told (20§9). */
  accept: string | undefined;

  constructor(s: Session) {
    this.#s = s;
  }

  /** From the next package on (IW-SES-9); `undefined` goes back to the configured URL. */
  continueAt(url: string | undefined): void {
    this.#url = url;
  }

  /** Opens a backend session with what the device has and how it came (IW-SES-6); absent URL: the configured one. */
  *initiate(alerts: readonly Alert[], url?: string): Script<BackendAnswer> {
    return yield* this.forward({ MOS: mosOf(this.#s), ...(alerts.length > 0 && { Alert: alerts }) }, url);
  }

  /** Opens a backend session with a device's own Package#1. */
  *forward(package1: Package1, url?: string): Script<BackendAnswer> {
    this.#url = url;
    return this.#take(
      yield* this.#s.perform({
        kind: 'backend.exchange',
        send: { protocol: 'dm2', package1, ...this.#at() },
      }),
    );
  }

  *respond(status: readonly StatusItem[], alerts: readonly Alert[]): Script<BackendAnswer> {
    const package3: Package3 = { Status: status, ...(alerts.length > 0 && { Alert: alerts }) };
    return this.#take(
      yield* this.#s.perform({
        kind: 'backend.exchange',
        send: { protocol: 'dm2', package3, ...this.#at() },
      }),
    );
  }

  #at(): { url?: string } {
    return this.#url === undefined ? {} : { url: this.#url };
  }

  #take(event: BackendEvent): BackendAnswer {
    switch (event.kind) {
      case 'package2':
        if (event.accept !== undefined) this.accept = event.accept;
        return { ok: true, package2: event.package2 };
      case 'failed':
        return { ok: false, detail: event.detail };
      case 'dm1':
        return { ok: false, detail: 'The backend answered with a DM 1.x message.' };
    }
  }
}

/** The device's objects for Package#1: one item per MOID, with all its instances (20§2.4). */
export function mosOf(s: Session): MoItem[] {
  const items = new Map<string, { DDF?: string; MOID: string; MIID: string[] }>();
  for (const { moid, miid, ddf } of s.mounts) {
    const item = items.get(moid);
    if (item) item.MIID.push(miid);
    else items.set(moid, { ...(ddf !== undefined && { DDF: ddf }), MOID: moid, MIID: [miid] });
  }
  return [...items.values()];
}

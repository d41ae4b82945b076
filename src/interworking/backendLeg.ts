import { type Dialect, placeOfCommands } from '../dm2/dialects/index.ts';
import type { Alert, MoItem, Package1, Package2, Package3, StatusItem } from '../dm2/packages.ts';
import type { ErrorCode } from '../support/errors.ts';
import { isVisible } from './access/rights.ts';
import { backendDialect } from './dialects.ts';
import type { BackendEvent, Script } from './script.ts';
import type { Session } from './session.ts';

export type BackendAnswer =
  | { readonly ok: true; readonly package2: Package2; readonly accept?: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

/** The gateway as a DM 2.0 client of the session's backend. */
export class Dm2BackendLeg {
  readonly #s: Session;
  /** How it speaks and what it can do. */
  readonly dialect: Dialect;
  #url: string | undefined;
  #packages = 0;
  /** Number of its last commands, where they are numbered (20§1.1). */
  #msgId: number | undefined;
  /** OMADM-Accept as last told (20§9). */
  accept: string | undefined;

  constructor(s: Session) {
    this.#s = s;
    this.dialect = backendDialect(s.context);
  }

  /** Alerts may stand beside Status items; where not, they have to wait for an opening (20§1.1). */
  get takesAlertsAnyTime(): boolean {
    return this.dialect.capabilities.statusCarriesAlerts;
  }

  /** From the next package on (IW-SES-9); `undefined` goes back to the configured URL. */
  continueAt(url: string | undefined): void {
    this.#url = url;
  }

  /** Opens a backend session with what the device has and how it came (IW-SES-6); absent URL: the configured one. */
  *initiate(alerts: readonly Alert[], url?: string): Script<BackendAnswer> {
    return yield* this.forward({ MOS: mosOf(this.#s), ...(alerts.length > 0 && { Alert: alerts }) }, url);
  }

  /**
   * Opens a backend session with a device's own Package#1, at `url` if not at the configured one;
   * `unchanged`: in its own bytes.
   */
  *forward(package1: Package1, url?: string, unchanged = false): Script<BackendAnswer> {
    this.#url = url;
    this.#msgId = undefined;
    const { devInfo } = this.#s;
    const { opening } = this.#s.context;
    const items = opening.protocol === 'dm2' ? opening.items : undefined;
    const event = yield* this.#s.perform({
      kind: 'backend.exchange',
      send: {
        protocol: 'dm2',
        package1,
        ...(this.dialect.capabilities.openingCarriesDevInfo && { devInfo, ...(items && { items }) }),
        ...this.#at(),
        ...(unchanged && { unchanged }),
      },
    });
    return yield* this.#take(event);
  }

  /** `unchanged`: the device said just that, and its own bytes pass. `left`: it is there for no more commands. */
  *respond(
    status: readonly StatusItem[],
    alerts: readonly Alert[],
    { unchanged = false, left = false } = {},
  ): Script<BackendAnswer> {
    const package3: Package3 = { Status: status, ...(alerts.length > 0 && { Alert: alerts }) };
    const event = yield* this.#s.perform({
      kind: 'backend.exchange',
      send: {
        protocol: 'dm2',
        package3,
        ...(this.#msgId !== undefined && { msgId: this.#msgId }),
        ...this.#at(),
        ...(unchanged && { unchanged }),
        ...(left && { left }),
      },
    });
    return yield* this.#take(event);
  }

  #at(): { url?: string } {
    return this.#url === undefined ? {} : { url: this.#url };
  }

  *#take(event: BackendEvent): Script<BackendAnswer> {
    switch (event.kind) {
      case 'package2': {
        const { package2, accept, msgId, remarks = [] } = event;
        const { messages } = this.#s.context.limits;
        this.#packages += 1;
        // Commands that the gateway answers itself reach no device whose patience would end this.
        if (this.#packages > messages) {
          const detail = `It has sent ${messages} packages without coming to an end (limits.messages).`;
          return { ok: false, code: 'backend-failed', detail };
        }
        if (accept !== undefined) this.accept = accept;
        for (const text of remarks) yield* this.#s.note('IW-SES-1', `The backend's dialect: ${text}`);
        const { name } = this.dialect;
        const deviceId = this.#s.context.device.id;
        const numbered = msgId === undefined ? {} : { msgId };
        const soFar = this.#msgId === undefined ? {} : { msgId: this.#msgId };
        const place = placeOfCommands({ dialect: name, deviceId, ...soFar }, { dialect: name, ...numbered });
        if (place === 'next') {
          this.#msgId = msgId;
          return { ok: true, package2 };
        }
        const detail = place === 'repeated' ? `MsgID ${msgId} comes again.` : place.detail;
        return { ok: false, code: 'backend-failed', detail: `The commands are out of order: ${detail}` };
      }
      case 'failed':
        return { ok: false, code: event.code, detail: event.detail };
      case 'http':
        return { ok: false, code: 'backend-failed', detail: `The backend answered HTTP ${event.status}.` };
      case 'dm1':
        return { ok: false, code: 'backend-failed', detail: 'The backend answered with a DM 1.x message.' };
    }
  }
}

/** The device's objects for Package#1: one item per MOID, with all its instances (20§2.4). */
export function mosOf(s: Session): MoItem[] {
  const items = new Map<string, { DDF?: string; MOID: string; MIID: string[] }>();
  for (const { moid, miid, ddf } of s.mounts.filter((mount) => isVisible(s, mount))) {
    const item = items.get(moid);
    if (item) item.MIID.push(miid);
    else items.set(moid, { ...(ddf !== undefined && { DDF: ddf }), MOID: moid, MIID: [miid] });
  }
  return [...items.values()];
}

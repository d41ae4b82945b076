import { createHash } from 'node:crypto';
import { readNotification } from '../../interworking/notification/read.ts';
import type {
  Connection,
  NotificationForm,
  UiMode,
  WakeRequest,
} from '../../interworking/notification/wakeRequest.ts';
import { type Clock, hours, minutes, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Config } from '../config/config.ts';
import type { DeviceRecord } from '../registry/device.ts';
import type { Registry } from '../registry/registry.ts';
import { compose, formOf, type OwnPlace } from './compose.ts';
import type { Wakeup } from './wakeup.ts';
import type { Wakeups } from './wakeups.ts';

/** What the REST API asks for; all of it has a default. */
export interface NotifyBody {
  readonly form?: NotificationForm;
  readonly uiMode?: UiMode;
  readonly initiator?: 'user' | 'server';
  readonly connection?: Connection;
  /** Name of a transport, and the device's address there. */
  readonly via?: string;
  readonly address?: string;
}

export interface NotifierOptions {
  readonly registry: Registry;
  readonly wakeups: Wakeups;
  readonly config: Pick<Config, 'notifications' | 'backends'> & {
    readonly limits: { readonly notificationHours: number };
  };
  readonly own: OwnPlace;
  readonly now?: Clock;
}

/** How far the clocks of a server and this machine may be apart. */
const CLOCKS_DIFFER = minutes(5);

/** Takes requests to wake a device up: from the REST API, from jobs, and as Package#0 of a server (IW-NOT-1). */
export class Notifier {
  readonly #o: NotifierOptions;
  readonly #now: Clock;

  constructor(options: NotifierOptions) {
    this.#o = options;
    this.#now = options.now ?? systemClock;
  }

  /** Throws `not-found` for an unknown device, `bad-value` for what cannot be sent, `overload`. */
  async ask(deviceId: string, body: NotifyBody): Promise<Wakeup> {
    const { uiMode, initiator, connection } = body;
    const request: WakeRequest = {
      ...(uiMode !== undefined && { uiMode }),
      ...(initiator !== undefined && { initiator }),
      ...(connection !== undefined && { connection }),
    };
    return this.#request(deviceId, request, body, { askedBy: 'api' });
  }

  /** A job waits; it is not worth waking the device up for once a session has taken it. */
  async forJob(deviceId: string, jobId: string): Promise<Wakeup> {
    return this.#request(deviceId, {}, {}, { askedBy: 'job', jobId });
  }

  /**
   * A Package#0 of any form, as its server would have sent it to the device. One that comes again begins
   * nothing new (IW-NOT-2). Throws `malformed` for bytes that are none, `forbidden` for one of a server that
   * the configuration does not know, `bad-value` for one sent too long ago or in the future.
   */
  async receive(deviceId: string, bytes: Uint8Array): Promise<Wakeup> {
    const { form, request, timestamp } = readNotification(bytes);
    const { serverId, ...rest } = request;
    const server = serverId === undefined ? undefined : this.#server(serverId);
    if (timestamp !== undefined) this.#checkTimestamp(timestamp * 1000);
    return this.#request(
      deviceId,
      rest,
      {},
      {
        askedBy: `server:${server ?? ''}`,
        assumed: form,
        source:
          request.id === undefined || server === undefined
            ? createHash('sha256').update(bytes).digest('base64url')
            : JSON.stringify([form, server, request.id]),
      },
    );
  }

  #checkTimestamp(sent: number): void {
    const now = this.#now();
    const problem =
      sent < now - hours(this.#o.config.limits.notificationHours)
        ? 'is older than limits.notificationHours'
        : sent > now + CLOCKS_DIFFER
          ? 'lies in the future; set the clock of its server'
          : undefined;
    if (problem) throw new DragomanError('bad-value', `The TIMESTAMP of the notification ${problem}.`);
  }

  #server(serverId: string): string {
    const known = Object.values(this.#o.config.backends).flatMap((backend) =>
      backend.protocol === 'builtin' ? [] : [backend.serverId],
    );
    if (known.includes(serverId)) return serverId;
    throw new DragomanError(
      'forbidden',
      `No backend has the serverId ${JSON.stringify(serverId.slice(0, 100))} that the notification names.`,
    );
  }

  async #request(
    deviceId: string,
    request: WakeRequest,
    { form, via, address }: NotifyBody,
    {
      assumed,
      ...from
    }: {
      readonly askedBy: string;
      readonly source?: string;
      readonly jobId?: string;
      /** Form for a device that had no session yet: a server that wakes it up knows what it understands. */
      readonly assumed?: NotificationForm;
    },
  ): Promise<Wakeup> {
    const device = await this.#o.registry.get(deviceId);
    if (!device) throw new DragomanError('not-found', `There is no device ${JSON.stringify(deviceId)}.`);
    const chosen = form ?? (device.protocol === undefined ? assumed : undefined) ?? formOf(device);
    // What cannot be built is refused now, not when it is due.
    const { notes } = compose(
      { form: chosen, request, number: request.id || 1, sent: 0 },
      device,
      this.#o.own,
      this.#now(),
    );
    return this.#o.wakeups.request({
      deviceId,
      request,
      form: chosen,
      ...this.#route(device, via, address),
      notes,
      ...from,
    });
  }

  #route(
    { notify }: DeviceRecord,
    via = notify.via ?? this.#o.config.notifications.via,
    address = notify.address,
  ): { via: string; address?: string } {
    const { transports } = this.#o.config.notifications;
    if (via === undefined) {
      throw new DragomanError(
        'bad-value',
        'No transport is chosen: give `via`, register notifyVia for the device, or set notifications.via.',
      );
    }
    const transport = Object.hasOwn(transports, via) ? transports[via] : undefined;
    if (!transport) {
      const known = Object.keys(transports).join(', ') || 'none';
      throw new DragomanError('bad-value', `There is no transport "${via}"; the configuration has ${known}.`);
    }
    if (address === undefined && transport.type !== 'webhook') {
      throw new DragomanError(
        'bad-value',
        `Transport ${via} needs an address: give \`address\`, or register notifyAddress for the device.`,
      );
    }
    return { via, ...(address !== undefined && { address }) };
  }
}

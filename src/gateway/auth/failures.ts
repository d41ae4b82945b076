import type { Clock, Milliseconds } from '../../support/durations.ts';
import type { Logger } from '../../support/log.ts';
import type { DeviceRecord } from '../registry/device.ts';
import type { Registry } from '../registry/registry.ts';
import type { Source } from './attempts.ts';
import { Throttle } from './throttle.ts';

export interface FailureOptions {
  readonly registry: Registry;
  readonly now: Clock;
  readonly log: Logger;
  readonly onFailure: (protocol: 'dm1' | 'dm2') => void;
}

const REPORTED_FROM = 5;

/** What came of attempts so far: who has to wait, and what the registry remembers of it (IW-AUTH-5). */
export class FailureRecord {
  readonly #o: FailureOptions;
  readonly #throttle: Throttle;

  constructor(options: FailureOptions) {
    this.#o = options;
    this.#throttle = new Throttle(options.now);
  }

  /** The device, if it is known; takes over what is remembered of its failures. */
  async recall(source: Source): Promise<DeviceRecord | undefined> {
    const record = await this.#o.registry.get(source.deviceId);
    if (record) this.#throttle.recall(throttled(source), record.failures, record.failedAt);
    return record;
  }

  /** How long it must not try again; 0 when it may. */
  wait(source: Source): Milliseconds {
    return this.#throttle.wait(throttled(source));
  }

  async failed(source: Source, record: DeviceRecord | undefined, protocol: 'dm1' | 'dm2'): Promise<void> {
    const { deviceId } = source;
    const { registry, log, onFailure } = this.#o;
    onFailure(protocol);
    const failures = this.#throttle.failed(throttled(source));
    if (record) await registry.failed(deviceId);
    if (failures < REPORTED_FROM) return;
    log.warn({ device: deviceId, protocol, failures }, 'device keeps failing to authenticate');
  }

  /** Its credentials are good, and the registry need not remember failures of them any more. */
  async succeeded(source: Source, record: DeviceRecord, protocol: 'dm1' | 'dm2'): Promise<void> {
    await this.vouched(source, protocol);
    if (record.failures > 0) await this.#o.registry.succeeded(record.id);
  }

  /** Its certificate is good, which says nothing of credentials that are on file for it. */
  async vouched(source: Source, protocol: 'dm1' | 'dm2'): Promise<void> {
    this.#throttle.succeeded(throttled(source));
    await this.#o.registry.firstContact(source.deviceId, protocol);
  }
}

/** Failures count for the device's name and the place together: a stranger elsewhere slows itself down. */
function throttled({ deviceId, peer = '' }: Source): string {
  return `${peer} ${deviceId}`;
}

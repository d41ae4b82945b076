import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import type { LoggedMessage } from '../../src/simulator/eventLog.ts';
import type { Fault, HttpRequest } from '../../src/simulator/httpServer.ts';
import type { MortalGateway } from './mortal.ts';

/** Devices that send again until a new process listens. */
export const PATIENT = { attempts: 400, retryDelayMs: 25, timeoutMs: 10_000, resendStatuses: [503] };

/** A device that goes message by message. */
export interface Stepping {
  begin(): void;
  step(): Promise<boolean>;
}

/** What happens around one message of the device. */
export type Moment = (gateway: MortalGateway, send: () => Promise<boolean>) => Promise<boolean>;

export const calm: Moment = (_, send) => send();

/** The message lies in the socket of a process that never reads it. */
export const unread: Moment = async (gateway, send) => {
  gateway.freeze();
  const sent = send();
  await wait(15);
  await gateway.rebirth();
  return sent;
};

/** The process dies as soon as the device has its answer. */
export const answered: Moment = async (gateway, send) => {
  const more = await send();
  await gateway.rebirth();
  return more;
};

/** The process dies some time after the message was sent, in the middle of whatever it does. */
export const amid =
  (ms: number): Moment =>
  async (gateway, send) => {
    const sent = send();
    await wait(ms);
    await gateway.rebirth();
    return sent;
  };

export const at =
  (k: number, moment: Moment) =>
  (n: number): Moment =>
    n === k ? moment : calm;
export const always = (moment: Moment) => () => moment;

/** Where deaths happen in one session: around the device's messages, and while a backend holds an answer. */
export interface Deaths {
  readonly moment: (message: number) => Moment;
  readonly strikes?: (request: number) => boolean;
}

export const NO_DEATHS: Deaths = { moment: always(calm) };

/** Runs a session with its deaths and returns how many there were. */
export async function live(gateway: MortalGateway, device: Stepping, { moment }: Deaths): Promise<number> {
  const before = gateway.deaths;
  device.begin();
  for (let n = 1; await moment(n)(gateway, () => device.step()); n += 1);
  return gateway.deaths - before;
}

/**
 * A backend's `fault` that kills the gateway while an answer is held, and that tells repeated requests
 * from new ones by their bytes, as a backend has to whose last answer may not have arrived.
 */
export class Assassin {
  gateway: MortalGateway | undefined;
  /** Requests that were no repeats. */
  count = 0;
  #strikes: (request: number) => boolean = () => false;
  readonly #messages: () => readonly LoggedMessage[];
  #begin = 0;
  #struck = '';

  constructor(messages: () => readonly LoggedMessage[]) {
    this.#messages = messages;
  }

  /** A new session: what came before is forgotten. */
  begin({ strikes = () => false }: Deaths): void {
    this.count = 0;
    this.#strikes = strikes;
    this.#begin = this.#messages().length;
    this.#struck = '';
  }

  readonly fault = async (request: HttpRequest): Promise<Fault> => {
    const earlier = this.#messages().slice(this.#begin, -1).filter(isPost);
    const last = earlier.findLastIndex(({ direction }) => direction === 'received');
    const before = earlier[last];
    if (
      before &&
      isPost({ url: request.path }) &&
      request.method === 'POST' &&
      Buffer.compare(before.bytes, request.body) === 0
    ) {
      const answer = earlier[last + 1];
      return answer && reply(answer);
    }
    const { method, path, body } = request;
    const same = `${method} ${path} ${Buffer.from(body).toString('latin1')}`;
    if (same === this.#struck) return undefined;
    this.count += 1;
    if (!this.#strikes(this.count)) return undefined;
    this.#struck = same;
    await this.gateway?.rebirth();
    return 'lose';
  };
}

function isPost({ url }: { readonly url: string }): boolean {
  return !url.includes('/repository/');
}

function reply({ status = 200, contentType, bytes }: LoggedMessage): Fault {
  return { status, headers: { 'content-type': contentType }, body: bytes };
}

/** Every point of a session at which the process may die, with a name for each. */
export function deaths(options: {
  messages: number;
  requests: number;
  each: boolean;
  amids: readonly number[];
}): [string, Deaths][] {
  const { messages, requests, each, amids } = options;
  const found: [string, Deaths][] = [
    ['before it reads every message', { moment: always(unread) }],
    ['after every answer', { moment: always(answered) }],
    ['while the backend holds every answer', { moment: always(calm), strikes: () => true }],
    ...amids.map((ms): [string, Deaths] => [`${ms} ms into every message`, { moment: always(amid(ms)) }]),
  ];
  if (!each) return found;
  for (let k = 1; k <= messages; k += 1) {
    found.push([`before it reads message ${k}`, { moment: at(k, unread) }]);
  }
  for (let k = 1; k <= requests; k += 1) {
    found.push([`while the backend holds answer ${k}`, { moment: always(calm), strikes: (n) => n === k }]);
  }
  return found;
}

/** Runs `session` without and with every death, and expects the same of all. */
export async function expectUnnoticed<T extends { messages: number }>(
  { each, amids }: { each: boolean; amids: readonly number[] },
  session: (deaths: Deaths, n: number) => Promise<{ told: T; died: number; requests: number }>,
): Promise<T> {
  const whole = await session(NO_DEATHS, 0);
  expect(whole.died).toBe(0);
  const list = deaths({ messages: whole.told.messages, requests: whole.requests, each, amids });
  for (const [n, [name, death]] of list.entries()) {
    const { told, died } = await session(death, n + 1);
    expect(died, name).toBeGreaterThan(0);
    expect(told, `killed ${name}`).toEqual(whole.told);
  }
  return whole.told;
}

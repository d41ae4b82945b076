import { afterEach, expect, it } from 'vitest';
import type { DeviceRequest, DeviceResponse } from '../../../src/gateway/sessions/devicePort.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import {
  type Boundary,
  dm1Request,
  dm2Request,
  statusBody,
  type ToyGateway,
  toyGateway,
  WBXML,
  type World,
} from './toySession.ts';

const DM2 = (id: string): DeviceRequest[] => [
  dm2Request(id, 'initiation', { Alert: [{ AlertType: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt' }] }),
  dm2Request(id, 'response', { Status: [{ sc: 200 }] }),
  dm2Request(id, 'response', { Status: [{ sc: 202 }] }),
];

/** Its second Package#3 looks like the first. */
const DM2_ALIKE = (id: string): DeviceRequest[] => [...DM2(id).slice(0, 2), ...DM2(id).slice(1, 2)];

const DM1 = (id: string): DeviceRequest[] => [
  dm1Request(id, { cred: 'very secret' }),
  dm1Request(id, { msgId: '2', body: statusBody('1') }),
  dm1Request(id, { msgId: '3', body: statusBody('2') }),
];

const DM1_WBXML = (id: string): DeviceRequest[] => [
  dm1Request(id, { cred: 'very secret', encoding: WBXML }),
  dm1Request(id, { msgId: '2', body: statusBody('1'), encoding: WBXML }),
  dm1Request(id, { msgId: '3', body: statusBody('2'), encoding: WBXML }),
];

/** A process that stops for ever at the boundary with that number. */
class Mortal {
  readonly died: Promise<void>;
  readonly seen: string[] = [];
  #die: () => void = () => {};
  readonly #at: number;

  constructor(at: number) {
    this.#at = at;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  readonly boundary: Boundary = (where) => {
    this.seen.push(where);
    if (this.seen.length !== this.#at) return Promise.resolve();
    this.#die();
    return new Promise(() => {});
  };
}

/** The store as a mortal process sees it: it may die before and after every commit. */
function mortalStore(store: Store, { boundary }: Mortal): Store {
  const sessions = replaceMember(store.sessions, 'commit', async (writes) => {
    await boundary('before commit');
    const outcome = await store.sessions.commit(writes);
    await boundary('after commit');
    return outcome;
  });
  return replaceMember(store, 'sessions', sessions);
}

/** `target` with one member replaced; its other methods keep their private state. */
function replaceMember<T extends object, K extends keyof T>(target: T, name: K, member: T[K]): T {
  return new Proxy(target, {
    get(_proxy, key) {
      if (key === name) return member;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * Whether the answer has arrived and no commit has said so yet: until then nobody can tell the next
 * Package#3 of the same bytes from a repeat.
 */
function undecidable(boundaries: readonly string[], at: number): boolean {
  const arrived = boundaries.slice(0, at - 1).lastIndexOf('before delivery');
  return arrived >= 0 && !boundaries.slice(arrived, at).includes('after commit');
}

const AT = 1_700_000_000_000;

function shown({ status, headers, body }: DeviceResponse): string {
  return `${status} ${JSON.stringify(headers)} ${Buffer.from(body).toString('latin1')}`;
}

interface Run {
  readonly answers: string[];
  readonly acts: string[];
  readonly boundaries: string[];
  readonly gateway: ToyGateway;
}

/** A device's whole session with a gateway that dies at boundary `at` and is started again. */
async function run(store: Store, messages: DeviceRequest[], at: number): Promise<Run> {
  const world: World = { acts: [] };
  const mortal = new Mortal(at);
  const now = () => AT;
  let gateway = toyGateway(mortalStore(store, mortal), { world, boundary: mortal.boundary, now });
  const answers: string[] = [];
  let dead = false;
  for (const message of messages) {
    if (dead) {
      answers.push(shown(await gateway.port.handle(message)));
      continue;
    }
    let got: DeviceResponse | undefined;
    let arrived: (ok: boolean) => void = () => {};
    const request = {
      ...message,
      delivered: new Promise<boolean>((resolve) => {
        arrived = resolve;
      }),
    };
    const handled = gateway.port.handle(request).then(async (response) => {
      await mortal.boundary('before delivery');
      got = response;
      arrived(true);
      await new Promise((resolve) => setTimeout(resolve, 0));
      await mortal.boundary('after delivery');
      return response;
    });
    let response = await Promise.race([handled, mortal.died.then(() => undefined)]);
    if (!response) {
      dead = true;
      gateway = toyGateway(store, { world, now });
      response = got ?? (await gateway.port.handle(message));
    }
    answers.push(shown(response));
  }
  return { answers, acts: world.acts, boundaries: mortal.seen, gateway };
}

onEveryEngine('a node that dies', (newUrl) => {
  let store: Store | undefined;
  afterEach(async () => {
    await store?.close();
    store = undefined;
  });

  for (const [name, messages] of Object.entries({
    'DM 2.0': DM2,
    'repetitive DM 2.0': DM2_ALIKE,
    'DM 1.x XML': DM1,
    'DM 1.x WBXML': DM1_WBXML,
  })) {
    it(`at any boundary is not noticed by a ${name} device [IW-SES-4]`, async () => {
      store = await openStore(await newUrl());
      const whole = await run(store, messages('D0000'), 0);
      expect(whole.answers).toHaveLength(3);
      expect(whole.answers.every((a) => a.startsWith('200'))).toBe(true);
      expect(whole.boundaries.length).toBeGreaterThan(30);
      for (let at = 1; at <= whole.boundaries.length; at += 1) {
        const where = whole.boundaries[at - 1];
        if (name.startsWith('repetitive') && undecidable(whole.boundaries, at)) continue;
        const id = `D${String(at).padStart(4, '0')}`;
        const crashed = await run(store, messages(id), at);
        const expected = whole.answers.map((a) => a.replaceAll('D0000', id));
        expect(crashed.answers, `death ${where} (${at})`).toEqual(expected);
        // Only what was under way may have been done twice; nothing is missing, nothing else repeated.
        const acts = whole.acts.map((a) => a.replaceAll('D0000', id));
        const extra = crashed.acts.filter(
          (act, i) => crashed.acts.indexOf(act) !== i && !acts.includes(act, acts.indexOf(act) + 1),
        );
        expect([...new Set(crashed.acts)], `death ${where} (${at})`).toEqual([...new Set(acts)]);
        expect(extra.length, `death ${where} (${at}): ${extra.join()}`).toBeLessThanOrEqual(OPENING_ACTS);
        expect(crashed.gateway.problems).toEqual([]);
      }
    }, 120_000);
  }
});

/** Acts on the gateway's own store since the last commit may be repeated with the one under way. */
const OPENING_ACTS = 4;

import { afterEach, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../src/dm1/codec.ts';
import type { DeviceResponse } from '../../../src/gateway/sessions/devicePort.ts';
import { readTrace } from '../../../src/gateway/sessions/trace.ts';
import type { SessionContext } from '../../../src/interworking/context.ts';
import { perform, type SessionScript } from '../../../src/interworking/script.ts';
import { SecretPaths } from '../../../src/mo/secretPaths.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { dm1Request, dm2Request, OPENING, statusBody, toyGateway, WBXML, type World } from './toySession.ts';

const NO_SECRETS = new SecretPaths([]);
const P1 = {};
const P3 = { Status: [{ sc: 200 }] };
const AT = 1_700_000_000_000;

function textOf(response: DeviceResponse): string {
  return Buffer.from(response.body).toString('utf8');
}

function never(): Promise<boolean> {
  return new Promise(() => {});
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('It did not come to pass.');
}

/** Answers each message with how many it has had; ends when it is told so. */
const echoScript = echoes({});
/** The same for a client whose answers look alike. */
const echoAlike = echoes({ lookalike: true });

function echoes(look: { readonly lookalike?: true }): (context: SessionContext) => SessionScript {
  return (context) => echo(context, look);
}

function* echo({ opening }: SessionContext, look: { readonly lookalike?: true }): SessionScript {
  if (opening.protocol === 'dm1') throw new Error('not for legacy devices');
  for (let n = 1; ; n += 1) {
    const next = yield* perform<'device.exchange'>({
      kind: 'device.exchange',
      reply: { protocol: 'dm2', package2: { CMD: [['GET', `${n}`]] }, ...(n > 1 && look) },
    });
    if (next.kind !== 'package3') return { ending: 'device-gone', detail: next.kind };
    if (next.package3.Status.length === 0) {
      return { ending: 'completed', reply: { protocol: 'dm2', package2: { CMD: [['END']] } } };
    }
  }
}

onEveryEngine('sessions', (newUrl) => {
  let store: Store;
  let opened: Store | undefined;
  async function fresh(): Promise<Store> {
    store = await openStore(await newUrl());
    opened = store;
    return store;
  }
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
  });

  it('give the stored answer to a repeated legacy message, byte for byte, and do nothing twice [IW-SES-4]', async () => {
    const world: World = { acts: [] };
    const { port, runner } = toyGateway(await fresh(), { world });
    const first = await port.handle(dm1Request('D', { cred: 'x' }));
    const acts = world.acts.length;
    expect(textOf(first)).toContain('secret of D 1,2');
    expect(await port.handle(dm1Request('D', { cred: 'x' }))).toEqual(first);
    const second = await port.handle(dm1Request('D', { msgId: '2', body: statusBody('1') }));
    expect(await port.handle(dm1Request('D', { msgId: '2', body: statusBody('1') }))).toEqual(second);
    expect(runner.live).toBe(1);
    expect(world.acts.filter((act) => act.startsWith('authenticate'))).toHaveLength(1);
    expect(world.acts.length).toBe(acts + 5);
  });

  it('repeat the last answer of a session that has ended [IW-SES-4]', async () => {
    const world: World = { acts: [] };
    const { port, runner } = toyGateway(await fresh(), { world });
    await port.handle(dm1Request('D'));
    await port.handle(dm1Request('D', { msgId: '2', body: statusBody('1') }));
    const last = await port.handle(dm1Request('D', { msgId: '3', body: statusBody('2') }));
    expect(runner.live).toBe(0);
    const acts = [...world.acts];
    expect(await port.handle(dm1Request('D', { msgId: '3', body: statusBody('2') }))).toEqual(last);
    expect(world.acts).toEqual(acts);
  });

  it('repeat an older answer too, while its session lives [IW-SES-4]', async () => {
    const { port } = toyGateway(await fresh());
    await port.handle(dm1Request('D'));
    const second = await port.handle(dm1Request('D', { msgId: '2', body: statusBody('1') }));
    const gone = dm1Request('D', { msgId: '2', body: statusBody('1', '212') });
    const refused = decodeMessage((await port.handle(gone)).body, 'xml').message;
    expect(refused.body).toMatchObject([{ kind: 'Status', cmd: 'SyncHdr', code: '400' }]);
    expect(await port.handle(dm1Request('D', { msgId: '2', body: statusBody('1') }))).toEqual(second);
    const third = await port.handle(dm1Request('D', { msgId: '3', body: statusBody('2') }));
    expect(textOf(third)).toContain('round 2');
  });

  it('take an identical Package#3 for a repeat only while its answer is not known to have arrived [IW-SES-4]', async () => {
    const { port } = toyGateway(await fresh(), { script: echoAlike });
    await port.handle(dm2Request('D', 'initiation', P1));
    const lost = await port.handle(dm2Request('D', 'response', P3, Promise.resolve(false)));
    expect(textOf(lost)).toBe('{"CMD":[["GET","2"]]}');
    expect(textOf(await port.handle(dm2Request('D', 'response', P3, never())))).toBe(textOf(lost));
    expect(textOf(await port.handle(dm2Request('D', 'response', P3)))).toBe(textOf(lost));
    expect(textOf(await port.handle(dm2Request('D', 'response', P3)))).toBe('{"CMD":[["GET","3"]]}');
  });

  it('remember over a restart that an answer arrived [IW-SES-4]', async () => {
    const before = toyGateway(await fresh(), { script: echoAlike });
    await before.port.handle(dm2Request('D', 'initiation', P1));
    await before.port.handle(dm2Request('D', 'response', P3));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await before.runner.journal.settled();
    const after = toyGateway(store, { script: echoAlike });
    expect(textOf(await after.port.handle(dm2Request('D', 'response', P3)))).toBe('{"CMD":[["GET","3"]]}');
  });

  it('take an identical Package#3 for a repeat where the next one cannot look like it [IW-SES-4]', async () => {
    const { port } = toyGateway(await fresh(), { script: echoScript });
    await port.handle(dm2Request('D', 'initiation', P1));
    const second = textOf(await port.handle(dm2Request('D', 'response', P3)));
    expect(second).toBe('{"CMD":[["GET","2"]]}');
    const after = toyGateway(store, { script: echoScript });
    for (const node of [port, after.port]) {
      expect(textOf(await node.handle(dm2Request('D', 'response', P3)))).toBe(second);
    }
    const elsewhere = { ...dm2Request('D', 'response', P3), url: '/dm?answers=2' };
    expect(textOf(await after.port.handle(elsewhere))).toBe('{"CMD":[["GET","3"]]}');
    expect(textOf(await after.port.handle(elsewhere))).toBe('{"CMD":[["GET","3"]]}');
    // Nobody gets the same package for ever, least of all a client that counts wrong and stays where it is.
    const answers: string[] = [];
    for (let n = 0; n < 4; n += 1) answers.push(textOf(await after.port.handle(elsewhere)));
    expect(answers.slice(-1)).toEqual(['{"CMD":[["GET","4"]]}']);
  });

  it('go on where their client was taken, under the URL that it posts to [IW-SES-3] [IW-SES-9]', async () => {
    const { port, runner } = toyGateway(await fresh(), { script: echoScript });
    await port.handle({ ...dm2Request('D', 'initiation', P1), url: '/dm/there' });
    await port.handle({ ...dm2Request('D', 'response', P3), url: '/dm?answers=1' });
    await runner.journal.settled();
    const [row] = await store.sessions.keyedOf('D');
    expect(row?.key).toBe('dm2:1:D:/dm');
  });

  it('handle messages of one device in order while others go on [IW-SES-5]', async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const world: World = { acts: [], gate };
    const { port } = toyGateway(await fresh(), {
      world,
    });
    const order: string[] = [];
    const slow = port
      .handle(dm2Request('slow', 'initiation', P1))
      .then((r) => order.push(`slow 1 ${r.status}`));
    const behind = port
      .handle(dm2Request('slow', 'response', P3))
      .then((r) => order.push(`slow 2 ${r.status}`));
    const other = await port.handle(dm2Request('quick', 'initiation', P1));
    expect(other.status).toBe(200);
    expect(order).toEqual([]);
    open();
    await Promise.all([slow, behind]);
    expect(order).toEqual(['slow 1 200', 'slow 2 200']);
  });

  it('end when their device opens another, and close their backend leg tidily [IW-SES-3]', async () => {
    const world: World = { acts: [] };
    const { port, runner, endings } = toyGateway(await fresh(), { world });
    await port.handle(dm1Request('D', { sessionId: '1' }));
    await port.handle(dm1Request('D', { sessionId: '2' }));
    await until(() => endings.length === 1);
    expect(endings).toEqual(['device-gone']);
    expect(world.acts.filter((act) => act.includes('"URI":["replaced"]'))).toHaveLength(1);
    expect(runner.live).toBe(1);
    const old = await port.handle(dm1Request('D', { sessionId: '1', msgId: '2', body: statusBody('1') }));
    expect(textOf(old)).toContain('<Data>500</Data>');
    const current = await port.handle(dm1Request('D', { sessionId: '2', msgId: '2', body: statusBody('1') }));
    expect(textOf(current)).toContain('round 1');
    const modern = await port.handle(dm2Request('D', 'initiation', P1));
    expect(modern.status).toBe(200);
    await until(() => endings.length === 2);
  });

  it('end for their device also when another node takes the new opening [IW-SES-3]', async () => {
    const world: World = { acts: [] };
    const a = toyGateway(await fresh(), { world });
    const b = toyGateway(store, { world });
    await a.port.handle(dm2Request('D', 'initiation', P1));
    await b.port.handle(dm2Request('D', 'initiation', { MOS: [] }));
    await until(() => b.endings.length === 1);
    expect(world.acts.filter((act) => act.includes('"URI":["replaced"]'))).toHaveLength(1);
    // The first node still holds the old session; the journal tells it better.
    expect(textOf(await a.port.handle(dm2Request('D', 'response', P3)))).toContain('round 1');
    expect(textOf(await b.port.handle(dm2Request('D', 'response', { Status: [{ sc: 202 }] })))).toContain(
      'round 2',
    );
  });

  it('wander between nodes message by message', async () => {
    const world: World = { acts: [] };
    const shared = { world, shared: true };
    const nodes = [toyGateway(await fresh(), shared), toyGateway(store, shared)];
    const answers: string[] = [];
    for (const [i, parts] of [
      {},
      { msgId: '2', body: statusBody('1') },
      { msgId: '3', body: statusBody('2') },
    ].entries()) {
      const response = await nodes[i % 2]!.port.handle(dm1Request('D', { ...parts, encoding: WBXML }));
      answers.push(Buffer.from(response.body).toString('latin1'));
    }
    expect(answers[1]).toContain('round 1');
    expect(answers[2]).toContain('round 2');
    const alone: World = { acts: [] };
    const single = toyGateway(store, { world: alone });
    for (const parts of [{}, { msgId: '2', body: statusBody('1') }, { msgId: '3', body: statusBody('2') }]) {
      await single.port.handle(dm1Request('E', parts));
    }
    const kinds = (acts: readonly string[]) => acts.map((act) => act.split(' ')[0]);
    expect(kinds(world.acts)).toEqual(kinds(alone.acts));
  });

  it('end when their device stays silent, also after a restart [IW-SES-11]', async () => {
    const world: World = { acts: [] };
    let clock = AT;
    const options = { world, now: () => clock, limits: { sessionSeconds: 10 } };
    const before = toyGateway(await fresh(), options);
    await before.port.handle(dm2Request('silent', 'initiation', P1));
    await before.port.handle(dm2Request('talking', 'initiation', P1));
    clock += 9_000;
    await before.port.handle(dm2Request('talking', 'response', P3));
    clock += 2_000;
    await before.runner.sweep();
    expect(before.endings).toEqual(['device-gone']);
    expect(world.acts.at(-1)).toContain('timeout');
    expect(before.runner.live).toBe(1);

    const after = toyGateway(store, options);
    await after.runner.sweep();
    expect(after.endings).toEqual([]);
    clock += 30_000;
    const rival = toyGateway(store, options);
    await Promise.all([after.runner.sweep(), rival.runner.sweep()]);
    expect([...after.endings, ...rival.endings]).toEqual(['device-gone']);
    expect(await store.sessions.countLive()).toBe(0);
    expect(textOf(await after.port.handle(dm2Request('talking', 'response', { Status: [] })))).toBe(
      '{"CMD":[["END"]]}',
    );
  });

  it('are not taken from a node that still handles their message [IW-SES-11]', async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const world: World = { acts: [], gate };
    let clock = AT;
    const options = { world, now: () => clock, limits: { sessionSeconds: 10 }, shared: true };
    const busy = toyGateway(await fresh(), options);
    const other = toyGateway(store, options);
    const slow = busy.port.handle(dm2Request('slow', 'initiation', P1));
    await until(async () => (await store.sessions.countLive()) === 1);
    for (let n = 0; n < 5; n += 1) {
      clock += 11_000;
      await busy.runner.sweep();
      await busy.runner.journal.settled();
      await other.runner.sweep();
    }
    expect(other.endings).toEqual([]);
    open();
    expect((await slow).status).toBe(200);
    expect(busy.endings).toEqual([]);
  });

  it('note in the trace what was left out of a message [IW-VAL-4]', async () => {
    const { port } = toyGateway(await fresh());
    const sent = dm1Request('D', {
      encoding: WBXML,
      body: [{ kind: 'Alert', cmdId: '1', code: '1201', items: [{ data: 'a~b' }] }],
    });
    const body = Buffer.from(sent.body);
    body[body.indexOf('a~b') + 1] = 1;
    expect((await port.handle({ ...sent, body })).status).toBe(200);
    const [row] = await store.db.selectFrom('sessions').selectAll().execute();
    const trace = await readTrace(store, row!.id, NO_SECRETS);
    expect(trace?.entries[0]).toMatchObject({ rule: 'IW-VAL-4', text: expect.stringContaining('1 control') });
  });

  it('end cleanly when a replay does not repeat itself', async () => {
    const before = toyGateway(await fresh(), { script: echoScript });
    await before.port.handle(dm2Request('D', 'initiation', P1));
    const after = toyGateway(store);
    const response = await after.port.handle(dm2Request('D', 'response', P3));
    expect(response.status).toBe(500);
    expect(after.endings).toEqual(['diverged']);
    expect(after.problems).toHaveLength(1);
    expect(await store.sessions.countLive()).toBe(0);
    expect((await after.port.handle(dm2Request('D', 'initiation', P1))).status).toBe(200);
  });

  it('end cleanly when their script or a performer throws', async () => {
    const gateway = toyGateway(await fresh(), { script: echoScript });
    const response = await gateway.port.handle(dm1Request('D'));
    const { message } = decodeMessage(response.body, 'xml');
    expect(message.body.map((e) => e.kind === 'Status' && e.code)).toEqual(['500', '500', '500']);
    expect(message.final).toBe(true);
    expect(gateway.endings).toEqual(['internal']);
    expect(gateway.runner.live).toBe(0);
  });

  it('are put off above the limit while those under way go on', async () => {
    const gateway = toyGateway(await fresh(), { limits: { sessions: 2 } });
    await gateway.port.handle(dm2Request('a', 'initiation', P1));
    await gateway.port.handle(dm1Request('b'));
    for (const request of [dm2Request('c', 'initiation', P1), dm1Request('d')]) {
      const refused = await gateway.port.handle(request);
      expect([refused.status, refused.headers['retry-after']]).toEqual([503, '10']);
    }
    expect((await gateway.port.handle(dm2Request('a', 'response', P3))).status).toBe(200);
    expect((await gateway.port.handle(dm2Request('a', 'initiation', { MOS: [] }))).status).toBe(200);
    await until(() => gateway.runner.live === 2);
  });

  it('are parked when their node shuts down, after what is in flight was answered', async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const world: World = { acts: [], gate };
    const gateway = toyGateway(await fresh(), {
      world,
    });
    await gateway.port.handle(dm2Request('parked', 'initiation', P1));
    const inFlight = gateway.port.handle(dm2Request('slow', 'initiation', P1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const drained = gateway.runner.drain(5_000);
    expect((await gateway.port.handle(dm2Request('new', 'initiation', P1))).status).toBe(503);
    open();
    expect((await inFlight).status).toBe(200);
    await drained;
    expect((await gateway.port.handle(dm2Request('parked', 'response', P3))).status).toBe(503);
    const next = toyGateway(store, { world });
    expect(textOf(await next.port.handle(dm2Request('parked', 'response', P3)))).toContain('round 1');
    expect(textOf(await next.port.handle(dm2Request('slow', 'response', P3)))).toContain('round 1');
  });

  it('leave memory to others and come back from the journal', async () => {
    const gateway = toyGateway(await fresh(), { limits: { cachedSessions: 2 } });
    for (const id of ['a', 'b', 'c', 'd']) await gateway.port.handle(dm2Request(id, 'initiation', P1));
    for (const id of ['a', 'b', 'c', 'd']) {
      expect(textOf(await gateway.port.handle(dm2Request(id, 'response', P3)))).toContain('round 1');
    }
  });

  it('keep no credential in journal or trace, and show the rest [IW-AUTH-5]', async () => {
    const { port } = toyGateway(await fresh());
    await port.handle(dm1Request('D', { cred: 'c2VjcmV0', encoding: WBXML }));
    await port.handle(dm1Request('D', { msgId: '2', body: statusBody('1'), encoding: WBXML }));
    const [row] = await store.db.selectFrom('sessions').selectAll().execute();
    const journal = await store.sessions.entries(row!.id);
    const stored = journal.map((e) => e.meta + Buffer.from(e.body ?? []).toString('latin1')).join('\n');
    expect(stored).not.toContain('c2VjcmV0');
    expect(stored).not.toContain('secret of');
    expect(stored).not.toContain('Bearer');
    const trace = await readTrace(store, row!.id, NO_SECRETS);
    expect(trace?.entries.map((e) => e.kind)).toEqual([
      'open',
      'note',
      'authenticate',
      'backend.exchange',
      'repository.offer',
      'repository.expect',
      'transfer',
      'reply',
      'device',
      'repository.collect',
      'backend.exchange',
      'repository.offer',
      'repository.expect',
      'transfer',
      'reply',
    ]);
    expect(trace?.entries[0]?.xml).toContain('<Alert>');
    expect(trace?.entries[1]).toMatchObject({ rule: 'IW-SES-6', text: expect.stringContaining('opened D') });
    expect(trace?.entries[7]).toMatchObject({
      text: expect.stringContaining('md5'),
      xml: expect.stringContaining('<Get>'),
    });
    expect(JSON.stringify(trace)).not.toContain('nextNonce');
    expect(await readTrace(store, 'none', NO_SECRETS)).toBeUndefined();
  });
});

describe('ten thousand sessions', () => {
  it('leave nothing behind in memory', async () => {
    const store = await openStore('sqlite::memory:');
    const { port, runner } = toyGateway(store, { script: echoScript, limits: { sessions: 50 } });
    const heap = () => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    const session = async (n: number) => {
      const id = `D${n}`;
      await port.handle(dm2Request(id, 'initiation', { MOS: [], n }));
      await port.handle(dm2Request(id, 'response', { Status: [{ sc: 200 }] }));
      await port.handle(dm2Request(id, 'response', { Status: [] }));
    };
    for (let n = 0; n < 1_000; n += 1) await session(n);
    const before = heap();
    for (let n = 1_000; n < 10_000; n += 1) await session(n);
    expect(runner.live).toBe(0);
    // Without exposed collection the measure is coarse; a leak of one session's state would be tens of megabytes.
    expect(heap() - before).toBeLessThan(30_000_000);
    await store.close();
  }, 60_000);

  it('opens a second session for a device whose first was never answered', async () => {
    const store = await openStore('sqlite::memory:');
    const { port } = toyGateway(store);
    await port.handle(dm1Request('D', { sessionId: '0' }));
    const again = await port.handle(dm1Request('D', { sessionId: '0', body: [...OPENING].reverse() }));
    expect(textOf(again)).toContain('opened D');
    await store.close();
  });
});

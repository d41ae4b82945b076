import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Interactions } from '../../../src/gateway/interaction/interactions.ts';
import type { UiAlert } from '../../../src/interworking/interaction/alert.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';

const place = { deviceId: 'D', sessionId: 's1' };
const alert: UiAlert = { kind: 'input', text: 'Name?', inputType: 'A', echo: 'T' };
const entered = { kind: 'entered', text: 'Ada' } as const;

onEveryEngine('pages for users', (newUrl) => {
  let store: Store;
  let now: number;
  const opened: Interactions[] = [];
  const node = () => {
    const interactions = new Interactions(store, {
      publicUrl: 'http://gw.example',
      interactionSeconds: 600,
      now: () => now,
      pollMs: 20,
    });
    opened.push(interactions);
    return interactions;
  };
  beforeAll(async () => {
    store = await openStore(await newUrl());
  });
  afterAll(async () => {
    for (const each of opened) each.close();
    await store.close();
  });
  beforeEach(async () => {
    await store.db.deleteFrom('interactions').execute();
    now = 1_000_000;
  });
  const tokenOf = (url: string) => url.slice('http://gw.example/interact/'.length);

  it('have addresses of 32 random bytes, of which only the hash is stored [IW-UI-1]', async () => {
    const { url } = await node().open(place, { alert, lang: 'de' });
    expect(url).toMatch(/^http:\/\/gw\.example\/interact\/[A-Za-z0-9_-]{43}$/);
    const rows = await store.db.selectFrom('interactions').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(tokenOf(url));
    expect(await node().view(tokenOf(url), true)).toEqual({
      kind: 'open',
      alert,
      lang: 'de',
      secondsLeft: 600,
    });
  });

  it('take one answer, of many at once too, on whatever node [IW-UI-2]', async () => {
    const { url } = await node().open(place, { alert });
    const waited = node().wait(place, url);
    const verdicts = await Promise.all(
      Array.from({ length: 6 }, (_, i) => node().answer(tokenOf(url), { kind: 'entered', text: String(i) })),
    );
    expect(verdicts.filter((each) => each === 'taken')).toHaveLength(1);
    expect(verdicts.filter((each) => each === 'used')).toHaveLength(5);
    expect((await waited).answer).toEqual({ kind: 'entered', text: String(verdicts.indexOf('taken')) });
    expect(await node().view(tokenOf(url), true)).toMatchObject({ kind: 'used' });
  });

  it('tell an answer that came while nobody waited, and tell it again [IW-UI-2]', async () => {
    const { url } = await node().open(place, { alert });
    expect(await node().answer(tokenOf(url), entered)).toBe('taken');
    for (const each of [node(), node()]) expect((await each.wait(place, url)).answer).toEqual(entered);
  });

  it("are over at MAXDT, or at the gateway's own limit [IW-UI-2]", async () => {
    const short = await node().open(place, { alert: { ...alert, maxSeconds: 10 } });
    const long = await node().open(place, { alert: { ...alert, maxSeconds: 6000 } });
    await node().view(tokenOf(long.url), true);
    const waits = [node().wait(place, short.url), node().wait(place, long.url)];
    now += 10_000;
    expect((await waits[0])?.answer).toEqual({ kind: 'timed-out', asked: true, seen: false });
    expect(await node().answer(tokenOf(short.url), entered)).toBe('expired');
    expect(await node().view(tokenOf(short.url), true)).toMatchObject({ kind: 'expired' });
    expect(await node().view(tokenOf(long.url), true)).toMatchObject({ secondsLeft: 590 });
    now += 590_000;
    expect((await waits[1])?.answer).toEqual({ kind: 'timed-out', asked: false, seen: true });
  });

  it('keep the text for MINDT, however soon it is confirmed [IW-UI-1]', async () => {
    const shown: UiAlert = { kind: 'display', text: 'x', minSeconds: 0.4 };
    const { url } = await node().open(place, { alert: shown });
    await node().view(tokenOf(url), true);
    await node().answer(tokenOf(url), { kind: 'accepted' });
    const began = performance.now();
    expect((await node().wait(place, url)).answer).toEqual({ kind: 'accepted' });
    expect(performance.now() - began).toBeGreaterThan(350);
  });

  it('of another session, device or nobody say nothing [IW-UI-2]', async () => {
    const { url } = await node().open(place, { alert });
    await node().answer(tokenOf(url), entered);
    for (const [whose, where] of [
      [{ ...place, sessionId: 's2' }, url],
      [{ ...place, deviceId: 'E' }, url],
      [place, url.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))],
    ] as const)
      expect((await node().wait(whose, where)).answer.kind).toBe('timed-out');
    for (const token of ['', 'x', 'x'.repeat(43), `${tokenOf(url)}x`, '../../etc']) {
      expect(await node().view(token, true)).toEqual({ kind: 'unknown' });
      expect(await node().answer(token, entered)).toBe('unknown');
    }
  });

  it('are left by a device that begins anew; of others nobody notices [IW-UI-2]', async () => {
    const interactions = node();
    const mine = await interactions.open(place, { alert });
    const other = await interactions.open({ ...place, deviceId: 'E' }, { alert });
    const left = interactions.wait(place, mine.url);
    const kept = interactions.wait({ ...place, deviceId: 'E' }, other.url);
    await new Promise((resolve) => setTimeout(resolve, 60));
    interactions.abandon('D');
    expect((await left).answer).toEqual({ kind: 'timed-out', asked: false, seen: false });
    await interactions.answer(tokenOf(other.url), entered);
    expect((await kept).answer).toEqual(entered);
  });

  it('are forgotten an hour after they were over', async () => {
    await node().open(place, { alert: { ...alert, maxSeconds: 10 } });
    now += 3_600_000;
    expect(await node().prune()).toBe(0);
    now += 10_000;
    expect(await node().prune()).toBe(1);
  });
});

describe('a gateway that stops', () => {
  it('lets waits sleep, for another to wake them [IW-UI-2]', async () => {
    const store = await openStore('sqlite::memory:');
    const interactions = new Interactions(store, {
      publicUrl: 'http://gw.example',
      interactionSeconds: 600,
      pollMs: 5,
    });
    const { url } = await interactions.open(place, { alert });
    let settled = false;
    void interactions.wait(place, url).finally(() => {
      settled = true;
    });
    interactions.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await store.close();
    expect(settled).toBe(false);
  });
});

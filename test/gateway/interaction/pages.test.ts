import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { parse } from 'parse5';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Interactions } from '../../../src/gateway/interaction/interactions.ts';
import { html } from '../../../src/gateway/interaction/markup.ts';
import { questionPage } from '../../../src/gateway/interaction/pages.ts';
import { answerOf } from '../../../src/gateway/interaction/posted.ts';
import { pageLang, TEXTS } from '../../../src/gateway/interaction/texts.ts';
import { interactionPages } from '../../../src/http/interactionApp.ts';
import type { UiAlert } from '../../../src/interworking/interaction/alert.ts';
import { openStore, type Store } from '../../../src/store/store.ts';

const place = { deviceId: 'D', sessionId: 's' };
const some: UiAlert = { kind: 'multiple', text: 'Some of', choices: ['a', 'b'] };
const choose: UiAlert = { kind: 'single', text: 'One of', choices: ['a', 'b'] };

describe('markup', () => {
  it('lets no text out of its place [IW-UI-1]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const page = questionPage({
          alert: { kind: 'multiple', text, choices: [text, `</label><script>${text}</script>`] },
          lang: 'en',
          secondsLeft: 5,
        });
        const count = (name: string): number => page.split(`<${name}`).length - 1;
        expect([count('script'), count('input'), count('button'), count('main')]).toEqual([0, 2, 2, 1]);
      }),
    );
    expect(html`<p title="${'"><b>'}">${"<&'\u202e\0"}</p>`.text).toBe(
      '<p title="&quot;&gt;&lt;b&gt;">&lt;&amp;&#39;</p>',
    );
  });

  it('is well-formed for every kind of alert and language', () => {
    for (const lang of Object.keys(TEXTS) as (keyof typeof TEXTS)[]) {
      for (const alert of [
        { kind: 'display', text: 'x' },
        { kind: 'confirm', text: 'x' },
        ...(['A', 'N', 'D', 'T', 'P', 'I'] as const).flatMap((inputType) =>
          (['T', 'P'] as const).map(
            (echo) => ({ kind: 'input', text: 'x', inputType, echo, maxLength: 9 }) as const,
          ),
        ),
        choose,
        { ...choose, kind: 'multiple', preset: [1] },
      ] as UiAlert[]) {
        const errors: string[] = [];
        const page = questionPage({ alert, lang, secondsLeft: 100 });
        parse(page, { onParseError: ({ code }) => errors.push(code) });
        expect(errors, page).toEqual([]);
        expect(page).not.toMatch(/undefined|\[object|<script|style=|onclick/);
      }
    }
  });
});

describe('the language of a page', () => {
  it.each([
    ['de', undefined, 'de'],
    ['de-AT', 'fr', 'de'],
    ['ZH_CN', undefined, 'zh'],
    ['ja', 'it, es;q=0.5, fr;q=0.9', 'fr'],
    [undefined, 'fr;q=0, es', 'es'],
    ['constructor', '__proto__', 'en'],
    [undefined, undefined, 'en'],
  ])('for %s and %s is %s [IW-UI-1]', (device, accepted, expected) => {
    expect(pageLang(device, accepted)).toBe(expected);
  });
});

describe('what a page posts', () => {
  const posted = (alert: UiAlert, action: string, choices: string[] = [], text = '') => {
    const read = answerOf(alert, { action, choices, text });
    return read.ok ? read.answer : read.problem;
  };

  it('is trusted with nothing [IW-UI-1]', () => {
    expect(posted(choose, 'ok', ['2'])).toEqual({ kind: 'chosen', numbers: [2] });
    for (const choices of [[], ['0'], ['3'], ['1', '2'], ['x'], ['1e0'], ['-1']])
      expect(posted(choose, 'ok', choices)).toBe('no-choice');
    expect(posted(some, 'ok', ['2', '1', '2'])).toEqual({
      kind: 'chosen',
      numbers: [1, 2],
    });
    expect(posted(some, 'ok')).toEqual({ kind: 'chosen', numbers: [] });
    expect(posted({ kind: 'confirm', text: '' }, 'maybe')).toBe('no-choice');
    expect(posted(choose, 'cancel', ['9'])).toEqual({ kind: 'cancelled' });
  });
});

describe('/interact', () => {
  let store: Store;
  let interactions: Interactions;
  let server: Server;
  let origin: string;
  beforeAll(async () => {
    store = await openStore('sqlite::memory:');
    server = createServer((request, response) =>
      interactionPages({ interactions, failed: () => undefined }, (_, rest) => rest.writeHead(418).end())(
        request,
        response,
      ),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    interactions = new Interactions(store, { publicUrl: origin, interactionSeconds: 600 });
  });
  afterAll(async () => {
    interactions.close();
    server.close();
    await store.close();
  });

  it('serves pages that can run nothing and tell nobody where they are [IW-UI-1]', async () => {
    const { url } = await interactions.open(place, { alert: choose, lang: 'fr' });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/script-src|unsafe/);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toContain('<html lang="fr">');
  });

  it('says what is wrong with an answer, and takes a better one [IW-UI-1]', async () => {
    const { url } = await interactions.open(place, { alert: choose, lang: 'de' });
    const wrong = await fetch(url, { method: 'POST', body: new URLSearchParams({ do: 'ok', choice: '7' }) });
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).toContain(TEXTS.de.problems['no-choice']);
    const right = await fetch(url, { method: 'POST', body: new URLSearchParams({ do: 'ok', choice: '2' }) });
    expect(right.status).toBe(200);
    expect((await interactions.wait(place, url)).answer).toEqual({ kind: 'chosen', numbers: [2] });
    const again = await fetch(url, { method: 'POST', body: new URLSearchParams({ do: 'ok', choice: '1' }) });
    expect(again.status).toBe(410);
    expect(await again.text()).toContain(TEXTS.de.used.heading);
  });

  it('answers every other address with a page that says what to do [IW-UI-1]', async () => {
    for (const path of [
      '/interact/',
      '/interact/x',
      `/interact/${'x'.repeat(43)}`,
      '/interact/a/b',
      '/interact/%E0%A4%A',
    ]) {
      const response = await fetch(`${origin}${path}`, { headers: { 'accept-language': 'es' } });
      expect([400, 404]).toContain(response.status);
      expect(await response.text()).toContain(TEXTS.es.unknown.heading);
    }
    expect((await fetch(`${origin}/interact/${'x'.repeat(43)}`, { method: 'DELETE' })).status).toBe(404);
    expect((await fetch(`${origin}/other`)).status).toBe(418);
  });

  it('takes no answer that is larger than any answer is', async () => {
    const { url } = await interactions.open(place, { alert: choose });
    const response = await fetch(url, { method: 'POST', body: `text=${'x'.repeat(300_000)}` });
    expect(response.status).toBe(413);
    expect(await interactions.view(url.slice(-43), false)).toMatchObject({ kind: 'open' });
  });
});

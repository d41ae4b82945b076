import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { md5Digest } from '../../src/dm1/auth/digests.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { PRESETS } from '../../src/simulator/presets.ts';
import {
  basic,
  cred,
  DEVICE,
  type Form,
  finish,
  guarded,
  HASH,
  HEADER_OK,
  nonceIn,
  OPENING,
  placeIn,
  read,
  written,
} from './guarded.ts';
import { type Answer, closing, post, statuses, TYPES, type Wired, wired } from './harness.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const RESP_URI = /^http:\/\/127\.0\.0\.1:\d+\/dm\?session=([A-Za-z0-9_-]{22})$/;
const first = (text: string) => statuses(text)[0]?.[1];

/** Opens a session; the answer to the message that was accepted, and the nonce for the next one. */
async function opened(gateway: Wired, form: Form, scheme: 'basic' | 'md5', sessionId = '1') {
  const headers = { 'content-type': TYPES[form] };
  if (scheme === 'basic') {
    return gateway.post(written(form, { sessionId, cred: basic('right') }, OPENING), headers);
  }
  const challenge = read(form, await gateway.post(written(form, { sessionId }, OPENING), headers));
  const proof = cred('md5', md5Digest(HASH, nonceIn(challenge)));
  return gateway.post(
    written(form, { sessionId, msgId: '2', cred: proof }, `${HEADER_OK('1')}${OPENING}`),
    headers,
  );
}

const numberOf = (form: Form, answer: Answer) => /<MsgID>(\d+)/.exec(read(form, answer))?.[1] ?? '';

describe.each(['xml', 'wbxml'] as const)('session-hijack, in %s', (form) => {
  const headers = { 'content-type': TYPES[form] };
  const asXml = (answer: Answer) => read(form, answer);

  it.each(['basic', 'md5'] as const)(
    'behind 212 for %s only who was given the RespURI goes on, and its ticket is nowhere to be seen [IW-AUTH-1] [IW-SES-3] [IW-AUTH-5]',
    async (scheme) => {
      const { gateway, backend } = await guarded(scheme);
      const earlier = await opened(gateway, form, scheme);
      const answer = await opened(gateway, form, scheme, '2');
      expect(first(asXml(answer))).toBe('212');
      const place = placeIn(form, answer);
      expect(place).toMatch(RESP_URI);
      const ticket = RESP_URI.exec(place)?.[1] ?? '';
      const guess = `${'A'.repeat(21)}B`;
      const ref = numberOf(form, answer);
      const msgId = String(Number(ref) + 1);
      const message = written(form, { sessionId: '2', msgId }, `${HEADER_OK(ref)}<Final/>`);
      const forged = {
        'at the plain URL': gateway.dm,
        'with a guessed ticket': `${gateway.dm}?session=${guess}`,
        'with a shorter one': place.slice(0, -1),
        'with a longer one': `${place}A`,
        'with that of an earlier session': placeIn(form, earlier),
        'with the ticket in another place': `${gateway.dm}?x=${ticket}`,
      };
      expect(new Set(Object.values(forged)).size).toBe(Object.keys(forged).length);
      for (const [how, url] of Object.entries(forged)) {
        const refused = await post(url, message, headers);
        expect([refused.status, first(asXml(refused))], how).toEqual([200, '401']);
        expect(asXml(refused), how).not.toContain('<Get>');
        expect(asXml(refused), how).not.toContain(ticket);
      }
      // The very bytes of the device's message give a stranger nothing, and the device its answer again.
      let sent = Buffer.alloc(0);
      let last: Answer | undefined;
      await finish(form, answer, async (number, body) => {
        sent = Buffer.from(written(form, { sessionId: '2', msgId: number }, body));
        last = await post(place, sent, headers);
        const stranger = await gateway.post(sent, headers);
        expect(['400', '500']).toContain(first(asXml(stranger)));
        expect(asXml(stranger)).not.toContain('<Get>');
        expect(stranger.body.equals(last.body)).toBe(false);
        const again = await post(place, sent, headers);
        expect(again.body.equals(last.body)).toBe(true);
        return last;
      });
      // Once the session has ended its ticket opens nothing.
      const late = written(form, { sessionId: '2', msgId: '30' }, `${HEADER_OK('9')}<Final/>`);
      expect(first(asXml(await post(place, late, headers)))).toBe('500');
      await expect.poll(() => backend.sessions.map(({ state }) => state).sort()).toContain('completed');
      const shown = `${JSON.stringify(await gateway.traces(DEVICE))}${JSON.stringify(gateway.log)}`;
      expect(shown).toContain('session=***');
      expect(shown).not.toContain(ticket);
    },
  );

  it('a restart changes nothing about who may go on [IW-AUTH-1] [IW-SES-4]', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-hijack-'));
    folders.push(folder);
    const store = { store: `sqlite:${join(folder, 'dragoman.db')}` };
    const before = await guarded('basic', store);
    const answer = await opened(before.gateway, form, 'basic');
    const { search } = new URL(placeIn(form, answer));
    await before.gateway.stop();
    const gateway = await wired({
      ...store,
      deviceAuth: { dm1: 'basic', dm2: 'basic' },
      backends: { peer: { protocol: 'dm2', url: before.backend.url } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'peer' }],
    });
    const message = written(form, { msgId: '2' }, `${HEADER_OK('1')}<Final/>`);
    expect(first(asXml(await gateway.post(message, headers)))).toBe('401');
    await finish(form, answer, (msgId, body) =>
      post(`${gateway.dm}${search}`, written(form, { msgId }, body), headers),
    );
    const traces = await gateway.traces(DEVICE);
    expect(traces.map(({ ending }) => ending)).toEqual(['completed']);
  });

  it.each(['basic', 'md5'] as const)(
    'a device that ignores RespURI proves each message by %s, is told so by 200, and is known from then on [IW-AUTH-1] [IW-INV-2]',
    async (scheme) => {
      const { gateway } = await guarded(scheme);
      let nonce = Buffer.alloc(0);
      const proof = () => (scheme === 'basic' ? basic('right') : cred('md5', md5Digest(HASH, nonce)));
      for (const [sessionId, code] of [
        ['1', '212'],
        ['2', '200'],
      ] as const) {
        const answer = await opened(gateway, form, scheme, sessionId);
        expect(first(asXml(answer))).toBe(code);
        nonce = nonceIn(asXml(answer));
        let bare = code === '212';
        await finish(form, answer, async (msgId, body) => {
          if (bare) {
            // Believes 212 and bears none: it is challenged, in a message of Statuses alone.
            const challenge = asXml(await gateway.post(written(form, { sessionId, msgId }, body), headers));
            expect(first(challenge)).toBe('401');
            expect(challenge).toContain(`syncml:auth-${scheme}`);
            expect(challenge).not.toContain('<Get>');
            nonce = scheme === 'md5' ? nonceIn(challenge) : nonce;
            bare = false;
          }
          const own = written(form, { sessionId, msgId, cred: proof() }, body);
          const next = await gateway.post(own, headers);
          expect(first(asXml(next))).toBe('200');
          expect(/<NextNonce/.test(asXml(next))).toBe(scheme === 'md5');
          const used = nonce;
          nonce = nonceIn(asXml(next));
          if (scheme === 'md5') expect(nonce).toHaveLength(16);
          // The same again is a repeat; bare, or with what was used, nobody goes on.
          expect((await gateway.post(own, headers)).body.equals(next.body)).toBe(true);
          for (const old of ['', scheme === 'md5' ? cred('md5', md5Digest(HASH, used)) : basic('wrong')]) {
            const later = { sessionId, msgId: String(Number(msgId) + 1), cred: old };
            const forged = asXml(await gateway.post(written(form, later, body), headers));
            expect(['401', '500']).toContain(first(forged));
            expect(forged).not.toContain('<Get>');
          }
          return next;
        });
      }
      const traces = await gateway.traces(DEVICE);
      expect(traces.map(({ ending }) => ending)).toEqual(['completed', 'completed']);
      expect(await gateway.api('GET', `/api/devices/${encodeURIComponent(DEVICE)}`)).toMatchObject({
        capabilities: { respURI: false },
      });
    },
  );

  it.each(['basic', 'md5'] as const)(
    'a device that ignores RespURI and begins anew when challenged in mid-session, by %s, is let go on [IW-AUTH-1]',
    async (type) => {
      const { gateway, backend } = await guarded(type);
      const auth = { type, username: 'user', password: 'right' };
      const device = closing(
        new LegacyDevice({
          url: gateway.dm,
          deviceId: DEVICE,
          encoding: form,
          auth,
          quirks: { ignoresRespURI: true },
        }),
      );
      const one = await device.session();
      expect(one).toMatchObject({ outcome: 'completed' });
      expect(backend.sessions.at(-1)).toMatchObject({
        state: 'completed',
        commands: [{ status: { sc: 200 } }],
      });
      const two = await device.session();
      expect(two).toMatchObject({ outcome: 'completed', violations: [] });
      // Nothing had to be said twice: it knows by 200 that each message bears credentials.
      expect(two.statuses.filter(({ cmd, code }) => cmd === 'SyncHdr' && code === '401')).toEqual([]);
    },
  );

  it.each(Object.keys(PRESETS))('%s goes where RespURI says [IW-AUTH-1] [1x§16.1]', async (preset) => {
    const { gateway, backend } = await guarded('basic');
    const auth = { type: 'basic' as const, username: 'user', password: 'right' };
    const encoding = PRESETS[preset]?.encoding ?? form;
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE, encoding, auth, preset }));
    for (let n = 0; n < 2; n += 1) {
      const report = await device.session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(report.statuses.filter(({ code }) => code === '401')).toEqual([]);
    }
    expect(backend.sessions.map(({ state }) => state)).toEqual(['completed', 'completed']);
  });
});

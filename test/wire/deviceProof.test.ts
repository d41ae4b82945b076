import { describe, expect, it } from 'vitest';
import { basicCred } from '../../src/dm1/auth/digests.ts';
import { wbxmlToXml } from '../../src/dm1/codec.ts';
import { b64, macOf, md5Of } from './formulas.ts';
import {
  basic,
  cred,
  DEVICE,
  finish,
  guarded,
  HEADER_OK,
  nonceIn,
  OPENING,
  type Parts,
  placeIn,
  read,
  written,
} from './guarded.ts';
import { type Answer, packageOne, post, statuses, TYPES, type Wired, wired } from './harness.ts';

const digest = (nonce: Uint8Array, account = 'user:right') => md5Of(account, nonce);
const mac = (nonce: Uint8Array, body: Uint8Array, account = 'user:right') => macOf(account, nonce, body);

const codes = (xml: string) => statuses(xml).map(([, code]) => code);
const first = (xml: string) => codes(xml)[0];
const hasChal = (xml: string) => xml.includes('<Chal>');

describe.each(['xml', 'wbxml'] as const)('a device that proves itself, in %s', (form) => {
  const headers = { 'content-type': TYPES[form] };
  const asXml = (answer: Answer) => read(form, answer);
  const open = (gateway: Wired, parts: Parts = {}, body = OPENING, more: Record<string, string> = {}) =>
    gateway.post(written(form, parts, body), { ...headers, ...more });

  /** What a challenge holds: a Status for the header and every command, the type, and 16 bytes where due. */
  function challenged(answer: Answer, type: string): Buffer {
    const xml = asXml(answer);
    expect(answer.status).toBe(200);
    expect(codes(xml)).toEqual(['401', '401', '401']);
    expect(xml.match(/<Chal>/g)).toHaveLength(1);
    expect(xml).toContain(`>syncml:auth-${type}<`);
    expect(xml).toMatch(/<Format[^>]*>b64</);
    expect(xml).not.toContain('<Get>');
    const nonce = nonceIn(xml);
    expect(nonce).toHaveLength(type === 'basic' ? 0 : 16);
    return nonce;
  }

  it('by basic, bit for bit: wrong, missing, of another kind, without Type or Format [IW-AUTH-1] [1x§9.2] [1x§9.4]', async () => {
    const { gateway, backend } = await guarded('basic');
    const wrongs = [
      '',
      basic('wrong'),
      cred('basic', '%%%'),
      cred('basic', ''),
      cred('md5', digest(Buffer.alloc(16))),
    ];
    for (const [n, wrong] of [...wrongs, cred('X509', 'AAAA')].entries()) {
      if (n === 4) await open(gateway, { sessionId: 'ok', cred: basic('right') });
      challenged(await open(gateway, { sessionId: `w${n}`, cred: wrong }), 'basic');
    }
    const data = Buffer.from('user:right').toString('base64');
    expect(data).toBe(basicCred('user', 'right'));
    for (const [n, meta] of [
      '<Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-basic</Type></Meta>',
      '<Meta><Type xmlns="syncml:metinf">syncml:auth-basic</Type></Meta>',
      '<Meta><Type xmlns="syncml:metinf"> SYNCML:auth-Basic </Type></Meta>',
      '',
    ].entries()) {
      const answer = await open(gateway, {
        sessionId: `r${n}`,
        cred: `<Cred>${meta}<Data>${data}</Data></Cred>`,
      });
      expect(codes(asXml(answer)), meta).toEqual(['212', '200', '200']);
      expect(hasChal(asXml(answer))).toBe(false);
      if (n < 3) continue;
      const place = placeIn(form, answer);
      await finish(form, answer, (msgId, body) =>
        post(place, written(form, { sessionId: `r${n}`, msgId }, body), headers),
      );
    }
    expect(backend.sessions.at(-1)?.state).toBe('completed');
  });

  it('by md5, bit for bit, over nonces that are given once and count across sessions [IW-AUTH-1] [1x§9.2] [1x§9.3]', async () => {
    const { gateway } = await guarded('md5');
    const proof = (nonce: Uint8Array, secret?: string) => cred('md5', digest(nonce, secret));
    // Missing: challenged; the retry has the same SessionID and the next MsgID.
    let nonce = challenged(await open(gateway, { sessionId: 'a' }), 'md5');
    const welcome = await open(
      gateway,
      { sessionId: 'a', msgId: '2', cred: proof(nonce) },
      HEADER_OK('1', '200') + OPENING,
    );
    expect(codes(asXml(welcome))).toEqual(['212', '200', '200']);
    const used = [nonce];
    nonce = nonceIn(asXml(welcome));
    expect(nonce).toHaveLength(16);
    // The nonce that came with 212 opens the next session at once, over restarts too (see gateway/auth).
    for (const sessionId of ['b', 'c']) {
      const answer = await open(gateway, { sessionId, cred: proof(nonce) });
      expect(codes(asXml(answer))).toEqual(['212', '200', '200']);
      used.push(nonce);
      nonce = nonceIn(asXml(answer));
    }
    expect(new Set(used.map(b64)).size).toBe(used.length);
    // Used, stale or of the text instead of its bytes: one more try, then none.
    for (const [n, bad] of [used[0]!, used[2]!, Buffer.from(b64(nonce)), Buffer.alloc(0)].entries()) {
      if (n === 3)
        expect(first(asXml(await open(gateway, { sessionId: 'ok', cred: proof(nonce) })))).toBe('212');
      const again = challenged(await open(gateway, { sessionId: `s${n}`, cred: proof(bad) }), 'md5');
      if (n % 2 === 0) {
        const twice = asXml(await open(gateway, { sessionId: `s${n}`, msgId: '2', cred: proof(bad) }));
        expect([codes(twice), hasChal(twice)]).toEqual([['401', '401', '401'], false]);
      } else {
        const right = asXml(await open(gateway, { sessionId: `s${n}`, msgId: '2', cred: proof(again) }));
        expect(first(right)).toBe('212');
        nonce = nonceIn(right);
      }
    }
  });

  it('by HMAC over the bytes as sent, in every spelling of the header, and by no other [IW-AUTH-1] [1x§9.5]', async () => {
    const { gateway, backend } = await guarded('hmac');
    const body = written(form, { sessionId: '1', msgId: '2' }, OPENING);
    const message = (n: number) => written(form, { sessionId: `w${n}` }, OPENING);
    let nonce = challenged(await open(gateway), 'MAC');
    const field = (value: string) => ({ 'x-syncml-hmac': value });
    const send = (bytes: Uint8Array, header?: string) =>
      gateway.post(bytes, { ...headers, ...(header !== undefined && field(header)) });
    const wrong: [string, (bytes: Uint8Array) => string][] = [
      ['another algorithm', (bytes) => `algorithm=SHA-1, username="user", mac=${mac(nonce, bytes)}`],
      ['another user', (bytes) => `algorithm=MD5, username="other", mac=${mac(nonce, bytes)}`],
      ['another password', (bytes) => `username="user", mac=${mac(nonce, bytes, 'user:wrong')}`],
      [
        'the text of the other encoding',
        (bytes) =>
          `username="user", mac=${mac(nonce, form === 'xml' ? Buffer.concat([bytes, Buffer.from('\n')]) : Buffer.from(wbxmlToXml(bytes)))}`,
      ],
      ['said twice', (bytes) => `username="user", mac=AAAA, mac=${mac(nonce, bytes)}`],
      ['no mac', () => 'algorithm=MD5, username="user"'],
      ['the nonce as text', (bytes) => `username="user", mac=${mac(Buffer.from(b64(nonce)), bytes)}`],
    ];
    for (const [n, [what, header]] of wrong.entries()) {
      // Every few a good one, or failures would slow the device down.
      if (n % 3 === 2) {
        const bytes = written(form, { sessionId: `g${n}` }, OPENING);
        expect(first(asXml(await send(bytes, `username="user", mac=${mac(nonce, bytes)}`)))).toBe('200');
        nonce = challenged(await send(message(100 + n)), 'MAC');
      }
      const bytes = message(n);
      const refused = await send(bytes, header(bytes));
      expect([what, codes(asXml(refused))]).toEqual([what, ['401', '401', '401']]);
      expect(asXml(refused)).not.toContain('<Get>');
    }
    // Credentials of another kind are none.
    const other = written(form, { sessionId: 'md5', cred: cred('md5', digest(nonce)) }, OPENING);
    nonce = challenged(await send(other), 'MAC');
    const spellings: ((mac: string) => string)[] = [
      (mac) => `algorithm=MD5, username="user", mac=${mac}`,
      (mac) => `mac=${mac},username="user"`,
      (mac) => `MAC="${mac}" , Algorithm=md5 , UserName="user"`,
      // Hexadecimal digits in base64, as the sample of the standard has them.
      (mac) => `username="user", mac=${b64(Buffer.from(Buffer.from(mac, 'base64').toString('hex')))}`,
    ];
    const opened = await send(body, spellings[0]!(mac(nonce, body)));
    expect(codes(asXml(opened))).toEqual(['200', '200', '200']);
    let n = 0;
    await finish(form, opened, async (msgId, text, last) => {
      const next = nonceIn(last);
      expect(next).toHaveLength(16);
      n += 1;
      const bytes = written(form, { sessionId: '1', msgId }, text);
      const answer = await send(bytes, spellings[n % spellings.length]!(mac(next, bytes)));
      expect(first(asXml(answer))).toBe('200');
      expect(asXml(answer)).toContain('syncml:auth-MAC');
      // Replayed: the device's own repeat gets the same bytes, under another name or number it is none.
      const again = await send(bytes, spellings[n % spellings.length]!(mac(next, bytes)));
      expect(again.body.equals(answer.body)).toBe(true);
      const stolen = written(form, { sessionId: '1', msgId: String(Number(msgId) + 1) }, text);
      expect(first(asXml(await send(stolen, spellings[0]!(mac(next, stolen)))))).toMatch(/401|500/);
      return answer;
    });
    expect(backend.sessions.at(-1)?.state).toBe('completed');
  });

  it('that fails again and again is put off with 403 and no challenge, and let in after the wait [IW-AUTH-5]', async () => {
    const { gateway } = await guarded('basic');
    for (let n = 0; n < 5; n += 1) {
      challenged(await open(gateway, { sessionId: `f${n}`, cred: basic('wrong') }), 'basic');
    }
    const off = asXml(await open(gateway, { sessionId: 'off', cred: basic('right') }));
    expect([codes(off), hasChal(off)]).toEqual([['403', '403', '403'], false]);
    expect(gateway.log).toContainEqual(
      expect.objectContaining({ level: 'warn', device: DEVICE, failures: 5 }),
    );
    const log = JSON.stringify(gateway.log);
    for (const secret of ['right', basicCred('user', 'right'), basicCred('user', 'wrong')])
      expect(log).not.toContain(secret);
    const late = async () => first(asXml(await open(gateway, { sessionId: 'late', cred: basic('right') })));
    await expect.poll(late, { timeout: 10_000 }).toBe('212');
  });

  it('where nothing is demanded needs no credentials, and those that it sends anyway do no harm [IW-AUTH-1]', async () => {
    const gateway = await wired();
    for (const [sessionId, proof] of [
      ['1', ''],
      ['2', basic('any')],
      ['3', cred('md5', 'AAAA')],
    ] as const) {
      const answer = await gateway.post(
        written(form, { sessionId, cred: proof }, packageOne(DEVICE)),
        headers,
      );
      expect(['200', '212']).toContain(first(asXml(answer)));
      expect(hasChal(asXml(answer))).toBe(false);
      const place = placeIn(form, answer);
      expect(place).toBe(gateway.dm);
      await finish(form, answer, (msgId, body) =>
        post(place, written(form, { sessionId, msgId }, body), headers),
      );
    }
    const traces = await gateway.traces(DEVICE);
    expect(traces.map(({ ending }) => ending)).toEqual(['completed', 'completed', 'completed']);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { beside, closing, packageOne, statuses, syncml, TYPES, type Wired, wired } from './harness.ts';

const XML = { 'content-type': TYPES.xml };
const WBXML = { 'content-type': TYPES.wbxml };
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const good = (device: string) => syncml({ device }, packageOne(device));
const withData = (data: string) =>
  syncml({ device: 'D' }, packageOne('D').replace('<Data>Raw</Data>', `<Data>${data}</Data>`));
const capture = readFileSync('fixtures/captures/libdmclient/libdmclient-wbxml-get-01-req.http');
const wbxml = capture.subarray(capture.indexOf('\r\n\r\n') + 4);

/** A message that cannot be read: HTTP says why, the log has a line, other devices go on. */
async function refused(
  gateway: Wired,
  body: string | Uint8Array,
  headers: Record<string, string>,
  [status, result]: [number, string],
): Promise<string> {
  const answer = await gateway.post(body, headers);
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
  expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  expect(answer.text.trim().length).toBeGreaterThan(10);
  const line = gateway.logged(result);
  expect(line).toMatchObject({ level: 'info', status, result });
  return answer.text;
}

describe('xml-bombs', () => {
  const MALFORMED: [number, string] = [400, 'malformed'];
  const HUGE: [number, string] = [413, 'too-large'];
  it('are refused with where and why, one log line each, beside a healthy device [IW-SES-1]', async () => {
    const gateway = await wired();
    const whole = good('D');
    const cases: [string, string | Uint8Array, [number, string], RegExp][] = [
      ['empty', '', MALFORMED, /./],
      ['no XML', 'hello', MALFORMED, /1:1/],
      ['truncated', whole.slice(0, -20), MALFORMED, /\d:\d+/],
      ['cut in a tag', whole.slice(0, 300), MALFORMED, /\d:\d+/],
      [
        'entity bomb',
        `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${withData('&b;')}`,
        MALFORMED,
        /DOCTYPE/,
      ],
      ['undefined entity', withData('&bomb;'), MALFORMED, /entity/],
      ['NUL reference', withData('&#0;'), MALFORMED, /\d:\d+/],
      ['lone surrogate', withData('&#xD800;'), MALFORMED, /\d:\d+/],
      ['NUL in an identifier', whole.replace('<LocURI>D<', '<LocURI>D\0<'), MALFORMED, /./],
      ['invalid UTF-8', Buffer.concat([Buffer.from(whole), Buffer.of(0xc3, 0x28)]), MALFORMED, /./],
      ['unknown charset', whole.replace('UTF-8', 'x-none'), MALFORMED, /./],
      ['charset that is not the true one', whole.replace('UTF-8', 'UTF-16'), MALFORMED, /./],
      ['wrong root', '<html><body>hello</body></html>', MALFORMED, /SyncML/],
      ['no header', '<SyncML><SyncBody><Final/></SyncBody></SyncML>', MALFORMED, /./],
      ['deep nesting', syncml({ device: 'D' }, '<Sequence>'.repeat(5000)), HUGE, /./],
      [
        'huge attribute',
        whole.replace('<SyncBody>', `<SyncBody a="${'x'.repeat(1_100_000)}">`),
        HUGE,
        /limits|larger/,
      ],
      ['over the limit', withData('x'.repeat(1_100_000)), HUGE, /limits|larger/],
    ];
    await beside(gateway, async () => {
      for (const [name, body, expected, why] of cases) {
        expect(await refused(gateway, body, XML, expected).catch((e) => fault(name, e)), name).toMatch(why);
      }
    });
  });

  it('strips control characters from data, with a note in the trace [IW-VAL-4]', async () => {
    const gateway = await wired();
    const answer = await gateway.post(withData('a\u0001b\u0000c'), XML);
    expect(answer.status).toBe(200);
    const [trace] = await gateway.traces('D');
    expect(trace?.trace.find(({ rule }) => rule === 'IW-VAL-4')?.text).toContain('2 control characters');
  });

  it('in WBXML are refused with the byte [IW-SES-1]', async () => {
    const gateway = await wired();
    const cases: [string, Uint8Array][] = [
      ['empty', hex('')],
      ['truncated', wbxml.subarray(0, wbxml.length - 9)],
      ['string table past the end', hex('02a4016a7f6d')],
      ['number over 32 bits', hex('029fffffff7f6a00')],
      ['number without end', hex('02ffffffffffffffffff')],
      [
        'opaque past the end',
        Buffer.concat([wbxml.subarray(0, 60), hex('c38fffffff7f'), wbxml.subarray(60)]),
      ],
      ['unknown token', hex('02a4016a00 6d 7f 01')],
      ['unknown page', hex('02a4016a00 6d 0009 45 01')],
      ['string reference past the table', hex('02a4016a00 6d 6c 71 8305 01')],
      ['XML instead', Buffer.from(good('D'))],
    ];
    await beside(gateway, async () => {
      for (const [name, body] of cases) {
        const text = await refused(gateway, body, WBXML, MALFORMED).catch((e) => fault(name, e));
        expect(text, name).toMatch(/byte \d+|empty/);
      }
      expect((await gateway.post(wbxml, XML)).status).toBe(400);
    });
  });

  it('in JSON are refused with the reason [IW-SES-1]', async () => {
    const gateway = await wired();
    const one = { 'content-type': TYPES.package1, 'omadm-devid': 'J' };
    const three = { 'content-type': TYPES.package3, 'omadm-devid': 'J' };
    const cases: [string, string | Uint8Array, Record<string, string>][] = [
      ['empty', '', one],
      ['truncated', '{"MOS":[{"MOID":"urn', one],
      ['an array', '[]', one],
      ['a number', '42', one],
      ['wrong types', '{"MOS":{"MOID":5}}', one],
      ['trailing text', '{"MOS":[]} x', one],
      ['deep nesting', `{"MOS":${'['.repeat(3000)}`, one],
      ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), one],
      ['no Status', '{}', three],
      ['a Status without sc', '{"Status":[{}]}', three],
      ['sc in words', '{"Status":[{"sc":"good"}]}', three],
    ];
    for (const [name, body, headers] of cases) {
      const answer = await beside(gateway, () => gateway.post(body, headers));
      expect([answer.status, answer.text.length > 10], `${name}: ${answer.text}`).toEqual([
        name === 'deep nesting' ? expect.toBeOneOf([400, 413]) : 400,
        true,
      ]);
    }
    expect(await gateway.traces('J')).toEqual([]);
  });

  it('tells a wrong or missing type with 415, a missing identity with 400 [IW-SES-1] [IW-SES-2]', async () => {
    const gateway = await wired();
    const twice = { 'content-type': TYPES.package1, 'omadm-devid': 'A', 'x-omadmdevid': 'B' };
    const cases: [string, Record<string, string>, [number, string]][] = [
      [good('D'), {}, [415, 'media-type']],
      [good('D'), { 'content-type': 'text/xml' }, [415, 'media-type']],
      [good('D'), { ...XML, 'content-encoding': 'gzip' }, [415, 'media-type']],
      ['{}', { 'content-type': TYPES.package1 }, [400, 'malformed']],
      ['{}', twice, [400, 'malformed']],
    ];
    for (const [body, headers, expected] of cases)
      await beside(gateway, () => refused(gateway, body, headers, expected));
    for (const id of ['A', 'B', 'D']) expect(await gateway.traces(id)).toEqual([]);
  });
});

function fault(name: string, error: unknown): never {
  throw new Error(name, { cause: error });
}

const cred = (type: string, data: string) =>
  `<Cred><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-${type}</Type></Meta><Data>${data}</Data></Cred>`;

describe('nonce-desync', () => {
  const auth = { dm1: 'md5', dm2: 'basic' };

  it('answers 401 with a challenge for the header and every command [IW-AUTH-1] [IW-AUTH-5]', async () => {
    const gateway = await wired({ deviceAuth: auth });
    const answer = await gateway.post(good('STRANGER'), XML);
    expect(answer.status).toBe(200);
    expect(statuses(answer.text)).toEqual([
      ['SyncHdr', '401'],
      ['Alert', '401'],
      ['Replace', '401'],
    ]);
    expect(answer.text).toContain('syncml:auth-md5');
    expect(answer.text.match(/<NextNonce/g)).toHaveLength(1);
    expect(gateway.logged('unauthenticated')).toMatchObject({
      device: 'STRANGER',
      detail: 'credentials are missing',
    });
    // The second refusal ends the session; what strangers send leaves a line in the log and nothing else.
    const again = await gateway.post(syncml({ device: 'STRANGER', msgId: '2' }, packageOne('STRANGER')), XML);
    expect(statuses(again.text)[0]).toEqual(['SyncHdr', '401']);
    expect(again.text).not.toContain('<Chal>');
    expect(gateway.logged('unauthenticated')).toMatchObject({ detail: 'credentials are missing, twice' });
    expect(await gateway.traces('STRANGER')).toEqual([]);
  });

  it('refuses unknown devices for good where it is told so [IW-AUTH-1] [IW-AUTH-4]', async () => {
    const gateway = await wired({ deviceAuth: auth, unknownDevice: 404 });
    const answer = await gateway.post(good('STRANGER'), XML);
    expect(statuses(answer.text)[0]).toEqual(['SyncHdr', '404']);
    const authorization = `Basic ${Buffer.from('S2:x').toString('base64')}`;
    const json = await gateway.post('{"MOS":[]}', {
      'content-type': TYPES.package1,
      'omadm-devid': 'S2',
      authorization,
    });
    expect(json.status).toBe(403);
  });

  it('takes no nonce twice and no wrong password [IW-AUTH-1]', async () => {
    const gateway = await wired({ deviceAuth: auth });
    await gateway.api('POST', '/api/devices', { id: 'D', username: 'D', password: 'right' });
    const account = { type: 'md5' as const, username: 'D', password: 'right' };
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'D', auth: account }));
    expect(await device.session()).toMatchObject({ outcome: 'completed' });
    const played = device.messages.filter(
      ({ direction, text }) => direction === 'sent' && text.includes('<Cred>'),
    );
    const replayed = played
      .at(-1)!
      .text.replace(/<SessionID>.*?</, '<SessionID>77<')
      .replace(/<MsgID>\d+</, '<MsgID>1<');
    const stolen = await gateway.post(replayed, XML);
    expect(statuses(stolen.text)[0]).toEqual(['SyncHdr', '401']);
    const impostor = closing(
      new LegacyDevice({ url: gateway.dm, deviceId: 'D', auth: { ...account, password: 'wrong' } }),
    );
    expect(await impostor.session()).toMatchObject({ outcome: 'refused' });
    // The device itself is let in again, challenged at most once.
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
  });

  it('answers a 2.0 client with a wrong password 401 [IW-AUTH-4]', async () => {
    const gateway = await wired({ deviceAuth: auth });
    await gateway.api('POST', '/api/devices', { id: 'J', username: 'J', password: 'right' });
    const headers = { 'content-type': TYPES.package1, 'omadm-devid': 'J' };
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const authorization of [basic('J:wrong'), basic('K:right'), 'Basic %%%', 'Bearer x']) {
      const answer = await gateway.post('{"MOS":[]}', { ...headers, authorization });
      expect(answer.status, authorization).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/^Basic/);
    }
    expect(gateway.log.map((line) => JSON.stringify(line)).join('\n')).not.toContain('right');
    const authorization = basic('J:right');
    expect((await gateway.post('{"MOS":[]}', { ...headers, authorization })).status).toBe(200);
  });

  it('takes credentials of a kind that it does not ask for as none [IW-AUTH-1]', async () => {
    const gateway = await wired({ deviceAuth: auth });
    await gateway.api('POST', '/api/devices', { id: 'D', username: 'D', password: 'p' });
    for (const [n, wrong] of [cred('basic', 'RDpw'), cred('basic', '%%%'), cred('none', '')].entries()) {
      const sessionId = String(n + 1);
      const answer = await gateway.post(
        syncml({ device: 'D', sessionId, cred: wrong }, packageOne('D')),
        XML,
      );
      expect(answer.status).toBe(200);
      expect(statuses(answer.text)[0], wrong).toEqual(['SyncHdr', '401']);
    }
  });
});

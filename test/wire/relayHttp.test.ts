import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { beside, listening, statuses, syncml, TYPES } from './harness.ts';
import { answer, DEVICE, encoders, GET, opening, RESULT, relayed } from './relayed.ts';

const BASIC = 'Basic realm="dms"';
const digest = (nonce: string) => `Digest realm="dms", nonce="${nonce}", qop="auth", stale=true`;

describe.each(['xml', 'wbxml'] as const)('a relayed device in %s', (form) => {
  const encode = encoders[form];
  const type = { 'content-type': TYPES[form] };
  const asked = encode(opening());
  const reply = encode(syncml({ device: DEVICE, sessionId: '0A', msgId: '2' }, RESULT));
  const ask = (server: string) => ({
    body: encode(answer({ source: server, targetRef: server }, GET)),
    headers: type,
  });
  const end = (server: string) => ({
    body: encode(answer({ source: server, targetRef: server, msgId: '2' })),
    headers: type,
  });
  const challenge = (value: string) => () => ({
    status: 401,
    body: '<h1>No</h1>',
    headers: { 'content-type': 'text/html', 'www-authenticate': value, 'set-cookie': 'a=b' },
  });

  it('is asked by its server for HTTP credentials, and opens its session with them [IW-REL-1] [IW-AUTH-3]', async () => {
    const { got, gateway } = await relayed([challenge(BASIC), challenge(BASIC), ask, end]);
    const first = await gateway.post(asked, type);
    expect(first).toMatchObject({ status: 401, text: '' });
    expect(first.headers['www-authenticate']).toBe(BASIC);
    expect(first.headers).not.toHaveProperty('set-cookie');
    // That answer was lost: the same again is no other question.
    expect((await gateway.post(asked, type)).headers['www-authenticate']).toBe(BASIC);
    const proved = { ...type, authorization: 'Basic cGhvbmU6c2VjcmV0' };
    const second = await gateway.post(asked, proved);
    expect(second.status).toBe(200);
    expect(got[2]!.headers['authorization']).toBe(proved.authorization);
    await gateway.post(reply, proved);
    const traces = await gateway.traces(DEVICE);
    expect(traces.map(({ ending }) => ending)).toEqual(['completed', 'refused', 'refused']);
    expect(traces[1]!.trace).toContainEqual(
      expect.objectContaining({ kind: 'reply', text: 'HTTP 401, as the server answered.' }),
    );
    expect(JSON.stringify(traces)).not.toContain('cGhvbmU6c2VjcmV0');
  });

  it('whose HTTP credentials grow stale in its session goes on with new ones [IW-REL-1] [IW-SES-4]', async () => {
    const { got, gateway } = await relayed([ask, challenge(digest('n1')), challenge(digest('n2')), end]);
    await gateway.post(asked, { ...type, authorization: 'Digest nonce="n0"' });
    const first = await gateway.post(reply, { ...type, authorization: 'Digest nonce="n0"' });
    expect(first.headers['www-authenticate']).toBe(digest('n1'));
    const second = await gateway.post(reply, { ...type, authorization: 'Digest nonce="n1"' });
    expect(second.headers['www-authenticate']).toBe(digest('n2'));
    const late = await gateway.post(reply, {
      ...type,
      authorization: 'Digest nonce="n2"',
    });
    expect(late.status).toBe(200);
    expect(got.map(({ headers }) => headers['authorization'])).toEqual([
      'Digest nonce="n0"',
      'Digest nonce="n0"',
      'Digest nonce="n1"',
      'Digest nonce="n2"',
    ]);
    for (const { body } of got.slice(2)) expect(body).toEqual(got[1]!.body);
    // The answer is had now, and a repeat gets it again.
    expect((await gateway.post(reply, type)).body).toEqual(late.body);
    expect(got).toHaveLength(4);
    expect((await gateway.traces(DEVICE)).map(({ ending }) => ending)).toEqual(['completed']);
  });

  it('gives its HTTP credentials to the configured server alone, wherever that sends it [IW-REL-1] [IW-SES-9]', async () => {
    const got: IncomingHttpHeaders[] = [];
    const host = await listening((request, response) => {
      got.push(request.headers);
      response.writeHead(500).end();
    });
    const elsewhere = `http://${host}/dm`;
    const lead = (server: string) => ({
      body: encode(answer({ source: server, targetRef: server, respURI: elsewhere }, GET)),
      headers: type,
    });
    const { got: home, gateway } = await relayed([lead], { outbound: { allow: ['127.0.0.1'] } });
    const proved = { ...type, authorization: 'Basic cGhvbmU6c2VjcmV0' };
    await gateway.post(asked, proved);
    await gateway.post(reply, proved);
    expect(home[0]!.headers['authorization']).toBe(proved.authorization);
    expect(got.length).toBeGreaterThan(0);
    for (const headers of got) expect(headers).not.toHaveProperty('authorization');
  });

  it.each([
    [503, { 'retry-after': '120' }],
    [429, { 'retry-after': '7' }],
  ])('is told to come again later as its server says it: %i [IW-REL-1]', async (status, headers) => {
    const { gateway } = await relayed([ask, () => ({ status, body: 'busy', headers }), end]);
    await gateway.post(asked, type);
    const put = await gateway.post(reply, type);
    expect(put).toMatchObject({ status, text: '' });
    expect(put.headers['retry-after']).toBe(headers['retry-after']);
    const again = await gateway.post(reply, type);
    expect(again.status).toBe(200);
    expect((await gateway.traces(DEVICE)).map(({ ending }) => ending)).toEqual(['completed']);
  });

  it('that signs for Windows has every byte passed on, and what it says by HTTP [IW-REL-1]', async () => {
    const { got, gateway } = await relayed([ask]);
    const headers = {
      'ms-signature': 'MIIB',
      devicetoken: 'of-the-device',
      'mdm-genericalert': 'com.microsoft:mdm.x',
      'client-request-id': '7',
      'ms-cv': 'v.1',
      useragentorigin: '2',
    };
    await gateway.post(asked, { ...type, ...headers, 'x-forwarded-for': '10.0.0.1' });
    expect(got[0]!.body).toEqual(Buffer.from(asked));
    expect(got[0]!.headers).toMatchObject(headers);
    expect(got[0]!.headers).not.toHaveProperty('x-forwarded-for');
  });
});

const XML = { 'content-type': TYPES.xml };
const FAILED = [
  ['SyncHdr', '500'],
  ['Alert', '500'],
  ['Replace', '500'],
];

describe('a relayed device', () => {
  const given = (more: object) => () => ({ body: '', ...more });

  it.each([
    [
      'asks for credentials without saying which',
      given({ status: 401 }),
      'refuses our credentials (HTTP 401)',
    ],
    ['is busy without saying how long', given({ status: 503 }), 'answers HTTP 503'],
    ['forbids it', given({ status: 403 }), 'forbids the request (HTTP 403)'],
    ['does not know the URL', given({ status: 404 }), 'refuses the message (HTTP 404)'],
    ['asks for a proxy’s credentials', given({ status: 407 }), 'HTTP 407'],
    [
      'redirects',
      given({ status: 307, headers: { location: 'http://10.0.0.1/steal' } }),
      'redirects to http://10.0.0.1 (HTTP 307); configure the URL',
    ],
    ['says nothing', given({}), 'The answer is empty'],
    ['says nothing at all', given({ status: 204 }), 'The answer is empty'],
    [
      'answers a page',
      given({ body: '<p>Hi', headers: { 'content-type': 'text/html' } }),
      'where SyncML is due',
    ],
    ['breaks off', given({ body: '<SyncML><SyncHdr>' }), 'no SyncML'],
    [
      'mislabels its answer',
      given({ body: '<SyncML/>', headers: { 'content-type': TYPES.wbxml } }),
      'no SyncML',
    ],
  ])(
    'whose server %s is told so in its own protocol, once for each try [IW-REL-1] [IW-SES-10]',
    async (_, wrong, why) => {
      const { got, gateway } = await relayed([wrong, wrong]);
      for (let tries = 1; tries <= 2; tries += 1) {
        const { status, text } = await beside(gateway, () => gateway.post(opening(), XML));
        expect(status).toBe(200);
        expect(statuses(text)).toEqual(FAILED);
        expect(got).toHaveLength(tries);
      }
      const [trace] = await gateway.traces(DEVICE);
      expect(trace).toMatchObject({ ending: 'backend-failed', detail: expect.stringContaining(why) });
    },
  );
});

import { describe, expect, it } from 'vitest';
import { basicCred, hmac, md5Digest, userHash } from '../../src/dm1/auth/digests.ts';
import { formatHmacHeader } from '../../src/dm1/auth/hmacHeader.ts';
import { wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { type Answer, closing, packageOne, statuses, syncml, TYPES, type Wired, wired } from './harness.ts';

const DEVICE = 'IMEI:493005100592800';
const STATE = 'urn:oma:mo:oma-dm-devinfo:1.2//Man';
const HASH = userHash('user', 'right');
const OPENING = packageOne(DEVICE);
const HEADER_OK = (msgRef: string) =>
  `<Status><CmdID>1</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>`;

type Form = 'xml' | 'wbxml';
type Parts = Partial<Parameters<typeof syncml>[0]>;

const basic = (password: string) => cred('basic', basicCred('user', password));
function cred(type: string, data: string): string {
  return `<Cred><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-${type}</Type></Meta><Data>${data}</Data></Cred>`;
}

/** The bytes of a message in either encoding. */
function written(form: Form, parts: Parts, body: string): Uint8Array {
  const xml = syncml({ device: DEVICE, ...parts }, body);
  return form === 'xml' ? Buffer.from(xml) : xmlToWbxml(xml);
}

function read(form: Form, { body }: Answer): string {
  return form === 'xml' ? body.toString('utf8') : wbxmlToXml(body);
}

const nonceIn = (xml: string) => Buffer.from(/<NextNonce[^>]*>([^<]*)</.exec(xml)?.[1] ?? '', 'base64');

/** A gateway whose devices have to authenticate, with a 2.0 backend that asks one thing. */
async function guarded(dm1: 'basic' | 'md5' | 'hmac', config: Record<string, unknown> = {}) {
  const backend = closing(new Dm2Backend({ script: [[['GET', STATE]]] }));
  const gateway = await wired({
    deviceAuth: { dm1, dm2: 'basic' },
    backends: { peer: { protocol: 'dm2', url: await backend.start() } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'peer' }],
    ...config,
  });
  await gateway.api('POST', '/api/devices', { id: DEVICE, username: 'user', password: 'right' });
  return { backend, gateway };
}

/** Answers every command of the gateway until it has none left; `send` makes a message of its number and body. */
async function finish(
  form: Form,
  opened: Answer,
  send: (msgId: string, body: string, last: string) => Promise<Answer>,
): Promise<void> {
  let text = read(form, opened);
  for (let n = 2 + Number(/<MsgID>(\d+)/.exec(text)?.[1] ?? '1') - 1; n < 20; n += 1) {
    const ref = /<MsgID>(\d+)/.exec(text)?.[1] ?? '';
    const gets = [...text.matchAll(/<Get>\s*<CmdID>(\d+)</g)].map(([, id]) => id);
    if (gets.length === 0) return;
    const parts = gets.map(
      (id, i) =>
        `<Status><CmdID>${i + 2}</CmdID><MsgRef>${ref}</MsgRef><CmdRef>${id}</CmdRef><Cmd>Get</Cmd><Data>404</Data></Status>`,
    );
    text = read(form, await send(String(n), `${HEADER_OK(ref)}${parts.join('')}<Final/>`, text));
    expect(statuses(text)[0]?.[1]).toMatch(/^2/);
  }
  throw new Error('The session does not end.');
}

async function onlyOneCompleted({ gateway, backend }: { gateway: Wired; backend: Dm2Backend }) {
  expect(backend.sessions.map(({ state }) => state)).toEqual(['completed']);
  const traces = await gateway.traces(DEVICE);
  expect(traces.map(({ state, ending }) => [state, ending])).toEqual([['done', 'completed']]);
}

describe.each(['xml', 'wbxml'] as const)('impostor, in %s', (form) => {
  const headers = { 'content-type': TYPES[form] };

  it('who knows a device by name disturbs neither its session nor its answers [IW-AUTH-1] [IW-SES-3] [IW-SES-4]', async () => {
    const { gateway, backend } = await guarded('basic');
    const opening = written(form, { cred: basic('right') }, OPENING);
    const first = await gateway.post(opening, headers);
    expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '212']);
    const forged: [Parts, string, string][] = [
      [{}, OPENING, '401'],
      [{ cred: basic('wrong') }, OPENING, '401'],
      [{ sessionId: '7' }, OPENING, '401'],
      [{ msgId: '2', cred: basic('wrong') }, OPENING, '401'],
      [{ msgId: '2', sessionId: '7', cred: basic('wrong') }, OPENING, '401'],
      [{ msgId: '1' }, `${HEADER_OK('1')}<Final/>`, '400'],
      [{ msgId: '2', sessionId: '7' }, `${HEADER_OK('1')}<Final/>`, '500'],
    ];
    for (const [parts, body, code] of forged) {
      const answer = read(form, await gateway.post(written(form, parts, body), headers));
      expect(statuses(answer)[0], JSON.stringify(parts)).toEqual(['SyncHdr', code]);
      expect(answer).not.toContain('<Get>');
    }
    const repeated = await gateway.post(opening, headers);
    expect(repeated.body.equals(first.body)).toBe(true);
    await finish(form, first, (msgId, body) => gateway.post(written(form, { msgId }, body), headers));
    await onlyOneCompleted({ gateway, backend });
  });

  it('takes no part in a session whose messages prove themselves [IW-AUTH-1] [IW-SES-5]', async () => {
    const { gateway, backend } = await guarded('hmac');
    const mac = (nonce: Uint8Array, body: Uint8Array, hash = HASH) => ({
      'x-syncml-hmac': formatHmacHeader({ username: 'user', mac: hmac(hash, nonce, body) }),
    });
    const signed = (nonce: Uint8Array, body: Uint8Array) =>
      gateway.post(body, { ...headers, ...mac(nonce, body) });
    const challenge = read(form, await gateway.post(written(form, {}, OPENING), headers));
    expect(statuses(challenge)[0]).toEqual(['SyncHdr', '401']);
    const used = nonceIn(challenge);
    const first = await signed(used, written(form, { msgId: '2' }, OPENING));
    expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '200']);
    await finish(form, first, async (msgId, body, last) => {
      const message = written(form, { msgId }, body);
      const forged = {
        missing: {},
        replayed: mac(used, message),
        'for other bytes': mac(nonceIn(last), Buffer.from('other')),
        'of another password': mac(nonceIn(last), message, userHash('user', 'wrong')),
      };
      // A few failures cost nothing; more would make the device itself wait.
      for (const [what, proof] of msgId === '3' ? Object.entries(forged) : [['missing', {}] as const]) {
        const answer = read(form, await gateway.post(message, { ...headers, ...proof }));
        expect(statuses(answer)[0], what).toEqual(['SyncHdr', '401']);
        expect(answer).not.toContain('<Get>');
      }
      return signed(nonceIn(last), message);
    });
    await onlyOneCompleted({ gateway, backend });
  });

  it('cannot take from a device the challenge that it answers; the answer ends what the device left open [IW-AUTH-1] [IW-SES-3]', async () => {
    const { gateway, backend } = await guarded('md5');
    const open = async () => {
      const challenge = read(form, await gateway.post(written(form, {}, OPENING), headers));
      expect(statuses(challenge).map(([, code]) => code)).toEqual(['401', '401', '401']);
      for (const sessionId of ['1', '2', '1']) {
        const forged = await gateway.post(
          written(form, { sessionId, cred: cred('md5', 'AAAA') }, OPENING),
          headers,
        );
        expect(statuses(read(form, forged))[0]).toEqual(['SyncHdr', '401']);
      }
      const md5 = cred('md5', md5Digest(HASH, nonceIn(challenge)));
      const first = await gateway.post(
        written(form, { msgId: '2', cred: md5 }, `${HEADER_OK('1')}${OPENING}`),
        headers,
      );
      expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '212']);
      return first;
    };
    await open();
    // The device begins anew under the same SessionID, and out of step.
    const again = await open();
    expect(read(form, again)).toMatch(/<MsgID>2</);
    await finish(form, again, (msgId, body) => gateway.post(written(form, { msgId }, body), headers));
    await expect.poll(() => backend.sessions.map(({ state }) => state)).toEqual(['completed', 'completed']);
    const traces = await gateway.traces(DEVICE);
    expect(traces.map(({ ending }) => ending)).toEqual(['completed', 'device-gone']);
    expect(traces[0]?.trace.filter(({ text }) => text?.includes('MsgID'))).toEqual([]);
  });

  it('spends nothing of what the device may send [IW-AUTH-5]', async () => {
    const allowed = 20;
    const { gateway, backend } = await guarded('basic', { limits: { requestsPerDevice: allowed } });
    for (let n = 1; n <= allowed + 2; n += 1) {
      const { status } = await gateway.post(written(form, {}, OPENING), headers);
      expect(status, `${n}`).toBe(n > allowed ? 429 : 200);
    }
    const modern = await gateway.post('{"MOS":[]}', {
      'content-type': TYPES.package1,
      'omadm-devid': DEVICE,
    });
    expect([modern.status, modern.headers['retry-after']]).toEqual([429, expect.any(String)]);
    const first = await gateway.post(written(form, { cred: basic('right') }, OPENING), headers);
    expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '212']);
    let own = 1;
    await finish(form, first, (msgId, body) => {
      own += 1;
      return gateway.post(written(form, { msgId }, body), headers);
    });
    await onlyOneCompleted({ gateway, backend });
    const next = written(form, { sessionId: '2', cred: basic('right') }, OPENING);
    for (; own < allowed; own += 1) expect((await gateway.post(next, headers)).status).toBe(200);
    expect((await gateway.post(next, headers)).status).toBe(429);
  });
});

import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Dm2Backend, type Dm2BackendOptions } from '../../src/simulator/dm2Backend/backend.ts';
import type { Fault } from '../../src/simulator/httpServer.ts';
import { Dm2Client, LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { beside, closing, listening, packageOne, statuses, syncml, TYPES, wired } from './harness.ts';

const XML = { 'content-type': TYPES.xml };
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const PKG_URL = `${FUMO}//DownloadAndUpdate/PkgURL`;
const DEVICE = 'IMEI:493005100592800';
const onlyDevice = { match: { deviceId: 'IMEI:*' }, backend: 'peer' };

/** A gateway whose devices `IMEI:*` go to a backend; others stay on the built-in one. */
async function withBackend(
  backend: Record<string, unknown>,
  config: Record<string, unknown> = {},
): ReturnType<typeof wired> {
  return wired({ backends: { peer: backend }, routes: [onlyDevice], ...config });
}

async function onDm2(options: Dm2BackendOptions, config: Record<string, unknown> = {}) {
  const backend = closing(new Dm2Backend(options));
  const url = await backend.start();
  const gateway = await withBackend({ protocol: 'dm2', url }, config);
  return { backend, gateway };
}

/** A session of a legacy device on a 2.0 backend with a script, and the status code of every command. */
async function l2n(options: Dm2BackendOptions, config: Record<string, unknown> = {}) {
  const { backend, gateway } = await onDm2(options, config);
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE }));
  const report = await beside(gateway, () => device.session());
  const codes = backend.sessions.at(-1)?.commands.map(({ status }) => status?.sc);
  return { backend, gateway, device, report, codes };
}

const next = (text: string) => /<RespURI>(.*?)<\/RespURI>/.exec(text)?.[1] ?? '';
const commandIds = (xml: string) =>
  [...xml.matchAll(/<(Get|Exec|Replace|Delete|Sequence|Atomic|Add)><CmdID>(\d+)</g)].map(
    ([, name = '', id = '']) => ({
      name,
      id,
    }),
  );
const status = (id: number, msgRef: string, cmdRef: string, cmd: string, code: number) =>
  `<Status><CmdID>${id}</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>${cmdRef}</CmdRef><Cmd>${cmd}</Cmd><Data>${code}</Data></Status>`;

describe('duplicate-session', () => {
  it('answers a repeated message with the very same bytes, and does nothing twice [IW-SES-4]', async () => {
    const { gateway, backend } = await onDm2({ script: [[['GET', `${FUMO}//State`]]] });
    const body = syncml({ device: DEVICE }, packageOne(DEVICE));
    const first = await gateway.post(body, XML);
    const second = await gateway.post(body, XML);
    expect(second.status).toBe(200);
    expect(second.body.equals(first.body)).toBe(true);
    expect(gateway.logged('repeated')).toMatchObject({ device: DEVICE, msgId: '1' });
    expect(backend.sessions.length).toBeLessThanOrEqual(1);
    expect(await gateway.traces(DEVICE)).toHaveLength(1);
  });

  it('ends the earlier session of a device that begins anew, and closes its backend leg [IW-SES-3]', async () => {
    const { gateway, backend } = await onDm2({ script: [[['GET', `${FUMO}//State`]], []] });
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE }));
    device.begin();
    while (backend.sessions.length === 0) await device.step();
    device.drop();
    expect(await beside(gateway, () => device.session())).toMatchObject({
      outcome: 'completed',
      violations: [],
    });
    await expect.poll(() => backend.sessions.map(({ state }) => state)).toEqual(['completed', 'completed']);
    expect(backend.sessions[0]?.commands[0]?.status?.sc).toBe(500);
    expect(backend.sessions[1]?.commands[0]?.status?.sc).toBe(200);
    const traces = await gateway.traces(DEVICE);
    expect(traces.map(({ ending }) => ending)).toEqual(['completed', 'device-gone']);
  });
});

describe('out-of-order', () => {
  async function opened() {
    const { gateway, backend } = await onDm2({ script: [[['GET', `${FUMO}//State`]]] });
    const first = await gateway.post(syncml({ device: DEVICE }, packageOne(DEVICE)), XML);
    expect(statuses(first.text)).toEqual([
      ['SyncHdr', expect.stringMatching(/^2/)],
      ['Alert', '200'],
      ['Replace', '200'],
    ]);
    const target = next(first.text);
    const reply = (msgId: string, body: string) =>
      gateway.post(syncml({ device: DEVICE, msgId, target }, body), XML);
    return { gateway, backend, first, reply };
  }

  it('answers a MsgID from the past that was never had with 400, and goes on [IW-SES-5]', async () => {
    const { first, reply, gateway } = await opened();
    const answer = await reply('1', `${status(1, '1', '0', 'SyncHdr', 200)}<Final/>`);
    expect(answer.status).toBe(200);
    expect(statuses(answer.text)[0]).toEqual(['SyncHdr', '400']);
    expect(gateway.logged('out-of-order')).toMatchObject({ device: DEVICE });
    const all = commandIds(first.text).map(({ name, id }, i) => status(i + 2, '1', id, name, 406));
    const right = await reply('2', `${status(1, '1', '0', 'SyncHdr', 200)}${all.join('')}<Final/>`);
    expect(statuses(right.text)[0]?.[1]).toMatch(/^2/);
  });

  it('answers a message of an unknown session with 500 for each part, and opens none [IW-SES-3]', async () => {
    const gateway = await wired();
    const body = `${status(1, '1', '0', 'SyncHdr', 200)}<Replace><CmdID>2</CmdID><Item><Source><LocURI>./x</LocURI></Source><Data>1</Data></Item></Replace><Final/>`;
    const answer = await beside(gateway, () =>
      gateway.post(syncml({ device: 'LOST', msgId: '5', sessionId: '9' }, body), XML),
    );
    expect(statuses(answer.text)).toEqual([
      ['SyncHdr', '500'],
      ['Replace', '500'],
    ]);
    expect(answer.text).toContain('<Final/>');
    expect(await gateway.traces('LOST')).toEqual([]);
    expect(gateway.logged('no-session')).toMatchObject({ device: 'LOST' });
    const json = await gateway.post('{"Status":[{"sc":200}]}', {
      'content-type': TYPES.package3,
      'omadm-devid': 'LOST',
    });
    expect([json.status, json.text]).toEqual([200, '{"CMD":[["END"]]}']);
  });

  it('passes over a Status for a command never sent, with a note [IW-SES-12]', async () => {
    const { first, reply, gateway } = await opened();
    const all = commandIds(first.text).map(({ name, id }, i) => status(i + 2, '1', id, name, 406));
    const alien = status(90, '1', '77', 'Exec', 200);
    const answer = await reply('2', `${status(1, '1', '0', 'SyncHdr', 200)}${alien}${all.join('')}<Final/>`);
    expect(statuses(answer.text)[0]?.[1]).toMatch(/^2/);
    const [trace] = await gateway.traces(DEVICE);
    expect(trace?.state).toBe('live');
    expect(
      trace?.trace
        .filter(({ kind }) => kind === 'note')
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(/77/);
  });

  it('takes commands that get no Status for failed, and tells the backend 500 [IW-SES-10]', async () => {
    const { first, reply, backend, gateway } = await opened();
    let text = first.text;
    for (let msgId = 2; msgId < 12 && commandIds(text).length > 0; msgId += 1) {
      const ref = /<MsgID>(\d+)</.exec(text)?.[1] ?? '';
      text = (await reply(String(msgId), `${status(1, ref, '0', 'SyncHdr', 200)}<Final/>`)).text;
    }
    expect(commandIds(text)).toEqual([]);
    expect(text).toContain('<Final/>');
    expect(backend.sessions[0]?.state).toBe('completed');
    expect(backend.sessions[0]?.commands.map(({ status: one }) => one?.sc)).toEqual([expect.any(Number)]);
    expect(backend.sessions[0]?.commands[0]?.status?.sc).toBeGreaterThanOrEqual(400);
    expect((await gateway.traces(DEVICE))[0]?.state).toBe('done');
  });

  it.each([
    ['too few', '{"Status":[{"sc":200}]}'],
    ['too many', '{"Status":[{"sc":200},{"sc":200},{"sc":200}]}'],
  ])(
    'trusts no item of a Package#3 with %s, then sends one command at a time [IW-SES-12]',
    async (_, three) => {
      const gateway = await wired();
      await gateway.api('POST', '/api/devices', { id: 'J', username: 'J', password: 'p' });
      const CMD = [
        ['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man'],
        ['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Mod'],
      ];
      const queue = async () =>
        (await gateway.api<{ job: string }>('POST', '/api/devices/J/commands', { CMD })).job;
      const jobs = [await queue(), await queue()];
      const send = (type: string, body: string) =>
        gateway.post(body, { 'content-type': type, 'omadm-devid': 'J', accept: '*/*' });
      const count = (text: string) => (JSON.parse(text) as { CMD: unknown[] }).CMD.length;
      const one =
        '{"MOS":[{"MOID":"urn:oma:mo:oma-dm-devinfo:1.2","MIID":["1"]}],"Alert":[{"AlertType":"urn:oma:at:dm:2.0:ClientInitiatedMgmt"}]}';
      let answer = await send(TYPES.package1, one);
      expect(count(answer.text)).toBe(2);
      answer = await beside(gateway, () => send(TYPES.package3, three));
      expect(await gateway.api('GET', `/api/jobs/${jobs[0]}`)).toMatchObject({
        state: 'done',
        Status: [{ sc: 500 }, { sc: 500 }],
      });
      for (let n = 0; n < 2; n += 1) {
        expect(count(answer.text), answer.text).toBe(1);
        answer = await send(TYPES.package3, '{"Status":[{"sc":200}]}');
      }
      expect(answer.text).toBe('{"CMD":[["END"]]}');
      expect(await gateway.api('GET', `/api/jobs/${jobs[1]}`)).toMatchObject({
        state: 'done',
        Status: [{ sc: 200 }, { sc: 200 }],
      });
      const [trace] = await gateway.traces('J');
      expect(trace?.trace.some(({ rule }) => rule === 'IW-SES-12')).toBe(true);
    },
  );
});

describe('overload', () => {
  it('puts new sessions off with 503 and Retry-After, and lets open ones go on [IW-SES-5]', async () => {
    const gateway = await wired({ limits: { sessions: 1 } });
    const first = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'FIRST' }));
    first.begin();
    await first.step();
    const answer = await gateway.post(syncml({ device: 'SECOND' }, packageOne('SECOND')), XML);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(gateway.logged('overload')).toMatchObject({ device: 'SECOND' });
    while (await first.step());
    expect(first.report).toMatchObject({ outcome: 'completed', violations: [] });
    expect((await gateway.post(syncml({ device: 'SECOND' }, packageOne('SECOND')), XML)).status).toBe(200);
  });

  it('answers 429 to one device that sends without end, and serves the others [IW-SES-5]', async () => {
    const gateway = await wired({ limits: { requestsPerDevice: 5 } });
    const body = syncml({ device: 'FLOOD' }, packageOne('FLOOD'));
    const codes: number[] = [];
    for (let n = 0; n < 8; n += 1) codes.push((await gateway.post(body, XML)).status);
    expect(codes.slice(0, 5)).toEqual([200, 200, 200, 200, 200]);
    expect(codes.at(-1)).toBe(429);
    const other = await gateway.post(syncml({ device: 'CALM' }, packageOne('CALM')), XML);
    expect(other.status).toBe(200);
  });
});

describe('ssrf', () => {
  it('fetches nothing outside the allow list and no forbidden address [IW-HGET-1]', async () => {
    let hits = 0;
    const inside = createServer((_, response) => {
      hits += 1;
      response.end('secret');
    });
    closing({ close: () => void inside.close() });
    await new Promise<void>((listening) => inside.listen(0, '127.0.0.1', listening));
    const address = inside.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const urls = [
      `http://127.0.0.1:${port}/x`,
      `http://localhost:${port}/x`,
      `http://[::1]:${port}/x`,
      `http://2130706433:${port}/x`,
      `http://0x7f.1:${port}/x`,
      'http://169.254.169.254/latest/meta-data/',
      'http://10.0.0.1/x',
      'http://unknown.invalid/x',
      'http://user:password@127.0.0.1/x',
      'file:///etc/passwd',
      'gopher://127.0.0.1/x',
      'not a url',
    ];
    const { codes, report, gateway } = await l2n({
      script: [urls.map((url) => ['HGET', url, PKG_URL]), [['HPUT', urls[0]!, `${FUMO}//State`]]],
    });
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(hits).toBe(0);
    expect(codes).toHaveLength(urls.length + 1);
    for (const [n, code] of (codes ?? []).entries()) expect([400, 403, 500], urls[n]).toContain(code);
    expect(report.executed.filter(({ command }) => command !== 'Get')).toEqual([]);
    const [trace] = await gateway.traces(DEVICE);
    expect(JSON.stringify(trace)).toContain('outbound-refused');
  });

  it('follows no redirect to where it may not go [IW-HGET-1]', async () => {
    let hits = 0;
    const host = await listening((_, response) => {
      hits += 1;
      response.end('secret');
    });
    const fault = ({ path }: { path: string }): Fault =>
      path.includes('/repository/')
        ? { status: 302, headers: { location: `http://${host}/secret` } }
        : undefined;
    const { codes } = await l2n({ fault, script: [[['HGET', '{origin}/repository/url', PKG_URL]]] });
    expect(hits).toBe(0);
    expect(codes?.[0]).toBeGreaterThanOrEqual(400);
  });
});

const JUNK: [string, Fault][] = [
  ['is down for the moment', 'drop'],
  ['answers 500', { status: 500 }],
  ['answers 404', { status: 404 }],
  ['redirects', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
  ['answers HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') }],
  ['answers junk JSON', junk('{"CMD":[[1,2')],
  ['answers another document', junk('{"MOS":[]}')],
  ['answers binary noise', junk('\u0000\u0001\u0002\ufffd')],
  ['answers 100 MB', junk('x'.repeat(100 * 1024 * 1024))],
];

function junk(text: string): Fault {
  return {
    status: 200,
    headers: { 'content-type': 'application/vnd.oma.dm.request+json' },
    body: Buffer.from(text),
  };
}

describe('backend-failures', () => {
  it.each(JUNK)('a 2.0 backend that %s: the device is closed cleanly [IW-SES-10]', async (_, answer) => {
    const { report, gateway } = await l2n({ fault: () => answer, keepMessages: false });
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    const [trace] = await gateway.traces(DEVICE);
    expect(trace?.ending).toBe('backend-failed');
    expect(trace?.detail?.length).toBeGreaterThan(10);
  });

  it.each(JUNK)('a legacy server that %s: the client gets END [IW-SES-10]', async (_, answer) => {
    const server = closing(new LegacyServer({ fault: () => answer, keepMessages: false }));
    const gateway = await withBackend({ protocol: 'dm1', url: await server.start() });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: DEVICE }));
    const report = await beside(gateway, () => client.session());
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(report.executed.at(-1)?.command).toEqual(['END']);
    expect((await gateway.traces(DEVICE))[0]?.ending).toBe('backend-failed');
  });

  it('one that is not there, or does not answer in time, is given up [IW-SES-10]', async () => {
    const mute = createServer(() => undefined);
    closing({
      close: () => {
        mute.closeAllConnections();
        mute.close();
      },
    });
    await new Promise<void>((listening) => mute.listen(0, '127.0.0.1', listening));
    const { port } = mute.address() as { port: number };
    for (const url of ['http://127.0.0.1:1/dm', `http://127.0.0.1:${port}/dm`]) {
      for (const protocol of ['dm1', 'dm2'] as const) {
        const gateway = await withBackend({ protocol, url }, { limits: { backendSeconds: 1 } });
        const began = Date.now();
        const peer = { url: gateway.dm, deviceId: DEVICE };
        const device = closing(protocol === 'dm2' ? new LegacyDevice(peer) : new Dm2Client(peer));
        expect(await beside(gateway, async () => device.session())).toMatchObject({
          outcome: 'completed',
          violations: [],
        });
        expect(Date.now() - began).toBeLessThan(8_000);
        expect((await gateway.traces(DEVICE))[0]?.ending).toBe('backend-failed');
      }
    }
  });
});

describe('bad-addresses', () => {
  it('answers 400 to malformed, 404 to absent and ambiguous ClientURIs [IW-ADDR-1]', async () => {
    const cases: [readonly string[], number][] = [
      [['GET', ''], 400],
      [['GET', 'no client uri'], 400],
      [['GET', 'urn:oma:mo:oma-fumo:1.0'], 400],
      [['GET', `${FUMO}//State?nv=`], 400],
      [['GET', `${FUMO}//State?nv=(`], 400],
      [['GET', `${FUMO}//%zz`], 400],
      [['GET', `${FUMO}//State?lv=x`], 400],
      [['GET', 'urn:oma:mo:nowhere:1.0//'], 404],
      [['GET', `${FUMO}/none/State`], 404],
      [['GET', `${FUMO}//None/At/All`], 404],
      [['GET', `${SCOMO}//Inventory/Deployed/*/Nope`], 404],
      [['DELETE', `${FUMO}//../State`], 400],
      [['EXEC', `${FUMO}//Nope`], 404],
      [['GET', `${FUMO}//State`], 200],
    ];
    const { codes, report } = await l2n({ script: [cases.map(([command]) => command)] });
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(codes?.map((code, n) => [cases[n]?.[0].join(' '), code])).toEqual(
      cases.map(([command, code]) => [command.join(' '), code]),
    );
  });

  it('answers odd addresses of a legacy server with its own codes [IW-ADDR-5]', async () => {
    const script: ServerCommand[] = [
      { kind: 'Get', uris: ['./No/Such'] },
      { kind: 'Get', uris: ['./DevInfo//Man'] },
      { kind: 'Get', uris: ['./../etc'] },
      { kind: 'Get', uris: ['%zz'] },
      { kind: 'Get', uris: ['./DevInfo/Man?prop=Nope'] },
      { kind: 'Delete', uris: ['.'] },
      { kind: 'Exec', uri: './Nope' },
      { kind: 'Replace', uri: './Nope/x', data: 'x' },
      { kind: 'Get', uris: ['./DevInfo/Man'] },
    ];
    const server = closing(new LegacyServer({ script: [script] }));
    const gateway = await withBackend({ protocol: 'dm1', url: await server.start() });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: DEVICE }));
    const report = await beside(gateway, () => client.session());
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    const codes = server.sessions[0]?.commands.map(({ code }) => Number(code)) ?? [];
    expect(codes).toHaveLength(script.length);
    for (const [n, code] of codes.slice(0, -1).entries())
      expect([400, 404, 405, 406], JSON.stringify(script[n])).toContain(code);
    expect(codes.at(-1)).toBe(200);
  });
});

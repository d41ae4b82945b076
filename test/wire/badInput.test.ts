import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { closing, type Running, run } from '../crossing/gateway.ts';

const XML = 'application/vnd.syncml.dm+xml';
const WBXML = 'application/vnd.syncml.dm+wbxml';
const OPENING = 'application/vnd.oma.dm.initiation+json';
const RESPONSE = 'application/vnd.oma.dm.response+json';
const DM2 = { 'omadm-devid': 'IMEI:bad' };

async function post(
  gateway: Running,
  type: string | undefined,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
) {
  const answer = await request(gateway.dm, {
    method: 'POST',
    headers: { ...(type !== undefined && { 'content-type': type }), ...headers },
    body: typeof body === 'string' ? Buffer.from(body) : body,
  });
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type'] ?? ''),
    body: Buffer.from(await answer.body.arrayBuffer()),
  };
}

/** A whole session of a sound device while something bad goes on. */
async function undisturbed(gateway: Running): Promise<void> {
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'IMEI:sound' }));
  expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
}

function message(parts: { device?: string; sessionId?: string; msgId?: string; body?: string } = {}): string {
  const {
    device = 'IMEI:bad',
    sessionId = '1',
    msgId = '1',
    body = '<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>',
  } = parts;
  return (
    `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${sessionId}</SessionID>` +
    `<MsgID>${msgId}</MsgID><Target><LocURI>http://gw/dm</LocURI></Target><Source><LocURI>${device}</LocURI></Source></SyncHdr>` +
    `<SyncBody>${body}<Final/></SyncBody></SyncML>`
  );
}

const OK = message();
const head = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

const UNREADABLE: readonly [name: string, type: string, body: string | Uint8Array][] = [
  ['XML that ends early', XML, OK.slice(0, 120)],
  ['XML that is none', XML, 'hello'],
  ['an empty body', XML, ''],
  ['an entity bomb', XML, `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${OK}`],
  ['an unknown entity', XML, OK.replace('1201', '&x;')],
  ['deep nesting', XML, '<a>'.repeat(100_000)],
  [
    'a huge attribute',
    XML,
    OK.replace(
      '<SyncHdr>',
      `<SyncHdr a="${'x'.repeat(200_000)}" ${Array.from({ length: 500 }, (_, i) => `b${i}="x"`).join(' ')}>`,
    ),
  ],
  ['a NUL in a name', XML, OK.replace('<Alert>', '<Al\0ert>')],
  ['a reference to a control character', XML, OK.replace('1201', '&#1;')],
  ['a charset that nobody knows', XML, `<?xml version="1.0" encoding="x-klingon"?>${OK}`],
  [
    'bytes that are no UTF-8',
    XML,
    Buffer.concat([Buffer.from(OK.slice(0, 200)), Buffer.from([0xff, 0xfe, 0xc0])]),
  ],
  ['a header without SessionID', XML, OK.replace(/<SessionID>.*<\/SessionID>/, '')],
  ['WBXML that ends early', WBXML, head('02 a4 01 6a 00 6d 6c 71 03 31')],
  ['a string-table offset past its end', WBXML, head('02 a4 01 6a 00 6d 6c 71 83 7f 01')],
  ['an over-long integer', WBXML, head('02 ff ff ff ff ff ff 7f 6a 00')],
  ['an opaque past the end', WBXML, head('02 a4 01 6a 00 6d 6c 71 c3 8f ff 7f 31')],
  ['an unknown token', WBXML, head('02 a4 01 6a 00 6d 6c 7f 03 31 00 01')],
  ['an unknown page', WBXML, head('02 a4 01 6a 00 6d 00 09 6c 71')],
  ['JSON that ends early', OPENING, '{"MOS":['],
  ['JSON with a repeated member', OPENING, '{"MOS":[],"MOS":[]}'],
  ['a package of another shape', RESPONSE, '{"Status":"fine"}'],
];

describe('xml-bombs, broken WBXML and JSON', () => {
  it.each(UNREADABLE)(
    '%s is answered 400 with the reason, and disturbs nobody [IW-SES-1]',
    async (_name, type, body) => {
      const gateway = await run();
      const [answer] = await Promise.all([
        post(gateway, type, body, type === XML || type === WBXML ? {} : DM2),
        undisturbed(gateway),
      ]);
      expect(answer.status).toBe(400);
      expect(answer.body.toString()).toMatch(/\S.{20,}\./);
    },
  );

  it('JSON nested beyond all bounds is answered 413', async () => {
    const gateway = await run();
    const answer = await post(gateway, OPENING, '['.repeat(900_000), DM2);
    expect([answer.status, answer.body.toString()]).toEqual([413, expect.stringContaining('deep')]);
    await undisturbed(gateway);
  });

  it('control characters in a value are taken out, and the trace says so [IW-VAL-4]', async () => {
    const gateway = await run();
    const body = OK.replace(
      '<Final/>',
      '<Replace><CmdID>2</CmdID><Item><Source><LocURI>./DevInfo/Man</LocURI></Source><Data>Ac\0me\u0001</Data></Item></Replace><Final/>',
    );
    expect((await post(gateway, XML, body)).status).toBe(200);
    const { body: list } = await gateway.api<{ sessions: { id: string }[] }>(
      'GET',
      '/api/sessions?device=IMEI:bad',
    );
    const trace = await gateway.api('GET', `/api/sessions/${list.sessions[0]!.id}`);
    expect(JSON.stringify(trace.body)).toContain('IW-VAL-4');
  });
});

describe('the wrong type, size and verb', () => {
  it.each([
    undefined,
    'text/xml',
    'application/json',
    'multipart/form-data; boundary=x',
    'application/vnd.syncml.ds+xml',
  ])('type %s is answered 415 [IW-SES-1]', async (type) => {
    const gateway = await run();
    const answer = await post(gateway, type, OK);
    expect(answer.status).toBe(415);
    expect(answer.body.toString()).toContain('Content-Type');
    await undisturbed(gateway);
  });

  it('a body over the limit is answered 413 in every form', async () => {
    const gateway = await run({ limits: { messageBytes: 10_000 } });
    for (const [type, body] of [
      [XML, OK.padEnd(20_000)],
      [WBXML, Buffer.alloc(20_000)],
      [OPENING, '{}'.padEnd(20_000)],
    ] as const) {
      expect((await post(gateway, type, body, DM2)).status).toBe(413);
    }
    await undisturbed(gateway);
  });
});

describe('duplicate-session, out-of-order', () => {
  it('a repeated message gets the same bytes again and nothing is done twice [IW-SES-4]', async () => {
    const gateway = await run();
    const first = await post(gateway, XML, OK);
    const again = await post(gateway, XML, OK);
    expect(again.body.equals(first.body)).toBe(true);
  });

  it('a message of a session that does not exist is refused in SyncML, and ends it [IW-SES-3]', async () => {
    const gateway = await run();
    const answer = await post(
      gateway,
      XML,
      message({
        sessionId: '77',
        msgId: '3',
        body: '<Status><CmdID>1</CmdID><MsgRef>2</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>',
      }),
    );
    expect(answer.status).toBe(200);
    const { message: reply } = decodeMessage(answer.body, 'xml');
    expect(reply.body.every((element) => element.kind === 'Status')).toBe(true);
    expect(reply.final).toBe(true);
  });

  it('a Status for a command that was never sent is passed over, a missing one is 500 [IW-SES-10]', async () => {
    const gateway = await run();
    const known = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'IMEI:bad' }));
    await known.session();
    const job = await gateway.queue('IMEI:bad', [
      ['DELETE', 'urn:oma:mo:oma-scomo:1.0//Inventory/Deployed/Component1'],
    ]);
    await post(gateway, XML, message({ sessionId: '9' }));
    const stray = (ref: string) =>
      `<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>${ref}</CmdRef><Cmd>Delete</Cmd><Data>200</Data></Status>`;
    const header =
      '<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>';
    const answer = await post(
      gateway,
      XML,
      message({ sessionId: '9', msgId: '2', body: header + stray('4711') }),
    );
    expect(answer.status).toBe(200);
    expect(await gateway.job(job)).toMatchObject({ state: 'done', Status: [{ sc: 500 }] });
  });

  it('a Package#3 without a session gets END [IW-SES-3]', async () => {
    const gateway = await run();
    const answer = await post(gateway, RESPONSE, '{"Status":[{"sc":200}]}', DM2);
    expect([answer.status, answer.body.toString()]).toEqual([200, '{"CMD":[["END"]]}']);
  });
});

describe('overload', () => {
  it('refuses new sessions with 503 and Retry-After and lets running ones go on', async () => {
    const gateway = await run({ limits: { sessions: 1 } });
    const running = closing(new Dm2Client({ url: gateway.dm, deviceId: 'IMEI:first' }));
    await running.session();
    await gateway.queue('IMEI:first', [['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man']]);
    running.begin();
    await running.step();
    const refused = await request(gateway.dm, { method: 'POST', headers: { 'content-type': XML }, body: OK });
    expect([refused.statusCode, Number(refused.headers['retry-after']) > 0]).toEqual([503, true]);
    await refused.body.dump();
    while (await running.step());
    expect(running.report).toMatchObject({ outcome: 'completed', violations: [] });
  });
});

describe('backend-failures', () => {
  const FAULTS = {
    'is down': () => 'drop' as const,
    'answers junk': () => ({
      status: 200,
      headers: { 'content-type': 'application/vnd.oma.dm.request+json' },
      body: 'junk',
    }),
    'answers 500': () => ({ status: 500 }),
    redirects: () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/elsewhere' } }),
    'returns far too much': () => ({
      status: 200,
      headers: { 'content-type': 'application/vnd.oma.dm.request+json' },
      body: Buffer.alloc(8_000_000, 0x20),
    }),
  };
  it.each(Object.entries(FAULTS))(
    'a backend that %s leaves the device with a tidy end [IW-SES-10]',
    async (_name, fault) => {
      const backend = closing(new Dm2Backend({ fault: fault as never }));
      const gateway = await run({
        backends: { dms: { protocol: 'dm2', url: await backend.start() } },
        routes: [{ match: { deviceId: 'IMEI:bad' }, backend: 'dms' }],
      });
      const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'IMEI:bad' }));
      const [report] = await Promise.all([device.session(), undisturbed(gateway)]);
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect((await gateway.notes('IMEI:bad')).some(({ rule }) => rule === 'IW-SES-10')).toBe(true);
    },
  );

  it('a slow backend is given up in time [IW-SES-10]', async () => {
    const backend = closing(new Dm2Backend({ latencyMs: 20_000 }));
    const gateway = await run({
      limits: { backendSeconds: 1 },
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: {}, backend: 'dms' }],
    });
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'IMEI:bad' }));
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
  });
});

describe('ssrf, bad-addresses', () => {
  it('is told by status, command by command, and the session goes on [IW-ADDR-1] [IW-HGET-1]', async () => {
    const gateway = await run();
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'IMEI:bad' }));
    await device.session();
    device.tree.add(['FUMO', 'second'], { format: 'node', type: 'urn:oma:mo:oma-fumo:1.0' });
    device.tree.find(['DevDetail', 'FwV'])!.value = '9';
    await gateway.queue('IMEI:bad', [['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man']]);
    await device.session();
    const job = await gateway.queue('IMEI:bad', [
      ['GET', 'urn:oma:mo:oma-fumo:1.0/(x'],
      ['GET', 'urn:oma:mo:oma-fumo:1.0//State'],
      ['GET', 'urn:oma:mo:oma-fumo:1.0/none/State'],
      ['HGET', 'http://169.254.169.254/latest', 'urn:oma:mo:oma-fumo:1.0/fw/PkgName'],
      ['HGET', 'http://localhost:1/x', 'urn:oma:mo:oma-fumo:1.0/fw/PkgName'],
      ['HPUT', 'ftp://files.example/x', 'urn:oma:mo:oma-fumo:1.0/fw/PkgName'],
      ['GET', 'urn:oma:mo:oma-fumo:1.0/fw/State'],
    ]);
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
    expect((await gateway.job(job)).Status?.map(({ sc }) => sc)).toEqual([400, 404, 404, 403, 403, 403, 200]);
  });
});

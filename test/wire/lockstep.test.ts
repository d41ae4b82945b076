import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { wbxmlToXml } from '../../src/dm1/codec.ts';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, post, TYPES, wired } from './harness.ts';
import { fromServer, HEAD, ok, rawServer, sessionOf } from './rawLegacyServer.ts';

const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';

/** One recorded request: its content type and its exact bytes. */
function recorded(name: string): { readonly type: string; readonly body: Buffer } {
  const bytes = readFileSync(`fixtures/captures/libdmclient/${name}-req.http`);
  const end = bytes.indexOf('\r\n\r\n');
  const type = /^content-type: *(\S+)/im.exec(bytes.subarray(0, end).toString('latin1'))?.[1] ?? '';
  return { type, body: bytes.subarray(end + 4) };
}

/** `user` and `password` of the basic credentials in a recorded first message. */
function account({ type, body }: ReturnType<typeof recorded>): string[] {
  const xml = type.endsWith('wbxml') ? wbxmlToXml(body) : body.toString('utf8');
  const [, data = ''] = /<Cred>.*?<Data>(.*?)<\/Data>/s.exec(xml) ?? [];
  return Buffer.from(data, 'base64').toString('utf8').split(':');
}

const leaf = ($value: string) => ({ $value });
/** What the recorded client has, so that the gateway knows its places from an earlier session. */
const TREE = {
  DevInfo: {
    $type: 'urn:oma:mo:oma-dm-devinfo:1.0',
    DevId: leaf('DMCtest'),
    Man: leaf('test manufacturer'),
    Mod: leaf('test model'),
    DmV: leaf('1.0'),
    Lang: leaf('test language'),
  },
  DevDetail: {
    $type: 'urn:oma:mo:oma-dm-devdetail:1.0',
    URI: { MaxDepth: leaf('0'), MaxTotLen: leaf('0'), MaxSegLen: leaf('0') },
    DevTyp: leaf('t'),
    OEM: leaf('o'),
    HwV: leaf('1'),
    LrgObj: leaf('false'),
  },
  test: { $type: 'urn:example:mo:test:1.0', execute: { $access: ['Exec', 'Get'], $value: '' } },
};

const TICKET = 'TTTTTTTTTTTTTTTTTTTTTT';

/** The bytes with what chance made replaced: the port of the gateway's origin, the ticket of the session. */
function neutral(bytes: Buffer, url: string): Buffer {
  const { origin } = new URL(url);
  const text = bytes.toString('latin1').replaceAll(origin, 'http://gateway.example');
  return Buffer.from(text.replace(/session=[A-Za-z0-9_-]{22}/, `session=${TICKET}`), 'latin1');
}

/** Plays both messages of a recording against the gateway, whose backend gives one Package#2, then END. */
async function play(name: string, CMD: readonly (readonly string[])[]) {
  let recording = false;
  const backend = closing(
    new Dm2Backend({
      script: ({ messages }) => (messages > 1 ? undefined : recording ? CMD : [['GET', `${DEVINFO}//Lang`]]),
    }),
  );
  const gateway = await wired({
    deviceAuth: { dm1: 'basic', dm2: 'none' },
    backends: { dms: { protocol: 'dm2', url: await backend.start() } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const first = recorded(`${name}-01`);
  const [username = '', password = ''] = account(first);
  await gateway.api('POST', '/api/devices', { id: 'DMCtest', username, password });
  const auth = { type: 'basic' as const, username, password };
  const earlier = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'DMCtest', auth, tree: TREE }));
  expect(await earlier.session({ sessionId: '0' })).toMatchObject({ outcome: 'completed', violations: [] });
  recording = true;
  const answers: { status: number; type: unknown; body: Buffer }[] = [];
  let to = gateway.dm;
  for (const { type, body } of [first, recorded(`${name}-02`)]) {
    const { status, headers, body: bytes } = await post(to, body, { 'content-type': type, accept: '*/*' });
    // It goes where RespURI says, which it puts nowhere into its message.
    to = /http:\/\/[^<\0]*\?session=[A-Za-z0-9_-]{22}/.exec(bytes.toString('latin1'))?.[0] ?? to;
    answers.push({ status, type: headers['content-type'], body: neutral(bytes, gateway.dm) });
  }
  const session = backend.sessions.at(-1);
  return {
    answers,
    package1: session?.package1,
    commands: session?.commands,
    alerts: session?.alerts,
    traces: await gateway.traces('DMCtest'),
  };
}

/** The message's first part, which is the same for every answer of the gateway. */
const toDevice = (port: string, msgId: string, body: string) =>
  `${HEAD}<SessionID>1</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>DMCtest</LocURI></Target><Source><LocURI>http://127.0.0.1:${port}/dm</LocURI></Source><RespURI>http://gateway.example/dm?session=${TICKET}</RespURI><Meta><MaxMsgSize xmlns="syncml:metinf">1048576</MaxMsgSize></Meta></SyncHdr><SyncBody>${body}<Final/></SyncBody></SyncML>`;
/** Credentials accepted: 212 for the header, first of all (1x§2.6, 1x§9). */
const header212 = (port: string, msgRef: string) =>
  `<Status><CmdID>1</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><TargetRef>http://127.0.0.1:${port}/dm</TargetRef><SourceRef>DMCtest</SourceRef><Data>212</Data></Status>`;
const get = (id: number, uri: string) =>
  `<Get><CmdID>${id}</CmdID><Item><Target><LocURI>${uri}</LocURI></Target></Item></Get>`;

const OPENED = { AlertType: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt' };

/**
 * Recordings. The answer to a Get of `Man` alone brings the 404 of the `Nope` that the recorded server asked
 * for under the same CmdID, so the command has failed (IW-GET-2).
 */
const RECORDINGS: readonly {
  readonly name: string;
  readonly port: string;
  readonly command: readonly string[];
  readonly asks: string;
  readonly closes: string;
  readonly status: unknown;
  readonly told: readonly unknown[];
}[] = [
  {
    name: 'libdmclient-xml-authbasic',
    port: '18080',
    command: ['GET', `${DEVINFO}//DevID`],
    asks: get(4, './DevInfo/DevId'),
    closes: '',
    status: { sc: 200, MO: [{ ClientURI: `${DEVINFO}/DevInfo/DevID`, MOData: { DevID: 'DMCtest' } }] },
    told: [],
  },
  {
    name: 'libdmclient-xml-get',
    port: '18093',
    command: ['GET', `${DEVINFO}//Man`],
    asks: get(4, './DevInfo/Man'),
    closes: '',
    status: { sc: 404 },
    told: [],
  },
  {
    name: 'libdmclient-wbxml-get',
    port: '18096',
    command: ['GET', `${DEVINFO}//Man`],
    asks: get(4, './DevInfo/Man'),
    closes: '',
    status: { sc: 404 },
    told: [],
  },
  {
    name: 'libdmclient-xml-exec-corr',
    port: '18091',
    command: ['EXEC', 'urn:example:mo:test:1.0//execute'],
    asks: '<Exec><CmdID>4</CmdID><Correlator>C</Correlator><Item><Target><LocURI>./test/execute</LocURI></Target></Item></Exec>',
    closes: ok(2, '2', '2', 'Alert'),
    status: { sc: 200 },
    told: [
      {
        AlertType: 'urn:test',
        SourceURI: 'urn:example:mo:test:1.0/test/execute',
        DataType: 'text/plain',
        Data: { DM1x: '200' },
      },
    ],
  },
];

describe('a recorded libdmclient, byte for byte', () => {
  it.each(RECORDINGS)(
    '$name [IW-SES-1] [IW-SES-6] [IW-AUTH-1]',
    async ({ name, port, command, ...golden }) => {
      const { answers, package1, commands, alerts, traces } = await play(name, [command]);
      const wbxml = name.includes('wbxml');
      const shown = answers.map(({ status, type, body }) => [
        status,
        type,
        wbxml ? wbxmlToXml(body) : body.toString('utf8'),
      ]);
      const type = wbxml ? TYPES.wbxml : TYPES.xml;
      expect(
        shown.map(([s, t, text]) => [s, t, String(text).replace(/<Correlator>[^<]+/, '<Correlator>C')]),
      ).toEqual([
        [
          200,
          type,
          toDevice(
            port,
            '1',
            `${header212(port, '1')}${ok(2, '1', '1', 'Alert')}${ok(3, '1', '2', 'Replace')}${golden.asks}`,
          ),
        ],
        [200, type, toDevice(port, '2', `${header212(port, '2')}${golden.closes}`)],
      ]);
      if (wbxml) expect(answers.map(({ body }) => body.toString('hex'))).toEqual(GOLDEN_WBXML);
      expect(package1?.Alert).toEqual([OPENED]);
      expect(alerts).toEqual([OPENED, ...golden.told]);
      expect(commands?.map(({ status }) => status)).toEqual([golden.status]);
      expect(traces[0]).toMatchObject({ state: 'done', ending: 'completed' });
    },
  );
});

/** 1.2, 0x1201, UTF-8, no string table; page switches around Meta; Final without content (1x§12). */
const HEADER_12 = (msgId: string) =>
  `02a4016a006d6c7103312e3200017203444d2f312e32000165033100015b033${msgId}00016e5703444d4374657374000101675703687474703a2f2f3132372e302e302e313a31383039362f646d0001016103687474703a2f2f676174657761792e6578616d706c652f646d3f73657373696f6e3d5454545454545454545454545454545454545454545400015a00014c03313034383537360001010100006b694b033100015c033${msgId}00014c033000014a0353796e6348647200016f03687474703a2f2f3132372e302e302e313a31383039362f646d00016803444d437465737400014f03323132000101`;
const GOLDEN_WBXML = [
  `${HEADER_12('1')}694b033200015c033100014c033100014a03416c65727400014f03323030000101694b033300015c033100014c033200014a035265706c61636500014f03323030000101534b03340001546e57032e2f446576496e666f2f4d616e0001010101120101`,
  `${HEADER_12('2')}120101`,
];

describe.each(['xml', 'wbxml'] as const)('a 2.0 client in raw JSON on a legacy server in raw %s', (form) => {
  it('exchanges exactly these bytes [IW-SES-4] [IW-SES-7] [IW-SES-8] [IW-SES-9] [IW-RD-1] [IW-WR-3] [IW-STAT-2]', async () => {
    const server = await rawServer(form, (body, n) =>
      n === 0
        ? fromServer(
            sessionOf(body),
            '1',
            `${ok(1, '1', '0', 'SyncHdr', 212)}${ok(2, '1', '1', 'Alert')}${ok(3, '1', '2', 'Replace')}${get(4, './DevInfo/Lang')}<Exec><CmdID>5</CmdID><Item><Target><LocURI>./FUMO/fumo1/Update</LocURI></Target></Item></Exec>`,
          )
        : fromServer(sessionOf(body), '2', ok(1, '2', '0', 'SyncHdr')),
    );
    const gateway = await wired({
      backends: { legacy: { protocol: 'dm1', url: server.url, encoding: form } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    const { origin } = new URL(gateway.dm);
    const repository = new RegExp(`${origin}/repository/[A-Za-z0-9_-]{43}`);
    let to = gateway.dm;
    const send = async (type: string, body: string): Promise<{ bytes: string; url: string }> => {
      const answer = await post(to, body, { 'content-type': type, 'omadm-devid': 'RAW:1', accept: '*/*' });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, REQUEST]);
      to = /"CONT","(.*?)"/.exec(answer.text)?.[1] ?? to;
      return { bytes: answer.text.replace(repository, 'URL'), url: repository.exec(answer.text)?.[0] ?? '' };
    };
    const upload = async (url: string, document: string) =>
      expect((await post(url, document, { 'content-type': MO })).status).toBe(201);

    const first = await send(TYPES.package1, PACKAGE_1);
    expect(first.bytes).toBe('{"CMD":[["HPOST","URL","urn:oma:mo:oma-dm-devinfo:1.2/di/"]]}');
    await upload(
      first.url,
      '[{"MOID":"urn:oma:mo:oma-dm-devinfo:1.2","MIID":"di","MOData":{"DevID":"RAW:1","Man":"Raw","Mod":"M","DmV":"2.0","Lang":"de"}}]',
    );
    const second = await send(TYPES.package3, '{"Status":[{"sc":200}]}');
    expect(second.bytes).toBe(
      `{"CMD":[["HPOST","URL","urn:oma:mo:oma-dm-devinfo:1.2/di/Lang"],["CONT","${origin}/dm?answers=2"]]}`,
    );
    await upload(
      second.url,
      '[{"ClientURI":"urn:oma:mo:oma-dm-devinfo:1.2/di/Lang","MOData":{"Lang":"de"}}]',
    );
    // The answer to this one could not be told from the last without the URL of its own.
    const third = await send(TYPES.package3, '{"Status":[{"sc":200},{"sc":200}]}');
    expect(third.bytes).toBe('{"CMD":[["EXEC","urn:oma:mo:oma-fumo:1.0/fumo1/Update"]]}');
    expect((await send(TYPES.package3, '{"Status":[{"sc":202}]}')).bytes).toBe('{"CMD":[["END"]]}');

    const id = sessionOf(server.got[0]?.text ?? '');
    const head = (msgId: string) =>
      `${HEAD}<SessionID>${id}</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>${server.url}</LocURI></Target><Source><LocURI>RAW:1</LocURI></Source><Meta><MaxMsgSize xmlns="syncml:metinf">65536</MaxMsgSize><MaxObjSize xmlns="syncml:metinf">67108864</MaxObjSize></Meta></SyncHdr><SyncBody>`;
    const meta =
      '<Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta>';
    const item = (name: string, value: string) =>
      `<Item><Source><LocURI>./DevInfo/${name}</LocURI></Source>${meta}<Data>${value}</Data></Item>`;
    const items = [
      item('DevId', 'RAW:1'),
      item('Man', 'Raw'),
      item('Mod', 'M'),
      item('DmV', '2.0'),
      item('Lang', 'de'),
    ];
    const type = form === 'xml' ? `${TYPES.xml}; charset=utf-8` : TYPES.wbxml;
    const neutralHex = ({ bytes }: { bytes: Buffer }) =>
      bytes
        .toString('hex')
        .replace(Buffer.from(server.url).toString('hex'), '{url}')
        .replace(`65 03 ${Buffer.from(id).toString('hex')} 00`.replaceAll(' ', ''), '{session}');
    if (form === 'wbxml') expect(server.got.map(neutralHex)).toEqual(GOLDEN_TO_SERVER);
    expect(server.got.map(({ type: sent, text }) => ({ type: sent, text }))).toEqual([
      {
        type,
        text: `${head('1')}<Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Replace><CmdID>2</CmdID>${items.join('')}</Replace><Final/></SyncBody></SyncML>`,
      },
      {
        type,
        text: `${head('2')}<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><TargetRef>RAW:1</TargetRef><SourceRef>http://legacy.example/dm</SourceRef><Data>200</Data></Status>${ok(2, '1', '4', 'Get')}<Results><CmdID>3</CmdID><MsgRef>1</MsgRef><CmdRef>4</CmdRef>${item('Lang', 'de')}</Results>${ok(4, '1', '5', 'Exec', 202)}<Final/></SyncBody></SyncML>`,
      },
    ]);
    expect((await gateway.traces('RAW:1'))[0]).toMatchObject({ state: 'done', ending: 'completed' });
  });
});

/** As GOLDEN_WBXML; values of Items are opaque. */
const GOLDEN_TO_SERVER = [
  '02a4016a006d6c7103312e3200017203444d2f312e320001{session}015b033100016e5703{url}0001016757035241573a310001015a00014c0336353533360001550336373130383836340001010100006b464b033100014f0331323031000101604b03320001546757032e2f446576496e666f2f44657649640001015a0001470363687200015303746578742f706c61696e00010100004fc3055241573a310101546757032e2f446576496e666f2f4d616e0001015a0001470363687200015303746578742f706c61696e00010100004fc3035261770101546757032e2f446576496e666f2f4d6f640001015a0001470363687200015303746578742f706c61696e00010100004fc3014d0101546757032e2f446576496e666f2f446d560001015a0001470363687200015303746578742f706c61696e00010100004fc303322e300101546757032e2f446576496e666f2f4c616e670001015a0001470363687200015303746578742f706c61696e00010100004fc3026465010101120101',
  '02a4016a006d6c7103312e3200017203444d2f312e320001{session}015b033200016e5703{url}0001016757035241573a310001015a00014c0336353533360001550336373130383836340001010100006b694b033100015c033100014c033000014a0353796e6348647200016f035241573a3100016803687474703a2f2f6c65676163792e6578616d706c652f646d00014f03323030000101694b033200015c033100014c033400014a0347657400014f03323030000101624b033300015c033100014c03340001546757032e2f446576496e666f2f4c616e670001015a0001470363687200015303746578742f706c61696e00010100004fc3026465010101694b033400015c033100014c033500014a034578656300014f03323032000101120101',
];
const REQUEST = 'application/vnd.oma.dm.request+json';
const MO = 'application/vnd.oma.dm.mo+json';
const PACKAGE_1 =
  '{"MOS":[{"MOID":"urn:oma:mo:oma-dm-devinfo:1.2","MIID":["di"]},{"MOID":"urn:oma:mo:oma-fumo:1.0","MIID":["fumo1"]}],"Alert":[{"AlertType":"urn:oma:at:dm:2.0:ClientInitiatedMgmt"}]}';

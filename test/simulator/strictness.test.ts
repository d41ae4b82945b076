import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const peer of open.splice(0)) await peer.close();
});

/** Answers every POST with the same bytes; `{url}` stands for its own address. */
async function raw(body: string, headers: Record<string, string> = {}): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume().on('end', () => {
      const bytes = Buffer.from(body.replaceAll('{url}', url));
      response.writeHead(200, {
        'content-type': 'application/vnd.syncml.dm+xml',
        'content-length': bytes.length,
        ...headers,
      });
      response.end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => server.close().closeAllConnections() });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dm`;
  return url;
}

const HEADER =
  '<VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>IMEI:1</LocURI></Target><Source><LocURI>{url}</LocURI></Source>';
const STATUSES =
  '<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><TargetRef>{url}</TargetRef><SourceRef>IMEI:1</SourceRef><Data>212</Data></Status>' +
  '<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>1</CmdRef><Cmd>Alert</Cmd><Data>200</Data></Status>' +
  '<Status><CmdID>3</CmdID><MsgRef>1</MsgRef><CmdRef>2</CmdRef><Cmd>Replace</Cmd><Data>200</Data></Status>';
const message = (header: string, body: string) =>
  `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr>${header}</SyncHdr><SyncBody>${body}</SyncBody></SyncML>`;
const CLEAN = message(HEADER, `${STATUSES}<Final/>`);

async function violations(body: string, headers?: Record<string, string>, maxMsgSize?: number) {
  const device = new LegacyDevice({
    url: await raw(body, headers),
    deviceId: 'IMEI:1',
    ...(maxMsgSize === undefined ? {} : { maxMsgSize }),
  });
  open.push(device);
  device.begin();
  await device.step();
  return device.report.violations;
}

const command = (xml: string) => message(HEADER, `${STATUSES}${xml}<Final/>`);

describe('what a DM 1.x device objects to in its server', () => {
  it('is nothing in a clean closing message', async () => {
    expect(await violations(CLEAN)).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['a changed SessionID', CLEAN.replace('<SessionID>1<', '<SessionID>01<'), /SessionID 01/],
    [
      'a MsgID that does not start at 1',
      CLEAN.replace('<MsgID>1<', '<MsgID>2<'),
      /MsgID 2 does not follow 0/,
    ],
    ['another Target', CLEAN.replace('<LocURI>IMEI:1<', '<LocURI>IMEI:9<'), /Target IMEI:9/],
    ['another VerProto', CLEAN.replace('DM/1.2', 'DM/1.1'), /VerProto/],
    [
      'a relative RespURI',
      CLEAN.replace('</Source></SyncHdr>', '</Source><RespURI>/dm</RespURI></SyncHdr>'),
      /RespURI/,
    ],
    ['no Final', CLEAN.replace('<Final/>', ''), /no Final/],
    [
      'a Status of the SyncHdr that is not first',
      message(
        HEADER,
        `${STATUSES.replace(/^(<Status>.*?<\/Status>)(<Status>.*?<\/Status>)/, '$2$1')}<Final/>`,
      ),
      /first element/,
    ],
    [
      'a missing Status',
      message(HEADER, `${STATUSES.slice(0, STATUSES.lastIndexOf('<Status>'))}<Final/>`),
      /no Status for Replace 2/,
    ],
    ['a wrong Cmd', CLEAN.replace('<Cmd>Replace<', '<Cmd>Add<'), /Cmd Add in the Status of Replace/],
    ['a wrong MsgRef', CLEAN.replace('<MsgRef>1<', '<MsgRef>7<'), /MsgRef 7/],
    [
      'a Status for nothing',
      CLEAN.replace('<CmdRef>2<', '<CmdRef>9<'),
      /CmdRef 9, which this device did not send/,
    ],
    ['a CmdID used twice', CLEAN.replace('<CmdID>3<', '<CmdID>2<'), /CmdID 2 is used twice/],
    ['CmdID 0', CLEAN.replace('<CmdID>3<', '<CmdID>0<'), /CmdID 0/],
    [
      'a wrong TargetRef of the SyncHdr',
      CLEAN.replace('<TargetRef>{url}', '<TargetRef>http://other/'),
      /TargetRef/,
    ],
    [
      'a Get with Data',
      command('<Get><CmdID>4</CmdID><Item><Target><LocURI>./A</LocURI></Target><Data>x</Data></Item></Get>'),
      /Get 4 carries Data/,
    ],
    [
      'an Add without Meta',
      command('<Add><CmdID>4</CmdID><Item><Target><LocURI>./A</LocURI></Target><Data>x</Data></Item></Add>'),
      /no Meta Type/,
    ],
    [
      'an Add without Data',
      command(
        '<Add><CmdID>4</CmdID><Meta><Format xmlns="syncml:metinf">node</Format></Meta><Item><Target><LocURI>./A</LocURI></Target></Item></Add>',
      ),
      /no Data/,
    ],
    [
      'a trailing slash',
      command('<Delete><CmdID>4</CmdID><Item><Target><LocURI>./A/</LocURI></Target></Item></Delete>'),
      /slash/,
    ],
    [
      'a UI alert with one Item',
      command('<Alert><CmdID>4</CmdID><Data>1100</Data><Item><Data>x</Data></Item></Alert>'),
      /two Items/,
    ],
    [
      'a client alert from a server',
      command('<Alert><CmdID>4</CmdID><Data>1226</Data></Alert>'),
      /sends no 1226/,
    ],
    ['a command of DS', command('<Put><CmdID>4</CmdID></Put>'), /Put is no command of DM/],
    [
      'Final beside MoreData',
      command(
        '<Replace><CmdID>4</CmdID><Item><Target><LocURI>./Settings/Ringtone</LocURI></Target><Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type><Size xmlns="syncml:metinf">9</Size></Meta><Data>x</Data><MoreData/></Item></Replace>',
      ),
      /Final beside/,
    ],
    [
      'commands beside a challenge',
      command('<Get><CmdID>4</CmdID><Item><Target><LocURI>./A</LocURI></Target></Item></Get>').replace(
        '<Data>212',
        '<Data>401',
      ),
      /beside a refused SyncHdr/,
    ],
  ])('%s', async (_, body, expected) => {
    expect(await violations(body)).toContainEqual(expect.stringMatching(expected));
  });

  it('a message above its MaxMsgSize', async () => {
    expect(await violations(CLEAN, {}, 500)).toContainEqual(expect.stringMatching(/exceeds MaxMsgSize 500/));
  });

  it('a Content-Type that does not mirror its own', async () => {
    expect(await violations(CLEAN, { 'content-type': 'application/vnd.syncml.dm+wbxml' })).toContainEqual(
      expect.stringMatching(/does not mirror/),
    );
  });

  it('a body that is no SyncML', async () => {
    expect(await violations('<html/>')).toContain('the message cannot be read');
  });
});

describe('presets', () => {
  const script: ServerCommand[] = [
    { kind: 'Get', uris: ['./DevInfo'] },
    { kind: 'Get', uris: ['./DevInfo?list=Struct'] },
    { kind: 'Delete', uris: ['./Settings/Volume'] },
    { kind: 'Sequence', commands: [{ kind: 'Get', uris: ['./DevInfo/Man'] }] },
    { kind: 'Atomic', commands: [{ kind: 'Replace', uri: './Settings/Ringtone', data: 'x' }] },
    { kind: 'Alert', code: '1100', items: ['', 'Hello'] },
    { kind: 'Exec', uri: './FUMO/fw/Update', correlator: 'c' },
  ];
  const codes = async (preset: string, encoding: 'xml' | 'wbxml' = 'xml') => {
    const server = new LegacyServer({
      script: [script],
      auth: { type: 'basic', username: 'u', password: 'p' },
    });
    const device = new LegacyDevice({
      url: await server.start(),
      deviceId: 'IMEI:1',
      preset,
      encoding,
      auth: { type: 'basic', username: 'u', password: 'p' },
    });
    open.push(device, server);
    expect((await device.session()).outcome).toBe('completed');
    return {
      device,
      session: server.sessions[0]!,
      codes: server.sessions[0]!.commands.map(({ code }) => code),
    };
  };

  it('plain has everything', async () => {
    expect((await codes('plain')).codes).toEqual([
      '200',
      '200',
      '200',
      '200',
      '200',
      '200',
      '200',
      '200',
      '202',
    ]);
  });

  it('libdmclient-like gives an Atomic no Status, knows no list and no dialogue, ends lists in NUL', async () => {
    const { codes: given, session, device } = await codes('libdmclient-like', 'wbxml');
    expect(device.messages.map(({ text }) => text).join()).toContain(Buffer.from('/Lang\0').toString('hex'));
    expect(given).toEqual(['200', '406', '200', '200', '200', undefined, '200', '406', '202']);
    expect(session.sessionId).toBe('1');
    expect(session.violations).toEqual([]);
  });

  it('libdmclient-like stops where RespURI is missing', async () => {
    const server = new LegacyServer({ respURI: false });
    const device = new LegacyDevice({
      url: await server.start(),
      deviceId: 'IMEI:1',
      preset: 'libdmclient-like',
    });
    open.push(device, server);
    expect(await device.session()).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('RespURI'),
    });
  });

  it('hs20-like answers 501 to all but Add, Replace, Get and Exec', async () => {
    const { codes: given } = await codes('hs20-like');
    expect(given).toEqual(['200', '406', '501', '501', '215', '501', '215', '501', '202']);
  });

  it('an unknown one is refused with the names that exist', () => {
    expect(() => new LegacyDevice({ url: 'http://x/', deviceId: 'd', preset: 'nope' })).toThrow(
      /plain, koneki-like, libdmclient-like/,
    );
  });
});

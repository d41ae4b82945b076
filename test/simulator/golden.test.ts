import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Dm2Client, LegacyDevice, type LegacyDeviceOptions } from '../../src/simulator/index.ts';

/** Small enough that whole messages can stand here byte for byte. */
const tree = { DevInfo: { DevId: 'IMEI:1', Man: 'M' } };
const url = 'http://127.0.0.1:9/dm';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

const first = (options: Partial<LegacyDeviceOptions>) => {
  const device = new LegacyDevice({ url, deviceId: 'IMEI:1', tree, ...options });
  device.begin();
  return device.nextBytes!;
};

const item = (name: string, data: string) =>
  `<Item><Source><LocURI>./DevInfo/${name}</LocURI></Source><Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta><Data>${data}</Data></Item>`;

const packageOne = (header: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>${url}</LocURI></Target>${header}</SyncHdr><SyncBody><Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Replace><CmdID>2</CmdID>${item('DevId', 'IMEI:1')}${item('Man', 'M')}</Replace><Final/></SyncBody></SyncML>`;

describe('the first message of a DM 1.x device, byte for byte', () => {
  it('in XML, without credentials', () => {
    expect(Buffer.from(first({})).toString()).toBe(packageOne('<Source><LocURI>IMEI:1</LocURI></Source>'));
  });

  it('with basic credentials and its message size', () => {
    const bytes = first({
      auth: { type: 'basic', username: 'Bruce2', password: 'OhBehave' },
      maxMsgSize: 4096,
    });
    expect(Buffer.from(bytes).toString()).toBe(
      packageOne(
        '<Source><LocURI>IMEI:1</LocURI></Source><Cred><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-basic</Type></Meta><Data>QnJ1Y2UyOk9oQmVoYXZl</Data></Cred><Meta><MaxMsgSize xmlns="syncml:metinf">4096</MaxMsgSize></Meta>',
      ),
    );
  });

  it('with md5 credentials for a known nonce (1x§9.2 vector)', () => {
    const auth = {
      type: 'md5' as const,
      username: 'Bruce2',
      password: 'OhBehave',
      nonce: new Uint8Array(Buffer.from('Nonce')),
    };
    expect(Buffer.from(first({ auth })).toString()).toContain(
      '<Source><LocURI>IMEI:1</LocURI><LocName>Bruce2</LocName></Source><Cred><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-md5</Type></Meta><Data>Zz6EivR3yeaaENcRN6lpAQ==</Data></Cred>',
    );
  });

  it('in WBXML: version 1.2, public id of SyncML 1.2, UTF-8, then SyncML', () => {
    const bytes = Buffer.from(first({ encoding: 'wbxml' }));
    expect(bytes.subarray(0, 3).toString('hex')).toBe('02a401');
    expect(bytes[3]).toBe(0x6a);
    expect(bytes.toString('latin1')).toContain('./DevInfo/DevId');
  });

  it('as libdmclient writes it: SessionID 1, DevInfo backwards with interior nodes, obsolete type', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers['content-type'] ?? '');
      response.writeHead(503).end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const device = new LegacyDevice({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dm`,
      deviceId: 'IMEI:1',
      preset: 'libdmclient-like',
      tree: { DevInfo: { DevId: 'IMEI:1', Ext: { V: 'v' } } },
    });
    await device.session();
    const report = await device.session();
    await device.close();
    expect(report).toMatchObject({ sessionId: '1', outcome: 'failed', detail: 'HTTP 503' });
    expect(seen).toEqual(['application/vnd.syncml+xml', 'application/vnd.syncml+xml']);
    const uris = [...device.messages[0]!.text.matchAll(/<Source><LocURI>(\.[^<]*)/g)].map(([, uri]) => uri);
    expect(uris).toEqual(['./DevInfo/Ext/V', './DevInfo/Ext', './DevInfo/DevId']);
  });
});

describe('the first package of a DM 2.0 client, byte for byte', () => {
  it('lists its objects and says who started the session', () => {
    const client = new Dm2Client({
      url,
      deviceId: 'IMEI:2',
      objects: [{ moid: 'urn:x:1.0', miid: 'a', tree: { L: 'v' } }],
    });
    client.begin();
    expect(Buffer.from(client.nextBytes!).toString()).toBe(
      '{"MOS":[{"MOID":"urn:x:1.0","MIID":["a"]}],"Alert":[{"AlertType":"urn:oma:at:dm:2.0:ClientInitiatedMgmt"}]}',
    );
  });
});

import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { packageOne, statuses, syncml, TYPES } from '../wire/harness.ts';
import { Authority, type Pair } from './pki.ts';
import { post as json, type Running, startTestGateway } from './running.ts';

const ours = new Authority('devices.example');
const server = ours.issue({
  cn: 'localhost',
  san: [
    ['DNS', 'localhost'],
    ['IP', '127.0.0.1'],
  ],
});
const ID = 'urn:uuid:2C8F5A10-0B3E-4D6C-9C8A-4F1E7A2B9D01';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close; close = closing.pop()) await close();
});

async function start(): Promise<Running> {
  const gateway = await startTestGateway({
    listen: {
      devices: '127.0.0.1:0',
      admin: '127.0.0.1:0',
      tls: { cert: server.cert, key: server.key, clientCa: ours.pair.cert },
    },
    deviceAuth: { dm1: 'mtls' },
  });
  closing.push(() => gateway.stop());
  const { status } = await gateway.api('/api/devices', json({ id: ID }));
  expect(status).toBe(201);
  return gateway;
}

/** Posts DM 1.x messages over a connection that shows that certificate. */
function connected(gateway: Running, shows: Pair | undefined, form: 'xml' | 'wbxml') {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ours.pair.pem.cert, ...shows?.pem });
  closing.push(() => agent.destroy());
  return async (msgId: string, body: string): Promise<{ status: number; xml: string }> => {
    const xml = syncml({ device: ID, msgId, sessionId: '5' }, body);
    const bytes = form === 'xml' ? Buffer.from(xml) : xmlToWbxml(Buffer.from(xml), { publicId: 0x1201 });
    const headers = { 'content-type': TYPES[form], 'content-length': bytes.length };
    const answer = await new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>(
      (resolve, reject) => {
        const asked = request(gateway.urls.devices, { method: 'POST', agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks),
            }),
          );
        });
        asked.on('error', reject);
        asked.end(bytes);
      },
    );
    const read = form === 'xml' || answer.body[0] === 0x3c ? answer.body : wbxmlToXml(answer.body);
    return { status: answer.status, xml: Buffer.from(read).toString('utf8') };
  };
}

const good = () => ours.issue({ cn: 'pc', san: [['URI', ID]] });
const REPLY =
  '<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status><Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>3</CmdRef><Cmd>Get</Cmd><Data>406</Data></Status><Final/>';

describe.each(['xml', 'wbxml'] as const)('a DM 1.x device with a certificate, in %s', (form) => {
  it('is known by it in every message, and sends no Cred [IW-AUTH-1] [1x§9.4] [1x§15.1]', async () => {
    const gateway = await start();
    await gateway.api(
      `/api/devices/${ID}/commands`,
      json({ CMD: [['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man']] }),
    );
    const first = await connected(gateway, good(), form)('1', packageOne(ID));
    expect(first.status).toBe(200);
    expect(statuses(first.xml)[0]).toEqual(['SyncHdr', '212']);
    expect(first.xml).not.toContain('Chal');
    expect(first.xml).toContain('<Get>');
    // Another connection of the same device goes on; whoever shows nothing, or another's, does not, and ends nothing.
    for (const shown of [undefined, ours.issue({ cn: 'IMEI:2' })]) {
      const refused = await connected(gateway, shown, form)('2', REPLY);
      expect(statuses(refused.xml)[0]).toEqual(['SyncHdr', '403']);
      expect(refused.xml).not.toMatch(/<(Get|Chal)>/);
    }
    const second = await connected(gateway, good(), form)('2', REPLY);
    expect(statuses(second.xml)[0]).toEqual(['SyncHdr', '212']);
  });

  it.each([
    ['none', () => undefined],
    ['that of another device', () => ours.issue({ cn: 'IMEI:2' })],
    ['one that has expired', () => ours.issue({ cn: ID, days: -1 })],
    ['one of another authority', () => new Authority('nobody').issue({ cn: ID })],
  ])('is refused with 403 when it shows %s, without a challenge [IW-AUTH-1]', async (_what, pair) => {
    const gateway = await start();
    const { status, xml } = await connected(gateway, pair(), form)('1', packageOne(ID));
    expect(status).toBe(200);
    expect(statuses(xml).map(([, code]) => code)).toEqual(['403', '403', '403']);
    expect(xml).not.toMatch(/<(Get|Chal)>/);
  });
});

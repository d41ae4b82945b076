import { describe, expect, it } from 'vitest';
import { decodeMessage, wbxmlToXml } from '../../src/dm1/codec.ts';
import { Dm2Client, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { outOfOrder } from './dtdOrder.ts';
import { closing, wired } from './harness.ts';

/** What the gateway says to legacy servers, by the rows of 1x§16.1 that hold for a client. */

const ID = 'IMEI:490154203237518';
const SETTINGS = './MO/urn:example:mo:settings:1.0/settings1';
const SCRIPT: readonly (readonly ServerCommand[])[] = [
  [
    { kind: 'Get', uris: [`${SETTINGS}/Ringtone`, './DevInfo/Man', './None'] },
    { kind: 'Get', uris: [`${SETTINGS}?list=StructData`, `${SETTINGS}?list=TNDS`] },
    { kind: 'Replace', uri: `${SETTINGS}/Ringtone`, format: 'chr', type: 'text/plain', data: 'Bells' },
  ],
  [
    { kind: 'Sequence', commands: [{ kind: 'Delete', uris: [`${SETTINGS}/Roaming`] }] },
    { kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate', correlator: 'c1' },
    { kind: 'Alert', code: '1100', items: ['', 'Hello'] },
  ],
];

describe.each(['xml', 'wbxml'] as const)('every message to a legacy server in %s', (encoding) => {
  it('is in DTD order, opens with the Status of the header, keeps SessionID, is final and of a known length [1x§16.1]', async () => {
    const auth = { type: 'md5', username: 'gw', password: 'pw' } as const;
    const server = closing(new LegacyServer({ script: SCRIPT, encoding, auth }));
    const gateway = await wired({
      backends: {
        legacy: { protocol: 'dm1', url: await server.start(), encoding, auth },
      },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, missing: ['show'] }));
    const alerts = [{ AlertType: 'org.example.event', DataType: 'chr', Data: { DM1x: 'x' } }];
    expect(await client.session({ alerts })).toMatchObject({ outcome: 'completed', violations: [] });
    expect(server.sessions.at(-1)).toMatchObject({ state: 'completed', violations: [] });
    const received = server.messages.filter(({ direction }) => direction === 'received');
    expect(received.length).toBeGreaterThan(2);
    const kinds = new Set<string>();
    const ids = new Set<string>();
    for (const [i, { bytes, headers = {} }] of received.entries()) {
      const { message } = decodeMessage(bytes, encoding);
      const xml = encoding === 'xml' ? Buffer.from(bytes).toString() : wbxmlToXml(bytes);
      expect(outOfOrder(xml)).toEqual([]);
      expect(message).toMatchObject({ header: { source: { uri: ID }, msgId: String(i + 1) }, final: true });
      ids.add(message.header.sessionId);
      if (i > 0) expect(message.body[0]).toMatchObject({ kind: 'Status', cmdRef: '0', cmd: 'SyncHdr' });
      for (const element of message.body) kinds.add(element.kind);
      expect(headers['content-length']).toBe(String(bytes.length));
      expect(headers['content-type']).toMatch(/^application\/vnd\.syncml\.dm\+(xml|wbxml)/);
      expect(headers).not.toHaveProperty('transfer-encoding');
    }
    expect([...kinds].sort()).toEqual(['Alert', 'Replace', 'Results', 'Status']);
    expect(ids.size).toBe(1);
  });
});

import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { beside, closing, post, TYPES, type Wired, wired } from './harness.ts';

const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';
const ONE = `{"MOS":[{"MOID":"${DEVINFO}","MIID":["1"]}],"Alert":[{"AlertType":"urn:oma:at:dm:2.0:ClientInitiatedMgmt"}]}`;
const THREE = '{"Status":[{"sc":200}]}';
const END = '{"CMD":[["END"]]}';

type Kind = 'package1' | 'package3';
const headers = (kind: Kind, id: string, more: Record<string, string> = {}) => ({
  'content-type': TYPES[kind],
  'omadm-devid': id,
  accept: '*/*',
  ...more,
});
const sender =
  (gateway: Wired, id: string, more: Record<string, string> = {}) =>
  (kind: Kind, body: string, url = gateway.dm) =>
    post(url, body, headers(kind, id, more));

async function queued(gateway: Wired, id: string, CMD: readonly string[][]): Promise<string> {
  await gateway.api('POST', '/api/devices', { id, username: id, password: 'p' }).catch(() => undefined);
  return (await gateway.api<{ job: string }>('POST', `/api/devices/${id}/commands`, { CMD })).job;
}

describe('a client that never stops', () => {
  it('is told END again after each Package#3, and opens no session by it [IW-SES-8]', async () => {
    const gateway = await wired();
    const send = sender(gateway, 'J');
    expect((await send('package1', ONE)).text).toBe(END);
    await beside(gateway, async () => {
      for (let n = 0; n < 5; n += 1) {
        const answer = await send('package3', `{"Status":[{"sc":20${n}}]}`);
        expect([answer.status, answer.text]).toEqual([200, END]);
      }
    });
    expect(await gateway.traces('J')).toHaveLength(1);
  });

  it('answers a package twice with other words: the second answer is that to the next package [IW-SES-4]', async () => {
    const gateway = await wired();
    const job = await queued(gateway, 'J', [['GET', `${DEVINFO}//Man`]]);
    const send = sender(gateway, 'J');
    await send('package1', ONE);
    expect((await send('package3', '{"Status":[{"sc":404}]}')).text).toBe(END);
    expect((await send('package3', '{"Status":[{"sc":200}]}')).text).toBe(END);
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ Status: [{ sc: 404 }] });
  });
});

describe('a backend that never stops', () => {
  it.each([
    ['GET', `${DEVINFO}//Man`],
    ['UNSUB', `${DEVINFO}//Man`],
    ['GET', 'no address'],
  ])(
    'with %s %s is left at limits.messages by devices of both generations [IW-SES-10]',
    async (...command) => {
      const backend = closing(new Dm2Backend({ script: () => [command] }));
      const url = await backend.start();
      const gateway = await wired({
        backends: { peer: { protocol: 'dm2', url } },
        routes: [{ match: { deviceId: 'IMEI:*' }, backend: 'peer' }],
        limits: { messages: 8 },
      });
      const client = closing(new Dm2Client({ url: gateway.dm, deviceId: 'IMEI:2' }));
      expect(await beside(gateway, () => client.session())).toMatchObject({ outcome: 'completed' });
      expect(client.report.executed.at(-1)?.command).toEqual(['END']);
      const legacy = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'IMEI:1' }));
      // Whichever side comes to the limit first: commands for the device are messages to it too.
      const { outcome, violations } = await legacy.session();
      expect({ over: ['completed', 'aborted'].includes(outcome), violations }).toEqual({
        over: true,
        violations: [],
      });
      const [[ofLegacy], [ofClient]] = [await gateway.traces('IMEI:1'), await gateway.traces('IMEI:2')];
      expect(ofClient).toMatchObject({
        ending: 'backend-failed',
        detail: expect.stringContaining('8 packages'),
      });
      expect(['backend-failed', 'aborted']).toContain(ofLegacy?.ending);
      expect(backend.sessions.flatMap(({ commands }) => commands).length).toBeLessThan(2 * 12);
    },
  );
});

describe('a client that posts to the wrong place', () => {
  it('gets 404 or 405 there, and its session waits where it is [IW-SES-3]', async () => {
    const gateway = await wired();
    const job = await queued(gateway, 'J', [['GET', `${DEVINFO}//Man`]]);
    const send = sender(gateway, 'J');
    await send('package1', ONE);
    const { origin } = new URL(gateway.dm);
    await beside(gateway, async () => {
      for (const path of ['/', '/dmserver/dm20', '/dm20', '/repository/guess', '/interact/guess']) {
        const answer = await send('package3', THREE, `${origin}${path}`);
        expect([404, 405], path).toContain(answer.status);
      }
    });
    expect((await send('package3', THREE)).text).toBe(END);
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({
      state: 'done',
      Status: [{ sc: 200 }],
    });
  });

  it('has nothing of a report URL that it made up [IW-WR-3]', async () => {
    const gateway = await wired();
    const send = sender(gateway, 'J');
    const answer = await send('package1', ONE, `${gateway.dm}/report/${'A'.repeat(43)}`);
    expect(answer.text).toBe(END);
    expect(await gateway.traces('J')).toHaveLength(1);
  });
});

describe('a client under another identity', () => {
  it('cannot answer for a device in its session [IW-SES-2]', async () => {
    const gateway = await wired();
    const job = await queued(gateway, 'J', [['GET', `${DEVINFO}//Man`]]);
    await sender(gateway, 'J')('package1', ONE);
    expect((await sender(gateway, 'K')('package3', THREE)).text).toBe(END);
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ state: 'sent' });
    const both = await sender(gateway, 'J', { 'x-omadmdevid': 'K' })('package3', THREE);
    expect(both.status).toBe(400);
    expect((await sender(gateway, 'J')('package3', THREE)).text).toBe(END);
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ state: 'done' });
  });

  it('is refused with 403 in the middle of a session that another account began [IW-SES-2] [IW-AUTH-4]', async () => {
    const gateway = await wired({ deviceAuth: { dm1: 'none', dm2: 'basic' } });
    const job = await queued(gateway, 'J', [['GET', `${DEVINFO}//Man`]]);
    await gateway.api('POST', '/api/devices', { id: 'K', username: 'K', password: 'p' });
    const as = (user: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:p`).toString('base64')}`,
    });
    await sender(gateway, 'J', as('J'))('package1', ONE);
    expect((await sender(gateway, 'J', as('K'))('package3', THREE)).status).toBe(403);
    expect((await sender(gateway, 'J')('package3', THREE)).status).toBe(401);
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ state: 'sent' });
    expect((await sender(gateway, 'J', as('J'))('package3', THREE)).text).toBe(END);
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ state: 'done' });
  });
});

describe('validators that lie', () => {
  const onServer = async () => {
    const server = closing(new LegacyServer({ script: [[{ kind: 'Get', uris: [`./DevInfo/Man`] }]] }));
    const url = await server.start();
    const gateway = await wired({
      backends: { peer: { protocol: 'dm1', url } },
      routes: [{ match: { deviceId: 'J' }, backend: 'peer' }],
    });
    return { server, gateway, send: sender(gateway, 'J') };
  };
  const asked = (text: string) => (JSON.parse(text) as { CMD: string[][] }).CMD;
  /** A Status item for each command: `sc`, and 200 for a CONT. */
  const statusOf = (text: string, sc: number) =>
    asked(text).map(([verb]) => ({ sc: verb === 'CONT' ? 200 : sc }));

  it('304 to a read without validator is no data, and no 200 for the server [IW-GET-3] [IW-STAT-2]', async () => {
    const { server, gateway, send } = await onServer();
    let answer = await send('package1', ONE);
    for (let n = 0; n < 10 && answer.text !== END; n += 1) {
      expect(answer.text).not.toContain('cv=');
      answer = await send('package3', JSON.stringify({ Status: statusOf(answer.text, 304) }));
    }
    expect(answer.text).toBe(END);
    expect(server.sessions.at(-1)!.commands.map(({ code }) => code)).toEqual(['500']);
    const [trace] = await gateway.traces('J');
    expect(trace?.trace.some(({ rule }) => rule === 'IW-GET-3')).toBe(true);
  });

  it.each([
    ['too long', 'v'.repeat(300)],
    ['with half a character', '\\ud800'],
    ['with a line break', 'a\\r\\nb'],
    ['empty', ''],
  ])('one that is %s is never sent back [IW-GET-3]', async (_, cv) => {
    const { gateway, send } = await onServer();
    const document = `[{"ClientURI":"${DEVINFO}/1/","CV":"${cv}","MOData":{"DevInfo":{"Man":"M","DevID":"J"}}}]`;
    const uris: string[] = [];
    for (let session = 0; session < 2; session += 1) {
      let answer = await send('package1', ONE);
      for (let n = 0; n < 10 && answer.text !== END; n += 1) {
        for (const [verb, url, uri] of asked(answer.text)) {
          if (verb === 'CONT') continue;
          uris.push(uri!);
          await post(url!, document, {
            'content-type': 'application/vnd.oma.dm.mo+json',
            'omadm-devid': 'J',
          });
        }
        const Alert = [{ AlertType: `n${session}-${n}` }];
        answer = await send('package3', JSON.stringify({ Status: statusOf(answer.text, 200), Alert }));
      }
      expect(answer.text).toBe(END);
    }
    expect(uris.length).toBeGreaterThan(2);
    expect(uris.filter((uri) => uri.includes('cv='))).toEqual([]);
    expect((await gateway.traces('J')).every(({ ending }) => ending === 'completed')).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import type { LegacyDeviceOptions } from '../../src/simulator/legacyDevice/options.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const UPDATE = 'org.openmobilealliance.dm.firmwareupdate.downloadandupdate';
const CLIENT_INITIATED = { AlertType: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt' };

async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('It did not happen.');
}

/** A legacy device whose first session executes `commands`; nothing is asked of it later. */
async function l2n(
  phone: Phone,
  commands: readonly (readonly string[])[],
  options: {
    device?: Partial<LegacyDeviceOptions>;
    config?: Record<string, unknown>;
    atServerUri?: readonly (readonly string[])[];
  } = {},
) {
  const backend: Dm2Backend = closing(
    new Dm2Backend({
      path: '/dm20',
      script: (session) => {
        if (session.commands.length > 0) return undefined;
        if (session === backend.sessions[0]) return commands;
        return session.alerts.length > 1 ? options.atServerUri : undefined;
      },
    }),
  );
  const url = await backend.start();
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    ...options.config,
  });
  const device = closing(
    new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, ...options.device }),
  );
  const report = await device.session();
  const sc = backend.sessions[0]!.commands.map(({ status }) => status?.sc);
  /** Sessions opened at a ServerURI, each by its alerts. */
  const reported = () =>
    backend.sessions.slice(1).filter(({ alerts }) => alerts.some((a) => a.SourceURI?.startsWith(FUMO)));
  return { backend, gateway, device, report, sc, reported };
}

const EXEC = ['EXEC', `${FUMO}//DownloadAndUpdate`, '{origin}/reports/1'];

describe.each(PHONES)('EXEC with ServerURI on a legacy device $name', (phone) => {
  it('is answered 202, and its result opens a session at ServerURI [IW-EXEC-2] [IW-EXEC-1]', async () => {
    const { sc, device, reported, backend } = await l2n(phone, [EXEC]);
    expect(sc).toEqual([202]);
    expect(reported()).toEqual([]);
    expect((await device.session()).violations).toEqual([]);
    const [session] = await until(() => reported().length > 0 && reported());
    expect(session!.package1.Alert).toEqual([
      CLIENT_INITIATED,
      {
        AlertType: UPDATE,
        SourceURI: `${FUMO}/fw/DownloadAndUpdate`,
        Mark: 'informational',
        DataType: 'chr',
        Data: { DM1x: '200' },
      },
    ]);
    expect(session!.package1.MOS?.length).toBeGreaterThan(3);
    expect(session).toMatchObject({ violations: [], state: 'completed' });
    // The device's own session told the backend nothing of it.
    expect(backend.sessions.filter(({ alerts }) => alerts.length > 1)).toHaveLength(1);
    const posted = backend.messages.filter(({ url }) => url.endsWith('/reports/1'));
    expect(posted[0]?.direction).toBe('received');
  });

  it('finds the report of a device that drops the Correlator by its node [IW-EXEC-2]', async () => {
    const { sc, device, reported } = await l2n(phone, [EXEC], { device: { missing: ['correlator'] } });
    expect(sc).toEqual([202]);
    await device.session({
      alerts: [
        { source: './FUMO/fw', type: 'org.openmobilealliance.dm.firmwareupdate.userrequest', data: '0' },
      ],
    });
    const [session] = await until(() => reported().length > 0 && reported());
    expect(session!.alerts[1]).toMatchObject({ AlertType: UPDATE });
  });

  it('takes a report in the same session, and executes no command of the ServerURI on it [IW-EXEC-2] [IW-SES-10]', async () => {
    const { sc, reported, backend, report } = await l2n(phone, [EXEC], {
      device: { reports: 'same-session' },
      atServerUri: [
        ['GET', `${FUMO}//State`],
        ['DELETE', `${FUMO}//`],
      ],
    });
    expect(sc).toEqual([202]);
    await until(() => reported()[0]?.commands[1]?.status);
    expect(backend.sessions).toHaveLength(2);
    expect(reported()[0]!.commands.map(({ status }) => status)).toEqual([{ sc: 500 }, { sc: 500 }]);
    expect(report.executed.filter(({ command }) => command === 'Delete')).toEqual([]);
  });

  it('tells ServerURI at once when the device was done at once [IW-EXEC-2]', async () => {
    const { sc, reported } = await l2n(phone, [EXEC], { device: { exec: () => ({ status: 200 }) } });
    expect(sc).toEqual([202]);
    const [session] = await until(() => reported().length > 0 && reported());
    expect(session!.alerts[1]).toMatchObject({
      AlertType: 'urn:x-dragoman:at:exec:complete',
      SourceURI: `${FUMO}/fw/DownloadAndUpdate`,
      Data: { DM1x: '200' },
    });
  });

  it('passes a failure and awaits nothing then [IW-EXEC-2]', async () => {
    const { sc, gateway } = await l2n(phone, [EXEC], { device: { exec: () => ({ status: 405 }) } });
    expect(sc).toEqual([405]);
    const { body } = await gateway.api<{ alerts: object[] }>('GET', '/api/outbox');
    expect(body.alerts).toEqual([]);
  });

  it('is not executed when nothing may be sent to its ServerURI [IW-EXEC-2]', async () => {
    const { sc, report, gateway } = await l2n(phone, [
      ['EXEC', `${FUMO}//DownloadAndUpdate`, 'http://192.0.2.7/reports'],
      ['EXEC', `${FUMO}//DownloadAndUpdate`, '{origin}/reports?imsi=[MNC]'],
    ]);
    expect(sc).toEqual([403, 400]);
    expect(report.executed.filter(({ command }) => command === 'Exec')).toEqual([]);
    expect((await gateway.notes(ID)).map(({ rule }) => rule)).toContain('IW-EXEC-2');
  });

  it('keeps several apart, whichever ends first, and over a restart [IW-EXEC-2]', async () => {
    // Without a Correlator only their nodes tell them apart, so no two may be of one node.
    const named = phone.has('correlator');
    const nodes = ['Update', 'Download', named ? 'Update' : 'DownloadAndUpdate'];
    const pending: (string | undefined)[] = [];
    const { sc, gateway, device, backend } = await l2n(
      phone,
      nodes.map((node, i) => ['EXEC', `${FUMO}//${node}`, `{origin}/reports/${i}`]),
      {
        device: {
          exec: ({ correlator }) => {
            pending.push(correlator);
            return { status: 202 };
          },
        },
      },
    );
    expect(sc).toEqual([202, 202, 202]);
    expect(new Set(pending).size).toBe(named ? 3 : 1);
    const restarted = await gateway.restart();
    Object.assign(device.options, { url: restarted.dm });
    const alert = (i: number, data: string) => ({
      ...(named ? { correlator: pending[i]!, source: './FUMO/fw' } : { source: `./FUMO/fw/${nodes[i]}` }),
      type: UPDATE,
      format: 'chr',
      data,
    });
    const other = { ...alert(0, 'other'), source: './LAWMO', ...(named && { correlator: 'not-ours' }) };
    await device.session({ alerts: [alert(2, 'third'), alert(0, 'first')] });
    await device.session({ alerts: [alert(1, 'second'), other] });
    const at = (path: string) =>
      backend.messages
        .filter(({ url, direction }) => direction === 'received' && url.endsWith(path))
        .map(({ text }) => JSON.parse(text).Alert.at(-1).Data.DM1x);
    await until(() => at('/reports/1').length > 0 && at('/reports/2').length > 0);
    expect([at('/reports/0'), at('/reports/1'), at('/reports/2')]).toEqual([
      ['first'],
      ['second'],
      ['third'],
    ]);
    expect(JSON.stringify(backend.sessions.at(-1)!.alerts)).not.toContain('third');
    expect(backend.sessions.flatMap(({ alerts }) => alerts.map(({ Data }) => Data?.['DM1x']))).toContain(
      'other',
    );
  });

  it('joins the result to the job that began it [IW-EXEC-2]', async () => {
    const gateway = await run({});
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    await device.session();
    const id = await gateway.queue(ID, [
      ['GET', `${FUMO}//State`],
      ['EXEC', `${FUMO}//DownloadAndUpdate`],
    ]);
    await device.session();
    expect(await gateway.job(id)).toMatchObject({
      state: 'done',
      Status: [{ sc: 200 }, { sc: 202 }],
      reports: [{ command: 1, state: 'awaited' }],
    });
    await device.session();
    expect(await gateway.job(id)).toMatchObject({
      reports: [{ command: 1, state: 'done', alert: { AlertType: UPDATE, Data: { DM1x: '200' } } }],
    });
  });
});

async function n2l(
  encoding: 'xml' | 'wbxml',
  options: { device?: Partial<ConstructorParameters<typeof Dm2Client>[0]> } = {},
) {
  const command: ServerCommand = {
    kind: 'Exec',
    uri: './FUMO/fumo1/DownloadAndUpdate',
    correlator: 'corr-4711',
  };
  const server: LegacyServer = closing(
    new LegacyServer({ script: (session) => (begins(session) ? [command] : undefined) }),
  );
  const begins = (session: object) =>
    server.sessions[0] === session && server.sessions[0]!.commands.length === 0;
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, encoding } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
  });
  const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, ...options.device }));
  await device.session();
  expect(server.sessions[0]!.commands.map(({ code }) => code)).toEqual(['202']);
  return { server, gateway, device };
}

const DONE = {
  AlertType: UPDATE,
  SourceURI: `${FUMO}/fumo1/DownloadAndUpdate`,
  DataType: 'chr',
  Data: { DM1x: '200' },
};

describe.each(['xml', 'wbxml'] as const)('Exec with a Correlator of a legacy server in %s', (encoding) => {
  it('becomes EXEC with a URL of its own, whose alert brings the Correlator back [IW-WR-3] [IW-ALERT-3]', async () => {
    const { server, device, gateway } = await n2l(encoding);
    const { url } = device.state.reports[0]!;
    expect(url).toMatch(/\/dm\?report=[A-Za-z0-9_-]{43}$/);
    const [report] = await device.deliverReports();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(server.sessions).toHaveLength(2);
    expect(server.sessions[1]).toMatchObject({
      opening: '1201',
      violations: [],
      alerts: [
        {
          code: '1226',
          correlator: 'corr-4711',
          items: [{ source: { uri: './FUMO/fumo1/DownloadAndUpdate' }, data: '200' }],
        },
      ],
    });
    // Once only: what comes to the URL later is an ordinary alert.
    await device.session({ url: url!, alerts: [DONE] });
    expect(server.sessions[2]!.alerts[0]).not.toHaveProperty('correlator');
    expect(
      (await gateway.notes(ID)).some((note) => note.rule === 'IW-WR-3' && /came before/.test(note.text)),
    ).toBe(true);
  });

  it('is known by its node when the alert comes to the plain URL [IW-WR-3]', async () => {
    const { server, device } = await n2l(encoding);
    await device.session({
      alerts: [{ AlertType: 'urn:example:other', SourceURI: `${FUMO}/fumo1/State` }, DONE],
    });
    expect(server.sessions[1]!.alerts.map(({ correlator }) => correlator)).toEqual([undefined, 'corr-4711']);
  });

  it('is known in a Package#3 as well [IW-WR-3] [IW-ALERT-6]', async () => {
    const { server, device } = await n2l(encoding);
    device.begin();
    device.pendingAlerts.push(DONE);
    while (await device.step());
    const all = () => server.sessions.flatMap(({ alerts }) => alerts.map(({ correlator }) => correlator));
    await until(() => all().length > 0);
    expect(all()).toEqual(['corr-4711']);
  });

  it('is not ended by another device or by a guessed token [IW-WR-3]', async () => {
    const { server, device, gateway } = await n2l(encoding);
    const { url } = device.state.reports[0]!;
    const thief = closing(new Dm2Client({ url: gateway.dm, deviceId: 'IMEI:353000000000000' }));
    await thief.session({ url: url!, alerts: [DONE] });
    await thief.session({ url: `${gateway.dm}?report=${'A'.repeat(43)}`, alerts: [DONE] });
    await thief.session({ url: `${gateway.dm}?report=x`, alerts: [DONE] });
    const stolen = server.sessions.filter(({ deviceId }) => deviceId !== ID);
    expect(stolen.map(({ alerts }) => alerts.map(({ correlator }) => correlator))).toEqual([
      [undefined],
      [undefined],
      [undefined],
    ]);
    const notes = await gateway.notes('IMEI:353000000000000');
    expect(notes.filter(({ rule }) => rule === 'IW-WR-3')).toHaveLength(3);
    expect(JSON.stringify(notes)).not.toContain(url!.slice(-43));
    await device.deliverReports();
    expect(server.sessions.at(-1)!.alerts[0]?.correlator).toBe('corr-4711');
  });

  it('awaits nothing when the client refuses [IW-WR-3]', async () => {
    const server = closing(
      new LegacyServer({
        script: [[{ kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate', correlator: 'c' }]],
      }),
    );
    const url = await server.start();
    const gateway = await run({
      backends: { legacy: { protocol: 'dm1', url, encoding } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, exec: () => ({ status: 405 }) }));
    await device.session();
    expect(server.sessions[0]!.commands[0]!.code).toBe('405');
    await device.session({ alerts: [DONE] });
    expect(server.sessions[1]!.alerts[0]).not.toHaveProperty('correlator');
  });
});

import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { parseNotification } from '../../src/dm2/notification/index.ts';
import type { Dm2ClientOptions } from '../../src/simulator/dm2Client/options.ts';
import { Dm2Backend, Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { dragoman } from '../cli/captured.ts';
import { closing, run as runGateway } from '../crossing/gateway.ts';

const ID = 'IMEI:493005100592800';
const SECRET = 'a secret of both';
const SCRATCH = 'urn:example:mo:settings:1.0//Conformance';
const EXEC = 'urn:oma:mo:oma-lawmo:1.0//Operations/UnLock';
const TOUCHED = ['--scratch', SCRATCH, '--exec', EXEC];
const PAGE = new URL('../../docs/scr.md', import.meta.url);

const folder = mkdtempSync(join(tmpdir(), 'dragoman-conformance-'));

interface Item {
  readonly id: string;
  readonly mandatory: boolean;
  readonly verdict: string;
  readonly detail: string;
  readonly exchange: readonly {
    readonly direction: string;
    readonly head: string;
    readonly body?: string;
    readonly base64?: string;
  }[];
}

/** Runs the command; `said` resolves to the first line of its progress that matches. */
function conformance(args: readonly string[]) {
  const name = join(folder, String(Math.random()));
  const files = { json: `${name}.json`, junit: `${name}.xml`, markdown: `${name}.md` };
  let progress = '';
  const run = dragoman(
    ['conformance', ...args, ...Object.entries(files).flatMap(([flag, file]) => [`--${flag}`, file])],
    {
      told: (err) => {
        progress = err;
      },
    },
  );
  let over = false;
  return {
    said: async (what: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const found = what.exec(progress);
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    over: () => over,
    done: run.then(({ code: exit, out, err }) => {
      over = true;
      const report = JSON.parse(readFileSync(files.json, 'utf8')) as { conforms: boolean; items: Item[] };
      const junit = new XMLParser({ ignoreAttributes: false }).parse(readFileSync(files.junit, 'utf8'));
      const item = (number: number) => report.items[number - 1]!;
      return { exit, out, err, report, junit, item, markdown: readFileSync(files.markdown, 'utf8') };
    }),
  };
}

const failing = (items: readonly Item[]) =>
  items.filter(({ verdict }) => verdict !== 'pass').map(({ id, detail }) => `${id}: ${detail}`);

/** Our own server: the device port with the built-in backend, which has notifications sent by UDP. */
async function ownServer() {
  const gateway = await runGateway({
    serverId: 'dms',
    deviceAuth: { dm2: 'basic' },
    notifications: { via: 'lan', transports: { lan: { type: 'udp', networks: ['127.0.0.0/8'] } } },
  });
  const registration = {
    id: ID,
    username: 'u',
    password: 'pass word',
    notifySecret: Buffer.from(SECRET).toString('base64'),
  };
  await gateway.api('POST', '/api/devices', registration);
  const admin = ['--admin', gateway.gateway.urls.admin, '--token', 'crossing-tests'];
  const account = ['--device', ID, '--username', 'u', '--password', 'pass word'];
  const notified = ['--notifications', 'udp://127.0.0.1:0', '--secret', SECRET];
  return conformance(['--role', 'server', '--against', gateway.dm, ...account, ...admin, ...notified]).done;
}

async function mailbox(take: (datagram: Buffer) => void): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', take);
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  closing({ close: () => void socket.close() });
  return `127.0.0.1:${socket.address().port}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Our own client: what manages a legacy phone on behalf of a DM 2.0 server, and is woken by its Package#0. */
async function ownClient() {
  const port = await freePort();
  const gateway = await runGateway({
    backends: { dms: { protocol: 'dm2', url: `http://127.0.0.1:${port}/dm20`, serverId: 'dms' } },
    routes: [{ match: {}, backend: 'dms' }],
    notifications: { via: 'lan', transports: { lan: { type: 'udp', networks: ['127.0.0.0/8'] } } },
  });
  const phone = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID }));
  // Once, to be known; nobody plays the server yet.
  await phone.session();
  let session: Promise<unknown> = Promise.resolve();
  const address = await mailbox((trigger) => {
    const sessionId = trigger
      .readUInt16BE(16 + 5)
      .toString(16)
      .toUpperCase();
    session = session.then(() => phone.session({ sessionAlert: '1200', sessionId }));
  });
  const account = { serverUsername: 'gw', serverPassword: 'pw', notifyAddress: address };
  expect(await gateway.api('PUT', `/api/devices/${ID}`, account)).toMatchObject({ status: 200 });
  const against = `${gateway.gateway.urls.admin}/api/devices/${ID}/notify`;
  const trial = conformance([
    ...[
      '--role',
      'client',
      '--against',
      against,
      '--token',
      'crossing-tests',
      '--listen',
      `127.0.0.1:${port}`,
    ],
    ...[...TOUCHED, '--quiet', '0.4', '--wait', '20'],
  ]);
  await trial.said(/by itself/);
  await session;
  while (!trial.over()) {
    await phone.session();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return trial.done;
}

/** A simulated client that minds notifications as the protocol says, or does not. */
async function simulatedClient(options: Partial<Dm2ClientOptions>, minds = true) {
  const notifications = { serverId: 'dms', credential: { secret: Buffer.from(SECRET) } };
  let client: Dm2Client | undefined;
  let session: Promise<unknown> = Promise.resolve();
  const address = await mailbox((bytes) => {
    if (minds) session = session.then(() => client?.notified(bytes));
    else session = session.then(() => heedless(bytes)).catch(() => 'no notification at all');
  });
  const heedless = (bytes: Buffer) => {
    const { notificationId } = parseNotification(bytes);
    return client?.session(notificationId === undefined ? {} : { notificationId });
  };
  const trial = conformance([
    ...['--role', 'client', '--against', `udp://${address}`, '--secret', SECRET, ...TOUCHED],
    ...['--quiet', '0.3', '--wait', '20'],
  ]);
  const [, url = ''] = await trial.said(/sessions at (\S+)/);
  const device = closing(new Dm2Client({ url, deviceId: 'IMEI:493005100592801', notifications, ...options }));
  client = device;
  await trial.said(/by itself/);
  await session;
  while (!trial.over()) {
    await device.session();
    await device.deliverReports();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return trial.done;
}

describe('our own roles, tried by the conformance command', () => {
  it('conform as server and as client, which docs/scr.md shows; DRAGOMAN_TEST_WRITE=1 writes it [20§13]', async () => {
    const server = await ownServer();
    expect(failing(server.report.items)).toEqual([]);
    expect(server).toMatchObject({ exit: 0, err: '' });
    expect(server.out).toMatch(
      /^pass {11}DM-PACK-001-S-M {2}Package flow: .*\n(?:.*\n)*26 pass, 0 fail, 0 not supported: the server conforms\.\n$/,
    );

    const client = await ownClient();
    expect(failing(client.report.items)).toEqual([
      'DM-PACK-008-C-O: not asked without a secret that both know',
    ]);
    expect(client.exit).toBe(0);

    // Alerts in either package.
    const told = server.item(24).exchange.filter(({ direction }) => direction === 'sent');
    expect(told.map(({ body = '' }) => Object.keys(JSON.parse(body)))).toEqual([
      ['MOS', 'Alert'],
      ['Status', 'Alert'],
    ]);

    // The bytes of an item are those that were exchanged.
    const [notification] = server.item(2).exchange;
    expect(
      Buffer.from(notification?.base64 ?? '', 'base64')
        .subarray(3, 6)
        .toString(),
    ).toBe('dms');
    const hget = server.item(14).exchange.map(({ direction, body }) => `${direction} ${body}`);
    expect(hget[0]).toMatch(/^received \{"CMD":\[\["HGET","http:.*"\]\]\}$/);
    expect(hget[1]).toMatch(/^sent \{"Status":\[\{"sc":200\}/);
    expect(JSON.stringify(server.report)).not.toMatch(/Basic |dTpwYXNz/);

    const page = scrPage(server.markdown, client.markdown);
    if (process.env['DRAGOMAN_TEST_WRITE'] === '1') writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, 'utf8')).toBe(page);
  }, 120_000);
});

it('a DM 2.0 phone behind us conforms as it does by itself, in transfers of either kind [IW-REL-1] [20§13]', async () => {
  for (const transfers of ['direct', 'gateway']) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/dm20`;
    const gateway = await runGateway({
      backends: { dms: { protocol: 'dm2', url, transfers } },
      routes: [{ match: {}, backend: 'dms' }],
    });
    const phone = closing(new Dm2Client({ url: gateway.dm, deviceId: 'IMEI:493005100592801' }));
    const listen = ['--listen', `127.0.0.1:${port}`];
    const trial = conformance(['--role', 'client', ...listen, ...TOUCHED, '--quiet', '0.2', '--wait', '20']);
    await trial.said(/by itself/);
    while (!trial.over()) {
      await phone.session();
      await phone.deliverReports();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { report } = await trial.done;
    expect(report.items.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    expect(report).toMatchObject({ conforms: true });
    expect(report.items.filter(({ verdict }) => verdict === 'pass')).toHaveLength(17);
  }
}, 60_000);

function scrPage(server: string, client: string): string {
  return `# Static conformance requirements of DM 2.0

What \`dragoman conformance\` finds when it tries this gateway in both roles: as the server of a DM 2.0 client, with the
built-in backend, and as the client of a DM 2.0 server, with a DM 1.2 phone behind it. This page is written by
\`test/qa/conformance.test.ts\`. The same command tries any other client or server; \`dragoman conformance --help\` says how.

## As a server

${server}
## As a client

${client}`;
}

describe('a client that is simulated', () => {
  it('has all items, also those of notifications with a digest [20§13]', async () => {
    const { report, exit, junit } = await simulatedClient({});
    expect(failing(report.items)).toEqual([]);
    expect(exit).toBe(0);
    const suite = junit.testsuites.testsuite;
    expect([suite['@_tests'], suite['@_failures'], suite['@_skipped']]).toEqual(['26', '0', '0']);
    expect(suite.testcase[13]).toMatchObject({
      '@_name': 'DM-PACK-014-C-M HGET',
      '@_classname': 'dm20.client',
    });
    expect(String(suite.testcase[13]['system-out'])).toContain('"CMD":[["HGET"');
  }, 60_000);

  it('lacks what it lacks, and conforms without what is optional', async () => {
    const { report, exit, junit } = await simulatedClient({ missing: ['get', 'show', 'default'] });
    expect(failing(report.items)).toEqual([
      'DM-PACK-019-C-O: GET is answered 501',
      'DM-PACK-020-C-O: SHOW is answered 501',
      'DM-PACK-023-C-O: DEFAULT is answered 501',
    ]);
    expect(exit).toBe(0);
    expect(junit.testsuites.testsuite['@_skipped']).toBe('3');
  }, 60_000);

  it('is caught when it skips what stands beside END', async () => {
    const { item, exit, junit } = await simulatedClient({ quirks: { skipsBesideEnd: true } });
    expect(item(22)).toMatchObject({ verdict: 'fail', detail: 'the command beside it is not done' });
    expect(exit).toBe(1);
    expect(junit.testsuites.testsuite['@_failures']).toBe('1');
  }, 60_000);

  it('is caught when it minds no notification: others’, stale, forged and repeated ones', async () => {
    const { item, exit } = await simulatedClient({}, false);
    expect([5, 7, 8, 9].map((number) => item(number).verdict)).toEqual([
      'fail',
      'fail',
      'not supported',
      'not supported',
    ]);
    expect(exit).toBe(1);
  }, 60_000);

  it('that never comes has nothing, and no optional item of Package#0 counts against it', async () => {
    const { report, exit, item } = await conformance([
      '--role',
      'client',
      ...TOUCHED,
      '--wait',
      '0.1',
      '--quiet',
      '0.1',
    ]).done;
    expect(exit).toBe(1);
    expect(item(2)).toMatchObject({ verdict: 'not supported', detail: 'the client was sent none' });
    expect(item(3)).toMatchObject({ verdict: 'not supported', mandatory: true, asked: false });
    expect(report.items.filter(({ verdict }) => verdict === 'pass')).toEqual([]);
  });
});

describe('a server', () => {
  const answering = (type: string, body: string) => () => ({
    status: 200,
    headers: { 'content-type': type },
    body: Buffer.from(body),
  });
  const against = async (options: ConstructorParameters<typeof Dm2Backend>[0]) => {
    const server = closing(new Dm2Backend(options));
    const url = await server.start();
    return conformance(['--role', 'server', '--against', url, '--wait', '20']).done;
  };

  it('that sends little is told what it has not been seen to support', async () => {
    const { report, exit, item, err, junit } = await against({ script: [[['SHOW', 'http://127.0.0.1:9/']]] });
    expect(exit).toBe(1);
    expect(item(20)).toMatchObject({ verdict: 'pass' });
    expect(item(14)).toMatchObject({ verdict: 'not supported', detail: 'the server sent no HGET' });
    expect(item(2)).toMatchObject({ verdict: 'not supported', detail: 'nobody listened for Package#0' });
    expect(report.items.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    // All of a server's items are mandatory.
    expect(junit.testsuites.testsuite['@_failures']).toBe(
      String(report.items.filter(({ verdict }) => verdict === 'not supported').length),
    );
    expect(err).toMatch(
      /^The server has to send the device IMEI:493005100592801, in this order:\n {2}HGET http/,
    );
  });

  it.each([
    ['commands with parameters missing', { script: [[['HGET']]] }, 14, /HGET takes ServerURI/],
    [
      'a document that is not there',
      { script: [[['HGET', '{origin}/repository/none', SCRATCH]]] },
      14,
      /led to 404/,
    ],
    ['errors', { fault: () => ({ status: 500 }) }, 11, /HTTP 500/],
    [
      'another Content-Type',
      {
        fault: answering('text/json', '{"CMD":[["END"]]}'),
      },
      12,
      /Content-Type is text\/json/,
    ],
    [
      'no JSON',
      {
        fault: answering('application/vnd.oma.dm.request+json', '<a/>'),
      },
      12,
      /malformed|JSON/,
    ],
  ])('that sends %s is caught', async (_what, options, number, detail) => {
    const { item, exit } = await against(options);
    expect(item(number).verdict).toBe('fail');
    expect(item(number).detail).toMatch(detail);
    expect(exit).toBe(1);
  });
});

describe('the command', () => {
  it('prints the messages too, when asked, without credentials', async () => {
    const server = closing(new Dm2Backend({ auth: { type: 'basic', username: 'u', password: 'hunter2' } }));
    const account = ['--username', 'u', '--password', 'hunter2'];
    const { out } = await dragoman([
      'conformance',
      '--role',
      'server',
      '--against',
      await server.start(),
      ...account,
      '--exchange',
    ]);
    expect(out).toMatch(
      /^ {4}> POST http.*\n {4}content-type: application\/vnd\.oma\.dm\.initiation\+json\n/m,
    );
    expect(out).toContain('    authorization: (masked)\n');
    expect(out).toContain('    {"CMD":[["END"]]}\n');
    expect(out).not.toContain(Buffer.from('u:hunter2').toString('base64'));
  });

  it.each([
    [['--role', 'server'], /conformance needs --against URL/],
    [['--role', 'client'], /conformance needs --scratch and --exec/],
    [['--role', 'server', '--against', 'http://a/', '--admin', 'http://b/'], /conformance needs --token/],
    [
      ['--role', 'client', ...TOUCHED, '--listen', 'here'],
      /conformance needs --listen HOST:PORT; "here" is none/,
    ],
    [['--role', 'client', ...TOUCHED, '--wait', 'long'], /conformance needs --wait in seconds/],
    [['--role', 'neither'], /Allowed choices are client, server/],
  ])('says what it needs: %j', async (args, said) => {
    const { code, err } = await dragoman(['conformance', ...args]);
    expect(code).toBe(2);
    expect(err).toMatch(said);
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import { LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { post, TYPES } from '../wire/harness.ts';
import { closing, type Running, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const ACCOUNT = { username: 'phone', password: 'device-secret' };
const SCRIPT = [
  [
    { kind: 'Get', uris: ['./DevInfo/Man', './FUMO/fw/State'] },
    { kind: 'Replace', uri: './FUMO/fw/DownloadAndUpdate/PkgURL', data: 'http://fw.example/é&2' },
  ],
  [
    {
      kind: 'Sequence',
      commands: [
        { kind: 'Add', uri: './Settings/Photo', format: 'bin', type: 'image/png', data: 'AAECAwQF' },
        { kind: 'Delete', uris: ['./Settings/Volume'] },
      ],
    },
    { kind: 'Exec', uri: './LAWMO/Operations/FullyLock', correlator: 'c1' },
  ],
] as const;

interface Around {
  readonly device?: Partial<ConstructorParameters<typeof LegacyDevice>[0]>;
  readonly server?: Partial<ConstructorParameters<typeof LegacyServer>[0]>;
  readonly backend?: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
}

async function between({ device = {}, server = {}, backend = {}, config = {} }: Around = {}) {
  const dms = closing(new LegacyServer({ script: SCRIPT, ...server }));
  const url = await dms.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, ...backend } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
    ...config,
  });
  const phone = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...device }));
  const report = await phone.session();
  return { dms, gateway, phone, report, session: dms.sessions.at(-1)! };
}

const FORMS = ['xml', 'wbxml'] as const;

/** The two in a session that a test drives message by message. */
async function stepwise(around: Around) {
  const dms = closing(new LegacyServer({ script: SCRIPT, ...around.server }));
  const url = await dms.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, ...around.backend } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
    ...around.config,
  });
  const phone = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...around.device }));
  phone.begin();
  return { dms, gateway, phone };
}

/** What the commands of the script are answered; children of a Sequence that is not known are left out. */
const codesOf = ({ has }: Phone) =>
  has('sequence') ? ['200', '200', '200', '200', '200', '202'] : ['200', '200', '501', '215', '215', '202'];

describe.each(PHONES)('a 1.x device $name', (kind) => {
  const form = kind.encoding;
  /** What both are given where such devices need to hear that they are known. */
  const known = kind.needs212 && ({ auth: { type: 'basic', ...ACCOUNT } } as const);
  const around = ({ device, server, ...more }: Around = {}): Around => ({
    ...more,
    device: { ...kind.device, ...known, ...device },
    server: { ...known, ...server },
  });

  describe.each(FORMS)('on a 1.x server in %s', (theirs) => {
    it('is managed as if nobody stood between them [IW-REL-1] [IW-SES-9]', async () => {
      const { report, session, phone, gateway, dms } = await between(
        around({ server: { encoding: theirs }, backend: { encoding: theirs } }),
      );
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(session).toMatchObject({ state: 'completed', violations: [], devInfo: { DevId: ID } });
      expect(session.commands.map(({ code }) => code)).toEqual(codesOf(kind));
      expect(session.commands[0]!.results.map(({ data }) => String(data))).toEqual(['Example', '10']);
      const value = (...path: string[]) => phone.tree.find(path)?.value;
      expect(value('FUMO', 'fw', 'DownloadAndUpdate', 'PkgURL')).toBe('http://fw.example/é&2');
      const photo = value('Settings', 'Photo');
      expect(photo && Buffer.from(photo as string, 'base64')).toEqual(
        kind.has('sequence') ? Buffer.from([0, 1, 2, 3, 4, 5]) : undefined,
      );
      // Every message after the first went to the RespURI of the server, and the device never saw it.
      const told = Buffer.concat(phone.messages.map(({ bytes }) => bytes)).toString('latin1');
      expect(told).not.toContain(new URL(dms.url).host);
      expect(await gateway.api('GET', `/api/devices/${encodeURIComponent(ID)}`)).toMatchObject({
        body: { protocol: 'dm1', devInfo: { Man: 'Example' } },
      });
    });
  });

  it.each(['basic', 'md5', 'hmac'] as const)(
    'proves itself to its server by %s, challenge and nonces included [IW-REL-1] [IW-AUTH-1]',
    async (scheme) => {
      const { report, session, dms, gateway } = await between(
        around({
          device: { auth: { type: scheme, ...ACCOUNT } },
          server: { auth: { type: scheme, ...ACCOUNT } },
          // The server knows the device; the gateway has no account of it and asks for none.
          config: { deviceAuth: { dm1: 'md5', dm2: 'none' } },
        }),
      );
      if (scheme === 'hmac' && kind.needs212) {
        // A MAC is welcomed by 200 alone, which such a device hears as "who are you?", again and again.
        expect(report).toMatchObject({ outcome: 'refused', violations: [] });
        expect(session.commands.filter(({ code }) => code !== undefined)).toEqual([]);
        return;
      }
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(session).toMatchObject({ state: 'completed', authenticated: scheme });
      // What is signed is not changed, not even the Target.
      const target = `Target is ${gateway.dm}, not `;
      expect(session.violations.filter((text) => scheme !== 'hmac' || !text.startsWith(target))).toEqual([]);
      expect(session.commands.map(({ code }) => code)).toEqual(codesOf(kind));
      expect(dms.sessions).toHaveLength(1);
    },
  );

  it.each(['basic', 'md5'] as const)(
    'has its server prove itself by %s [IW-REL-1] [IW-AUTH-2]',
    async (scheme) => {
      const serverCred = { scheme, username: 'legacy', password: 'server-secret' };
      const { report, session, gateway } = await between(
        around({
          device: { serverCred },
          server: { serverCred },
        }),
      );
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(session).toMatchObject({ state: 'completed', violations: [] });
      const { body } = await gateway.api<{ sessions: { id: string }[] }>('GET', '/api/sessions');
      const trace = await gateway.api('GET', `/api/sessions/${body.sessions[0]!.id}`);
      const secret = Buffer.from('legacy:server-secret').toString('base64');
      expect(JSON.stringify(trace.body)).not.toContain(secret);
    },
  );

  it.each(['basic', 'md5'] as const)(
    'whose server proves itself by %s unasked is not asked for more, session after session [IW-REL-1] [IW-AUTH-2]',
    async (scheme) => {
      const serverCred = { scheme, username: 'legacy', password: 'server-secret' };
      const { session, phone, dms } = await between(
        around({ device: { serverCred }, server: { serverCred: { ...serverCred, atOnce: true } } }),
      );
      expect(session).toMatchObject({
        state: 'completed',
        violations: [],
        messages: scheme === 'md5' ? 4 : 3,
      });
      expect(await phone.session()).toMatchObject({ outcome: 'completed', violations: [] });
      expect(dms.sessions.at(-1)).toMatchObject({ state: 'completed', violations: [], messages: 3 });
    },
  );

  describe.each(FORMS)('whose server in %s proves itself', (theirs) => {
    it.each(['basic', 'md5'] as const)(
      'by %s gets no blank for its proof when the gateway dies in between, and asks for it once more [IW-REL-1] [IW-SES-4]',
      async (scheme) => {
        let gateway: Running | undefined;
        const front = await inFrontOf(() => gateway!.dm);
        const serverCred = { scheme, username: 'legacy', password: 'server-secret' };
        const dms = closing(
          new LegacyServer({
            ...known,
            script: SCRIPT,
            encoding: theirs,
            serverCred: { ...serverCred, atOnce: true },
          }),
        );
        gateway = await run({
          publicUrl: front,
          backends: { legacy: { protocol: 'dm1', url: await dms.start(), encoding: theirs } },
          routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
        });
        const url = `${front}/dm`;
        const phone = closing(new LegacyDevice({ url, deviceId: ID, ...kind.device, ...known, serverCred }));
        // A session before, so that md5 has its nonce.
        expect(await phone.session()).toMatchObject({ outcome: 'completed' });
        phone.begin();
        const send = () =>
          post(url, Buffer.from(phone.nextBytes!), { 'content-type': `application/vnd.syncml.dm+${form}` });
        const lost = decodeMessage((await send()).body, form).message;
        expect(lost.header.cred).toBeDefined();
        gateway = await gateway.restart();
        await phone.step();
        const had = phone.messages.at(-1)!.bytes;
        expect(Buffer.from(had).toString('latin1')).not.toContain('***');
        const { cred: _cred, ...header } = lost.header;
        expect(decodeMessage(had, form).message).toEqual({ ...lost, header });
        while (await phone.step());
        expect(phone.report).toMatchObject({ outcome: 'completed', violations: [] });
        expect(phone.report.executed.filter(({ command }) => command === 'Exec')).toHaveLength(1);
        expect(dms.sessions).toHaveLength(2);
        expect(dms.sessions[1]).toMatchObject({ state: 'completed', violations: [], messages: 4 });
        const kept = await everything(gateway);
        for (const secret of [lost.header.cred!.data, 'server-secret']) expect(kept).not.toContain(secret);
      },
    );
  });

  it.each(kind.versions)('of DM %s is passed on as such [IW-REL-1]', async (version) => {
    const { report, session } = await between(
      around({
        device: { version },
        server: { script: SCRIPT.slice(0, 1) },
      }),
    );
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(session).toMatchObject({ state: 'completed', violations: [] });
  });

  it('that its server refuses is refused, and stays unknown to the gateway [IW-REL-1]', async () => {
    const { report, gateway } = await between(
      around({
        device: { auth: { type: 'md5', ...ACCOUNT, password: 'guess' } },
        server: { auth: { type: 'md5', ...ACCOUNT } },
      }),
    );
    expect(report.outcome).toBe('refused');
    expect(report.statuses.every(({ code }) => code === '401')).toBe(true);
    expect((await gateway.api('GET', `/api/devices/${encodeURIComponent(ID)}`)).status).toBe(404);
  });

  it('and its server go on over restarts of the gateway, and repeats do nothing twice [IW-REL-1] [IW-SES-4]', async () => {
    let gateway: Running | undefined;
    const front = await inFrontOf(() => gateway!.dm);
    const dms = closing(new LegacyServer({ script: SCRIPT, auth: { type: 'md5', ...ACCOUNT } }));
    gateway = await run({
      publicUrl: front,
      backends: { legacy: { protocol: 'dm1', url: await dms.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
    });
    const url = `${front}/dm`;
    const phone = closing(
      new LegacyDevice({ url, deviceId: ID, ...kind.device, auth: { type: 'md5', ...ACCOUNT } }),
    );
    phone.begin();
    for (let more = true; more; ) {
      const headers = { 'content-type': `application/vnd.syncml.dm+${form}` };
      const body = Buffer.from(phone.nextBytes!);
      const send = async () => (await fetch(url, { method: 'POST', headers, body })).arrayBuffer();
      const first = Buffer.from(await send());
      gateway = await gateway.restart();
      expect(Buffer.from(await send())).toEqual(first);
      more = await phone.step();
      expect(phone.messages.at(-1)!.bytes).toEqual(new Uint8Array(first));
    }
    expect(phone.report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(dms.sessions).toHaveLength(1);
    // Challenge, Package 1 again, two packages and their end.
    expect(dms.sessions[0]).toMatchObject({ state: 'completed', messages: 4 });
  });

  it('that its server asks for HTTP credentials in the midst goes on with them after a restart [IW-REL-1] [IW-SES-4]', async () => {
    let gateway: Running | undefined;
    const front = await inFrontOf(() => gateway!.dm);
    const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="dms"' } };
    const dms = closing(
      new LegacyServer({
        ...known,
        script: SCRIPT,
        fault: (_, count) => (count === 2 ? challenge : undefined),
      }),
    );
    gateway = await run({
      publicUrl: front,
      backends: { legacy: { protocol: 'dm1', url: await dms.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
    });
    const url = `${front}/dm`;
    const phone = closing(new LegacyDevice({ url, deviceId: ID, ...kind.device, ...known }));
    phone.begin();
    await phone.step();
    const asked = await post(url, Buffer.from(phone.nextBytes!), { 'content-type': TYPES[form] });
    expect(asked).toMatchObject({ status: 401, text: '' });
    gateway = await gateway.restart();
    while (await phone.step());
    expect(phone.report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(dms.sessions).toHaveLength(1);
    expect(dms.sessions[0]).toMatchObject({ state: 'completed', violations: [], messages: 3 });
  });

  it('that aborts has its abort told to its server [IW-REL-1] [IW-SES-10]', async () => {
    const { dms, phone, gateway } = await stepwise(around());
    await phone.step();
    phone.abort();
    await phone.step();
    expect(phone.report).toMatchObject({ outcome: 'aborted', violations: [] });
    expect(dms.sessions.at(-1)).toMatchObject({ state: 'aborted' });
    expect(await ending(gateway)).toBe('aborted');
  });

  it('that falls silent is taken for gone, and its server is told [IW-REL-1] [IW-SES-11]', async () => {
    const { dms, phone, gateway } = await stepwise(
      around({
        config: { limits: { sessionSeconds: 1 } },
      }),
    );
    await phone.step();
    phone.drop();
    await until(async () => (await ending(gateway)) === 'device-gone');
    expect(dms.sessions.at(-1)).toMatchObject({ state: 'aborted', violations: [] });
  });

  it('that begins anew leaves the session that its server begins alone [IW-REL-1] [IW-SES-3]', async () => {
    const { dms, phone, gateway } = await stepwise(around({ device: { sessionId: '1' } }));
    await phone.step();
    phone.drop();
    const alerts = [{ type: 'org.example.anew', data: 'x' }];
    expect(await phone.session({ alerts })).toMatchObject({ outcome: 'completed', violations: [] });
    await until(async () => (await sessionsOf(gateway)).every(({ state }) => state !== 'live'));
    expect(dms.sessions.map(({ state }) => state)).toEqual(['open', 'completed']);
  });

  it.each([
    ['answers HTTP 500', { status: 500 }],
    ['hangs up', 'drop'],
    [
      'answers junk',
      { status: 200, body: Buffer.from('no SyncML'), headers: { 'content-type': 'text/xml' } },
    ],
  ] as const)(
    'whose server %s gets a clean end, again and again [IW-REL-1] [IW-SES-10]',
    async (_, fault) => {
      const { phone, gateway } = await stepwise(
        around({
          server: { fault: () => fault },
        }),
      );
      const bytes = phone.nextBytes!;
      await phone.step();
      expect(phone.report).toMatchObject({ outcome: 'refused', violations: [] });
      expect(phone.report.statuses).toEqual([
        { cmd: 'SyncHdr', code: '500' },
        { cmd: 'Alert', code: '500' },
        { cmd: 'Replace', code: '500' },
      ]);
      expect(await ending(gateway)).toBe('backend-failed');
      const { body } = await post(gateway.dm, bytes, { 'content-type': TYPES[form] });
      expect(new Uint8Array(body)).toEqual(phone.messages.at(-1)!.bytes);
    },
  );
});

/** What stays the same for devices while gateways come and go. */
async function inFrontOf(gateway: () => string): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const type = request.headers['content-type'] ?? '';
    const answer = await post(gateway(), Buffer.concat(chunks), { 'content-type': type });
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
  closing({ close: () => void server.close().closeAllConnections() });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Every byte of every session's journal. */
async function everything(gateway: Running): Promise<string> {
  const sessions = await sessionsOf(gateway);
  return gateway.inStore(async (store) => {
    const journals = await Promise.all(sessions.map(({ id }) => store.sessions.entries(id)));
    return journals
      .flat()
      .map(({ meta, body }) => `${meta} ${Buffer.from(body ?? []).toString('latin1')}`)
      .join('\n');
  });
}

type SessionView = { readonly id: string; readonly state: string; readonly ending?: string };

async function sessionsOf(gateway: Running): Promise<readonly SessionView[]> {
  return (await gateway.api<{ sessions: SessionView[] }>('GET', '/api/sessions')).body.sessions;
}

/** How the newest session ended. */
async function ending(gateway: Running): Promise<string | undefined> {
  return (await sessionsOf(gateway))[0]?.ending;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 50));
}

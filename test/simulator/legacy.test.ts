import { afterEach, describe, expect, it } from 'vitest';
import {
  LegacyDevice,
  type LegacyDeviceOptions,
  LegacyServer,
  type LegacyServerOptions,
  type ServerCommand,
} from '../../src/simulator/index.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const peer of open.splice(0)) await peer.close();
});

async function pair(
  server: LegacyServerOptions,
  device: Partial<LegacyDeviceOptions> = {},
): Promise<{ server: LegacyServer; device: LegacyDevice }> {
  const made = new LegacyServer(server);
  const url = await made.start();
  const client = new LegacyDevice({ url, deviceId: 'IMEI:1', ...device });
  open.push(client, made);
  return { server: made, device: client };
}

/** One clean session with these commands; every Status code of the commands, children included. */
async function run(
  commands: readonly ServerCommand[],
  device: Partial<LegacyDeviceOptions> = {},
  server: LegacyServerOptions = {},
) {
  const peers = await pair({ ...server, script: [commands] }, device);
  const report = await peers.device.session();
  expect(report.outcome).toBe('completed');
  const session = peers.server.sessions[0]!;
  return { ...peers, report, session, codes: session.commands.map(({ code }) => code) };
}

const sentBy = (device: LegacyDevice) =>
  device.messages.filter(({ direction }) => direction === 'sent').map(({ text }) => text);

const account = { username: 'phone', password: 'secret' };
const text = (uri: string, data: string): ServerCommand => ({ kind: 'Replace', uri, data });
const add = (uri: string, data = 'x'): ServerCommand => ({ kind: 'Add', uri, data });

describe.each(['xml', 'wbxml'] as const)('a DM 1.x session in %s', (encoding) => {
  it.each(['none', 'basic', 'md5', 'hmac'] as const)(
    'reads and writes with %s authentication',
    async (type) => {
      const { server, device } = await pair(
        {
          auth: { type, ...account },
          script: [
            [
              { kind: 'Get', uris: ['./DevInfo/Man', './Settings/Wallpaper'] },
              text('./Settings/Ringtone', 'Bells & <Whistles>'),
            ],
            [{ kind: 'Get', uris: ['./Settings/Ringtone'] }],
          ],
        },
        { encoding, auth: { type, ...account } },
      );
      const report = await device.session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      const [session] = server.sessions;
      expect(session).toMatchObject({
        state: 'completed',
        authenticated: type,
        opening: '1201',
        violations: [],
      });
      expect(session!.devInfo['DevId']).toBe('IMEI:1');
      expect(session!.commands.map(({ code }) => code)).toEqual(['200', '200', '200']);
      expect(session!.commands[0]!.results.map(({ uri }) => uri)).toEqual([
        './DevInfo/Man',
        './Settings/Wallpaper',
      ]);
      expect(session!.commands[2]!.results[0]!.data).toBe('Bells & <Whistles>');
    },
  );

  it.each(['1.1', '1.2', '1.3'] as const)('speaks DM %s', async (version) => {
    const { report, session } = await run([{ kind: 'Get', uris: ['./DevDetail/FwV'] }], {
      version,
      encoding,
    });
    expect(report.violations).toEqual([]);
    expect(session.violations).toEqual([]);
    expect(session.commands[0]!.results[0]!.data).toBe('1.0.0');
  });

  it('carries large objects in chunks both ways', async () => {
    const big = Array.from({ length: 6000 }, (_, i) => `${i}<&`).join('');
    const bytes = new Uint8Array(9000).map((_, i) => i % 251);
    const { server, device } = await pair(
      {
        maxMsgSize: 5000,
        script: [
          [
            text('./Settings/Ringtone', big),
            { kind: 'Replace', uri: './Settings/Wallpaper', format: 'bin', data: bytes },
          ],
          [{ kind: 'Get', uris: ['./Settings/Ringtone', './Settings/Wallpaper', './DevInfo/Man'] }],
        ],
      },
      { encoding, maxMsgSize: 4000 },
    );
    const report = await device.session();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    const session = server.sessions[0]!;
    expect(session.violations).toEqual([]);
    expect(session.commands.map(({ code }) => code)).toEqual(['200', '200', '200']);
    expect(device.tree.find(['Settings', 'Wallpaper'])!.value).toEqual(bytes);
    const [ringtone, wallpaper, man] = session.commands[2]!.results;
    expect(ringtone!.data).toBe(big);
    const back = wallpaper!.data;
    expect(new Uint8Array(typeof back === 'string' ? Buffer.from(back, 'base64') : back)).toEqual(bytes);
    expect(man!.data).toBe('Example');
    for (const { direction, bytes: body } of device.messages) {
      expect(body.length).toBeLessThanOrEqual(direction === 'sent' ? 5000 : 4000);
    }
  });
});

describe('the answers of a DM 1.x device', () => {
  it.each<[string, ServerCommand, string]>([
    ['Add makes a node and its parents', add('./Settings/New/Deep'), '200'],
    ['Add on an existing node', add('./Settings/Ringtone'), '418'],
    ['Add under a leaf', add('./Settings/Ringtone/x'), '405'],
    ['Replace on a missing node', text('./Settings/Nope', 'x'), '404'],
    ['Replace of an interior node', text('./Settings', 'x'), '405'],
    ['Replace of a read-only leaf', text('./DevInfo/Man', 'x'), '405'],
    [
      'Replace with the wrong format',
      { kind: 'Replace', uri: './Settings/Volume', format: 'bool', data: 'true' },
      '415',
    ],
    [
      'Replace of an int with text',
      { kind: 'Replace', uri: './Settings/Volume', format: 'int', data: 'loud' },
      '415',
    ],
    ['Delete of a permanent node', { kind: 'Delete', uris: ['./DevInfo'] }, '405'],
    ['Delete of the root', { kind: 'Delete', uris: ['.'] }, '405'],
    ['Delete of a missing node', { kind: 'Delete', uris: ['./Nope'] }, '404'],
    ['Delete of a subtree', { kind: 'Delete', uris: ['./Settings'] }, '200'],
    ['Get of a secret', { kind: 'Get', uris: ['./DMAcc/operator/AppAuth/client/AAuthSecret'] }, '405'],
    ['Get of a property that is not kept', { kind: 'Get', uris: ['./Settings?prop=TStamp'] }, '406'],
    ['Copy of a leaf', { kind: 'Copy', from: './Settings/Ringtone', to: './Settings/Other' }, '200'],
    ['Copy of an interior node', { kind: 'Copy', from: './Settings', to: './Other' }, '405'],
    ['Exec of a node that is no operation', { kind: 'Exec', uri: './Settings/Volume' }, '405'],
    ['Exec of a missing node', { kind: 'Exec', uri: './Nope' }, '404'],
    ['an unknown Alert', { kind: 'Alert', code: '1150' }, '406'],
  ])('%s: %s', async (_, command, code) => {
    expect((await run([command])).codes).toEqual([code]);
  });

  it('gives each Item its own Status where codes differ', async () => {
    const { session } = await run([{ kind: 'Get', uris: ['./DevInfo/Man', './Nope', './DevInfo/Mod'] }]);
    const [get] = session.commands;
    expect(get!.statuses.map(({ targetRefs, code }) => [targetRefs[0], code])).toEqual([
      ['./DevInfo/Man', '200'],
      ['./Nope', '404'],
      ['./DevInfo/Mod', '200'],
    ]);
    expect(get!.results.map(({ data }) => data)).toEqual(['Example', 'One']);
  });

  it('answers interior nodes, properties and lists', async () => {
    const { session } = await run([
      { kind: 'Get', uris: ['./DevInfo'] },
      { kind: 'Get', uris: ['./FUMO/fw?prop=Type', './FUMO/fw?prop=Format'] },
      { kind: 'Get', uris: ['./DevDetail/URI?list=StructData'] },
      { kind: 'Get', uris: ['./DevDetail/URI?list=TNDS'] },
    ]);
    const results = session.commands.map(({ results: items }) => items);
    expect(results[0]![0]).toMatchObject({ data: 'DevId/Man/Mod/DmV/Lang', meta: { format: 'node' } });
    expect(results[1]!.map(({ data }) => data)).toEqual(['urn:oma:mo:oma-fumo:1.0', 'node']);
    expect(results[2]!.map(({ uri, data }) => [uri, data])).toEqual([
      ['./DevDetail/URI', ''],
      ['./DevDetail/URI/MaxDepth', '0'],
      ['./DevDetail/URI/MaxTotLen', '0'],
      ['./DevDetail/URI/MaxSegLen', '0'],
    ]);
    expect(results[3]![0]!.data).toContain('<NodeName>MaxDepth</NodeName>');
  });

  it('unfolds TNDS, all or nothing', async () => {
    const leaf = (name: string) =>
      `<Node><NodeName>${name}</NodeName><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME></Type></RTProperties><Value>v</Value></Node>`;
    const tnds = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>T</NodeName><RTProperties><Format><node/></Format><Type><DDFName>urn:x</DDFName></Type></RTProperties>${leaf('a')}${leaf('b')}</Node></MgmtTree>`;
    const command: ServerCommand = {
      kind: 'Add',
      uri: './Settings/T',
      format: 'xml',
      type: 'application/vnd.syncml.dmtnds+xml',
      data: tnds,
    };
    const { codes, device } = await run([command, command]);
    expect(codes).toEqual(['200', '418']);
    expect([...device.tree.find(['Settings', 'T'])!.children!.keys()]).toEqual(['a', 'b']);
    expect((await run([command], { missing: ['tnds'] })).codes).toEqual(['415']);
  });

  it('respects ACLs: own value first, else the nearest ancestor’s', async () => {
    const tree = {
      $acl: 'Get=*&Replace=*&Add=*&Delete=*',
      A: { $acl: 'Get=srv&Replace=other', x: '1' },
      B: { y: '2' },
    };
    const { codes } = await run([{ kind: 'Get', uris: ['./A/x'] }, text('./A/x', '2'), text('./B/y', '3')], {
      tree,
      serverId: 'srv',
    });
    expect(codes).toEqual(['200', '425', '200']);
  });

  it('answers 414 to an address beyond its limits', async () => {
    const tree = { DevDetail: { URI: { MaxDepth: '3', MaxTotLen: '40', MaxSegLen: '8' } }, A: {} };
    const { codes } = await run(
      [add('./A/b/c/d'), add('./A/too-long-a-name'), { kind: 'Get', uris: ['./A/b/c/d'] }, add('./A/b/c')],
      { tree },
    );
    expect(codes).toEqual(['414', '414', '414', '200']);
  });
});

describe('Atomic and Sequence', () => {
  const failing: ServerCommand[] = [
    text('./Settings/Ringtone', 'A'),
    add('./Settings/Ringtone'),
    add('./Settings/Z'),
  ];

  it('rolls an Atomic back: 507, executed 216, failing its own code, the rest 215 [IW-WR-4]', async () => {
    const { codes, device } = await run([{ kind: 'Atomic', commands: failing }]);
    expect(codes).toEqual(['507', '216', '418', '215']);
    expect(device.tree.find(['Settings', 'Ringtone'])!.value).toBe('Default');
  });

  it('reports 516 where rollback is missing, and keeps the change', async () => {
    const { codes, device } = await run([{ kind: 'Atomic', commands: failing }], { missing: ['rollback'] });
    expect(codes).toEqual(['507', '516', '418', '215']);
    expect(device.tree.find(['Settings', 'Ringtone'])!.value).toBe('A');
  });

  it('refuses Get and a nested group inside an Atomic with 500', async () => {
    const { codes, report } = await run([
      { kind: 'Atomic', commands: [{ kind: 'Get', uris: ['./DevInfo/Man'] }] },
      { kind: 'Atomic', commands: [{ kind: 'Atomic', commands: [add('./Settings/Z')] }] },
    ]);
    expect(codes).toEqual(['507', '500', '507', '500', undefined]);
    expect(report.violations).toEqual([
      expect.stringMatching(/^Atomic \d holds a Get$/),
      expect.stringMatching(/^Atomic \d holds a Atomic$/),
    ]);
  });

  it('carries on after a failure in a Sequence, or stops as some clients do', async () => {
    const sequence: ServerCommand = { kind: 'Sequence', commands: failing };
    expect((await run([sequence])).codes).toEqual(['200', '200', '418', '200']);
    expect((await run([sequence], { preset: 'sequence-stopper' })).codes).toEqual([
      '200',
      '200',
      '418',
      '215',
    ]);
  });

  it('answers 406 for groups that it lacks, 215 for what they hold', async () => {
    const missing = await run(
      [
        { kind: 'Sequence', commands: [add('./Settings/Q')] },
        { kind: 'Atomic', commands: [add('./Settings/Q')] },
      ],
      { missing: ['atomic', 'sequence'] },
    );
    expect(missing.codes).toEqual(['406', '215', '406', '215']);
  });
});

describe('user interaction', () => {
  const alert = (code: string, ...items: string[]): ServerCommand => ({ kind: 'Alert', code, items });

  it('answers the five alerts [IW-UI-2]', async () => {
    const { session, codes } = await run([
      alert('1100', '', 'Hello'),
      alert('1101', '', 'Sure?'),
      alert('1102', 'DR=John+Doe', 'Name?'),
      alert('1103', '', 'Pick', 'one', 'two'),
      alert('1104', 'DR=1-2', 'Pick', 'one', 'two'),
      alert('1101', 'only one Item'),
    ]);
    expect(codes).toEqual(['200', '200', '200', '200', '200', '412']);
    const answers = session.commands.map(({ statuses }) => statuses[0]!.items.map(({ data }) => data));
    expect(answers.slice(2, 5)).toEqual([['John Doe'], ['1'], ['1', '2']]);
  });

  it('skips what follows "No" in a Sequence and everything after a cancel', async () => {
    const no = { ui: () => ({ status: 304 }) };
    const asked: ServerCommand[] = [alert('1101', '', 'Sure?'), add('./Settings/Q')];
    expect((await run([{ kind: 'Sequence', commands: asked }, add('./Settings/R')], no)).codes).toEqual([
      '200',
      '304',
      '215',
      '200',
    ]);
    expect((await run(asked, no)).codes).toEqual(['304', '200']);
    expect((await run(asked, { ui: () => ({ status: 214 }) })).codes).toEqual(['214', '215']);
    expect((await run(asked, { missing: ['ui'] })).codes).toEqual(['406', '200']);
  });
});

describe('asynchronous Exec', () => {
  const exec: ServerCommand = { kind: 'Exec', uri: './FUMO/fw/Update', correlator: 'c-77' };

  it('answers 202 and reports with the Correlator in the next session', async () => {
    const { server, device } = await pair({
      script: (session) => (session.commands.length === 0 && server.sessions.length === 1 ? [exec] : []),
    });
    await device.session();
    expect(server.sessions[0]!.commands[0]!.code).toBe('202');
    const report = await device.session();
    expect(report.violations).toEqual([]);
    expect(server.sessions[1]!.alerts).toMatchObject([
      {
        code: '1226',
        correlator: 'c-77',
        items: [
          {
            source: { uri: './FUMO/fw/Update' },
            meta: { type: 'org.openmobilealliance.dm.firmwareupdate.update', mark: 'informational' },
            data: '200',
          },
        ],
      },
    ]);
    await device.session();
    expect(server.sessions[2]!.alerts).toEqual([]);
  });

  it('drops the Correlator where the device has none', async () => {
    const { server, device } = await pair(
      { script: [[exec]] },
      { missing: ['correlator'], reports: 'same-session' },
    );
    await device.session();
    expect(server.sessions[0]!.alerts).toHaveLength(1);
    expect(server.sessions[0]!.alerts[0]!.correlator).toBeUndefined();
  });

  it('keeps an alert that got no Status for the next session [IW-ALERT-6]', async () => {
    const { server, device } = await pair({
      fault: (_, count) => (count === 1 ? { status: 503 } : undefined),
    });
    expect((await device.session({ alerts: [{ type: 'urn:x', data: '1' }] })).outcome).toBe('failed');
    expect(device.pendingAlerts).toHaveLength(1);
    await device.session();
    expect(server.sessions[0]!.alerts).toHaveLength(1);
    expect(device.pendingAlerts).toEqual([]);
  });
});

describe('authentication of DM 1.x sessions', () => {
  it('is challenged, repeats Package 1 in the same session, and keeps the nonce for the next', async () => {
    const { server, device } = await pair(
      { auth: { type: 'md5', ...account } },
      { auth: { type: 'md5', ...account } },
    );
    expect((await device.session()).messages).toBe(2);
    expect(server.sessions[0]!.messages).toBe(2);
    const second = await device.session();
    expect(second).toMatchObject({ messages: 1, outcome: 'completed', violations: [] });
  });

  it('gives up after the second refusal', async () => {
    const { server, device } = await pair(
      { auth: { type: 'md5', ...account } },
      { auth: { type: 'md5', username: 'phone', password: 'wrong' } },
    );
    expect(await device.session()).toMatchObject({ outcome: 'refused', messages: 3 });
    expect(server.sessions[0]!.state).toBe('refused');
  });

  it.each(['basic', 'md5'] as const)(
    'makes the server prove itself by %s, and the same commands come again [IW-AUTH-2]',
    async (scheme) => {
      const cred = { scheme, username: 'dms.example', password: 'server-secret' };
      const { server, device } = await pair(
        { serverCred: cred, script: [[text('./Settings/Ringtone', 'A')]] },
        { serverCred: cred },
      );
      const report = await device.session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(report.executed.map(({ code }) => code)).toEqual([200]);
      expect(server.sessions[0]!.commands.map(({ code }) => code)).toEqual(['200']);
      expect(server.sessions[0]!.messages).toBe(3);
    },
  );

  it.each([
    ['basic', [2, 2]],
    // The first time it knows no nonce; 212 gives it the one for the next session.
    ['md5', [3, 2]],
  ] as const)('has a server that proves itself by %s unasked', async (scheme, messages) => {
    const cred = { scheme, username: 'dms.example', password: 'server-secret' };
    const { server, device } = await pair(
      { serverCred: { ...cred, atOnce: true }, script: [[text('./Settings/Ringtone', 'A')]] },
      { serverCred: cred },
    );
    for (const count of messages) {
      expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
      expect(server.sessions.at(-1)).toMatchObject({ state: 'completed', messages: count });
    }
  });
});

describe('stepping, resending and breaking off', () => {
  it('shows the next bytes before each step', async () => {
    const { device } = await pair({ script: [[add('./Settings/Q')], [add('./Settings/R')]] });
    device.begin();
    const shown: Uint8Array[] = [];
    do shown.push(device.nextBytes!);
    while (await device.step());
    expect(device.nextBytes).toBeUndefined();
    expect(shown.map((bytes) => Buffer.from(bytes).toString())).toEqual(sentBy(device));
    expect(shown).toHaveLength(3);
  });

  it.each(['drop', 'lose'] as const)(
    'resends the same bytes after a %s and nothing is executed twice [IW-SES-4]',
    async (fault) => {
      const { server, device } = await pair(
        { script: [[add('./Settings/Q')]], fault: (_, count) => (count === 2 ? fault : undefined) },
        { attempts: 3, retryDelayMs: 1 },
      );
      expect(await device.session()).toMatchObject({ outcome: 'completed', messages: 2, violations: [] });
      const sent = sentBy(device);
      expect(sent).toHaveLength(3);
      expect(sent[1]).toBe(sent[2]);
      expect(server.sessions[0]!.commands.map(({ code }) => code)).toEqual(['200']);
    },
  );

  it('opens a new session where the device broke the last one off [IW-SES-3]', async () => {
    const { server, device } = await pair(
      { script: [[add('./Settings/Q')], [add('./Settings/R')]] },
      { sessionId: '1' },
    );
    device.begin();
    await device.step();
    await device.step();
    device.drop();
    expect(device.report).toMatchObject({ outcome: 'aborted', detail: 'dropped' });
    const report = await device.session();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(server.sessions.map(({ state }) => state)).toEqual(['open', 'completed']);
    expect(server.sessions[1]!.commands.map(({ code }) => code)).toEqual(['418', '418']);
  });

  it('splits its answers under MaxMsgSize; the server asks for more with 1222', async () => {
    const uris = ['./SCOMO?list=StructData', './LAWMO?list=StructData', './DevDetail?list=StructData'];
    for (const nextMessageAlert of [false, true]) {
      const { session, report, device } = await run(
        [{ kind: 'Get', uris }],
        { quirks: { nextMessageAlert } },
        { maxMsgSize: 2000 },
      );
      expect([report.violations, session.violations]).toEqual([[], []]);
      expect(session.commands[0]!.results.length).toBeGreaterThan(40);
      const partial = sentBy(device).filter((message) => !message.includes('<Final/>'));
      expect(partial.length).toBeGreaterThan(2);
      expect(partial.every((message) => message.includes('<Data>1222</Data>') === nextMessageAlert)).toBe(
        true,
      );
    }
  });

  it('aborts with 1223 [IW-SES-10]', async () => {
    const { server, device } = await pair({ script: [[add('./Settings/Q')]] });
    device.begin();
    await device.step();
    device.abort();
    await device.step();
    expect(device.report.outcome).toBe('aborted');
    expect(server.sessions[0]!.state).toBe('aborted');
  });

  it('follows RespURI, and counts sessions in hexadecimal', async () => {
    const { server, device } = await pair({ script: [[add('./Settings/Q')]] });
    for (let i = 0; i < 10; i += 1) await device.session();
    expect(server.sessions.map(({ sessionId }) => sessionId).at(-1)).toBe('A');
    const urls = device.messages.filter(({ direction }) => direction === 'sent').map(({ url }) => url);
    expect(urls[0]).toBe(server.url);
    expect(urls[1]).toMatch(/\?s=[0-9a-f-]{36}$/);
  });
});

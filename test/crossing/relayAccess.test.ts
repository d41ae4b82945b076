import { describe, expect, it } from 'vitest';
import { LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const PKG_URL = './FUMO/fw/DownloadAndUpdate/PkgURL';
const set = (uri: string, data: string): ServerCommand => ({ kind: 'Replace', uri, data });
const get = (...uris: string[]): ServerCommand => ({ kind: 'Get', uris });
const RULES = [
  { moid: 'urn:oma:mo:oma-fumo:*', rights: ['read'] },
  { moid: '*devinfo*', rights: ['read'] },
];

/** A session of a server that is held to these rules. */
async function held(
  phone: (typeof PHONES)[number],
  theirs: 'xml' | 'wbxml',
  script: ServerCommand[][],
  more = {},
) {
  // Some take nothing but 212 for an answer.
  const auth = { type: 'basic', username: 'phone', password: 'secret' } as const;
  const server = closing(new LegacyServer({ script, encoding: theirs, auth, ...more }));
  const gateway = await run({
    backends: { ops: { protocol: 'dm1', url: await server.start(), encoding: theirs, access: RULES } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'ops' }],
    ...phone.config,
  });
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, auth, ...phone.device, ...more }));
  const report = await device.session();
  const notes = await gateway.notes(ID);
  return { server, device, report, session: server.sessions[0]!, notes };
}

describe.each(PHONES)('a 1.x device $name', (phone) => {
  describe.each(['xml', 'wbxml'] as const)('on a 1.x server in %s that may not do everything', (theirs) => {
    it('gets what the server may send, and the server 425 for the rest [IW-REL-1] [20§10.3]', async () => {
      const { report, session, device, notes } = await held(phone, theirs, [
        [
          get('./DevInfo/Man'),
          set(PKG_URL, 'http://evil.example/'),
          get('./FUMO/fw/State'),
          get('./DevInfo/Man', './DMAcc/x/AppID'),
          { kind: 'Exec', uri: './LAWMO/Operations/FullyWipe', correlator: 'c' },
          { kind: 'Delete', uris: ['./FUMO'] },
          get('.?list=StructData'),
        ],
        // A package of which nothing may pass ends no session.
        [set(PKG_URL, 'http://evil.example/')],
        [get('./FUMO/fw/State')],
      ]);
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(session).toMatchObject({ state: 'completed' });
      const codes = session.commands.map(({ code }) => code);
      const state = codes[2];
      expect(codes).toEqual(['200', '425', state, '425', '425', '425', '425', '425', state]);
      expect(session.commands.map(({ results }) => results.length)).toEqual(
        codes.map((code) => (code === '200' ? 1 : 0)),
      );
      expect(device.tree.find(['FUMO', 'fw', 'DownloadAndUpdate', 'PkgURL'])?.value).not.toBe(
        'http://evil.example/',
      );
      expect(report.executed.some(({ command }) => ['Exec', 'Delete', 'Replace'].includes(command))).toBe(
        false,
      );
      expect(notes.filter(({ rule }) => rule === '20§10.3').map(({ text }) => text)).toEqual([
        `ops has no right to Replace ${PKG_URL}.`,
        'ops has no right to Get ./DMAcc/x/AppID.',
        'ops has no right to Exec ./LAWMO/Operations/FullyWipe.',
        'ops has no right to Delete ./FUMO.',
        'ops has no right to Get .?list=StructData.',
        `ops has no right to Replace ${PKG_URL}.`,
      ]);
    });
  });
});

describe.each(['xml', 'wbxml'] as const)('a 1.x server in %s that may not do everything', (theirs) => {
  const [phone] = PHONES as [(typeof PHONES)[number]];

  it('has an Atomic done as a whole or not at all, and a Sequence without what it may not [IW-REL-1] [1x§3.2]', async () => {
    const { report, session, device } = await held(phone, theirs, [
      [
        {
          kind: 'Atomic',
          commands: [set('./Settings/Ringtone', 'one'), set(PKG_URL, 'http://evil.example/')],
        },
        {
          kind: 'Sequence',
          commands: [
            set('./Settings/Ringtone', 'two'),
            set(PKG_URL, 'http://evil.example/'),
            get('./DevInfo/Man'),
          ],
        },
      ],
    ]);
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(session).toMatchObject({ state: 'completed', violations: [] });
    expect(session.commands.map(({ command, code }) => `${command.kind} ${code}`)).toEqual([
      'Atomic 507',
      'Replace 215',
      'Replace 425',
      'Sequence 200',
      'Replace 200',
      'Replace 425',
      'Get 200',
    ]);
    expect(device.tree.find(['Settings', 'Ringtone'])?.value).toBe('two');
  });

  it('comes to no object by an address that a lax device would follow [IW-REL-1] [20§10.3]', async () => {
    const climbing = ['.//FUMO/fw/DownloadAndUpdate/PkgURL', './DevInfo/../FUMO/fw/DownloadAndUpdate/PkgURL'];
    const { report, session } = await held(phone, theirs, [
      [...climbing.map((uri) => set(uri, 'x')), get('.?prop=Name&list=StructData')],
    ]);
    expect(session.commands.map(({ code }) => code)).toEqual(['425', '425', '425']);
    expect(report.executed.every(({ uri }) => uri === './DevInfo/DevId')).toBe(true);
  });

  it('proves itself first where it is asked to, and has its large object refused [IW-REL-1] [IW-AUTH-2]', async () => {
    const serverCred = { scheme: 'md5', username: 'ops', password: 'server-secret' } as const;
    const data = 'x'.repeat(9000);
    const { report, session } = await held(
      phone,
      theirs,
      [[set(PKG_URL, data), get('./DevInfo/Man')], [get('./DevInfo/Man')]],
      { serverCred, maxMsgSize: 4096 },
    );
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(session.state).toBe('completed');
    expect(session.commands.at(-1)!.code).toBe('200');
    expect(session.commands.find(({ command }) => command.kind === 'Replace')!.code).toBe('425');
  });

  it('hears of nothing that its device would have to sign: the session ends [IW-REL-1]', async () => {
    const auth = { type: 'hmac', username: 'phone', password: 'secret' } as const;
    const { report, session, notes, device } = await held(phone, theirs, [[set(PKG_URL, 'x')]], { auth });
    expect(report.executed).toEqual([{ command: 'Get', code: 200, uri: './DevInfo/DevId' }]);
    expect(report.outcome).toBe('refused');
    expect(session.commands.map(({ code }) => code)).toEqual([undefined]);
    expect(device.tree.find(['FUMO', 'fw', 'DownloadAndUpdate', 'PkgURL'])?.value).not.toBe('x');
    expect(notes.map(({ text }) => text).join(' ')).toContain('cannot be said in a message that is signed');
  });
});

import { describe, expect, it } from 'vitest';
import { LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import type { ServerCommand } from '../../src/simulator/legacyServer/script.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const PHOTO = Uint8Array.from({ length: 9_001 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
const MAN = './DevInfo/Man';

/** What a server may ask of a device; kinds of it that a device has not are for it to refuse. */
const SCRIPT: readonly (readonly ServerCommand[])[] = [
  [
    { kind: 'Get', uris: [MAN, './DevDetail/FwV'] },
    {
      kind: 'Get',
      uris: ['./Settings', './Settings?list=StructData', './DevInfo/Man?prop=Format', './None'],
    },
    { kind: 'Get', uris: ['./DevInfo?list=TNDS'] },
  ],
  [
    { kind: 'Alert', code: '1100', items: ['MINDT=1', 'Hello & <welcome>'] },
    { kind: 'Alert', code: '1101', items: ['', 'Go on?'] },
    { kind: 'Alert', code: '1103', items: ['', 'Which?', 'one', 'twö'] },
  ],
  [
    {
      kind: 'Sequence',
      commands: [
        { kind: 'Delete', uris: ['./Settings/None'] },
        { kind: 'Replace', uri: './Settings/Volume', format: 'int', data: '3' },
      ],
    },
    {
      kind: 'Atomic',
      commands: [
        { kind: 'Replace', uri: './Settings/Volume', format: 'int', data: '4' },
        { kind: 'Replace', uri: './None/Such', data: 'x' },
      ],
    },
    { kind: 'Copy', from: './Settings/Volume', to: './Settings/Loud' },
  ],
  [
    { kind: 'Add', uri: './Settings/Photo', format: 'bin', type: 'image/png', data: PHOTO },
    { kind: 'Get', uris: [MAN] },
  ],
  [{ kind: 'Get', uris: ['./Settings/Photo', MAN] }],
  [{ kind: 'Exec', uri: './LAWMO/Operations/FullyLock', correlator: 'c1' }],
];

/** Some take nothing but 212 for an answer. */
const AUTH = { type: 'basic', username: 'phone', password: 'secret' } as const;
const ALERTS = [
  {
    source: './FUMO/fw',
    type: 'org.openmobilealliance.dm.firmwareupdate.downloadandupdate',
    format: 'int',
    mark: 'critical',
    data: '200',
  },
  { type: 'Reversed-Domain-Name: org.example.beep', data: 'a & <b>' },
];

/** What both sides say of a session of such a phone at that address, but for how it was cut into messages. */
async function session(phone: Phone, server: LegacyServer, url: string) {
  const device = closing(
    new LegacyDevice({
      deviceId: ID,
      alerts: ALERTS,
      auth: AUTH,
      // One that cannot put chunks together is not to be sent any.
      ...(phone.has('largeObjects') && { maxMsgSize: 6000 }),
      ...phone.device,
      // Simulated servers want their own URL to the letter.
      query: '',
      url,
    }),
  );
  const { outcome, executed, statuses, violations } = await device.session();
  // What an Exec did is told in a session of its own.
  const next = await device.session();
  const { tree } = device;
  return {
    device: {
      outcome,
      next: next.outcome,
      violations: [...violations, ...next.violations],
      executed: executed.filter(({ command, code }) => code !== 213 && command !== 'Alert'),
      statuses: new Set(
        statuses.map(({ cmd, code }) => `${cmd} ${code}`).filter((one) => !/213|Alert/.test(one)),
      ),
      photo: bytesOf(tree.find(['Settings', 'Photo'])?.value as string | undefined, 'b64'),
      volume: tree.find(['Settings', 'Volume'])?.value,
    },
    server: server.sessions.map(({ state, opening, devInfo, alerts, commands, violations: breaches }) => ({
      state,
      opening,
      devInfo,
      // Some devices heed no MaxMsgSize; addresses make their messages longer or shorter.
      breaches: breaches.map((text) => text.replace(/\d+ bytes/, 'n bytes')),
      alerts: alerts.map(({ code, items, correlator }) => ({ code, items, correlator })),
      commands: commands.map(({ command, code, results, statuses: codes }) => ({
        kind: command.kind,
        code,
        results: results.map(({ uri, data, meta: { format, type } }) => ({
          uri,
          type,
          data: bytesOf(data, format),
        })),
        items: codes.flatMap(({ items }) => items.map(({ data }) => data)),
      })),
    })),
  };
}

/** A value apart from how an encoding writes it. */
function bytesOf(data: string | Uint8Array | undefined, format: string | undefined): string {
  const binary = typeof data === 'string' && format === 'b64';
  return Buffer.from(binary ? Buffer.from(data, 'base64') : (data ?? '')).toString('latin1');
}

describe.each(PHONES)('a 1.x device $name', (phone) => {
  it.each(['xml', 'wbxml'] as const)(
    'and a 1.x server in %s see no difference between a gateway and none between them [IW-REL-1] [IW-SES-9]',
    async (theirs) => {
      const near = closing(new LegacyServer({ script: SCRIPT, auth: AUTH, maxMsgSize: 5000 }));
      const far = closing(
        new LegacyServer({ script: SCRIPT, auth: AUTH, encoding: theirs, maxMsgSize: 5000 }),
      );
      const direct = await session(phone, near, await near.start());
      const gateway = await run({
        backends: { legacy: { protocol: 'dm1', url: await far.start(), encoding: theirs } },
        routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
      });
      const relayed = await session(phone, far, gateway.dm);
      expect(direct.device).toMatchObject({ outcome: 'completed', next: 'completed' });
      expect(relayed).toEqual(direct);
    },
  );
});

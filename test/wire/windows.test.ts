import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Dm2Backend, type RepositoryDocument } from '../../src/simulator/dm2Backend/backend.ts';
import { closing, post, statuses, TYPES, wired } from './harness.ts';
import { PC, Pc, type PcOptions } from './windowsPeer.ts';

const POLICY = 'urn:x-dragoman:mo:ms-policy:1.0';
const FIREWALL = 'urn:x-dragoman:mo:ms-firewall:1.0';
const DMCLIENT = 'urn:x-dragoman:mo:ms-dmclient:1.0';
const DEVICE = `${POLICY}/Device-Vendor-MSFT-Policy`;
const USER = `${POLICY}/User-Vendor-MSFT-Policy`;

/** A PC on a DM 2.0 backend, which sends `commands`. */
async function managed(
  commands: readonly (readonly string[])[],
  options: PcOptions = {},
  documents: Record<string, RepositoryDocument> = {},
) {
  const backend = closing(new Dm2Backend({ script: [commands], documents }));
  const url = await backend.start();
  const gateway = await wired({
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const pc = new Pc(gateway, options);
  await pc.session();
  const session = backend.sessions.at(-1)!;
  return { backend, gateway, pc, session, status: session.commands.map(({ status }) => status) };
}

const codes = (status: readonly ({ sc?: number } | undefined)[]) => status.map((each) => each?.sc);
/** Every command of the gateway, those of groups behind their group. */
const heard = (pc: Pc) =>
  pc.heard.flat().flatMap((command) => ('commands' in command ? [command, ...command.commands] : [command]));
const kinds = (pc: Pc) => heard(pc).map(({ kind }) => kind);

describe.each([
  { encoding: 'xml', agent: 'MSFT OMA DM Client/1.2.0.1', sessionId: '7' },
  { encoding: 'wbxml', agent: 'MSFT Windows OMA DM Client/2.7', sessionId: '1F' },
] as const)('Windows in $encoding as $agent', (kind) => {
  it('opens with its alerts and its model, and shows each provider once [IW-INV-2] [IW-ALERT-4] [1x§15.2]', async () => {
    const { pc, session, gateway } = await managed([], kind);
    expect(pc.statuses.slice(0, 4)).toEqual(['SyncHdr 212', 'Alert 200', 'Alert 200', 'Replace 200']);
    expect(session.package1.Alert?.slice(1)).toMatchObject([
      { AlertType: 'com.microsoft/MDM/LoginStatus', Data: { DM1x: 'user' } },
    ]);
    expect(await gateway.api('GET', `/api/devices/${PC}`)).toMatchObject({
      devInfo: { Man: 'Contoso', Mod: 'Book 3' },
    });
    const found = Object.fromEntries((session.package1.MOS ?? []).map(({ MOID, MIID }) => [MOID, MIID]));
    // ./Vendor/MSFT/DMClient answers as well: it is ./Device/Vendor/MSFT/DMClient.
    expect(found).toMatchObject({
      [DMCLIENT]: ['DMClient'],
      [POLICY]: ['Device-Vendor-MSFT-Policy', 'User-Vendor-MSFT-Policy'],
      [FIREWALL]: ['Firewall'],
      'urn:x-dragoman:mo:ms-reboot:1.0': ['Reboot'],
      'urn:x-dragoman:mo:ms-update:1.0': ['Update'],
    });
    const [trace] = await gateway.traces(PC);
    expect(trace).toMatchObject({ ending: 'completed' });
  });

  it('is read by its names: scopes, URI-encoded lists, a bool as 1 [IW-GET-1] [IW-ADDR-5] [IW-VAL-1] [1x§15.5]', async () => {
    const { pc, status } = await managed(
      [
        ['GET', `${DMCLIENT}//HWDevID`],
        ['GET', `${DMCLIENT}//Provider`],
        ['GET', `${DEVICE}/Result/Camera`],
        ['GET', `${USER}/Config`],
        ['GET', `${FIREWALL}//MdmStore/FirewallRules`],
        ['GET', 'urn:x-dragoman:mo:ms-update:1.0//InstallableUpdates'],
        ['GET', `${DEVICE}/Config/Camera/None`],
      ],
      kind,
    );
    expect(status).toMatchObject([
      { sc: 200, MO: [{ MOData: { HWDevID: 'A1B2' } }] },
      {
        MO: [
          {
            MOData: {
              Provider: { 'Contoso MDM': { UPN: 'ann@contoso.example', Poll: { PollOnLogin: 'true' } } },
            },
          },
        ],
      },
      { MO: [{ MOData: { Camera: { AllowCamera: '1' } } }] },
      { MO: [{ MOData: { Config: { Start: { HideSleep: '0' } } } }] },
      { MO: [{ MOData: { FirewallRules: { 'Rule 1/2': { Name: 'Web' } } } }] },
      { MO: [{ MOData: { InstallableUpdates: { a317dafe: { Type: 'Security' } } } }] },
      { sc: 404 },
    ]);
    expect(new Set(kinds(pc))).toEqual(new Set(['Get']));
  });

  it('is set, told to restart, and refuses with its own codes [IW-HGET-2] [IW-EXEC-1] [IW-DEL-1] [1x§15.3]', async () => {
    const reboot = 'Device/Vendor/MSFT/Reboot/RebootNow';
    const { pc, status } = await managed(
      [
        ['HGET', '{origin}/repository/camera', `${DEVICE}/Config/Camera/AllowCamera`],
        ['HGET', '{origin}/repository/update', `${DEVICE}/Config/Update/AllowAutoUpdate`],
        ['HGET', '{origin}/repository/single', 'urn:x-dragoman:mo:ms-reboot:1.0//Schedule/Single'],
        ['HGET', '{origin}/repository/profile', `${FIREWALL}//MdmStore/PublicProfile`],
        ['DELETE', `${USER}/Config/Start/HideSleep`],
        ['DELETE', `${USER}/Config/Start/None`],
        ['EXEC', 'urn:x-dragoman:mo:ms-reboot:1.0//RebootNow'],
      ],
      { ...kind, refuses: { 'Device/Vendor/MSFT/Reboot/Schedule/Single': 425, [reboot]: 405 } },
      {
        camera: { body: { AllowCamera: 0 } },
        update: { body: { AllowAutoUpdate: 4 } },
        single: { body: { Single: '2026-12-01T03:00:00Z' } },
        profile: { body: { PublicProfile: { EnableFirewall: false } } },
      },
    );
    expect(codes(status)).toEqual([200, 200, 403, 200, 200, 404, 405]);
    expect(pc.leaves.get('Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera')).toEqual({
      format: 'int',
      value: '0',
    });
    expect(pc.leaves.get('Device/Vendor/MSFT/Policy/Config/Update/AllowAutoUpdate')?.value).toBe('4');
    expect(pc.leaves.get('Device/Vendor/MSFT/Firewall/MdmStore/PublicProfile/EnableFirewall')).toEqual({
      format: 'bool',
      value: 'false',
    });
    expect(pc.leaves.has('User/Vendor/MSFT/Policy/Config/Start/HideSleep')).toBe(false);
    expect(pc.done).toContain(`Exec 405 ${reboot}`);
    expect(heard(pc).some((command) => command.kind === 'Copy' || 'correlator' in command)).toBe(false);
  });

  it('takes a rule of its firewall in one Atomic of Adds and Replaces, or not at all [IW-HGET-3] [1x§15.3]', async () => {
    const rules = `${FIREWALL}//MdmStore/FirewallRules`;
    const node = 'Device/Vendor/MSFT/Firewall/MdmStore/FirewallRules/Block';
    const send = (refuses: Record<string, number>) =>
      managed(
        [['HGET', '{origin}/repository/rule', `${rules}/Block`]],
        { ...kind, refuses },
        { rule: { body: { Block: { Name: 'Block', Enabled: true, Protocol: 6, Action: { Type: 0 } } } } },
      );
    const { pc, status } = await send({});
    expect(codes(status)).toEqual([200]);
    expect(pc.leaves.get(`${node}/Action/Type`)).toEqual({ format: 'int', value: '0' });
    expect(pc.leaves.get(`${node}/Enabled`)).toEqual({ format: 'bool', value: 'true' });
    const atomics = heard(pc).flatMap((command) => (command.kind === 'Atomic' ? [command.commands] : []));
    expect(atomics).toHaveLength(1);
    // Neither nested nor with Get, and no node both added and replaced.
    expect(atomics[0]!.every(({ kind }) => kind === 'Add' || kind === 'Replace')).toBe(true);
    const uris = atomics[0]!
      .flatMap((command) => ('items' in command ? command.items : []))
      .map(({ target }) => target?.uri);
    expect(new Set(uris).size).toBe(uris.length);
    const refused = await send({ [`${node}/Protocol`]: 415 });
    expect(codes(refused.status)).toEqual([415]);
    expect([...refused.pc.leaves.keys()].filter((path) => path.startsWith(node))).toEqual([]);
  });

  it('refuses with 405 what is outside the scope of its session [IW-INV-2] [IW-GET-1] [1x§15.4]', async () => {
    const config = [
      ['GET', `${DEVICE}/Result/Camera/AllowCamera`],
      ['GET', `${USER}/Config`],
      ['DELETE', `${USER}/Config/Start/None`],
    ];
    const { backend, gateway, status } = await managed(config, kind);
    expect(codes(status)).toEqual([200, 200, 404]);
    const pc = new Pc(gateway, { ...kind, syncType: 'device' });
    await pc.session();
    const { package1, commands } = backend.sessions.at(-1)!;
    expect(package1.Alert?.at(-1)).toMatchObject({
      AlertType: 'com.microsoft.mdm.synctype',
      Data: { DM1x: 'device' },
    });
    expect(commands.map(({ status: each }) => each?.sc)).toEqual([200, 405, 405]);
  });

  it('is known by its device scope alone as long as no user is there [IW-INV-3] [1x§15.4]', async () => {
    const { session, status } = await managed([['GET', `${POLICY}//Result/Camera/AllowCamera`]], {
      ...kind,
      syncType: 'device',
    });
    expect(session.package1.MOS).toContainEqual({ MOID: POLICY, MIID: ['Policy'] });
    expect(codes(status)).toEqual([200]);
  });

  it('leaves without a word when told to unenrol, and says so in a session that begins anew [IW-ALERT-4] [1x§15.5]', async () => {
    const { backend, gateway } = await managed([['EXEC', `${DMCLIENT}//Unenroll`]], {
      ...kind,
      leaves: true,
    });
    const bye = new Pc(gateway, {
      ...kind,
      alerts:
        '<Alert><CmdID>5</CmdID><Data>1226</Data><Item><Meta><Type xmlns="syncml:metinf">com.microsoft:mdm.unenrollment.userrequest</Type><Format xmlns="syncml:metinf">int</Format></Meta><Data>1</Data></Item></Alert>',
    });
    await bye.session();
    expect(bye.statuses.slice(0, 5)).toEqual([
      'SyncHdr 212',
      'Alert 200',
      'Alert 200',
      'Alert 200',
      'Replace 200',
    ]);
    expect(backend.sessions.flatMap(({ alerts }) => alerts)).toContainEqual(
      expect.objectContaining({ AlertType: 'com.microsoft:mdm.unenrollment.userrequest', Data: { DM1x: 1 } }),
    );
  });
});

describe('The Windows device of a third-party tester', () => {
  it('is understood, its Status for a Status too, and stays at the URL that it knows [IW-SES-1] [1x§2.5]', async () => {
    const backend = closing(new Dm2Backend());
    const gateway = await wired({
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    });
    const send = async (message: number) => {
      const bytes = readFileSync(`fixtures/captures/windows/pytune-${message}.xml`);
      const answer = await post(`${gateway.dm}?mode=Maintenance`, bytes, {
        'content-type': TYPES.xml,
        'user-agent': 'MSFT Windows OMA DM Client/2.7',
      });
      expect(answer.status).toBe(200);
      return answer.text;
    };
    const first = await send(1);
    expect(first).toContain('<LocURI>.?list=StructData</LocURI>');
    expect(statuses(first)).toEqual([
      ['SyncHdr', '212'],
      ...Array<string[]>(4).fill(['Alert', '200']),
      ['Replace', '200'],
    ]);
    // Its 404 for the list is understood: the next way to look around is tried.
    expect(await send(2)).toContain('<LocURI>.?list=Struct</LocURI>');
  });
});

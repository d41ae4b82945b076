import { describe, expect, it } from 'vitest';
import { Dm2Backend, type RepositoryDocument } from '../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';

const ID = 'urn:uuid:6B29FC40-CA47-1067-B31D-00DD010662DA';
const POLICY = 'urn:x-dragoman:mo:ms-policy:1.0';
const REBOOT = 'urn:x-dragoman:mo:ms-reboot:1.0';
const UPDATE = 'urn:x-dragoman:mo:ms-update:1.0';
const FIREWALL = 'urn:x-dragoman:mo:ms-firewall:1.0';
const DMCLIENT = 'urn:x-dragoman:mo:ms-dmclient:1.0';
const DEVICE = 'Device-Vendor-MSFT-Policy';
const USER = 'User-Vendor-MSFT-Policy';

/** A Windows device on a DM 2.0 backend, which sends what `script` has. */
async function windows(
  encoding: 'xml' | 'wbxml',
  script: readonly (readonly (readonly string[])[])[],
  documents: Record<string, RepositoryDocument> = {},
  device: Partial<ConstructorParameters<typeof LegacyDevice>[0]> = {},
) {
  const backend = closing(new Dm2Backend({ script, documents }));
  const url = await backend.start();
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const pc = closing(
    new LegacyDevice({ url: gateway.dm, deviceId: ID, preset: 'windows-like', encoding, ...device }),
  );
  const report = await pc.session();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  const session = backend.sessions.at(-1)!;
  const status = session.commands.map((each) => each.status);
  const value = (path: string) => pc.tree.find(path.split('/'))?.value;
  return { backend, gateway, pc, report, session, status, sc: status.map((item) => item?.sc), value };
}

describe.each(['xml', 'wbxml'] as const)('a Windows device in %s behind the gateway', (encoding) => {
  it('shows its providers as objects, device and user apart [IW-INV-2] [IW-INV-3]', async () => {
    const { session } = await windows(encoding, []);
    const found = Object.fromEntries((session.package1.MOS ?? []).map(({ MOID, MIID }) => [MOID, MIID]));
    expect(found).toMatchObject({
      [POLICY]: [DEVICE, USER],
      [REBOOT]: ['Reboot'],
      [UPDATE]: ['Update'],
      [FIREWALL]: ['Firewall'],
      [DMCLIENT]: ['DMClient'],
    });
  });

  it('is read: policies, updates, enrolment and firewall, names URI-encoded [IW-GET-1] [IW-ADDR-5]', async () => {
    const { status } = await windows(encoding, [
      [
        ['GET', `${POLICY}/${DEVICE}/Result/Camera/AllowCamera`],
        ['GET', `${POLICY}/${USER}/Config`],
        ['GET', `${UPDATE}//InstallableUpdates`],
        ['GET', `${DMCLIENT}//Provider`],
        ['GET', `${FIREWALL}//MdmStore/FirewallRules`],
      ],
    ]);
    expect(status).toMatchObject([
      { sc: 200, MO: [{ MOData: { AllowCamera: '1' } }] },
      { sc: 200, MO: [{ MOData: { Config: { Start: { HideSleep: '0' } } } }] },
      {
        sc: 200,
        MO: [
          {
            MOData: {
              InstallableUpdates: {
                'a317dafe-baf4-453f-b232-a7075efae36e': { Type: 'Security', RevisionNumber: '200' },
              },
            },
          },
        ],
      },
      { sc: 200, MO: [{ MOData: { Provider: { 'Contoso MDM': { UPN: 'ann@contoso.example' } } } }] },
      { sc: 200, MO: [{ MOData: { FirewallRules: { 'Rule 1/2': { Name: 'Web', Enabled: 'true' } } } }] },
    ]);
  });

  it('is set: policies in areas old and new, the enrolment, the restart [IW-HGET-2] [IW-EXEC-1]', async () => {
    const { sc, value, pc } = await windows(
      encoding,
      [
        [
          ['HGET', '{origin}/repository/camera', `${POLICY}/${DEVICE}/Config/Camera/AllowCamera`],
          ['HGET', '{origin}/repository/update', `${POLICY}/${DEVICE}/Config/Update/AllowAutoUpdate`],
          [
            'HGET',
            '{origin}/repository/retries',
            `${DMCLIENT}//Provider/Contoso%20MDM/Poll/NumberOfFirstRetries`,
          ],
          ['HGET', '{origin}/repository/single', `${REBOOT}//Schedule/Single`],
          ['EXEC', `${REBOOT}//RebootNow`],
          ['DELETE', `${POLICY}/${USER}/Config/Start/HideSleep`],
        ],
      ],
      {
        camera: { body: { AllowCamera: 0 } },
        update: { body: { AllowAutoUpdate: 4 } },
        retries: { body: { NumberOfFirstRetries: 8 } },
        single: { body: { Single: '2026-12-01T03:00:00Z' } },
      },
    );
    expect(sc).toEqual([200, 200, 200, 200, 200, 200]);
    expect(value('Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera')).toBe('0');
    expect(value('Device/Vendor/MSFT/Policy/Config/Update/AllowAutoUpdate')).toBe('4');
    expect(pc.tree.find('Device/Vendor/MSFT/Policy/Config/Update/AllowAutoUpdate'.split('/'))?.format).toBe(
      'int',
    );
    expect(value('Device/Vendor/MSFT/DMClient/Provider/Contoso MDM/Poll/NumberOfFirstRetries')).toBe('8');
    expect(value('Device/Vendor/MSFT/Reboot/Schedule/Single')).toBe('2026-12-01T03:00:00Z');
    expect(pc.tree.find('User/Vendor/MSFT/Policy/Config/Start/HideSleep'.split('/'))).toBeUndefined();
  });

  it('gets rules of its firewall in an Atomic, a single change too [IW-HGET-3]', async () => {
    const rules = `${FIREWALL}//MdmStore/FirewallRules`;
    const { sc, value, report } = await windows(
      encoding,
      [
        [
          ['HGET', '{origin}/repository/rule', `${rules}/Block`],
          ['HGET', '{origin}/repository/enabled', `${FIREWALL}//MdmStore/PublicProfile/EnableFirewall`],
        ],
      ],
      {
        rule: { body: { Block: { Name: 'Block', Enabled: true, Protocol: 6, Action: { Type: 0 } } } },
        enabled: { body: { EnableFirewall: false } },
      },
    );
    expect(sc).toEqual([200, 200]);
    expect(value('Vendor/MSFT/Firewall/MdmStore/FirewallRules/Block/Action/Type')).toBe('0');
    expect(value('Vendor/MSFT/Firewall/MdmStore/PublicProfile/EnableFirewall')).toBe('false');
    expect(report.executed.filter(({ command }) => command === 'Atomic')).toHaveLength(2);
  });

  it('says who is logged in, and why it is leaving [IW-ALERT-2] [IW-ALERT-4]', async () => {
    const { session, pc, backend, report } = await windows(
      encoding,
      [],
      {},
      {
        alerts: [
          { code: '1224', type: 'com.microsoft/MDM/LoginStatus', data: 'user' },
          {
            code: '1224',
            type: 'Reversed-Domain-Name:com.microsoft.mdm.win32csp_install',
            source: './Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B1%7D/DownloadInstall',
            format: 'int',
            mark: 'informational',
            data: '0',
          },
        ],
      },
    );
    expect(report.statuses.filter(({ cmd }) => cmd === 'Alert').map(({ code }) => code)).toEqual([
      '200',
      '200',
      '200',
    ]);
    expect(session.package1.Alert?.slice(1)).toMatchObject([
      { AlertType: 'com.microsoft/MDM/LoginStatus', Data: { DM1x: 'user' } },
      { AlertType: 'com.microsoft.mdm.win32csp_install', Mark: 'informational', Data: { DM1x: 0 } },
    ]);
    await pc.session({
      alerts: [{ type: 'com.microsoft:mdm.unenrollment.userrequest', format: 'int', data: '1' }],
    });
    expect(backend.sessions.at(-1)!.package1.Alert?.at(-1)).toMatchObject({
      AlertType: 'com.microsoft:mdm.unenrollment.userrequest',
      Data: { DM1x: 1 },
    });
  });

  it('is passed on to a server of its own, with what stands in its URL and headers [IW-REL-1]', async () => {
    const server = closing(new LegacyServer({ script: [[{ kind: 'Get', uris: ['./DevInfo/Man'] }]] }));
    const gateway = await run({
      backends: { mdm: { protocol: 'dm1', url: await server.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'mdm' }],
    });
    const pc = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, preset: 'windows-like', encoding }));
    expect(await pc.session()).toMatchObject({ outcome: 'completed', violations: [] });
    expect(server.sessions[0]).toMatchObject({ state: 'completed', sessionId: '1' });
    const [first] = server.messages.filter(({ direction }) => direction === 'received');
    expect(first!.url).toContain('?mode=Maintenance&Platform=WoA');
  });
});

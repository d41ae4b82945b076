import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodePush } from '../../src/dm1/notification/push.ts';
import { readBootstrap } from '../../src/interworking/bootstrap/document.ts';
import { dragoman } from './captured.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-bootstrap-'));
let files = 0;
const file = (content: string | Uint8Array) => {
  files += 1;
  const path = join(folder, String(files));
  writeFileSync(path, content);
  return path;
};

async function ok(...args: string[]) {
  const { code, out, err } = await dragoman(['bootstrap', ...args]);
  expect(code, err).toBe(0);
  return { out, err };
}

const ACCOUNT = [
  ...['--server-id', 'gw', '--url', 'https://gw.example/dm', '--name', 'Operator'],
  ...['--client-name', 'dev', '--client-secret', 'cpw', '--server-secret', 'spw'],
];
const PIN = ['--sec', 'USERPIN', '--pin', '1234'];

describe('dragoman bootstrap', () => {
  it.each(['cp', 'dm'])(
    'builds a %s document whose MAC is right, and reads it back [IW-BOOT-1]',
    async (form) => {
      const { out, err } = await ok('build', ...ACCOUNT, '--to', form, ...PIN);
      const bytes = Buffer.from(out.trim(), 'hex');
      const mac = createHmac('sha1', '1234').update(bytes).digest('hex').toUpperCase();
      const type =
        form === 'cp' ? 'application/vnd.wap.connectivity-wbxml' : 'application/vnd.syncml.dm+wbxml';
      const sec = form === 'cp' ? '1' : 'USERPIN';
      expect(err).toBe(`Content-Type: ${type}; SEC=${sec}; MAC="${mac}"\n`);
      const path = file(out);
      const header = err.trim().slice('Content-Type: '.length);
      const parsed = await ok('parse', path, '--content-type', header, ...PIN, '--secrets');
      expect(JSON.parse(parsed.out)).toEqual({
        form,
        accounts: [
          {
            serverId: 'gw',
            name: 'Operator',
            addresses: [{ addr: 'https://gw.example/dm' }],
            auth: [
              { level: 'CLCRED', type: 'DIGEST', name: 'dev', secret: 'cpw' },
              { level: 'SRVCRED', type: 'DIGEST', name: 'gw', secret: 'spw' },
            ],
          },
        ],
        protection: { sec, mac },
        mac: 'right',
      });
      const wrong = await dragoman([
        'bootstrap',
        'parse',
        path,
        '--content-type',
        header,
        '--sec',
        'USERPIN',
        '--pin',
        '1',
      ]);
      expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining('"mac": "wrong"') });
      const open = await ok('parse', path);
      expect(open.out).not.toMatch(/cpw|spw/);
    },
  );

  it('makes a WAP push of it, and checks the MAC in there [IW-BOOT-1] [1x§14]', async () => {
    for (const [form, key] of [
      ['cp', ['--sec', 'NETWPIN', '--imsi', '310260123456789']],
      ['dm', ['--sec', 'NETWORKID', '--network-id', '310260123456789']],
    ] as const) {
      const { out } = await ok('build', ...ACCOUNT, '--to', form, ...key, '--push', '--as', 'base64');
      const pdu = Buffer.from(out, 'base64');
      expect(decodePush(pdu)).toMatchObject({ transactionId: 1, sec: 0 });
      // A CP profile is known by its type: the headers are those that fit in the 48 bytes of a device.
      expect(decodePush(pdu).applicationId).toBe(form === 'cp' ? undefined : 7);
      if (form === 'cp') expect(pdu.subarray(0, 9).toString('hex')).toBe('01062f1f2db6918092');
      const parsed = await ok('parse', file(pdu), ...key);
      expect(JSON.parse(parsed.out)).toMatchObject({ form, mac: 'right' });
    }
  });

  it('tells the user the MAC of USERPINMAC, and takes what the user types [IW-BOOT-1] [1x§14]', async () => {
    const sec = ['--sec', 'USERPINMAC'];
    const { out, err } = await ok('build', ...ACCOUNT, ...sec, '--pin', '31415', '--push');
    const pdu = Buffer.from(out.trim(), 'hex');
    expect(decodePush(pdu)).toMatchObject({ type: 'application/vnd.wap.connectivity-wbxml', sec: 3 });
    expect(decodePush(pdu).mac).toBeUndefined();
    expect(err).toMatch(
      /^Content-Type: application\/vnd\.wap\.connectivity-wbxml; SEC=3\nThe user types: 31415\d{5}\n$/,
    );
    const typed = /types: (\d+)/.exec(err)![1]!;
    const parse = (pin: string) => dragoman(['bootstrap', 'parse', file(pdu), ...sec, '--pin', pin]);
    const right = await parse(typed);
    expect(right.code).toBe(0);
    expect(JSON.parse(right.out)).toMatchObject({ protection: { sec: '3' }, mac: 'right' });
    expect(await parse(`4${typed.slice(1)}`)).toMatchObject({
      code: 1,
      out: expect.stringContaining('"wrong"'),
    });
    expect(await parse('31415')).toMatchObject({ code: 1, err: expect.stringContaining('twice as many') });
  });

  it('converts every form into every other, and the account stays the same [IW-BOOT-1]', async () => {
    const forms = ['cp', 'cp-xml', 'dm', 'dm2'];
    const first = JSON.parse((await ok('parse', file((await ok('build', ...ACCOUNT)).out), '--secrets')).out);
    for (const from of forms) {
      const source = join(folder, `from-${from}`);
      await ok('build', ...ACCOUNT, '--to', from, '-o', source);
      for (const to of forms) {
        const target = join(folder, `${from}-${to}`);
        await ok('convert', source, '--to', to, '-o', target);
        const { accounts } = JSON.parse((await ok('parse', target, '--secrets')).out);
        const [{ addresses, ...rest }] = accounts;
        const [{ addresses: expected, ...known }] = first.accounts;
        expect(rest, `${from} to ${to}`).toEqual(known);
        expect(addresses[0].addr).toBe(expected[0].addr);
      }
    }
  });

  it('says what of a Windows enrolment the other forms cannot hold [1x§15.5] [IW-BOOT-1]', async () => {
    const source = 'fixtures/dm1/bootstrap/windows.xml';
    const convert = async (to: string) =>
      (await ok('convert', source, '--repoint', 'https://gw.example/dm', '--to', to)).err;
    expect(await convert('cp-xml')).toBe('Content-Type: text/vnd.wap.connectivity-xml\n');
    expect(await convert('cp')).toContain('[IW-BOOT-1] Left out: the attribute datatype');
    for (const to of ['dm', 'dm2']) {
      const err = await convert(to);
      expect(err).toContain('Left out: CertificateStore, DMClient');
      expect(err).toContain('Account MS DM Server: left out: CONNRETRYFREQ,');
    }
  });

  it('writes a DM 2.0 account as its object, and folds the port in [20§10.2] [IW-BOOT-1]', async () => {
    const { out, err } = await ok(
      'build',
      ...ACCOUNT,
      '--port',
      '8443',
      '--init',
      '--to',
      'dm2',
      '--as',
      'base64',
    );
    expect(JSON.parse(Buffer.from(out, 'base64').toString())).toEqual([
      {
        ClientURI: 'urn:oma:mo:oma-dm-dmacc:1.2//',
        MOData: {
          'dm-dmacc': {
            SrvID: 'gw',
            SrvURI: 'https://gw.example:8443/dm',
            Name: 'Operator',
            Auth: {
              Noti: { Type: '0', Data: '', Secret: Buffer.from('spw').toString('base64') },
              Trsp: {
                Data: Buffer.from('dev').toString('base64'),
                Secret: Buffer.from('cpw').toString('base64'),
              },
            },
          },
        },
      },
    ]);
    expect(err).toContain('[IW-BOOT-1] Account gw: INIT is left out');
  });

  it('points accounts at the gateway when asked, and leaves all else alone [IW-BOOT-1]', async () => {
    const xml = `<?xml version="1.0"?><wap-provisioningdoc version="1.1">
      <characteristic type="NAPDEF"><parm name="NAPID" value="net"/></characteristic>
      <characteristic type="APPLICATION"><parm name="APPID" value="w7"/><parm name="PROVIDER-ID" value="old"/>
        <parm name="TO-NAPID" value="net"/>
        <characteristic type="APPADDR"><parm name="ADDR" value="http://old.example/dm"/>
          <characteristic type="PORT"><parm name="PORTNBR" value="8080"/></characteristic></characteristic>
        <characteristic type="APPAUTH"><parm name="AAUTHLEVEL" value="APPSRV"/><parm name="AAUTHTYPE" value="DIGEST"/>
          <parm name="AAUTHNAME" value="dev"/><parm name="AAUTHSECRET" value="pw"/><parm name="AAUTHDATA" value="bm9uY2U="/></characteristic>
      </characteristic></wap-provisioningdoc>`;
    const target = join(folder, 'repointed');
    await ok('convert', file(xml), '--repoint', 'https://gw.example/dm', '--to', 'cp-xml', '-o', target);
    const parsed = JSON.parse((await ok('parse', target, '--secrets')).out);
    expect(parsed).toEqual({
      form: 'cp-xml',
      accounts: [
        {
          serverId: 'old',
          addresses: [{ addr: 'https://gw.example/dm' }],
          conRefs: [{ ref: 'net', kind: 'nap' }],
          auth: [{ level: 'CLCRED', type: 'DIGEST', name: 'dev', secret: 'pw', data: 'bm9uY2U=' }],
        },
      ],
      others: ['NAPDEF'],
    });
    expect(readFileSync(target, 'utf8')).toContain('NAPDEF');
    const lossy = await ok(
      'convert',
      file(xml),
      '--to',
      'dm2',
      '--repoint',
      'https://gw.example/dm',
      '--server-id',
      'gw',
    );
    expect(lossy.err).toContain('Left out: NAPDEF');
    expect(lossy.err).toContain('connection references are left out');
    expect(lossy.err).toContain('nonce of the client credential');
  });

  it.each(['cp', 'cp-xml', 'dm', 'dm2', 'push'])(
    'says of a %s document cut anywhere where it ends [IW-BOOT-1]',
    async (form) => {
      const to = form === 'push' ? ['--push', ...PIN] : ['--to', form];
      const path = join(folder, `whole-${form}`);
      await ok('build', ...ACCOUNT, ...to, '-o', path);
      const whole = readFileSync(path);
      const end = form === 'cp-xml' || form === 'dm2' ? whole.toString().trimEnd().length : whole.length;
      expect(() => readBootstrap(whole)).not.toThrow();
      for (let length = 0; length < end; length += 1) {
        expect(() => readBootstrap(whole.subarray(0, length)), String(length)).toThrow(
          expect.objectContaining({ code: 'malformed', detail: expect.stringMatching(/\w+.*\.$/) }),
        );
      }
    },
  );

  it('tells a MAC that is wrong from one that is missing, and a method from another [1x§14]', async () => {
    const { out } = await ok('build', ...ACCOUNT, ...PIN);
    const path = file(out);
    const mac = createHmac('sha1', '1234').update(Buffer.from(out.trim(), 'hex')).digest('hex');
    const check = async (...flags: string[]) => {
      const { code, out: shown } = await dragoman(['bootstrap', 'parse', path, ...flags]);
      return [code, JSON.parse(shown).mac];
    };
    const type = (parameters: string) => [
      '--content-type',
      `application/vnd.wap.connectivity-wbxml${parameters}`,
    ];
    expect(await check(...type(`; SEC=1; MAC=${mac}`), ...PIN)).toEqual([0, 'right']);
    expect(await check(...type(`; SEC=0; MAC=${mac}`), ...PIN)).toEqual([1, 'wrong']);
    expect(await check(...type(`; SEC=9; MAC=${mac}`), ...PIN)).toEqual([1, 'wrong']);
    expect(await check(...type(`; SEC=1; MAC=${mac.slice(1)}`), ...PIN)).toEqual([1, 'wrong']);
    expect(await check(...type('; SEC=1'), ...PIN)).toEqual([1, 'missing']);
    expect(await check(...PIN)).toEqual([1, 'missing']);
    const imsi = ['--sec', 'NETWPIN', '--imsi', '310260123456789'];
    expect(await check(...type(`; SEC=1; MAC=${mac}`), ...imsi)).toEqual([1, 'wrong']);
  });

  it.each([
    ['a file that is none', ['parse', 'X'], 'neither a CP profile'],
    ['a document without an account', ['parse', 'EMPTY'], 'no DM account'],
    ['an account without PROVIDER-ID', ['parse', 'NAMELESS'], 'PROVIDER-ID is missing'],
    ['an APPLICATION of another kind', ['parse', 'MMS'], 'no DM account'],
    ['broken JSON', ['parse', 'JSON'], 'JSON'],
    ['an IMSI that is none', ['build', ...ACCOUNT, '--sec', 'NETWPIN', '--imsi', '12'], 'IMSI'],
    ['NETWPIN without IMSI', ['build', ...ACCOUNT, '--sec', 'NETWPIN', '--pin', '1'], 'needs an IMSI'],
    ['an unknown method', ['build', ...ACCOUNT, '--sec', 'PIN', '--pin', '1'], 'USERPINMAC'],
    [
      'a method of the other profile',
      ['build', ...ACCOUNT, '--to', 'cp', '--sec', 'NETWORKID', '--network-id', 'x'],
      'NETWORKID',
    ],
    ['a method without its key', ['build', ...ACCOUNT, '--sec', 'USERPIN'], 'needs a PIN'],
    ['protection of what takes none', ['build', ...ACCOUNT, '--to', 'dm2', ...PIN], 'SEC and MAC'],
    ['a port that is none', ['build', ...ACCOUNT, '--port', '0'], '65535'],
  ])('says what is wrong with %s', async (_what, args, said) => {
    const given: Record<string, string> = {
      X: 'hello',
      EMPTY: '<wap-provisioningdoc version="1.1"/>',
      NAMELESS:
        '<wap-provisioningdoc><characteristic type="APPLICATION"><parm name="APPID" value="w7"/></characteristic></wap-provisioningdoc>',
      MMS: '<wap-provisioningdoc><characteristic type="APPLICATION"><parm name="APPID" value="w4"/></characteristic></wap-provisioningdoc>',
      JSON: '[{"ClientURI":',
    };
    const { code, err } = await dragoman([
      'bootstrap',
      ...args.map((arg) => (arg in given ? file(given[arg]!) : arg)),
    ]);
    expect(code).not.toBe(0);
    expect(err).toContain(said);
    expect(err).not.toMatch(/ {4}at |cpw|spw/);
  });
});

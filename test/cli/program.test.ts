import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTestGateway } from '../http/running.ts';
import { dragoman } from './captured.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-cli-'));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('dragoman', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await dragoman(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('lists its commands', async () => {
    const { code, out } = await dragoman(['--help']);
    expect(code).toBe(0);
    for (const command of [
      'serve',
      'demo',
      'translate',
      'simulate',
      'mappings',
      'devices',
      'config',
      'notify',
      'bootstrap',
    ]) {
      expect(out).toContain(`  ${command} `);
    }
  });

  it.each([
    [['serv'], 'Did you mean serve?'],
    [['mappings', 'chekc'], 'Did you mean check?'],
    [['serve', '--confg', 'x'], 'Did you mean --config?'],
    [['translate'], "missing required argument 'file'"],
    [['serve', '--set', 'nothing'], 'key=value'],
  ])('answers %j with what was meant and exit code 2', async (args, said) => {
    const { code, err } = await dragoman(args);
    expect(err).toContain(said);
    expect(code).toBe(2);
  });
});

describe('dragoman serve', () => {
  it('says everything that is wrong with the configuration in one block', async () => {
    const config = file(
      'wrong.yaml',
      'listen: { devces: 1 }\nlimits: { sessions: none }\nroutes: [{ backend: nowhere }]\n',
    );
    const { code, out, err } = await dragoman(['serve', '--config', config]);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain('the configuration is wrong');
    expect(err).toContain('listen.devces: unknown key; did you mean "devices"?');
    expect(err).toContain('limits.sessions');
    expect(err).toContain('there is no backend "nowhere"');
    expect(err).not.toContain('    at ');
  });

  it.each([
    [['--config', '/no/such/file.yaml'], '/no/such/file.yaml'],
    [['--set', 'limits.sesions=5'], 'limits.sesions'],
    [['--store', 'mysql://x'], 'store'],
  ])('refuses %j', async (args, said) => {
    const { code, err } = await dragoman(['serve', ...args]);
    expect(code).toBe(2);
    expect(err).toContain(said);
  });

  it('prints where things are, the generated token once, and never a password of the store', async () => {
    const flags = [
      '--listen-devices',
      '127.0.0.1:0',
      '--listen-admin',
      '127.0.0.1:0',
      '--store',
      'sqlite::memory:',
    ];
    let status = 0;
    const { code, out, err } = await dragoman(['serve', ...flags, '--log-level', 'silent'], {
      ended: async (text) => {
        const admin = /admin {4}(\S+)/.exec(text)?.[1];
        const token = /token {4}(\S+)/.exec(text)?.[1];
        const answer = await fetch(`${admin}/api/devices`, { headers: { Authorization: `Bearer ${token}` } });
        status = answer.status;
      },
    });
    expect(code).toBe(0);
    expect(status).toBe(200);
    expect(out).toMatch(/devices {2}http:\/\/127\.0\.0\.1:[1-9]\d*\/dm/);
    expect(err).toContain('stopping');
  });

  it('prints no token that the operator gave', async () => {
    const flags = [
      '--listen-devices',
      '127.0.0.1:0',
      '--listen-admin',
      '127.0.0.1:0',
      '--store',
      'sqlite::memory:',
    ];
    const env = { DRAGOMAN_ADMIN_TOKEN: 'the operator knows it', DRAGOMAN_LOG_LEVEL: 'silent' };
    const { out, err } = await dragoman(['serve', ...flags], { env });
    expect(out + err).not.toContain('the operator knows it');
  });
});

describe('dragoman config', () => {
  it('prints the whole configuration with secrets masked', async () => {
    const config = file(
      'ok.yaml',
      `store: postgres://me:pass1@db/x
admin: { token: pass2-pass2 }
backends: { a: { protocol: dm2, url: "http://a/", auth: { type: basic, username: u, password: pass3 } } }
`,
    );
    const { code, out } = await dragoman([
      'config',
      'show',
      '--config',
      config,
      '--set',
      'limits.sessions=7',
    ]);
    expect(code).toBe(0);
    expect(out).toContain('sessions: 7');
    expect(out).toContain('postgres://me:***@db/x');
    expect(out).not.toMatch(/pass\d/);
  });

  it('explains every key', async () => {
    const { out } = await dragoman(['config', 'keys']);
    expect(out).toContain('limits.messageBytes');
    expect(out).toContain('DRAGOMAN_LIMITS_MESSAGE_BYTES');
  });
});

describe('dragoman mappings', () => {
  it('finds nothing wrong with the shipped packs', async () => {
    const { code, out } = await dragoman(['mappings', 'check']);
    expect(out).toMatch(/\d+ packs, 0 wrong/);
    expect(code).toBe(0);
  });

  it('says file, line and reason of what is wrong, and fails', async () => {
    const broken = file('broken.yaml', 'title: Broken\nmoid: urn:x:1.0\nroots: ./X\ncolour: red\n');
    const { code, out } = await dragoman(['mappings', 'check', broken]);
    expect(code).toBe(1);
    expect(out).toMatch(/^wrong .*broken\.yaml:\d+/m);
    expect(out).toContain('1 pack, 1 wrong');
    expect((await dragoman(['mappings', 'check', '/no/such'])).code).toBe(2);
  });

  it('lists what the packs describe', async () => {
    const { code, out } = await dragoman(['mappings', 'list']);
    expect(code).toBe(0);
    expect(out).toMatch(/urn:oma:mo:oma-fumo:1\.0 +\S.* \d+ +\.\/FUMO\/<x>/);
  });
});

describe('dragoman mappings from-ddf', () => {
  const ddf = (name: string) => new URL(`../../fixtures/dm1/ddf/${name}`, import.meta.url).pathname;

  it('writes a pack that the check accepts, with formats, access types and occurrence [IW-INV-2]', async () => {
    const own = mkdtempSync(join(folder, 'packs-'));
    const output = join(own, 'camera.yaml');
    const made = await dragoman([
      ...['mappings', 'from-ddf', ddf('vendor.xml'), '--moid', 'com.example/1.0/Camera', '-o', output],
    ]);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toMatch(/camera\.yaml: com\.example\/1\.0\/Camera, \d+ nodes\n$/);
    expect(readFileSync(output, 'utf8')).toContain(
      'Flash: { format: bool, type: text/plain, access: [ Get, Replace ]',
    );
    expect((await dragoman(['mappings', 'check', output])).out).toContain('1 pack, 0 wrong');
    const listed = await dragoman(['mappings', 'list', own]);
    expect(listed.out).toContain('com.example/1.0/Camera');
  });

  it('prints it where no file is named, and tells that a shipped pack has the object', async () => {
    const { code, out, err } = await dragoman(['mappings', 'from-ddf', ddf('fumo.xml')]);
    expect(code).toBe(0);
    expect(out).toContain('moid: urn:oma:mo:oma-fumo:1.0');
    expect(out).toContain(
      'State: { format: int, type: text/plain, access: [ Get ], occurs: One, permanent: true }',
    );
    expect(err).toContain('name this pack fumo.yaml to replace it');
  });

  it('overwrites nothing unasked', async () => {
    const output = file('mine.yaml', 'title: mine\n');
    const args = ['mappings', 'from-ddf', ddf('fumo.xml'), '-o', output];
    const refused = await dragoman(args);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('mine.yaml exists; --force overwrites it');
    expect(readFileSync(output, 'utf8')).toBe('title: mine\n');
    expect((await dragoman([...args, '--force'])).code).toBe(0);
  });

  it.each([
    [['/no/such.xml'], 'cannot be read'],
    [[ddf('vendor.xml')], 'several objects fit; say with --moid and --root which of'],
    [[ddf('dmacc-1.2.xml'), '--root', 'DMAcc'], 'roots'],
    [[new URL('program.test.ts', import.meta.url).pathname], 'program.test.ts:'],
  ])('says of %j what is wrong and where', async (args, said) => {
    const { code, out, err } = await dragoman(['mappings', 'from-ddf', ...args]);
    expect(err).toContain(said);
    expect(err).not.toContain('    at ');
    expect([code, out]).toEqual([2, '']);
  });
});

describe('dragoman devices', () => {
  it('imports from CSV into the store, says which rows are wrong, and lists', async () => {
    const store = ['--store', `sqlite:${join(folder, 'devices.db')}`];
    const csv = file('devices.csv', 'id,username,password\nIMEI:1,u,p\n,v,q\n');
    const imported = await dragoman(['devices', 'import', csv, ...store]);
    expect(imported.code).toBe(1);
    expect(imported.out).toContain('1 imported');
    expect(imported.err).toContain(`${csv}:3: id is empty`);
    const listed = await dragoman(['devices', 'list', ...store, '--prefix', 'IMEI']);
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(/^IMEI:1 +- +- +- +never$/m);
    expect((await dragoman(['devices', 'import', '/no/such.csv', ...store])).code).toBe(2);
  });
});

describe('dragoman translate', () => {
  it('shows a package as SyncML, also as bytes in a file', async () => {
    const input = file('package2.json', '{"CMD":[["GET","urn:oma:mo:oma-dm-devinfo:1.2//Man"],["END"]]}');
    const { code, out } = await dragoman(['translate', input]);
    expect(code).toBe(0);
    expect(out).toContain('input: Package#2');
    expect(out).toContain('<LocURI>./DevInfo/Man</LocURI>');
    const output = join(folder, 'message.wbxml');
    const dumped = await dragoman(['translate', input, '--to', 'wbxml', '--output', output]);
    expect(dumped.out).toMatch(/^000000 {2}02 /m);
    expect(readFileSync(output)[0]).toBe(2);
    const back = await dragoman(['translate', output, '--to', 'xml']);
    expect(back.out).toContain('input: SyncML (WBXML)');
    expect(back.out).toContain('<LocURI>./DevInfo/Man</LocURI>');
  });

  it('says why something is no message', async () => {
    const { code, err } = await dragoman(['translate', file('text.txt', 'hello')]);
    expect(code).toBe(1);
    expect(err).toContain('neither SyncML');
    expect((await dragoman(['translate', '/no/such'])).code).toBe(2);
  });
});

describe('dragoman simulate', () => {
  it('runs a device against a gateway, and says when that went wrong', async () => {
    const gateway = await startTestGateway({ deviceAuth: { dm1: 'none', dm2: 'none' } });
    const url = ['--url', gateway.urls.devices];
    const forever = { ended: () => new Promise<void>(() => undefined) };
    const device = await dragoman(
      ['simulate', 'device', ...url, '--encoding', 'wbxml', '--sessions', '2'],
      forever,
    );
    expect(device.out).toMatch(/session 2 completed: \d+ messages/);
    expect(device.code).toBe(0);
    expect((await dragoman(['simulate', 'client', ...url], forever)).code).toBe(0);
    await gateway.stop();
    expect((await dragoman(['simulate', 'device', ...url], forever)).code).toBe(1);
    expect((await dragoman(['simulate', 'device', ...url, '--encoding', 'cbor'], forever)).code).toBe(2);
  });

  it('runs a server until it is ended', async () => {
    const { code, out } = await dragoman(['simulate', 'backend']);
    expect(out).toMatch(/^listening on http/);
    expect(code).toBe(0);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConfigSources, loadConfig } from '../../../src/gateway/config/load.ts';
import { ConfigError } from '../../../src/gateway/config/problems.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function problems(sources: ConfigSources): string[] {
  try {
    loadConfig(sources);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map((p) => (p.path ? `${p.path}: ${p.message}` : p.message));
    }
    throw error;
  }
  return [];
}

describe('defaults', () => {
  it('need no file', () => {
    const config = loadConfig();
    expect(config).toMatchObject({
      listen: { devices: '127.0.0.1:8080', admin: '127.0.0.1:8081' },
      publicUrl: 'http://127.0.0.1:8080',
      store: 'sqlite:data/dragoman.db',
      deviceAuth: { dm1: 'md5', dm2: 'basic' },
      unknownDevice: 401,
      values: 'string',
      limits: { sessions: 10_000, messageBytes: 1_048_576, sessionSeconds: 300 },
      admin: {},
      routes: [],
    });
    expect(config.backends).toEqual({ console: { protocol: 'builtin', values: 'string', getMember: 'MO' } });
    expect(config.listen).not.toHaveProperty('tls');
  });

  it('are frozen, as nothing may change them at run time', () => {
    expect(Object.isFrozen(loadConfig().limits)).toBe(true);
  });

  it('reach into each backend, by its protocol', () => {
    const { backends } = loadConfig({
      text: 'values: typed\nbackends: {l: {protocol: dm1, url: "http://l/dm"}, d: {protocol: dm2, url: "http://d/", values: string}}',
    });
    expect(backends['l']).toMatchObject({
      version: '1.2',
      values: 'typed',
      auth: { type: 'none' },
    });
    // A relayed device's own, XML for others.
    expect(backends['l']).not.toHaveProperty('encoding');
    expect(backends['d']).toMatchObject({ dialect: 'approved', values: 'string', getMember: 'MO' });
  });

  it('make an unspecified address one that can be reached', () => {
    expect(loadConfig({ text: 'listen: {devices: "0.0.0.0:9"}' }).publicUrl).toBe('http://127.0.0.1:9');
    expect(loadConfig({ text: 'publicUrl: "https://dm.example/x//"' }).publicUrl).toBe(
      'https://dm.example/x',
    );
  });
});

describe('precedence', () => {
  it('is flags over environment over file over defaults', () => {
    const file = join(folder, 'dragoman.yaml');
    writeFileSync(file, 'limits: { sessions: 1, messages: 11, nodes: 111, depth: 9 }\n');
    const { limits } = loadConfig({
      file,
      env: { DRAGOMAN_LIMITS_SESSIONS: '2', DRAGOMAN_LIMITS_MESSAGES: '22', PATH: '/bin' },
      flags: { 'limits.sessions': 3, 'limits.depth': undefined },
    });
    expect(limits).toMatchObject({
      sessions: 3,
      messages: 22,
      nodes: 111,
      depth: 9,
      objectBytes: 67_108_864,
    });
  });

  it('reads JSON as well as YAML', () => {
    expect(loadConfig({ text: '{"store":"sqlite:x.db"}' }).store).toBe('sqlite:x.db');
  });

  it('takes lists from variables, separated by commas', () => {
    const env = { DRAGOMAN_OUTBOUND_ALLOW: '127.0.0.1:9000, *.example' };
    expect(loadConfig({ env }).outbound.allow).toEqual(['127.0.0.1:9000', '*.example']);
  });

  it('takes secrets of declared backends from variables', () => {
    const text = 'backends: {my-dms: {protocol: dm2, url: "http://d/", auth: {type: bearer}}}';
    const { backends } = loadConfig({ text, env: { DRAGOMAN_BACKENDS_MY_DMS_AUTH_PASSWORD: 's3cret' } });
    expect(backends['my-dms']).toMatchObject({ auth: { password: 's3cret' } });
  });

  it('completes transports of notifications, and takes their secrets from variables', () => {
    const text = `notifications:
      via: sms
      transports: { sms: { type: pap, url: "https://p/", auth: { type: basic, username: u } }, lan: { type: udp } }`;
    const env = { DRAGOMAN_NOTIFICATIONS_TRANSPORTS_SMS_AUTH_PASSWORD: 's3cret' };
    expect(loadConfig({ text, env }).notifications).toEqual({
      via: 'sms',
      jobs: false,
      repeats: 2,
      repeatSeconds: 300,
      transports: {
        sms: {
          type: 'pap',
          url: 'https://p/',
          address: 'WAPPUSH={address}/TYPE=PLMN@{host}',
          auth: { type: 'basic', username: 'u', password: 's3cret' },
        },
        lan: { type: 'udp', port: 2948, framing: 'raw', networks: [] },
      },
    });
  });

  it('takes an empty section for an absent one', () => {
    expect(loadConfig({ text: 'limits:\noutbound:\n' }).limits.sessions).toBe(10_000);
  });
});

describe('mistakes', () => {
  const d = 'backends: {d: {protocol: dm2, url: "http://d/"';
  it.each<[string, ConfigSources, string]>([
    [
      'an unknown key',
      { text: 'limits: {sesions: 1}' },
      'limits.sesions: unknown key; did you mean "sessions"?',
    ],
    ['an unknown key at the top', { text: 'zzzzzz: 1' }, 'zzzzzz: unknown key'],
    ['a wrong type', { text: 'limits: {sessions: "many"}' }, 'limits.sessions: must be integer'],
    ['a number out of range', { text: 'limits: {sessions: 0}' }, 'limits.sessions: must be >= 1'],
    [
      'a choice that is none',
      { text: 'deviceAuth: {dm1: kerberos}' },
      'deviceAuth.dm1: must be one of none, basic, md5, hmac, mtls',
    ],
    [
      'an address without port',
      { text: 'listen: {devices: localhost}' },
      'listen.devices: has the wrong form: Address of the device port; every dialect comes here.',
    ],
    ['TLS without its key', { text: 'listen: {tls: {cert: c.pem}}' }, 'listen.tls.key: is required'],
    [
      'another database',
      { text: 'store: "mysql://x"' },
      'store: has the wrong form: Database: `sqlite:FILE` or `postgres://user@host/db`.',
    ],
    ['a backend without URL', { text: 'backends: {x: {protocol: dm1}}' }, 'backends.x.url: is required'],
    [
      'a backend without protocol',
      { text: 'backends: {x: {url: "http://x/"}}' },
      'backends.x.protocol: must be one of dm2, dm1, builtin',
    ],
    ['a key of the other generation', { text: `${d}, encoding: xml}}` }, 'backends.d.encoding: unknown key'],
    [
      'a transport of no type',
      { text: 'notifications: {transports: {x: {url: "http://x/"}}}' },
      'notifications.transports.x.type: must be one of webhook, pap, udp',
    ],
    [
      'a key of another transport',
      { text: 'notifications: {transports: {x: {type: udp, url: "http://x/"}}}' },
      'notifications.transports.x.url: unknown key',
    ],
    [
      'a transport that is not there',
      { text: 'notifications: {via: x}' },
      'notifications.via: there is no transport "x"',
    ],
    [
      'a network that is none',
      { text: 'notifications: {transports: {x: {type: udp, networks: [10.0.0.0]}}}' },
      'notifications.transports.x.networks.0: has the wrong form: Network, as `10.20.0.0/16`.',
    ],
    [
      'a name that cannot be one',
      { text: 'backends: {"a b": {protocol: builtin}}' },
      'backends.a b: is no usable name: letters, digits, ".", "_" and "-", at most 64',
    ],
    [
      'basic without an account',
      { text: `${d}, auth: {type: basic, username: u}}}` },
      'backends.d.auth.password: is required for basic',
    ],
    [
      'per-device basic',
      { text: 'backends: {x: {protocol: dm1, url: "http://x/", auth: {type: basic, perDevice: true}}}' },
      'backends.x.auth.perDevice: needs type md5 or hmac: no other scheme works from the hashes that are on file for a device',
    ],
    [
      'a route to nowhere',
      { text: 'routes: [{match: {}, backend: gone}]' },
      'routes.0.backend: there is no backend "gone"',
    ],
    [
      'a typo in a route',
      { text: 'routes: [{match: {deviceID: x}, backend: console}]' },
      'routes.0.match.deviceID: unknown key; did you mean "deviceId"?',
    ],
    [
      'both token and tokenFile',
      { text: 'admin: {token: 12345678x, tokenFile: f}' },
      'admin.tokenFile: give either token or tokenFile, not both',
    ],
    [
      'client certificates without their authority',
      { text: 'deviceAuth: {dm2: mtls}' },
      'deviceAuth.dm2: mtls needs listen.tls.clientCa',
    ],
    [
      'client certificates of 1.x devices without their authority',
      { text: 'deviceAuth: {dm1: mtls}' },
      'deviceAuth.dm1: mtls needs listen.tls.clientCa',
    ],
    [
      'revocation lists without their authority',
      { text: 'listen: {tls: {cert: c, key: k, crl: r}}' },
      'listen.tls.crl: needs listen.tls.clientCa, whose certificates it revokes',
    ],
    [
      'an unknown variable',
      { env: { DRAGOMAN_LISTEN_DEVICE: '1' } },
      'DRAGOMAN_LISTEN_DEVICE: this environment variable names no key of the configuration',
    ],
    [
      'an unknown flag',
      { flags: { 'listen.device': '1' } },
      'listen.device: this flag names no key of the configuration',
    ],
    [
      'a variable that is no number',
      { env: { DRAGOMAN_LIMITS_NODES: '1e3' } },
      'limits.nodes: must be integer',
    ],
    ['a list for a document', { text: '- 1' }, 'configuration: must be a mapping of keys'],
    ['a file that is not there', { file: '/nowhere/x.yaml' }, '/nowhere/x.yaml: cannot be read (ENOENT)'],
    [
      'a key given twice',
      { text: 'store: "sqlite:a"\nstore: "sqlite:b"' },
      'configuration: Map keys must be unique at line 2, column 1',
    ],
    ['a prototype for a key', { text: '{"__proto__": {"x": 1}}' }, '__proto__: unknown key'],
  ])('names %s', (_what, sources, expected) => {
    expect(problems(sources)).toEqual([expected]);
  });

  it('are all reported at once', () => {
    const text =
      'limits: {sesions: 1, nodes: x}\nstore: no\nbackends: {a: {protocol: dm2}, b: {protocol: dm3}}';
    expect(problems({ text, env: { DRAGOMAN_X: '1' } }).map((p) => p.split(':')[0])).toEqual([
      'DRAGOMAN_X',
      'store',
      'limits.sesions',
      'limits.nodes',
      'backends.a.url',
      'backends.b.protocol',
    ]);
  });

  it('never repeat a secret', () => {
    const text = `${d}, auth: {type: basic, username: u, password: hunter2, perDevice: true, pasword: hunter3}}}`;
    expect(problems({ text }).join('\n')).not.toContain('hunter');
  });
});

import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startPeer } from '../gateway/outbound/server.ts';
import { post, startTestGateway, TOKEN } from '../http/running.ts';
import { dragoman } from './captured.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-notify-'));
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const TRIGGER = ['--server-id', 'com.mgmtsrv.manage', '--id', '0x1234', '--ui-mode', 'background'];
const PASSWORD = ['--password', 'pw', '--nonce', Buffer.from('nonce').toString('base64')];

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await dragoman(['notify', ...args]);
  expect(code, err).toBe(0);
  return out;
}

describe('dragoman notify', () => {
  it('builds the trigger of the specification, and reads it back, also out of a WAP push [1x§10.1] [IW-NOT-1]', async () => {
    const hex = await ok('build', ...TRIGGER, '--initiator', 'user', ...PASSWORD);
    expect(hex.slice(32)).toBe(`02d000000012341${'2'}${Buffer.from('com.mgmtsrv.manage').toString('hex')}\n`);
    const push = await ok('build', ...TRIGGER, '--initiator', 'user', ...PASSWORD, '--wsp', '--as', 'base64');
    expect(Buffer.from(push, 'base64').toString('hex')).toBe(`010603c4af87${hex.trim()}`);
    for (const form of [hex, push]) {
      expect(JSON.parse(await ok('parse', file('trigger.txt', form)))).toEqual({
        form: 'trigger',
        serverId: 'com.mgmtsrv.manage',
        id: 0x1234,
        sessionId: '1234',
        uiMode: 'background',
        initiator: 'user',
        digest: true,
      });
    }
  });

  it('checks the digest of a trigger, by the nonce given and those of resynchronisation [1x§9.2] [1x§9.6]', async () => {
    const built = file('checked.txt', await ok('build', ...TRIGGER, ...PASSWORD));
    const digest = async (path: string, ...flags: string[]) => {
      const { code, out } = await dragoman(['notify', 'parse', path, ...flags]);
      return [code, JSON.parse(out).digest];
    };
    expect(await digest(built, ...PASSWORD)).toEqual([0, 'right']);
    expect(await digest(built, '--password', 'pw')).toEqual([1, 'wrong']);
    expect(await digest(built, '--password', 'other', '--nonce', 'bm9uY2U=')).toEqual([1, 'wrong']);
    const resync = file('resync.txt', await ok('build', ...TRIGGER, '--password', 'pw'));
    expect(await digest(resync, ...PASSWORD)).toEqual([0, 'right, by a nonce of resynchronisation']);
    const secret = ['--secret', Buffer.from('s').toString('base64')];
    const options = ['build', '--form', 'options', '--server-id', 'x', '--id', '7'];
    const signed = file('signed.txt', await ok(...options, ...secret));
    expect(await digest(signed, ...secret)).toEqual([0, 'right']);
    expect(await digest(signed, '--secret', 'AAAA')).toEqual([1, 'wrong']);
    expect(await digest(file('unsigned.txt', await ok(...options)), ...secret)).toEqual([1, 'missing']);
  });

  const whole = Buffer.concat([Buffer.alloc(16, 0xaa), Buffer.from('02d8000000002a026777', 'hex')]);
  const changed = (at: number, byte: number) => {
    const bytes = Buffer.from(whole);
    bytes[at] = byte;
    return bytes;
  };
  it.each([
    [
      'truncated in its header',
      whole.subarray(0, 20),
      'byte 20: the notification ends before its server identifier',
    ],
    [
      'truncated in its server identifier',
      whole.subarray(0, -1),
      'byte 25: the notification ends in its server identifier',
    ],
    ['of a wrong length field', changed(23, 9), 'byte 26: the notification ends in its server identifier'],
    ['without server identifier', changed(23, 0), 'byte 23: the server identifier is empty'],
    ['of session 0', changed(22, 0), 'byte 21: the session id is 0'],
    ['of an unknown version', changed(16, 0xff), 'byte 16: version 102.3 is none of 1.0 to 1.3'],
    ['with bits of the future', changed(18, 1), 'byte 17: bits for future use are set'],
    ['whose identifier is no text', changed(24, 0xff), 'byte 24: the server identifier is not UTF-8'],
  ])('says what is wrong with a trigger %s', async (what, bytes, said) => {
    const path = file(`${what}.bin`, bytes);
    const { code, out, err } = await dragoman(['notify', 'parse', path, '--form', 'trigger']);
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringContaining(said) });
    // Without being told its form, the command says so for each.
    expect((await dragoman(['notify', 'parse', path])).err).toContain(`trigger: ${said}`);
  });

  it('builds options with their digest, byte for byte as the known vector but its time [20§2.2] [IW-NOT-1]', async () => {
    const path = join(folder, 'options.bin');
    const secret = [
      '--secret',
      Buffer.from('secret').toString('base64'),
      '--data',
      Buffer.from('auth').toString('base64'),
    ];
    await ok(
      'build',
      '--form',
      'options',
      '--server-id',
      'dms1',
      '--id',
      '4660',
      '--connection',
      'wlan',
      ...secret,
      '-o',
      path,
    );
    const bytes = readFileSync(path);
    expect(bytes.subarray(0, 14).toString('hex')).toBe('230014646d7331110212' + '1234' + '1f11');
    expect(JSON.parse(await ok('parse', path))).toMatchObject({
      form: 'options',
      serverId: 'dms1',
      id: 4660,
      connection: 'wlan',
      listObjects: true,
      digest: true,
      timestamp: expect.stringMatching(/^20\d\d-/),
    });
  });

  it('builds bit fields, and says what they cannot carry [20§1.3] [IW-NOT-2]', async () => {
    const url = 'https://gw.example/dm';
    const args = [
      'build',
      '--form',
      'bits',
      '--server-id',
      'x',
      '--id',
      '7',
      '--url',
      url,
      '--connection',
      'wlan',
    ];
    const { code, out, err } = await dragoman(['notify', ...args]);
    expect(code).toBe(0);
    expect(out).toBe(`050b0000${url.length.toString(16)}${Buffer.from(url).toString('hex')}\n`);
    expect(err).toContain('[IW-NOT-2] Left out: the preferred connection type (wlan)');
    expect(JSON.parse(await ok('parse', file('bits.txt', out)))).toMatchObject({
      form: 'bits',
      digest: false,
    });
  });

  it.each([
    ['no password', ['build', '--server-id', 'x', '--id', '1'], 'serverPassword'],
    ['a number of 17 bits', ['build', '--server-id', 'x', '--id', '65536'], '65535'],
    ['a nonce that is no base64', ['build', ...TRIGGER, '--password', 'p', '--nonce', '!'], '--nonce'],
    ['no URL for bit fields', ['build', '--form', 'bits', '--server-id', 'x', '--id', '1'], '--url'],
    ['no such file', ['parse', '/no/such/file'], '/no/such/file'],
    ['bytes that are no notification', ['parse', file('junk.txt', 'wake up!')], 'neither a DM 1.x trigger'],
    [
      'two ways to send',
      ['send', file('t.bin', 'x'), '--udp', 'a:1', '--pap', 'http://a/'],
      'neither a DM 1.x',
    ],
    ['no token', ['ask', 'IMEI:1'], 'DRAGOMAN_ADMIN_TOKEN'],
  ])('says what is wrong with %s', async (_what, args, said) => {
    const { code, out, err } = await dragoman(['notify', ...args]);
    expect(code).not.toBe(0);
    expect(out).toBe('');
    expect(err).toContain(said);
    expect(err).not.toContain('    at ');
  });

  it('sends by datagram, and through a push proxy gateway [IW-NOT-1]', async () => {
    const hex = await ok('build', ...TRIGGER, ...PASSWORD);
    const path = file('send.txt', hex);
    const socket = createSocket('udp4');
    const came = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    expect(await ok('send', path, '--udp', `127.0.0.1:${socket.address().port}`, '--wsp')).toBe('sent\n');
    expect((await came).toString('hex')).toBe(`010603c4af87${hex.trim()}`);
    socket.close();

    const peer = await startPeer((_request, response) => {
      const result = '<response-result code="1001" desc="taken"/>';
      response.end(`<?xml version="1.0"?><pap><push-response push-id="1">${result}</push-response></pap>`);
    });
    expect(await ok('send', path, '--pap', `${peer.origin}/pap`, '--address', '+491')).toBe('sent\n');
    expect(peer.received[0]!.body.toString('latin1')).toContain('WAPPUSH=+491/TYPE=PLMN@127.0.0.1');
    expect(peer.received[0]!.body.toString('hex')).toContain(hex.trim());
    await peer.close();
    const both = await dragoman(['notify', 'send', path, '--udp', 'a:1', '--pap', 'http://a/']);
    expect(both.err).toContain('Give one of --udp');
  });

  it('asks a gateway, and waits for the session that answers [IW-NOT-1]', async () => {
    const hook = await startPeer((_request, response) => void response.writeHead(204).end());
    const transports = { hook: { type: 'webhook', url: hook.origin } };
    const gateway = await startTestGateway({ notifications: { via: 'hook', transports } });
    await gateway.api('/api/devices', post({ id: 'IMEI:5', serverUsername: 'gw', serverPassword: 'pw' }));
    const env = { DRAGOMAN_ADMIN_TOKEN: TOKEN };
    const ask = (...more: string[]) =>
      dragoman(['notify', 'ask', 'IMEI:5', '--admin', gateway.urls.admin, ...more], { env });
    const asked = await ask('--form', 'trigger');
    expect(asked).toMatchObject({ code: 0, out: expect.stringMatching(/^ntf_\S+ waiting\n$/) });
    const waited = await ask('--form', 'trigger', '--wait', '1');
    expect(waited).toMatchObject({ code: 1, out: expect.stringMatching(/^ntf_\S+ sent\n$/) });
    const unknown = await ask();
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('give `form`') });
    await gateway.stop();
    await hook.close();
  });
});

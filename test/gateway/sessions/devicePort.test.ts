import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../src/dm1/codec.ts';
import type { DeviceRequest, DeviceResponse } from '../../../src/gateway/sessions/devicePort.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import {
  dm1Request,
  dm2Request,
  OPENING,
  statusBody,
  type ToyGateway,
  toyGateway,
  WBXML,
  XML,
} from './toySession.ts';

let store: Store;
let gateway: ToyGateway;
beforeAll(async () => {
  store = await openStore('sqlite::memory:');
  gateway = toyGateway(store);
});
afterAll(() => store.close());

function textOf(response: DeviceResponse): string {
  return Buffer.from(response.body).toString('utf8');
}

function request(headers: Record<string, string>, body: string): DeviceRequest {
  return { headers, body: Buffer.from(body), delivered: Promise.resolve(true) };
}

function codes(response: DeviceResponse, form: 'xml' | 'wbxml' = 'xml') {
  const { message } = decodeMessage(response.body, form);
  return message.body.map((e) =>
    e.kind === 'Status' ? `${e.cmd} ${e.msgRef} ${e.cmdRef} ${e.code}` : e.kind,
  );
}

describe('the device port', () => {
  it('answers in the encoding of the message with the standard types [IW-SES-1]', async () => {
    for (const [encoding, type] of [
      [XML, 'application/vnd.syncml.dm+xml'],
      [WBXML, 'application/vnd.syncml.dm+wbxml'],
    ] as const) {
      const sent = dm1Request(`types ${encoding.form}`, { encoding });
      const obsolete = {
        ...sent,
        headers: { 'content-type': `application/vnd.syncml+${encoding.form}; charset=x` },
      };
      const response = await gateway.port.handle(obsolete);
      expect(response).toMatchObject({
        status: 200,
        headers: {
          'content-type': type,
          'cache-control': 'no-store',
          'content-length': String(response.body.length),
        },
      });
      expect(decodeMessage(response.body, encoding.form).message.header.target.uri).toBe(
        `types ${encoding.form}`,
      );
    }
  });

  it('answers 415 to a type it does not speak and 400 to what it cannot read, each with the reason [IW-SES-1]', async () => {
    const odd = await gateway.port.handle(request({ 'content-type': 'image/png' }, 'x'));
    expect([odd.status, textOf(odd)]).toEqual([415, expect.stringContaining('image/png')]);
    const broken = await gateway.port.handle(
      request({ 'content-type': 'application/vnd.syncml.dm+xml' }, '<SyncML'),
    );
    expect([broken.status, broken.headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(textOf(broken).length).toBeGreaterThan(20);
    const json = await gateway.port.handle(
      request({ 'content-type': 'application/vnd.oma.dm.initiation+json', 'omadm-devid': 'a' }, '{"MOS":'),
    );
    expect(json.status).toBe(400);
    const draft = await gateway.port.handle(
      request({ 'content-type': 'application/tnds20', 'x-omadmdeviceid': 'a' }, '{"MO":'),
    );
    expect(draft.status).toBe(400);
    expect(draft.headers['content-length']).toBe(String(draft.body.length));
  });

  it('answers 413 to a message above the limit without reading it', async () => {
    const response = await gateway.port.handle(
      request({ 'content-type': 'application/vnd.syncml.dm+xml' }, ' '.repeat(65_537)),
    );
    expect(response.status).toBe(413);
  });

  it('refuses a 2.0 message without one identity [IW-SES-2]', async () => {
    const type = 'application/vnd.oma.dm.initiation+json';
    for (const headers of [
      { 'content-type': type },
      { 'content-type': type, 'omadm-devid': 'a', 'x-omadmdevid': 'b' },
      { 'content-type': type, 'omadm-devid': 'a'.repeat(257) },
      { 'content-type': type, 'omadm-devid': 'a\u0001b' },
    ]) {
      expect((await gateway.port.handle(request(headers, '{}'))).status).toBe(400);
    }
  });

  it('passes on the refusal of the HTTP authentication with its challenge [IW-AUTH-4]', async () => {
    const sent = dm2Request('nobody', 'initiation', {});
    const response = await gateway.port.handle({
      ...sent,
      headers: { ...sent.headers, authorization: 'wrong' },
    });
    expect(response).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Basic realm="dm"' } });
    expect(gateway.runner.live).toBe(await store.sessions.countLive());
  });

  it('closes a legacy device whose session is unknown: a Status for header and commands, Final [IW-SES-3]', async () => {
    const alert = { kind: 'Alert', cmdId: '7', code: '1226', items: [] } as const;
    const response = await gateway.port.handle(
      dm1Request('stranger', { sessionId: '0', msgId: '4', body: [...statusBody('3'), alert] }),
    );
    expect(response.status).toBe(200);
    expect(codes(response)).toEqual(['SyncHdr 4 0 500', 'Alert 4 7 500']);
    const { message } = decodeMessage(response.body, 'xml');
    expect(message).toMatchObject({
      final: true,
      header: {
        sessionId: '0',
        target: { uri: 'stranger' },
        source: { uri: 'http://gw/dm' },
        respURI: 'http://gw/dm',
      },
    });
  });

  it('answers END to a Package#3 without session [IW-SES-8]', async () => {
    const response = await gateway.port.handle(dm2Request('lost', 'response', { Status: [{ sc: 200 }] }));
    expect([response.status, textOf(response)]).toEqual([200, '{"CMD":[["END"]]}']);
    expect(response.headers['content-type']).toBe('application/vnd.oma.dm.request+json');
  });

  it('tells Package#1 from #3 by its body where the type does not say', async () => {
    const opened = await gateway.port.handle(
      request({ 'content-type': 'application/json', 'omadm-devid': 'plain' }, '{"MOS":[]}'),
    );
    expect(textOf(opened)).toContain('opened plain');
    const next = await gateway.port.handle(request({ 'omadm-devid': 'plain' }, '{"Status":[{"sc":204}]}'));
    expect(textOf(next)).toContain('round 1');
  });

  it('refuses a device in its own protocol when no session may begin', async () => {
    const strict = toyGateway(store, {
      start: async () => ({ refused: 'forbidden', detail: 'Not this one.' }),
    });
    const legacy = await strict.port.handle(dm1Request('refused'));
    expect(codes(legacy)).toEqual(['SyncHdr 1 0 403', 'Alert 1 1 403', 'Replace 1 2 403']);
    const modern = await strict.port.handle(dm2Request('refused', 'initiation', {}));
    expect([modern.status, textOf(modern)]).toEqual([403, 'Not this one.\n']);
  });

  it('tells devices apart whose ids hold the separators of keys [IW-SES-3]', async () => {
    await gateway.port.handle(dm1Request('a:1', { sessionId: '2' }));
    await gateway.port.handle(dm1Request('a', { sessionId: '1:2' }));
    const next = await gateway.port.handle(
      dm1Request('a:1', { sessionId: '2', msgId: '2', body: statusBody('1') }),
    );
    expect(textOf(next)).toContain('round 1');
  });

  it('writes one line per message, without credentials', async () => {
    const count = gateway.lines.length;
    await gateway.port.handle(dm1Request('logged', { cred: 'c2VjcmV0OnNlY3JldA==' }));
    expect(gateway.lines.length).toBe(count + 1);
    expect(gateway.lines.at(-1)).toMatchObject({
      device: 'logged',
      dialect: 'dm1 xml',
      msgId: '1',
      result: 'ok',
      status: 200,
    });
    expect(JSON.stringify(gateway.lines)).not.toContain('c2VjcmV0OnNlY3JldA==');
  });

  it('takes a first message without 1201 where there is no session, but no bare Status', async () => {
    const unenrol = await gateway.port.handle(
      dm1Request('leaver', { body: [{ kind: 'Alert', cmdId: '1', code: '1226', items: [] }] }),
    );
    expect(codes(unenrol)).toContain('Get');
    const bare = await gateway.port.handle(dm1Request('bare', { body: statusBody('1') }));
    expect(codes(bare)).toEqual(['SyncHdr 1 0 500']);
    const again = await gateway.port.handle(dm1Request('late opener', { msgId: '2', body: OPENING }));
    expect(codes(again)).toContain('Get');
  });
});

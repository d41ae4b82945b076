import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { PapConfig } from '../../../src/gateway/config/config.ts';
import { OutboundClient } from '../../../src/gateway/outbound/client.ts';
import { OutboundGuard } from '../../../src/gateway/outbound/guard.ts';
import { pap } from '../../../src/gateway/wakeup/transports/pap.ts';
import {
  controlEntity,
  papSubmission,
  readPapResponse,
} from '../../../src/gateway/wakeup/transports/papMessage.ts';
import type { Push } from '../../../src/gateway/wakeup/transports/transport.ts';
import { type Peer, type Received, startPeer } from '../outbound/server.ts';

const DTD = fileURLToPath(new URL('../../../fixtures/pap/pap_2.1.dtd', import.meta.url));

const PUSH: Push = {
  id: 'ntf_1',
  deviceId: 'IMEI:1',
  address: '+4915112345678',
  contentType: 'application/vnd.syncml.notification',
  body: Uint8Array.of(0, 1, 13, 10, 255, 13, 10, 45, 45),
  expiresAt: Date.UTC(2030, 0, 2, 3, 4, 5, 678),
  copy: 1,
};

/** Validates with libxml2; throws with its complaints. */
function validate(documents: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'pap-'));
  try {
    const files = documents.map((text, i) => {
      const file = join(folder, `${i}.xml`);
      writeFileSync(file, text);
      return file;
    });
    execFileSync('xmllint', ['--noout', '--nonet', '--dtdvalid', DTD, ...files], { stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a push message', () => {
  it('is valid by the DTD of PAP, whatever the address [IW-NOT-1]', () => {
    const address = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/\p{C}|\p{Cn}/u.test(text));
    const documents = fc
      .sample(fc.record({ address, id: fc.string({ minLength: 1 }).filter((t) => !/\p{C}/u.test(t)) }), 50)
      .map(({ address: text, id }) => controlEntity({ id, expiresAt: PUSH.expiresAt }, text));
    validate([controlEntity(PUSH, 'WAPPUSH=+49/TYPE=PLMN@ppg.example'), ...documents]);
    expect(() => validate([controlEntity(PUSH, 'x').replace('push-id=', 'id=')])).toThrow(/push-id/);
  });

  it('holds both entities, the content byte for byte [IW-NOT-1]', () => {
    const { contentType, body } = papSubmission(PUSH, 'WAPPUSH=+49/TYPE=PLMN@ppg.example');
    expect(contentType).toBe('multipart/related; boundary="dragoman.ntf_1.0"; type="application/xml"');
    const text = body.toString('latin1');
    const [control, content] = text.split('--dragoman.ntf_1.0').slice(1, 3);
    expect(control).toBe(
      '\r\nContent-Type: application/xml; charset=UTF-8\r\n\r\n' +
        '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">\n' +
        '<pap product-name="Dragoman"><push-message push-id="ntf_1" deliver-before-timestamp="2030-01-02T03:04:05Z">' +
        '<address address-value="WAPPUSH=+49/TYPE=PLMN@ppg.example"/>' +
        '<quality-of-service priority="high" delivery-method="unconfirmed"/></push-message></pap>\n\r\n',
    );
    expect(content).toBe(
      '\r\nContent-Type: application/vnd.syncml.notification\r\nX-Wap-Application-Id: x-wap-application:syncml.dm\r\n' +
        `Content-Length: 9\r\nContent-Transfer-Encoding: binary\r\n\r\n${Buffer.from(PUSH.body).toString('latin1')}\r\n`,
    );
    expect(text.endsWith('--dragoman.ntf_1.0--\r\n')).toBe(true);
  });

  it('takes another boundary where the content has this one, and tells SEC and MAC of a document [IW-BOOT-1]', () => {
    const body = Buffer.from('\r\n--dragoman.ntf_1.0--\r\n');
    const protection = { sec: 'NETWORKID', mac: 'AB'.repeat(20) };
    const submission = papSubmission({ ...PUSH, body, protection, contentType: 'application/x' }, 'a');
    expect(submission.contentType).toContain('boundary="dragoman.ntf_1.1"');
    expect(submission.body.toString()).toContain(
      `Content-Type: application/x; SEC=NETWORKID; MAC="${'AB'.repeat(20)}"\r\n`,
    );
  });
});

const response = (code: string, desc = 'why') =>
  `<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">` +
  `<pap><push-response push-id="ntf_1" reply-time="2030-01-01T00:00:00Z"><progress-note stage="1"/>` +
  `<response-result code="${code}" desc="${desc}"/></push-response></pap>`;

describe('the answer of a push proxy gateway', () => {
  it('is read, progress notes and all', () => {
    validate([response('1001')]);
    expect(readPapResponse(Buffer.from(response('1001')))).toEqual({ code: 1001, text: 'why' });
    const bad = '<pap><badmessage-response code="2000"/></pap>';
    expect(readPapResponse(Buffer.from(bad))).toEqual({ code: 2000 });
  });

  it.each([
    ['nothing', ''],
    ['no XML', 'OK'],
    ['XML cut short', response('1001').slice(0, -3)],
    ['another document', '<html/>'],
    ['no result', '<pap><push-response push-id="1"/></pap>'],
    ['a code that is none', response('9')],
    [
      'two results',
      response('1001').replace('</push-response>', '<response-result code="1"/></push-response>'),
    ],
    [
      'entities of its own',
      '<!DOCTYPE pap [<!ENTITY a "1001">]><pap><push-response><response-result code="&a;"/></push-response></pap>',
    ],
  ])('that is %s is none', (_what, text) => {
    expect(() => readPapResponse(Buffer.from(text))).toThrow('no PAP document');
  });
});

describe('the transport', () => {
  let peer: Peer | undefined;
  let client: OutboundClient | undefined;
  afterEach(async () => {
    await client?.close();
    await peer?.close();
  });

  async function send(
    answer: (request: Received, response: ServerResponse, index: number) => void,
    more: Partial<PapConfig> = {},
    push: Push = PUSH,
  ) {
    peer = await startPeer(answer);
    client = new OutboundClient();
    const url = `${peer.origin}/pap`;
    const config: PapConfig = {
      type: 'pap',
      url,
      address: 'WAPPUSH={address}/TYPE=PLMN@{host}',
      auth: { type: 'none' },
      ...more,
    };
    const guard = new OutboundGuard({ allow: [], trusted: [url] });
    const limits = { messageBytes: 65_536, backendSeconds: 1 };
    await pap(config, { guard, client, limits }).send(push);
    return peer.received;
  }
  const says = (code: string) => (_r: Received, out: ServerResponse) =>
    out.writeHead(202).end(response(code));

  it('addresses the device as configured, or as the device is registered [IW-NOT-1]', async () => {
    const [request] = await send(says('1001'), { auth: { type: 'basic', username: 'u', password: 'p' } });
    expect(request!.headers).toMatchObject({
      'content-type': 'multipart/related; boundary="dragoman.ntf_1.1.0"; type="application/xml"',
      authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
    });
    expect(request!.body.toString('latin1')).toContain(
      '<push-message push-id="ntf_1.1" deliver-before-timestamp="2030-01-02T03:04:05Z">' +
        '<address address-value="WAPPUSH=+4915112345678/TYPE=PLMN@127.0.0.1"/>',
    );
    await peer!.close();
    const [own] = await send(says('1000'), {}, { ...PUSH, address: 'WAPPUSH=a%40b/TYPE=USER@ppg' });
    expect(own!.body.toString('latin1')).toContain('address-value="WAPPUSH=a%40b/TYPE=USER@ppg"');
  });

  it.each([
    ['2007, which knows the push already', '2007', undefined],
    ['2002, an address error', '2002', 'backend-refused'],
    ['3002', '3002', 'backend-failed'],
    ['4001, service unavailable', '4001', 'backend-failed'],
    ['5001', '5001', 'backend-failed'],
  ])('of a gateway that answers %s', async (_what, code, expected) => {
    const sent = send(says(code)).then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
    expect(await sent).toBe(expected);
  });

  it.each([
    ['refuses', 400, undefined, 'backend-refused'],
    ['redirects', 302, { location: 'http://169.254.169.254/' }, 'backend-failed'],
    ['answers junk', 200, undefined, 'backend-failed'],
    ['fails', 503, undefined, 'backend-failed'],
  ])('of a gateway that %s', async (_what, status, headers, code) => {
    const sent = send((_r, out) => out.writeHead(status, headers).end('hello'));
    await expect(sent).rejects.toMatchObject({ code });
    expect(peer!.received).toHaveLength(1);
  });

  it('of a gateway that hangs gives up in time', async () => {
    await expect(send(() => {})).rejects.toMatchObject({ code: 'backend-failed' });
  });

  it('of a gateway that answers endlessly gives up', async () => {
    const flood = send((_r, out) => {
      const more = () => {
        while (!out.destroyed && out.write(Buffer.alloc(65_536, 0x20)));
        if (!out.destroyed) out.once('drain', more);
      };
      out.writeHead(200);
      more();
    });
    await expect(flood).rejects.toMatchObject({ code: 'too-large' });
  });
});

import { expect } from 'vitest';
import { basicCred, hmac, userHash } from '../../src/dm1/auth/digests.ts';
import { formatHmacHeader } from '../../src/dm1/auth/hmacHeader.ts';
import { wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { type Answer, closing, packageOne, statuses, syncml, wired } from './harness.ts';

export const DEVICE = 'IMEI:493005100592800';
export const STATE = 'urn:oma:mo:oma-dm-devinfo:1.2//Man';
export const HASH = userHash('user', 'right');
export const OPENING = packageOne(DEVICE);
export const HEADER_OK = (msgRef: string, code = '200', chal = '') =>
  `<Status><CmdID>1</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>${chal}<Data>${code}</Data></Status>`;

export type Form = 'xml' | 'wbxml';
export type Parts = Partial<Parameters<typeof syncml>[0]>;

export const basic = (password: string) => cred('basic', basicCred('user', password));
export function cred(type: string, data: string): string {
  return `<Cred><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-${type}</Type></Meta><Data>${data}</Data></Cred>`;
}

/** The bytes of a message in either encoding. */
export function written(form: Form, parts: Parts, body: string): Uint8Array {
  const xml = syncml({ device: DEVICE, ...parts }, body);
  return form === 'xml' ? Buffer.from(xml) : xmlToWbxml(xml);
}

export function read(form: Form, { body }: Answer): string {
  return form === 'xml' ? body.toString('utf8') : wbxmlToXml(body);
}

/** Where the device is told to send its next message. */
export const placeIn = (form: Form, answer: Answer) => /<RespURI>(.*?)</.exec(read(form, answer))?.[1] ?? '';
export const nonceIn = (xml: string) =>
  Buffer.from(/<NextNonce[^>]*>([^<]*)</.exec(xml)?.[1] ?? '', 'base64');

/** A gateway whose devices have to authenticate, with a 2.0 backend that asks one thing. */
export async function guarded(dm1: 'basic' | 'md5' | 'hmac', config: Record<string, unknown> = {}) {
  const backend = closing(new Dm2Backend({ script: [[['GET', STATE]]] }));
  const gateway = await wired({
    deviceAuth: { dm1, dm2: 'basic' },
    backends: { peer: { protocol: 'dm2', url: await backend.start() } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'peer' }],
    ...config,
  });
  await gateway.api('POST', '/api/devices', { id: DEVICE, username: 'user', password: 'right' });
  return { backend, gateway };
}

/** Answers every command of the gateway until it has none left; `send` makes a message of its number and body. */
export async function finish(
  form: Form,
  opened: Answer,
  send: (msgId: string, body: string, last: string) => Promise<Answer>,
): Promise<void> {
  let text = read(form, opened);
  for (let n = 2 + Number(/<MsgID>(\d+)/.exec(text)?.[1] ?? '1') - 1; n < 20; n += 1) {
    const ref = /<MsgID>(\d+)/.exec(text)?.[1] ?? '';
    const gets = [...text.matchAll(/<Get>\s*<CmdID>(\d+)</g)].map(([, id]) => id);
    if (gets.length === 0) return;
    const parts = gets.map(
      (id, i) =>
        `<Status><CmdID>${i + 2}</CmdID><MsgRef>${ref}</MsgRef><CmdRef>${id}</CmdRef><Cmd>Get</Cmd><Data>404</Data></Status>`,
    );
    text = read(form, await send(String(n), `${HEADER_OK(ref)}${parts.join('')}<Final/>`, text));
    expect(statuses(text)[0]?.[1]).toMatch(/^2/);
  }
  throw new Error('The session does not end.');
}

/** The header with which a message proves itself by HMAC (1x§9.5). */
export const mac = (nonce: Uint8Array, body: Uint8Array, hash = HASH) => ({
  'x-syncml-hmac': formatHmacHeader({ username: 'user', mac: hmac(hash, nonce, body) }),
});

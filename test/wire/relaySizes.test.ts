import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import { statuses, syncml, TYPES } from './harness.ts';
import { answer, DEVICE, encoders, opening, relayed } from './relayed.ts';

const FORMS = ['xml', 'wbxml'] as const;
const MOST = 4096;
const meta = (size: number) =>
  `<Meta><MaxMsgSize xmlns="syncml:metinf">${size}</MaxMsgSize></Meta></SyncHdr>`;
const withMost = (message: string, size = MOST) => message.replace('</SyncHdr>', meta(size));
const replace = (data: string) =>
  `<Replace><CmdID>2</CmdID><Item><Target><LocURI>./x</LocURI></Target><Data>${data}</Data></Item></Replace>`;
const results = (data: string) =>
  `<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status><Results><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>2</CmdRef><Item><Source><LocURI>./x</LocURI></Source><Data>${data}</Data></Item></Results><Final/>`;
/** The shortest commands: XML needs most for them. */
const gets = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => `<Get><CmdID>${i + 2}</CmdID><Item><Target><LocURI>./a</LocURI></Target></Item></Get>`,
  ).join('');

type Encode = (xml: string) => Uint8Array;

/** The message with as much in it as `size` bytes hold. */
function filled(encode: Encode, size: number, message: (data: string) => string): Uint8Array {
  for (let n = size; n > 0; n -= 1) {
    const bytes = encode(message('x'.repeat(n)));
    if (bytes.length === size) return bytes;
    if (bytes.length > size) n -= bytes.length - size - 1;
  }
  throw new Error('no such size');
}

const told = (body: Uint8Array, form: 'xml' | 'wbxml') => decodeMessage(body, form).message;

describe.each(FORMS)('a relayed device in %s', (form) => {
  const encode = encoders[form];
  const type = { 'content-type': TYPES[form] };

  describe.each(FORMS)('on a server in %s', (theirs) => {
    const encodeTheirs = encoders[theirs];
    const typeTheirs = { 'content-type': TYPES[theirs] };

    it('has its MaxMsgSize passed on as what the server may fill, and the server its own [IW-REL-1]', async () => {
      let most = 0;
      const { got, gateway } = await relayed(
        [
          (server) => {
            most = told(got[0]!.body, theirs).header.meta!.maxMsgSize!;
            const respURI = `${server}?s=1`;
            const names = { source: 's', targetRef: 't', respURI };
            const body = filled(encodeTheirs, most, (data) => withMost(answer(names, replace(data))));
            return { body, headers: typeTheirs };
          },
          (server) => {
            const names = { source: server, targetRef: server, msgId: '2' };
            let count = 1;
            while (encodeTheirs(answer(names, gets(count + 1))).length <= most) count += 1;
            return { body: encodeTheirs(answer(names, gets(count))), headers: typeTheirs };
          },
        ],
        {},
        { encoding: theirs },
      );
      const first = await gateway.post(encode(withMost(opening())), type);
      // No more room is kept than addresses, and another encoding, may need.
      expect(most).toBeLessThan(MOST);
      expect(most).toBeGreaterThan(form === 'xml' && theirs === 'wbxml' ? 900 : 3900);
      expect(first.body.length).toBeLessThanOrEqual(MOST);
      const { header, body } = told(first.body, form);
      expect(body.map(({ kind }) => kind)).toEqual(['Status', 'Replace']);
      const mine = header.meta!.maxMsgSize!;
      expect(mine).toBeLessThan(MOST);
      expect(mine).toBeGreaterThan(form === 'wbxml' && theirs === 'xml' ? 900 : 3900);
      const reply = filled(encode, mine, (data) =>
        syncml({ device: DEVICE, sessionId: '0A', msgId: '2', target: 'u' }, results(data)),
      );
      const second = await gateway.post(reply, type);
      expect(got[1]!.body.length).toBeLessThanOrEqual(MOST);
      expect(got[1]!.body.length).toBeGreaterThan(form === theirs ? 3900 : 900);
      expect(second.body.length).toBeLessThanOrEqual(MOST);
      expect(told(second.body, form).body.length).toBeGreaterThan(15);
    });
  });

  it('is given no message that the gateway has made too large: both sides hear the end of the session [IW-REL-1]', async () => {
    const { got, gateway } = await relayed([
      () => ({
        body: filled(encode, MOST - 10, (data) => answer({ source: 's', targetRef: 't' }, replace(data))),
        headers: type,
      }),
      (server) => ({
        body: encode(answer({ source: server, targetRef: server, msgId: '2' })),
        headers: type,
      }),
    ]);
    const { body } = await gateway.post(encode(withMost(opening())), type);
    expect(told(body, form).body.map((e) => (e.kind === 'Status' ? e.code : e.kind))).toEqual([
      '500',
      '500',
      '500',
    ]);
    const abort = told(got[1]!.body, form);
    expect(abort.header).toMatchObject({ sessionId: '0A', msgId: '2', source: { uri: DEVICE } });
    expect(abort.body).toContainEqual(expect.objectContaining({ kind: 'Alert', code: '1223' }));
    expect((await gateway.traces(DEVICE))[0]).toMatchObject({
      ending: 'backend-failed',
      detail: expect.stringMatching(/4086 bytes would have 4\d\d\d for the device, which takes 4096/),
    });
  });

  it('has no message of its own made too large for the server: 413, and the server hears of the end [IW-REL-1]', async () => {
    const long = (server: string) => `${server}?s=${'1'.repeat(400)}`;
    const { got, gateway } = await relayed([
      (server) => ({
        body: encode(withMost(answer({ source: server, targetRef: server, respURI: long(server) }, gets(1)))),
        headers: type,
      }),
      (server) => ({
        body: encode(answer({ source: server, targetRef: server, msgId: '2' })),
        headers: type,
      }),
    ]);
    await gateway.post(encode(opening()), type);
    const reply = filled(encode, MOST - 100, (data) =>
      syncml({ device: DEVICE, sessionId: '0A', msgId: '2', target: gateway.dm }, results(data)),
    );
    const { body } = await gateway.post(reply, type);
    expect(told(body, form).body.map((e) => (e.kind === 'Status' ? e.code : e.kind))).toEqual(['413']);
    const abort = told(got[1]!.body, form);
    expect(abort.header).toMatchObject({ sessionId: '0A', msgId: '2', source: { uri: DEVICE } });
    expect(abort.body).toContainEqual(expect.objectContaining({ kind: 'Alert', code: '1223' }));
    const [trace] = await gateway.traces(DEVICE);
    expect(trace).toMatchObject({ ending: 'backend-failed', detail: expect.stringContaining('takes 4096') });
  });
});

describe('a relay', () => {
  const XML = { 'content-type': TYPES.xml };

  it('passes on what is too large by its sender’s own doing [IW-REL-1]', async () => {
    const large = (server: string) => answer({ source: 's', targetRef: server }, replace('x'.repeat(9000)));
    const { got, gateway } = await relayed([(server) => ({ body: large(server) })]);
    const first = await gateway.post(withMost(opening(), 2048), XML);
    expect(got).toHaveLength(1);
    expect(first.text).toContain('x'.repeat(9000));
  });

  it('promises no larger messages than it takes itself, and ends a session that has one [IW-REL-1]', async () => {
    const { got, gateway } = await relayed(
      [(server) => ({ body: answer({ source: server, targetRef: server }, replace('x'.repeat(9000))) })],
      { limits: { messageBytes: 8192 } },
    );
    const first = await gateway.post(withMost(opening(), 5_000_000), XML);
    expect(told(got[0]!.body, 'xml').header.meta).toEqual({ maxMsgSize: 8192 });
    expect(statuses(first.text)).toEqual([
      ['SyncHdr', '500'],
      ['Alert', '500'],
      ['Replace', '500'],
    ]);
    expect((await gateway.traces(DEVICE))[0]).toMatchObject({
      ending: 'backend-failed',
      detail: expect.stringContaining('larger than 8192 bytes'),
    });
  });
});

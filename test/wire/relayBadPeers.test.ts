import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import { beside, packageOne, post, syncml, TYPES } from './harness.ts';
import { answer, DEVICE, encoders, GET, opening, RESULT, relayed } from './relayed.ts';

describe.each(['xml', 'wbxml'] as const)('in a relayed session in %s', (form) => {
  const encode = encoders[form];
  const type = { 'content-type': TYPES[form] };
  const ask =
    (more = {}) =>
    (server: string) => ({
      body: encode(answer({ source: server, targetRef: server, ...more }, GET)),
      headers: type,
    });
  const end = (server: string) => ({
    body: encode(answer({ source: server, targetRef: server, msgId: '2' })),
    headers: type,
  });
  const reply = (more = {}) =>
    encode(syncml({ device: DEVICE, sessionId: '0A', msgId: '2', ...more }, RESULT));
  const codes = (body: Uint8Array) =>
    decodeMessage(body, form).message.body.map((e) => (e.kind === 'Status' ? e.code : e.kind));

  it.each([
    ['changes SessionID', { session: '0B' }, 'answered session "0A" with SessionID "0B"'],
    ['changes SessionID to none', { session: '' }, 'with SessionID ""'],
    ['answers another device', { target: 'RAW:2' }, 'is for "RAW:2", not for "RAW:1"'],
  ])(
    'a server that %s in the midst ends it: its device hears so, others nothing [IW-REL-1] [IW-SES-10]',
    async (_, wrong, why) => {
      const { got, gateway } = await relayed([ask(), ask({ msgId: '2', ...wrong })]);
      await gateway.post(encode(opening()), type);
      const { status, body } = await beside(gateway, () => gateway.post(reply(), type));
      expect(status).toBe(200);
      expect(codes(body)).toEqual(['500']);
      expect(decodeMessage(body, form).message).toMatchObject({
        final: true,
        header: { sessionId: '0A', msgId: '2', target: { uri: DEVICE } },
      });
      expect(got).toHaveLength(2);
      const [trace] = await gateway.traces(DEVICE);
      expect(trace).toMatchObject({ ending: 'backend-failed', detail: expect.stringContaining(why) });
      expect(trace!.trace).toContainEqual(
        expect.objectContaining({ kind: 'note', rule: 'IW-REL-1', text: expect.stringContaining(why) }),
      );
    },
  );

  it.each([
    ['changes SessionID', reply({ sessionId: '0B' }), 200, 'no-session', ['500']],
    ['goes back in MsgID', reply({ msgId: '1' }), 200, 'out-of-order', ['400']],
    ['is not to be read', encode(opening()).subarray(0, 150), 400, 'malformed', undefined],
    ['is too large', Buffer.alloc(9000, 0x20), 413, 'too-large', undefined],
  ])(
    'a message of the device that %s is refused, and the session goes on unharmed [IW-REL-1] [IW-SES-3]',
    async (_, wrong, status, result, told) => {
      const { got, gateway } = await relayed([ask(), end], { limits: { messageBytes: 8192 } });
      await gateway.post(encode(opening()), type);
      const refused = await beside(gateway, () => gateway.post(wrong, type));
      expect(refused.status).toBe(status);
      if (told) expect(codes(refused.body)).toEqual(told);
      if (result !== 'too-large') expect(gateway.logged(result)).toBeDefined();
      expect(got).toHaveLength(1);
      expect((await gateway.post(reply(), type)).status).toBe(200);
      expect(got).toHaveLength(2);
      expect((await gateway.traces(DEVICE)).map(({ ending }) => ending)).toEqual(['completed']);
    },
  );

  it('a server that does not count its messages up is passed on, with a note [IW-REL-1]', async () => {
    const { gateway } = await relayed([ask(), ask(), end]);
    await gateway.post(encode(opening()), type);
    const second = await gateway.post(reply(), type);
    expect(codes(second.body)).toEqual(['200', 'Get']);
    await gateway.post(reply({ msgId: '3' }), type);
    const [trace] = await gateway.traces(DEVICE);
    expect(trace).toMatchObject({ ending: 'completed' });
    const notes = trace!.trace.filter(({ kind }) => kind === 'note').map(({ text }) => text);
    expect(notes).toEqual(['The server numbers its message 1 after 1.']);
  });

  it('what DM does not know passes as it is, in another encoding with a note [IW-REL-1]', async () => {
    const put = '<Put><CmdID>3</CmdID><Item><Data>x</Data></Item></Put>';
    const given = (server: string) => ({
      body: encode(answer({ source: server, targetRef: server }, GET + put)),
      headers: type,
    });
    const { gateway } = await relayed([given, end]);
    const { body } = await gateway.post(encode(opening()), type);
    expect(codes(body)).toEqual(['200', 'Get', 'Foreign']);
    const other = form === 'xml' ? 'wbxml' : 'xml';
    const crossing = await relayed([given, end], {}, { encoding: form });
    await crossing.gateway.post(encoders[other](opening()), { 'content-type': TYPES[other] });
    const notes = async ({ traces }: typeof gateway) =>
      (await traces(DEVICE))[0]!.trace.filter(({ kind }) => kind === 'note').map(({ text }) => text);
    expect(await notes(gateway)).toEqual([]);
    expect(await notes(crossing.gateway)).toEqual(['Put goes into the other encoding without its content.']);
  });

  it('a RespURI of another host is followed where the operator allows that host [IW-REL-1] [IW-SES-9]', async () => {
    const other = await relayed([end]);
    const respURI = `${other.url}?node=2`;
    const { got, gateway } = await relayed([ask({ respURI })], {
      outbound: { allow: [new URL(other.url).host] },
    });
    const first = await gateway.post(encode(opening()), type);
    expect(decodeMessage(first.body, form).message.header.respURI).toBe(gateway.dm);
    const second = await gateway.post(reply(), { ...type, authorization: 'Bearer of-the-device' });
    expect(codes(second.body)).toEqual(['200']);
    expect(got).toHaveLength(1);
    expect(other.got.map(({ url }) => url)).toEqual(['/dm?node=2']);
  });

  it('a signed message with what its server may not do reaches no device [IW-REL-1] [20§10.3]', async () => {
    const signed = { 'x-syncml-hmac': 'username="srv", mac=AAAAAAAAAAAAAAAAAAAAAA==' };
    const rules = [{ moid: '*fumo*', rights: ['read'] }];
    const { got, gateway } = await relayed(
      [(server) => ({ ...ask()(server), headers: { ...type, ...signed } })],
      {},
      { access: rules },
    );
    const { body } = await gateway.post(encode(opening()), type);
    expect(codes(body)).toEqual(['500', '500', '500']);
    // Nor would the server take an abort that nobody has signed.
    expect(got).toHaveLength(1);
    const [trace] = await gateway.traces(DEVICE);
    expect(trace).toMatchObject({ ending: 'backend-failed' });
    expect(trace!.trace.filter(({ kind }) => kind === 'note').map(({ text }) => text)).toEqual([
      'legacy has no right to Get ./DevInfo/Man.',
      expect.stringContaining('stands in a message that is signed'),
      'The server is not told: it takes signed messages only.',
    ]);
  });

  it('what stands in a secret node is in no trace, whichever side says it [IW-REL-1] [IW-ADDR-3]', async () => {
    const secret = 'tr0ub4dor';
    const node = './DMAcc/acc/AppAuth/1/AAuthSecret';
    const set = `<Replace><CmdID>2</CmdID><Item><Target><LocURI>${node}</LocURI></Target><Data>${secret}</Data></Item></Replace>`;
    const told = `<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status><Results><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>3</CmdRef><Item><Source><LocURI>${node}</LocURI></Source><Data>${secret}</Data></Item></Results><Final/>`;
    const { got, gateway } = await relayed([
      (server) => ({ body: encode(answer({ source: server, targetRef: server }, set)), headers: type }),
      end,
    ]);
    const cred = `<Cred><Meta><Type xmlns="syncml:metinf">syncml:auth-basic</Type></Meta><Data>cGhvbmU6c2VjcmV0</Data></Cred>`;
    const first = await gateway.post(
      encode(syncml({ device: DEVICE, sessionId: '0A', cred }, packageOne(DEVICE))),
      type,
    );
    expect(Buffer.from(first.body).toString('latin1')).toContain(secret);
    await gateway.post(encode(syncml({ device: DEVICE, sessionId: '0A', msgId: '2' }, told)), type);
    expect(Buffer.from(got[0]!.body).toString('latin1')).toContain('cGhvbmU6c2VjcmV0');
    expect(Buffer.from(got[1]!.body).toString('latin1')).toContain(secret);
    const [trace] = await gateway.traces(DEVICE);
    const shown = JSON.stringify(trace);
    expect(shown).toContain(node);
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain('cGhvbmU6c2VjcmV0');
    expect(JSON.stringify(gateway.log)).not.toContain(secret);
    // Both legs are there, message by message.
    expect(trace!.trace.map(({ kind }) => kind)).toEqual([
      'open',
      'backend.exchange',
      'registry.save',
      'reply',
      'device',
      'backend.exchange',
      'reply',
      'end',
    ]);
  });
});

it('a device that speaks of another device is that device to its server [IW-REL-1] [IW-SES-2]', async () => {
  const { got, gateway } = await relayed([
    (server) => ({ body: answer({ source: server, targetRef: server, target: 'RAW:9' }, GET) }),
  ]);
  const body = syncml({ device: 'RAW:9', sessionId: '0A' }, packageOne(DEVICE));
  expect((await post(gateway.dm, body, { 'content-type': TYPES.xml })).status).toBe(200);
  expect(got).toHaveLength(1);
  expect(await gateway.traces('RAW:9')).toHaveLength(1);
});

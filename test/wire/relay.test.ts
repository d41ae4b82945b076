import { describe, expect, it } from 'vitest';
import { hmac, userHash } from '../../src/dm1/auth/digests.ts';
import { packageOne, post, statuses, syncml, TYPES } from './harness.ts';
import { answer, DEVICE, encoders, escaped, GET, opening, ours, RESULT, relayed, XML } from './relayed.ts';

/** A message such as no encoder of ours writes: another order, prefixes, comments, a CDATA section, entities, white space. */
const odd = (target: string) => `\uFEFF<?xml version="1.0"?>
<!-- the device's own hand -->
<S:SyncML xmlns:S='SYNCML:SYNCML1.2' xmlns:m="syncml:metinf">
  <S:SyncHdr>
    <S:VerDTD>1.2</S:VerDTD ><S:VerProto>DM/1.2</S:VerProto><S:SessionID>0A</S:SessionID><S:MsgID>1</S:MsgID>
    <S:Source><S:LocName>phöne</S:LocName><S:LocURI>${DEVICE}</S:LocURI></S:Source>
    <S:Target><S:LocURI>${target}</S:LocURI></S:Target>
  </S:SyncHdr>
  <S:SyncBody><S:Alert><S:Data>1201</S:Data><S:CmdID>1</S:CmdID></S:Alert>
    <S:Replace><S:CmdID>2</S:CmdID><S:Item><S:Source><S:LocURI>./DevInfo/Man</S:LocURI></S:Source><S:Data><![CDATA[<R&D>]]></S:Data></S:Item></S:Replace><S:Final></S:Final></S:SyncBody>
</S:SyncML>
`;

describe.each(['xml', 'wbxml'] as const)('a relayed message in %s', (form) => {
  const encode = encoders[form];
  const type = { 'content-type': TYPES[form] };

  it('keeps every byte but the addresses by which each side knows the other [IW-REL-1] [IW-SES-9]', async () => {
    const { got, url, gateway } = await relayed([
      (server) => ({
        body: encode(answer({ source: server, targetRef: server, respURI: `${server}?s=1&amp;t=2` }, GET)),
        headers: type,
      }),
      (server) => ({
        body: encode(answer({ source: server, targetRef: server, msgId: '2' })),
        headers: type,
      }),
    ]);
    const first = await gateway.post(encode(odd(escaped(ours))), type);
    expect(got[0]!.body).toEqual(Buffer.from(encode(odd(url))));
    const shown = escaped(ours);
    expect(first.body).toEqual(
      Buffer.from(encode(answer({ source: shown, targetRef: shown, respURI: gateway.dm }, GET))),
    );
    const reply = (target: string, sourceRef: string) =>
      encode(
        syncml({ device: DEVICE, msgId: '2', sessionId: '0A', target }, RESULT.replace('SRV', sourceRef)),
      );
    const second = await gateway.post(reply(gateway.dm, shown), type);
    // The second goes where the server asked for it, and names the server by its own name.
    expect(got[1]!.url).toBe('/dm?s=1&t=2');
    expect(got[1]!.body).toEqual(Buffer.from(reply(`${url}?s=1&amp;t=2`, url)));
    expect(second.body).toEqual(
      Buffer.from(encode(answer({ source: shown, targetRef: gateway.dm, msgId: '2' }))),
    );
    expect((await gateway.traces(DEVICE)).map(({ ending }) => ending)).toEqual(['completed']);
  });

  it('that is signed keeps every byte, and its signature stays good [IW-REL-1] [IW-AUTH-1]', async () => {
    const key = userHash('phone', 'secret');
    const nonce = Buffer.from('nonce');
    const sign = (body: Uint8Array) => ({
      'x-syncml-hmac': `algorithm=MD5, username="phone", mac=${hmac(key, nonce, body)}`,
    });
    const asked = encode(odd(escaped(ours)));
    const answered = encode(answer({ source: 'http://srv.example/', targetRef: escaped(ours) }, GET));
    // Not even the other encoding is forced on it.
    const { got, gateway } = await relayed(
      [() => ({ body: answered, headers: { ...type, ...sign(answered) } })],
      {},
      { encoding: form === 'xml' ? 'wbxml' : 'xml' },
    );
    const reply = await gateway.post(asked, { ...type, ...sign(asked) });
    expect(got[0]!.body).toEqual(Buffer.from(asked));
    expect(got[0]!.headers['x-syncml-hmac']).toBe(sign(asked)['x-syncml-hmac']);
    expect(reply.body).toEqual(Buffer.from(answered));
    expect(reply.headers['x-syncml-hmac']).toBe(sign(reply.body)['x-syncml-hmac']);
    // Its repeat is answered from the record, signature included.
    const again = await gateway.post(asked, { ...type, ...sign(asked) });
    expect(got).toHaveLength(1);
    expect(again.body).toEqual(reply.body);
    expect(again.headers['x-syncml-hmac']).toBe(reply.headers['x-syncml-hmac']);
  });

  it.each([
    ['changes SessionID', { session: '0B' }, 'SessionID'],
    ['answers another device', { target: 'RAW:2' }, 'RAW:2'],
  ])(
    'of a server that %s is bad input: it does not reach the device [IW-REL-1] [IW-SES-2]',
    async (_, wrong, told) => {
      const { gateway } = await relayed([
        (server) => ({
          body: encode(answer({ source: server, targetRef: server, ...wrong }, GET)),
          headers: type,
        }),
      ]);
      const { body, status } = await gateway.post(
        encode(syncml({ device: DEVICE, sessionId: '0A' }, packageOne(DEVICE))),
        type,
      );
      expect(status).toBe(200);
      const text = form === 'xml' ? body.toString() : '';
      if (form === 'xml') {
        expect(statuses(text)).toEqual([
          ['SyncHdr', '500'],
          ['Alert', '500'],
          ['Replace', '500'],
        ]);
        expect(text).toContain('<SessionID>0A</SessionID>');
      }
      expect(body.toString('latin1')).not.toContain('./DevInfo/Man');
      const [trace] = await gateway.traces(DEVICE);
      expect(trace).toMatchObject({ ending: 'backend-failed', detail: expect.stringContaining(told) });
      // The session is over: what the device sends in it next belongs to none.
      const next = await gateway.post(
        encode(syncml({ device: DEVICE, sessionId: '0A', msgId: '2' }, RESULT)),
        type,
      );
      expect(next.status).toBe(200);
      expect(gateway.logged('no-session')).toBeDefined();
    },
  );

  it('of a device that changes SessionID belongs to no session [IW-REL-1] [IW-SES-3]', async () => {
    const { got, gateway } = await relayed([
      (server) => ({ body: encode(answer({ source: server, targetRef: server }, GET)), headers: type }),
    ]);
    await gateway.post(encode(syncml({ device: DEVICE, sessionId: '0A' }, packageOne(DEVICE))), type);
    await gateway.post(encode(syncml({ device: DEVICE, sessionId: '0B', msgId: '2' }, RESULT)), type);
    expect(gateway.logged('no-session')).toBeDefined();
    expect(got).toHaveLength(1);
  });
});

describe('a relay', () => {
  it('follows no RespURI that the outbound guard forbids [IW-REL-1] [IW-SES-9]', async () => {
    const { got, gateway } = await relayed([
      (server) => ({
        body: answer({ source: server, targetRef: server, respURI: 'http://10.0.0.1/steal' }, GET),
      }),
    ]);
    const first = await gateway.post(opening(), XML);
    expect(first.text).toContain(`<RespURI>${gateway.dm}</RespURI>`);
    const second = await gateway.post(syncml({ device: DEVICE, sessionId: '0A', msgId: '2' }, RESULT), XML);
    expect(statuses(second.text)).toEqual([['SyncHdr', '403']]);
    expect(second.text).toContain('<MsgID>2</MsgID>');
    expect(got).toHaveLength(1);
    expect((await gateway.traces(DEVICE))[0]).toMatchObject({ ending: 'backend-failed' });
  });

  it('says in the trace that a signed RespURI leads the device past it [IW-REL-1] [IW-SES-9]', async () => {
    const signed = { 'x-syncml-hmac': 'username="srv", mac=AAAAAAAAAAAAAAAAAAAAAA==' };
    const { got, url, gateway } = await relayed([
      (server) => ({
        body: answer({ source: server, targetRef: server, respURI: `${server}?s=1` }, GET),
        headers: signed,
      }),
    ]);
    const first = await gateway.post(opening(), XML);
    expect(first.text).toContain(`<RespURI>${url}?s=1</RespURI>`);
    expect(first.headers['x-syncml-hmac']).toBe(signed['x-syncml-hmac']);
    const [trace] = await gateway.traces(DEVICE);
    expect(trace!.trace).toContainEqual(
      expect.objectContaining({ rule: 'IW-REL-1', text: expect.stringContaining('leaves the gateway') }),
    );
    // One that comes back all the same is taken where the server wanted it.
    await gateway.post(syncml({ device: DEVICE, sessionId: '0A', msgId: '2' }, RESULT), XML);
    expect(got.map(({ url: asked }) => asked)).toEqual(['/dm', '/dm?s=1']);
  });

  it("finds a server that names itself by the gateway's own address behind it [IW-REL-1] [IW-SES-9]", async () => {
    const { got, gateway } = await relayed([
      () => ({
        body: answer({ source: gateway.dm, targetRef: gateway.dm, respURI: `${gateway.dm}/in?s=7` }, GET),
      }),
    ]);
    await gateway.post(opening(), XML);
    await gateway.post(syncml({ device: DEVICE, sessionId: '0A', msgId: '2' }, RESULT), XML);
    expect(got.map(({ url }) => url)).toEqual(['/dm', '/dm/in?s=7']);
  });

  it('passes on what a device tells its server over HTTP, and nothing else [IW-REL-1]', async () => {
    const { gateway, got } = await relayed([
      (server) => ({ body: answer({ source: server, targetRef: server }) }),
    ]);
    await post(`${gateway.dm}?mode=Maintenance&Platform=WoA`, opening(), {
      ...XML,
      'user-agent': 'MSFT OMA DM Client/1.2.0.1',
      authorization: 'Bearer of-the-device',
      cookie: 'a=b',
    });
    expect(got[0]!.url).toBe('/dm?mode=Maintenance&Platform=WoA');
    expect(got[0]!.headers).toMatchObject({
      'user-agent': 'MSFT OMA DM Client/1.2.0.1',
      authorization: 'Bearer of-the-device',
      'content-type': TYPES.xml,
    });
    expect(got[0]!.headers).not.toHaveProperty('cookie');
  });

  it('ends a session that has no end [IW-REL-1]', async () => {
    const endless = (server: string) => ({ body: answer({ source: server, targetRef: server }, GET) });
    const { got, gateway } = await relayed([endless, endless, () => ({ body: '' })], {
      limits: { messages: 2 },
    });
    await gateway.post(opening(), XML);
    const last = await gateway.post(syncml({ device: DEVICE, sessionId: '0A', msgId: '2' }, RESULT), XML);
    expect(statuses(last.text)).toEqual([['SyncHdr', '503']]);
    expect(got[2]!.body.toString()).toContain('<Data>1223</Data>');
    expect(got[2]!.body.toString()).toContain('<MsgID>3</MsgID>');
  });
});

import { describe, expect, it } from 'vitest';
import { measure } from '../../../src/dm1/codec.ts';
import type { BodyElement, Item, SyncHdr, SyncMLMessage } from '../../../src/dm1/message.ts';
import { ClientLeg, type ClientLegOptions, type ServerPackage } from '../../../src/dm1/session/client.ts';
import {
  alert,
  DEVICE,
  headerStatus,
  jsonSize,
  leaf,
  type Peer,
  play,
  SERVER,
  script,
  sizeOf,
  status,
  statuses,
  xml,
} from './play.ts';

const nonce = new Uint8Array(16).fill(3);
const nonce2 = new Uint8Array(16).fill(4);
const md5 = (nextNonce: Uint8Array) => ({ type: 'syncml:auth-md5', format: 'b64', nextNonce });
const info: readonly Item[] = [leaf('./DevInfo/DevId', DEVICE), leaf('./DevInfo/Man', 'Acme')];
const content = { sessionAlert: '1201', devInfo: info, alerts: [] } as const;

function client(options: Partial<ClientLegOptions> = {}): ClientLeg {
  return new ClientLeg({
    sessionId: 'AB12',
    deviceId: DEVICE,
    serverUrl: SERVER,
    verDTD: '1.2',
    verProto: 'DM/1.2',
    encoding: xml,
    measure: jsonSize,
    measureEnvelope: jsonSize,
    maxMsgSize: 16000,
    scheme: 'none',
    maxMessages: 30,
    ...options,
  });
}

/** The server's next message, answering the client's header. */
function reply(
  sent: SyncMLMessage,
  body: readonly BodyElement[] = [],
  more: Partial<SyncHdr> & { final?: boolean; code?: number; chal?: ReturnType<typeof md5> } = {},
): SyncMLMessage {
  const { final = true, code = 212, chal, ...rest } = more;
  return {
    header: {
      verDTD: '1.2',
      verProto: 'DM/1.2',
      sessionId: 'AB12',
      msgId: sent.header.msgId,
      target: { uri: DEVICE },
      source: { uri: SERVER },
      ...rest,
    },
    body: [headerStatus(sent.header.msgId, code, chal), ...body],
    final,
  };
}

const done: Peer = (sent) => reply(sent);
const readCommand = (cmdId: string, uri: string) =>
  ({ kind: 'Get', cmdId, items: [{ target: { uri } }] }) as const;
const write = (cmdId: string, uri: string, data: string, more: Partial<Item> = {}) =>
  ({
    kind: 'Add',
    cmdId,
    items: [{ target: { uri }, meta: { format: 'chr' }, data, ...more }],
  }) as const;

/** A leg that has been given these commands. */
function asked(
  body: readonly BodyElement[],
  options: Partial<ClientLegOptions> = {},
  more: Parameters<typeof reply>[2] = {},
) {
  const leg = client(options);
  const { result } = play(
    leg.open(content),
    script((m) => reply(m, body, more)),
  );
  return { leg, result };
}

const ids = (result: ServerPackage) =>
  result.kind === 'commands'
    ? result.commands.map(({ msgId, command }) => `${msgId}/${command.cmdId}`)
    : result.kind;

const outline = (sent: SyncMLMessage | undefined) =>
  sent?.body.map((e) =>
    e.kind === 'Status' ? `${e.cmd} ${e.msgRef}/${e.cmdRef} ${e.code}` : e.kind === 'Alert' ? e.code : e.kind,
  );

describe('opening of a session with a legacy server', () => {
  it('sends session alert, DevInfo and alerts in Package 1 [IW-SES-7] [1x§2.1]', () => {
    const leg = client({ userName: 'bruce' });
    const generic = { kind: 'Alert', code: '1226', items: [{ data: '1' }] } as const;
    const { sent, presents, result } = play(
      leg.open({ ...content, sessionAlert: '1200', alerts: [generic] }),
      done,
    );
    expect(result).toEqual({ kind: 'end' });
    expect(presents).toEqual([undefined]);
    expect(sent).toEqual([
      {
        header: {
          verDTD: '1.2',
          verProto: 'DM/1.2',
          sessionId: 'AB12',
          msgId: '1',
          target: { uri: SERVER },
          source: { uri: DEVICE, name: 'bruce' },
          meta: { maxMsgSize: 16000 },
        },
        body: [alert('1', '1200'), { kind: 'Replace', cmdId: '2', items: info }, { ...generic, cmdId: '3' }],
        final: true,
      },
    ]);
  });

  it('tells what the server said to its alerts [IW-ALERT-6]', () => {
    const leg = client();
    const alerts = ['a', 'b'].map((data) => ({ kind: 'Alert', code: '1226', items: [{ data }] }) as const);
    play(
      leg.open({ ...content, alerts }),
      script((m) =>
        reply(m, [
          status('2', { msgRef: '1', cmdRef: '1', cmd: 'Alert' }, 200),
          status('3', { msgRef: '1', cmdRef: '4', cmd: 'Alert' }, 500),
          status('4', { msgRef: '1', cmdRef: '3', cmd: 'Alert' }, 200),
        ]),
      ),
    );
    expect(leg.alertStatuses.map(({ alert, code }) => [alert.items[0]?.data ?? alert.code, code])).toEqual([
      ['1201', 200],
      ['b', 500],
      ['a', 200],
    ]);
  });

  it('spreads Package 1 over messages under the server’s MaxMsgSize, asked on by 1222 [1x§2.3]', () => {
    const many = Array.from({ length: 12 }, (_, at) => leaf(`./DevInfo/Ext/${at}`, 'x'.repeat(40)));
    const leg = client({ scheme: 'basic' });
    let refused = false;
    // The size is known once the server has spoken: here in its challenge.
    const { sent, result } = play(leg.open({ ...content, devInfo: many }), (m) => {
      if (refused) return reply(m, m.final ? [] : [alert('2', '1222')], { final: m.final });
      refused = true;
      return reply(m, [], { code: 401, chal: md5(nonce), meta: { maxMsgSize: 1400 } });
    });
    expect(result).toEqual({ kind: 'end' });
    expect(sent.length).toBeGreaterThan(2);
    expect(sent.slice(1).map(({ final }) => final)).toEqual(
      sent.slice(1).map((_, at) => at === sent.length - 2),
    );
    for (const m of sent.slice(1)) expect(sizeOf(m)).toBeLessThanOrEqual(1400);
    const items = sent.slice(1).flatMap((m) => m.body.flatMap((e) => (e.kind === 'Replace' ? e.items : [])));
    expect(items).toEqual(many);
  });

  it('repeats Package 1 with Cred after a challenge, and not a third time [IW-AUTH-3] [1x§9.4]', () => {
    const refuse: Peer = (m) =>
      reply(m, [status('2', { msgRef: '1', cmdRef: '1', cmd: 'Alert' }, 401)], {
        code: 401,
        chal: md5(nonce),
      });
    const leg = client({ scheme: 'md5' });
    const { sent, presents, result } = play(leg.open(content), refuse);
    expect(result).toEqual({ kind: 'refused', code: 401 });
    expect(presents).toEqual([undefined, { scheme: 'md5', nonce }]);
    expect(sent[1]?.header.msgId).toBe('2');
    expect(outline(sent[1])).toEqual(['SyncHdr 1/0 200', '1201', 'Replace']);
    expect(leg.nextNonce).toBeUndefined();
    expect(leg.alertStatuses).toEqual([]);
  });

  it.each([
    [{ scheme: 'none' } as const, 401],
    [{ scheme: 'basic' } as const, 503],
    [{ scheme: 'basic' } as const, 513],
  ])('gives up with %j on %i', (options, code) => {
    const { result } = play(client(options).open(content), (m) => reply(m, [], { code, chal: md5(nonce) }));
    expect(result).toEqual({ kind: 'refused', code });
  });

  it('presents at once what needs no challenge, and stops after 212; keeps the nonce for next time [1x§9.3]', () => {
    const leg = client({ scheme: 'md5', nonce });
    const first = play(
      leg.open(content),
      script((m) => reply(m, [readCommand('3', './a')], { chal: md5(nonce2) })),
    );
    const second = play(leg.answer([{ code: 404 }]), done);
    expect([...first.presents, ...second.presents]).toEqual([{ scheme: 'md5', nonce }, undefined]);
    expect(leg.nextNonce).toEqual(nonce2);
  });

  it('presents again in every message while the server says 200, each time with its newest nonce [1x§2.6]', () => {
    const leg = client({ scheme: 'hmac', nonce });
    const chal = { ...md5(nonce2), type: 'syncml:auth-MAC' };
    const first = play(
      leg.open(content),
      script((m) => reply(m, [readCommand('3', './a')], { code: 200, chal })),
    );
    const second = play(leg.answer([{ code: 404 }]), (m) => reply(m, [], { code: 200 }));
    expect([...first.presents, ...second.presents]).toEqual([
      { scheme: 'hmac', nonce },
      { scheme: 'hmac', nonce: nonce2 },
    ]);
  });

  it('presents nothing for md5 without a nonce: the challenge has to come first [1x§9.4]', () => {
    expect(play(client({ scheme: 'md5' }).open(content), done).presents).toEqual([undefined]);
  });

  it('follows RespURI, absolute, relative and junk [IW-SES-9]', () => {
    const to = (respURI: string) => asked([readCommand('3', './a')], {}, { respURI }).leg.url;
    expect(to('https://other.example/s/77')).toBe('https://other.example/s/77');
    expect(to('/s/77')).toBe('https://old.example/s/77');
    expect(to('http://[')).toBe('http://[');
    expect(to('//[')).toBe(SERVER);
    const { leg } = asked([readCommand('3', './a')], {}, { respURI: 'https://other.example/s/77' });
    expect(play(leg.answer([]), done).sent[0]?.header.target.uri).toBe('https://other.example/s/77');
  });
});

describe('packages of a legacy server', () => {
  it('hands on commands in order, and nothing of the protocol’s own', () => {
    const { result } = asked([
      status('2', { msgRef: '1', cmdRef: '1', cmd: 'Alert' }, 200),
      readCommand('3', './a'),
      alert('4', '1222'),
      alert('5', '1101', [{}, { data: 'Sure?' }]),
      { kind: 'Sequence', cmdId: '6', commands: [readCommand('7', './b')] },
      { kind: 'Foreign', name: 'Put', cmdId: '8' },
    ]);
    expect(ids(result)).toEqual(['1/3', '1/5', '1/6']);
  });

  it('answers every command in order, children behind their group, Results behind their Get [1x§2.5]', () => {
    const { leg } = asked([
      readCommand('3', './a'),
      alert('4', '1222'),
      alert('5', '1102', [{}, { data: 'Name?' }]),
      { kind: 'Sequence', cmdId: '6', commands: [readCommand('7', './b'), write('8', './c', '1')] },
      { kind: 'Foreign', name: 'Put', cmdId: '9' },
      alert('10', '1226', [{}]),
      alert('11', '1100'),
      { kind: 'Delete', cmdId: '', items: [] },
    ]);
    const { sent, result } = play(
      leg.answer([
        { code: 200, results: [leaf('./a', 'A')] },
        { code: 200, statusItems: [{ data: 'Ann' }] },
        { code: 200, children: [{ code: 200, results: [leaf('./b', 'B')] }, { code: 418 }] },
      ]),
      done,
    );
    expect(result).toEqual({ kind: 'end' });
    expect(outline(sent[0])).toEqual([
      'SyncHdr 1/0 200',
      'Get 1/3 200',
      'Results',
      'Alert 1/4 200',
      'Alert 1/5 200',
      'Sequence 1/6 200',
      'Get 1/7 200',
      'Results',
      'Add 1/8 418',
      'Put 1/9 406',
      'Alert 1/10 406',
      'Alert 1/11 412',
      'Delete 1/ 400',
    ]);
    expect(sent[0]?.final).toBe(true);
    expect(sent[0]?.body[2]).toMatchObject({
      kind: 'Results',
      msgRef: '1',
      cmdRef: '3',
      items: [leaf('./a', 'A')],
    });
    expect(sent[0]?.body[4]).toMatchObject({ items: [{ data: 'Ann' }] });
  });

  it('gives one Status per Item where the codes differ, one for all where not [1x§2.5]', () => {
    const three = { kind: 'Get', items: ['./a', './b'].map((uri) => ({ target: { uri } })) } as const;
    const { leg } = asked([
      { ...three, cmdId: '3' },
      { ...three, cmdId: '4' },
    ]);
    const { sent } = play(
      leg.answer([
        {
          code: 404,
          items: [
            { uri: './a', code: 200 },
            { uri: './b', code: 404 },
          ],
          results: [leaf('./a', 'A')],
        },
        {
          code: 200,
          items: [
            { uri: './a', code: 200 },
            { uri: './b', code: 200 },
          ],
        },
      ]),
      done,
    );
    expect(statuses(sent[0]).map(({ cmdRef, targetRefs, code }) => [cmdRef, targetRefs, code])).toEqual([
      ['0', [DEVICE], '200'],
      ['3', ['./a'], '200'],
      ['3', ['./b'], '404'],
      ['4', [], '200'],
    ]);
  });

  it('answers 500 for a command that nobody answered', () => {
    const { leg } = asked([readCommand('3', './a')]);
    expect(outline(play(leg.answer([]), done).sent[0])).toContain('Get 1/3 500');
  });

  it('ends when the server sends neither command nor challenge, and sends nothing then [1x§2.2]', () => {
    const { result } = asked([status('2', { msgRef: '1', cmdRef: '1', cmd: 'Alert' }, 200)]);
    expect(result).toEqual({ kind: 'end' });
  });

  it('tells a server’s abort, and a server that went away [IW-SES-10]', () => {
    expect(asked([readCommand('3', './a'), alert('4', '1223')]).result).toEqual({ kind: 'aborted' });
    expect(play(client().open(content), script()).result).toEqual({ kind: 'gone' });
  });

  it('executes a package of several messages as it comes, without Final of its own until the server’s [1x§2.3]', () => {
    const { leg, result } = asked([readCommand('3', './a')], {}, { final: false });
    expect(ids(result)).toEqual(['1/3']);
    const { sent, result: next } = play(
      leg.answer([{ code: 404 }]),
      script((m) =>
        reply(m, [status('2', { msgRef: '2', cmdRef: '3', cmd: 'Alert' }, 200), readCommand('3', './b')]),
      ),
    );
    expect(sent[0]?.final).toBe(false);
    expect(outline(sent[0])).toEqual(['SyncHdr 1/0 200', 'Get 1/3 404', '1222']);
    expect(ids(next)).toEqual(['2/3']);
    expect(play(leg.answer([{ code: 404 }]), done).sent[0]?.final).toBe(true);
  });

  it('asks for the rest of a package that has no command yet [1x§2.3]', () => {
    const leg = client();
    const { sent, result } = play(
      leg.open(content),
      script(
        (m) => reply(m, [], { final: false }),
        (m) => reply(m, [readCommand('2', './a')]),
      ),
    );
    expect(outline(sent[1])).toEqual(['SyncHdr 1/0 200', '1222']);
    expect(ids(result)).toEqual(['2/2']);
  });

  it('sends new alerts behind the Statuses of Package 3 [1x§2.1]', () => {
    const { leg } = asked([readCommand('3', './a')]);
    const { sent } = play(
      leg.answer(
        [{ code: 404 }],
        [{ kind: 'Alert', code: '1226', correlator: 'c', items: [{ data: '200' }] }],
      ),
      script((m) => reply(m, [status('2', { msgRef: '2', cmdRef: '3', cmd: 'Alert' }, 202)])),
    );
    expect(outline(sent[0])).toEqual(['SyncHdr 1/0 200', 'Get 1/3 404', '1226']);
    expect(leg.alertStatuses).toMatchObject([{ alert: { correlator: 'c' }, code: 202 }]);
  });

  it('repeats only the refused message when challenged in mid-session [IW-AUTH-3]', () => {
    const leg = client({ scheme: 'md5', nonce });
    play(
      leg.open(content),
      script((m) => reply(m, [readCommand('3', './a')], { code: 200, chal: md5(nonce) })),
    );
    const { sent, presents } = play(
      leg.answer([{ code: 404 }]),
      script(
        (m) => reply(m, [], { code: 401, chal: md5(nonce2) }),
        done as (m: SyncMLMessage) => SyncMLMessage,
      ),
    );
    expect(sent.map(outline)).toEqual([
      ['SyncHdr 1/0 200', 'Get 1/3 404'],
      ['SyncHdr 2/0 200', 'Get 1/3 404'],
    ]);
    expect(presents).toEqual([
      { scheme: 'md5', nonce },
      { scheme: 'md5', nonce: nonce2 },
    ]);
  });

  it('tells a server that presents credentials that they are accepted [1x§9.4]', () => {
    const { leg } = asked([readCommand('3', './a')], {}, { cred: { meta: {}, data: 'x' } });
    expect(outline(play(leg.answer([]), done).sent[0])?.[0]).toBe('SyncHdr 1/0 212');
  });

  it('gives up a session that has no end', () => {
    const leg = client({ maxMessages: 5 });
    const { sent, result } = play(leg.open(content), (m) => reply(m, [alert('2', '1222')], { final: false }));
    expect(sent).toHaveLength(5);
    expect(result).toEqual({ kind: 'given-up', reason: 'Session given up after 5 messages' });
    expect(outline(leg.abort())?.at(-1)).toBe('1223');
  });

  it('aborts with Alert 1223, telling what was not done [1x§2.4]', () => {
    const { leg } = asked([readCommand('3', './a')]);
    const abort = leg.abort()!;
    expect(outline(abort)).toEqual(['SyncHdr 1/0 200', 'Get 1/3 500', '1223']);
    expect(abort.final).toBe(true);
    expect(abort.header.msgId).toBe('2');
  });
});

describe('sizes towards a legacy server', () => {
  const more = { meta: { maxMsgSize: 1300 } };

  it('spreads Results over messages without Final, the last with it [IW-WR-5] [1x§2.3]', () => {
    const { leg } = asked([readCommand('3', './a'), readCommand('4', './b')], {}, more);
    const many = Array.from({ length: 15 }, (_, at) => leaf(`./a/${at}`, 'x'.repeat(60)));
    const { sent, result } = play(leg.answer([{ code: 200, results: many }, { code: 404 }]), (m) =>
      reply(m, m.final ? [] : [alert('2', '1222')], { final: m.final }),
    );
    expect(result).toEqual({ kind: 'end' });
    expect(sent.length).toBeGreaterThan(2);
    for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1300);
    expect(sent.map(({ final }) => final)).toEqual(sent.map((_, at) => at === sent.length - 1));
    expect(sent.slice(0, -1).every((m) => outline(m)?.at(-1) === '1222')).toBe(true);
    const results = sent.flatMap((m) => m.body.flatMap((e) => (e.kind === 'Results' ? e.items : [])));
    expect(results).toEqual(many);
    expect(sent.flatMap((m) => outline(m) ?? []).filter((line) => line.startsWith('Get'))).toEqual([
      'Get 1/3 200',
      'Get 1/4 404',
    ]);
  });

  it('sends a value larger than a message in chunks [IW-WR-5] [1x§8]', () => {
    const data = 'ä€😀<'.repeat(500);
    const { leg } = asked([readCommand('3', './a')], {}, more);
    const { sent, result } = play(leg.answer([{ code: 200, results: [leaf('./a', data)] }]), (m) => {
      const chunk = m.body.find((e) => e.kind === 'Results' && e.items[0]?.moreData);
      const accepted =
        chunk && status('2', { msgRef: m.header.msgId, cmdRef: chunk.cmdId, cmd: 'Results' }, 213);
      return reply(m, [...(accepted ? [accepted] : []), ...(m.final ? [] : [alert('3', '1222')])], {
        final: m.final,
      });
    });
    expect(result).toEqual({ kind: 'end' });
    const chunks = sent.flatMap((m) => m.body.flatMap((e) => (e.kind === 'Results' ? e.items : [])));
    expect(chunks.map((item) => item.data).join('')).toBe(data);
    expect(chunks.map(({ meta }) => meta?.size)).toEqual([
      Buffer.byteLength(data),
      ...chunks.slice(1).map(() => undefined),
    ]);
    expect(chunks.map(({ moreData }) => moreData ?? false)).toEqual(
      chunks.map((_, at) => at < chunks.length - 1),
    );
    for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1300);
  });

  it('stops a large object that the server refuses [1x§8]', () => {
    const { leg } = asked([readCommand('3', './a'), readCommand('4', './b')], {}, more);
    const { sent } = play(
      leg.answer([{ code: 200, results: [leaf('./a', 'x'.repeat(9000))] }, { code: 404 }]),
      (m) => {
        const chunk = m.body.find((e) => e.kind === 'Results');
        const refused =
          chunk && status('2', { msgRef: m.header.msgId, cmdRef: chunk.cmdId, cmd: 'Results' }, 413);
        return reply(m, refused ? [refused, alert('3', '1222')] : [], { final: m.final });
      },
    );
    const chunks = sent.flatMap((m) => m.body.filter((e) => e.kind === 'Results'));
    expect(chunks).toHaveLength(1);
    expect(outline(sent.at(-1))).toContain('Get 1/4 404');
  });

  it('stops a large object that the server dropped with Alert 1225 [1x§8]', () => {
    const { leg } = asked([readCommand('3', './a'), readCommand('4', './b')], {}, more);
    const { sent } = play(
      leg.answer([{ code: 200, results: [leaf('./a', 'x'.repeat(9000))] }, { code: 404 }]),
      (m) =>
        reply(
          m,
          m.body.some((e) => e.kind === 'Results')
            ? [alert('2', '1225', [{ source: { uri: './a' } }]), alert('3', '1222')]
            : [],
          { final: m.final },
        ),
    );
    expect(sent.flatMap((m) => m.body.filter((e) => e.kind === 'Results'))).toHaveLength(1);
    expect(outline(sent.at(-1))).toContain('Get 1/4 404');
  });

  it('answers 413 instead of a value whose name alone fills a message, and shortens a Status [1x§1.3]', () => {
    const notes: string[] = [];
    const { leg } = asked(
      [readCommand('3', './a'), alert('4', '1102', [{}, { data: 'Name?' }])],
      {
        note: (text) => notes.push(text),
      },
      more,
    );
    const long = leaf(`./${'n'.repeat(900)}`, 'v');
    const { sent } = play(
      leg.answer([
        { code: 200, results: [long] },
        { code: 200, statusItems: [{ data: 'x'.repeat(2000) }] },
      ]),
      done,
    );
    expect(sent.map(outline)).toEqual([
      ['SyncHdr 1/0 200', 'Get 1/3 413', '1222'],
      ['SyncHdr 2/0 200', 'Alert 1/4 413'],
    ]);
    for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1300);
    expect(notes).toEqual(['Status fits no message of MaxMsgSize and was shortened']);
  });

  it('sends an alert larger than a message in chunks, and settles it with the last [1x§5.2] [1x§8]', () => {
    const { leg } = asked([readCommand('3', './a')], {}, more);
    const big = {
      kind: 'Alert',
      code: '1226',
      items: [{ source: { uri: './x' }, data: 'é<'.repeat(1500) }],
    } as const;
    const small = { kind: 'Alert', code: '1226', items: [{ data: '1' }] } as const;
    const { sent, result } = play(leg.answer([{ code: 404 }], [big, small]), (m) => {
      const told = m.body.flatMap((e) => (e.kind === 'Alert' && e.code === '1226' ? [e] : []));
      const codes = told.map((e) =>
        status(
          '2',
          { msgRef: m.header.msgId, cmdRef: e.cmdId, cmd: 'Alert' },
          e.items[0]?.moreData ? 213 : 200,
        ),
      );
      return reply(m, [...codes, ...(m.final ? [] : [alert('3', '1222')])], { final: m.final });
    });
    expect(result).toEqual({ kind: 'end' });
    const items = sent.flatMap((m) => m.body.flatMap((e) => (e.kind === 'Alert' ? e.items : [])));
    expect(
      items
        .slice(0, -1)
        .map(({ data }) => data)
        .join(''),
    ).toBe(big.items[0].data);
    expect(items.at(-1)).toEqual(small.items[0]);
    for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1300);
    expect(leg.alertStatuses).toEqual([big, small].map((told) => ({ alert: told, code: 200 })));
  });

  it('answers 413 instead of a value above the server’s MaxObjSize [IW-WR-5]', () => {
    const { leg } = asked([readCommand('3', './a')], {}, { meta: { maxObjSize: 100 } });
    const { sent } = play(leg.answer([{ code: 200, results: [leaf('./a', 'x'.repeat(101))] }]), done);
    expect(outline(sent[0])).toEqual(['SyncHdr 1/0 200', 'Get 1/3 413']);
  });
});

describe('large objects of a legacy server [IW-WR-5] [1x§8]', () => {
  const first = (size: number | undefined, data = 'abc') =>
    write('3', './big', data, {
      meta: { format: 'chr', ...(size !== undefined && { size }) },
      moreData: true,
    });

  it('puts chunks together, answers each 213 and hands on the whole', () => {
    const leg = client();
    const { sent, result } = play(
      leg.open(content),
      script(
        (m) => reply(m, [first(6)], { final: false }),
        (m) => reply(m, [write('3', './big', 'def')]),
      ),
    );
    expect(outline(sent[1])).toEqual(['SyncHdr 1/0 200', 'Add 1/3 213', '1222']);
    expect(sent[1]?.final).toBe(false);
    expect(ids(result)).toEqual(['2/3']);
    expect(result).toMatchObject({
      commands: [{ command: { kind: 'Add', items: [{ target: { uri: './big' }, data: 'abcdef' }] } }],
    });
    expect(outline(play(leg.answer([{ code: 200 }]), done).sent[0])).toEqual([
      'SyncHdr 2/0 200',
      'Add 2/3 200',
    ]);
  });

  it.each([
    ['without Size', undefined, 'abc', ['411', '411']],
    ['above MaxObjSize by announcement', 5000, 'abc', ['413', '413']],
    ['of another size than announced', 7, 'abc', ['213', '424']],
  ])('refuses an object %s, to its end', (_, size, data, codes) => {
    const leg = client({ maxObjSize: 1000 });
    const { sent, result } = play(
      leg.open(content),
      script(
        (m) => reply(m, [first(size, data)], { final: false }),
        (m) => reply(m, [write('3', './big', 'def')]),
        (m) => reply(m),
      ),
    );
    expect(result).toEqual({ kind: 'end' });
    expect(
      sent
        .slice(1)
        .flatMap((m) => statuses(m).filter(({ cmd }) => cmd === 'Add'))
        .map(({ code }) => code),
    ).toEqual(codes);
  });

  it('refuses a text that is too large for memory, announced or not', () => {
    const leg = client();
    const million = 'x'.repeat(1 << 20);
    const { sent } = play(
      leg.open(content),
      script(
        (m) => reply(m, [first((4 << 20) + 1)], { final: false }),
        (m) => reply(m, [write('3', './big', '')]),
        (m) => reply(m, [first(5, million)], { final: false }),
        ...[1, 2, 3, 4].map(
          () => (m: SyncMLMessage) =>
            reply(m, [write('3', './big', million, { moreData: true })], { final: false }),
        ),
        (m) => reply(m, [write('3', './big', '')]),
        (m) => reply(m),
      ),
    );
    const codes = sent.flatMap((m) =>
      statuses(m)
        .filter(({ cmd }) => cmd === 'Add')
        .map(({ code }) => code),
    );
    expect(codes).toEqual(['413', '413', '213', '213', '213', '213', '413', '413']);
  });

  it.each(['Atomic', 'Sequence'] as const)(
    'executes no part of an object that comes inside a %s [1x§2.3]',
    (kind) => {
      const leg = client();
      const group = (data: string, moreData: boolean) => ({
        kind,
        cmdId: '2',
        commands: [
          write('3', './small', 'x'),
          write('4', './big', data, { ...(moreData && { moreData, meta: { format: 'chr', size: 6 } }) }),
        ],
      });
      const { sent, result } = play(
        leg.open(content),
        script(
          (m) => reply(m, [group('abc', true)], { final: false }),
          (m) => reply(m, [group('def', false)]),
          (m) => reply(m, [group('whole', false)]),
        ),
      );
      const refused = [`${kind} 1/2 ${kind === 'Atomic' ? 507 : 412}`, 'Add 1/3 215', 'Add 1/4 412'];
      expect(outline(sent[1])).toEqual(['SyncHdr 1/0 200', ...refused, '1222']);
      expect(outline(sent[2])).toEqual([
        'SyncHdr 2/0 200',
        ...refused.map((each) => each.replace(' 1/', ' 2/')),
      ]);
      expect(ids(result)).toEqual(['3/2']);
    },
  );

  it('refuses an object that grows above its limit although it announced less', () => {
    const leg = client({ maxObjSize: 10 });
    const { sent } = play(
      leg.open(content),
      script(
        (m) => reply(m, [first(9, 'abcdefgh')], { final: false }),
        (m) => reply(m, [write('3', './big', 'ijklmn')]),
        (m) => reply(m),
      ),
    );
    expect(statuses(sent[2]).map(({ code }) => code)).toEqual(['200', '413']);
  });

  it('puts a small binary one together in memory, however many chunks it comes in', () => {
    const piece = (bytes: readonly number[], moreData: boolean, size?: number) => ({
      kind: 'Add' as const,
      cmdId: '3',
      items: [
        {
          target: { uri: './big' },
          meta: { format: 'bin', ...(size !== undefined && { size }) },
          data: Uint8Array.from(bytes),
          ...(moreData && { moreData }),
        },
      ],
    });
    const { result } = play(
      client().open(content),
      script(
        (m) => reply(m, [piece([1, 2], true, 5)], { final: false }),
        (m) => reply(m, [piece([3], true)], { final: false }),
        (m) => reply(m, [piece([4, 5], false)]),
      ),
    );
    expect(result).toMatchObject({
      commands: [{ command: { items: [{ data: Buffer.of(1, 2, 3, 4, 5) }] } }],
    });
  });

  describe('that is binary and large', () => {
    const SIZE = 300_000;
    const half = 'A'.repeat(SIZE / 2);
    const chunk = (data: string, more: Partial<Item> = {}, uri = './big') =>
      write('3', uri, data, { meta: { format: 'b64', size: SIZE }, ...more });
    const rest = (data: string, more: Partial<Item> = {}) =>
      write('3', './big', data, { meta: { format: 'b64' }, ...more });
    const take = (maxObjSize: number, ...messages: readonly BodyElement[][]) => {
      const leg = client({ maxObjSize });
      const played = play(
        leg.open(content),
        script(
          ...messages.map(
            (body, i) => (m: SyncMLMessage) => reply(m, body, { final: i === messages.length - 1 }),
          ),
          (m) => reply(m),
        ),
      );
      const codes = played.sent
        .slice(1)
        .flatMap((m) => statuses(m).filter(({ cmd }) => cmd === 'Add'))
        .map(({ code }) => Number(code));
      return { ...played, codes };
    };

    it('is put in the store chunk by chunk and handed on by name', () => {
      const { codes, result } = take(SIZE, [chunk(half, { moreData: true })], [rest(half)]);
      expect(codes).toEqual([213]);
      expect(result).toMatchObject({ kind: 'commands', commands: [{ command: { items: [{}] } }] });
      const { commands } = result as { commands: readonly { command: { items: readonly Item[] } }[] };
      const item = commands[0]!.command.items[0]!;
      expect(item.stored).toMatchObject({ from: 0, bytes: (SIZE / 4) * 3 });
      expect(item).not.toHaveProperty('data');
      expect(item).not.toHaveProperty('moreData');
    });

    it.each([
      ['with a chunk missing', [rest('AAAA')], [213, 424]],
      ['with a chunk repeated', [rest(half, { moreData: true }), rest(half)], [213, 213, 424]],
      ['of no base64', [rest(`*${half.slice(1)}`)], [213, 415]],
    ] as const)('%s is refused, and nothing executed', (_what, later, codes) => {
      const played = take(2 * SIZE, [chunk(half, { moreData: true })], ...later.map((element) => [element]));
      expect(played.codes).toEqual(codes);
      expect(played.result).toEqual({ kind: 'end' });
    });

    it('above MaxObjSize is refused from its first chunk on, and nothing stored', () => {
      const { codes } = take(SIZE - 1, [chunk(half, { moreData: true })], [rest(half)]);
      expect(codes).toEqual([413, 413]);
    });

    it('broken off by another node is told by Alert 1225; the other is executed', () => {
      const { sent, result } = take(
        SIZE,
        [chunk(half, { moreData: true })],
        [write('3', './other', 'x', { meta: { format: 'chr' } })],
      );
      expect(result).toMatchObject({ commands: [{ command: { items: [{ target: { uri: './other' } }] } }] });
      expect(sent).toHaveLength(2);
    });

    it('goes back in chunks that join to the same base64', () => {
      // The codec's own sizes: what is stored counts as what will be sent.
      const leg = client({ measure: (element) => measure(element, xml) });
      play(
        leg.open(content),
        script((m) => reply(m, [readCommand('4', './big')], { meta: { maxMsgSize: 50_000 } })),
      );
      const stored = { object: 'obj_0123456789abcdefghijkl', from: 5, bytes: 100_001 };
      const item: Item = { source: { uri: './big' }, meta: { format: 'b64' }, stored };
      const { sent } = play(leg.answer([{ code: 200, results: [item] }]), (m) =>
        reply(m, m.final ? [] : [alert('3', '1222')], { final: m.final }),
      );
      const parts = sent.flatMap(({ body }) =>
        body.flatMap((element) => (element.kind === 'Results' ? element.items : [])),
      );
      expect(parts.length).toBeGreaterThan(2);
      expect(parts.map(({ meta }) => meta?.size)).toEqual([133_336, ...parts.slice(1).map(() => undefined)]);
      expect(parts.slice(0, -1).every((part) => part.stored!.bytes % 3 === 0 && part.moreData)).toBe(true);
      let next = 5;
      for (const part of parts) {
        expect(part.stored!.from).toBe(next);
        next += part.stored!.bytes;
      }
      expect(next).toBe(100_006);
    });
  });

  it('tells by Alert 1225 that an object has no end, and goes on with what came instead', () => {
    const leg = client();
    const { result } = play(
      leg.open(content),
      script(
        (m) => reply(m, [first(6)], { final: false }),
        (m) => reply(m, [readCommand('3', './a')]),
      ),
    );
    expect(ids(result)).toEqual(['2/3']);
    const { sent } = play(leg.answer([{ code: 404 }]), done);
    expect(outline(sent[0])).toEqual(['SyncHdr 2/0 200', '1225', 'Get 2/3 404']);
    expect(sent[0]?.body[1]).toMatchObject({ items: [{ target: { uri: './big' } }] });
  });

  it('decodes text that was cut inside a character, and keeps binary as bytes', () => {
    const text = Buffer.from('a€b');
    const whole = (format: string) => {
      const part = (data: Uint8Array, more: boolean) =>
        ({
          kind: 'Replace',
          cmdId: '3',
          items: [
            {
              target: { uri: './big' },
              meta: { format, ...(more && { size: 5 }) },
              data,
              ...(more && { moreData: true }),
            },
          ],
        }) as const;
      const { result } = play(
        client().open(content),
        script(
          (m) => reply(m, [part(text.subarray(0, 2), true)], { final: false }),
          (m) => reply(m, [part(text.subarray(2), false)]),
        ),
      );
      const command = result.kind === 'commands' ? result.commands[0]?.command : undefined;
      return command?.kind === 'Replace' ? command.items[0]?.data : undefined;
    };
    expect(whole('chr')).toBe('a€b');
    expect(whole('bin')).toEqual(text);
  });
});

import { describe, expect, it } from 'vitest';
import { xmlToWbxml } from '../../src/dm1/codec.ts';
import type { Command } from '../../src/dm1/message.ts';
import { BOX, ID, known, MAN, play } from './box.ts';
import { listening, post, TYPES } from './harness.ts';
import {
  addressOf,
  devInfo,
  headerOk,
  item,
  kindOf,
  message,
  plainly,
  type RawDevice,
  results,
  type Said,
  status,
  talk,
} from './quirks.ts';

/** Messages and packages of a device (1x§2.3 to §2.6), from a raw peer in both encodings. */

const A = ['DELETE', `${BOX}//A`];
const B = ['DELETE', `${BOX}//B`];
const GET_A = ['GET', `${BOX}//A`];
const GET_B = ['GET', `${BOX}//B`];
const NEXT = (id: number) => `<Alert><CmdID>${id}</CmdID><Data>1222</Data></Alert>`;
const ABORT = (id: number) => `<Alert><CmdID>${id}</CmdID><Data>1223</Data></Alert>`;

/** One Status or Results for each command, in order; Gets of what is not asked for say 404. */
function parts(said: Said, code: (command: Command) => number | undefined = () => 200): string[] {
  const { msgId } = said.message.header;
  return said.commands.flatMap((command, i) => {
    const box = command.kind !== 'Get' || addressOf(command).startsWith('./Box');
    const told = box ? code(command) : 404;
    const own = told === undefined ? [] : [status(i * 2 + 2, msgId, command.cmdId, kindOf(command), told)];
    if (command.kind !== 'Get' || told !== 200) return own;
    const [uri = ''] = addressOf(command).split('?');
    return [...own, results(i * 2 + 3, msgId, command.cmdId, item(uri, `value of ${uri.at(-1)}`))];
  });
}
const asks = (said: Said) => said.commands.some(({ kind }) => kind !== 'Alert');
const codesOf = (said: Said | undefined) =>
  said?.message.body.flatMap((e) => (e.kind === 'Status' ? [`${e.cmd} ${e.cmdRef} ${e.code}`] : []));
const kindsOf = (said: Said | undefined) =>
  said?.message.body.flatMap((e) => (e.kind === 'Status' ? [] : [e.kind === 'Alert' ? e.code : e.kind]));
const notes = async (gateway: Awaited<ReturnType<typeof known>>) =>
  (await gateway.traces(ID))[0]!.trace.flatMap(({ kind, text }) => (kind === 'note' ? [text] : []));

describe.each(['xml', 'wbxml'] as const)('a device in %s', (form) => {
  const wbxml: Partial<RawDevice> = form === 'wbxml' ? { encode: (xml) => xmlToWbxml(xml) } : {};
  const run = (CMD: readonly (readonly string[])[], device: Partial<RawDevice>, config = {}) =>
    play(CMD, { ...wbxml, ...device }, config);

  it.each<[string, (all: string[]) => string[], number[]]>([
    ['in reverse order, Results before Status', (all) => all.toReversed(), [200, 200]],
    ['with a Status twice', (all) => [...all, ...all], [200, 200]],
    ['without the last', (all) => all.slice(0, -2), [200, 500]],
    [
      'with Results but no Status',
      (all) => all.filter((each) => !/<Status>.*<Cmd>Get<.*<Data>200</.test(each)),
      [200, 200],
    ],
    [
      'with some for messages and commands never sent',
      (all) => [
        status(70, '77', '2', 'Get', 500),
        status(71, '1', '77', 'Get', 500),
        results(72, '1', '78', item('./Box/A', 'x')),
        ...all,
      ],
      [200, 200],
    ],
  ])('may answer %s [1x§2.5]', async (_, order, codes) => {
    const { sc, Status, gateway } = await run([GET_A, GET_B], {
      answer: (said) => `${headerOk(said)}${order(parts(said)).join('')}<Final/>`,
    });
    expect(sc).toEqual(codes);
    expect(Status[0]).toMatchObject({ MO: [{ MOData: { A: 'value of A' } }] });
    expect(await notes(gateway)).toEqual(
      _.includes('never sent')
        ? expect.arrayContaining([
            'Status for message 77 ignored',
            'Status for unknown command 77 ignored',
            'Results for unknown command 78 ignored',
          ])
        : expect.not.arrayContaining([expect.stringContaining('ignored')]),
    );
  });

  it('may answer a command twice: what failed has failed [1x§2.5]', async () => {
    const { sc } = await run([A, B], {
      answer: (said) => {
        const late = said.commands
          .filter((c) => addressOf(c) === './Box/A')
          .map((c) => status(80, said.message.header.msgId, c.cmdId, kindOf(c), 405));
        return `${headerOk(said)}${parts(said).join('')}${late.join('')}<Final/>`;
      },
    });
    expect(sc).toEqual([405, 200]);
  });

  it('may spread one package over many messages, one Status each, with and without Alert 1222 [1x§2.3]', async () => {
    const held: string[] = [];
    let reminded = 0;
    const { sc, said, Status } = await run([GET_A, A, B, GET_B], {
      answer: (said) => {
        if (asks(said)) held.push(...parts(said));
        const { msgId } = said.message.header;
        const reminder = said.commands.find(({ kind }) => kind === 'Alert');
        const ok = reminder ? status(90, msgId, reminder.cmdId, 'Alert', 200) : '';
        const part = held.shift() ?? '';
        if (held.length > 0 && held.length % 2 === 0) reminded += 1;
        const more = held.length === 0 ? '<Final/>' : held.length % 2 === 0 ? NEXT(91) : '';
        return `${headerOk(said)}${ok}${part}${more}`;
      },
    });
    expect(sc).toEqual([200, 200, 200, 200]);
    expect(Status[3]).toMatchObject({ MO: [{ MOData: { B: 'value of B' } }] });
    // While the package lasts the gateway only asks on: Statuses, Alert 1222, no Final, no command.
    for (const [i, each] of said.entries()) {
      if (asks(each) || i === said.length - 1) expect(each.message.final).toBe(true);
      else {
        expect(each.message.final).toBe(false);
        expect(kindsOf(each)).toEqual(['1222']);
      }
    }
    // Alert 1222 gets its Status; Results with 200 get none.
    const given = said.flatMap((each) => codesOf(each) ?? []);
    expect(given.filter((each) => each === 'Alert 91 200')).toHaveLength(reminded);
    expect(reminded).toBeGreaterThan(1);
    expect(given.some((each) => each.startsWith('Results'))).toBe(false);
  });

  it('may have nothing to say for a while [1x§2.3]', async () => {
    let open: Said | undefined;
    let silent = 0;
    const { sc, said } = await run([A], {
      answer: (now) => {
        if (asks(now)) open = now;
        if (!said0(now)) return `${headerOk(now)}${parts(now).join('')}<Final/>`;
        silent += 1;
        if (silent < 4) return `${headerOk(now)}${NEXT(2)}`;
        return `${headerOk(now)}${parts(open!).join('')}<Final/>`;
      },
    });
    const silences = said.filter((each) => !each.message.final);
    expect(silences.map(kindsOf)).toEqual([['1222'], ['1222'], ['1222']]);
    expect(sc).toEqual([200]);
    /** Whether the device is, or has begun to be, silent. */
    function said0(now: Said): boolean {
      return silent > 0 || now.commands.some((c) => addressOf(c) === './Box/A');
    }
  });

  it('that never says Final is taken at its word when it has answered, and given up when not [1x§2.3]', async () => {
    const whole = await run([A, B], { answer: (said) => `${headerOk(said)}${parts(said).join('')}` });
    expect(whole.sc).toEqual([200, 200]);
    const half = await run([A, B], { answer: (said) => headerOk(said) });
    expect(half.sc).toEqual([500, 500]);
    expect((await half.gateway.traces(ID))[0]).toMatchObject({ state: 'done', ending: 'completed' });
  });

  it('may number its messages as it likes, and repeat one: the same bytes, nothing twice [IW-SES-4] [1x§1.3]', async () => {
    const { sc, gateway } = await run([A, B], { numbered: (n) => n * n });
    expect(sc).toEqual([200, 200]);
    expect(await notes(gateway)).toContain('MsgID 4 follows 1');
    const again = { id: ID, sessionId: '9', ...wbxml };
    const bytes = (n: number, body: string) => {
      const xml = message(again, n, body);
      return form === 'wbxml' ? xmlToWbxml(xml) : Buffer.from(xml);
    };
    const opening = bytes(1, `<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>${devInfo(ID)}<Final/>`);
    const send = (body: Uint8Array) => post(gateway.dm, body, { 'content-type': TYPES[form] });
    const [first, second] = [await send(opening), await send(opening)];
    expect(second.body.equals(first.body)).toBe(true);
  });

  it('may say NoResp, which DM does not know, and is answered [1x§1.3]', async () => {
    const opening = `<Alert><CmdID>1</CmdID><NoResp/><Data>1201</Data></Alert>${devInfo(ID).replace('</CmdID>', '</CmdID><NoResp/>')}<Final/>`;
    const { sc, said } = await run([MAN], {
      opening,
      answer: (now) => `${headerOk(now)}${parts(now, () => 200).join('')}<Final/>`,
    });
    expect(codesOf(said[0])).toEqual(['SyncHdr 0 212', 'Alert 1 200', 'Replace 2 200']);
    expect(sc).toEqual([404]);
  });

  it('may still be at it (101): its final Status counts, and without one it is accepted (202) [1x§2.6]', async () => {
    let busy: Command[] = [];
    let ref = '';
    const later = await run([A, B], {
      answer: (said) => {
        if (busy.length > 0) {
          const done = busy.map((c, i) => status(i + 2, ref, c.cmdId, kindOf(c), 405));
          busy = [];
          return `${headerOk(said)}${done.join('')}<Final/>`;
        }
        const mine = said.commands.filter((c) => addressOf(c) === './Box/A');
        if (mine.length === 0) return `${headerOk(said)}${parts(said).join('')}<Final/>`;
        busy = mine;
        ref = said.message.header.msgId;
        return `${headerOk(said)}${parts(said, (c) => (mine.includes(c) ? 101 : 200)).join('')}${NEXT(95)}`;
      },
    });
    expect(later.sc).toEqual([405, 200]);
    const never = await run([A, B], {
      answer: (said) =>
        `${headerOk(said)}${parts(said, (c) => (addressOf(c) === './Box/A' ? 101 : 200)).join('')}<Final/>`,
    });
    expect(never.sc).toEqual([202, 200]);
  });

  it.each([false, true])(
    'may finish an Exec later (202): its 1226 brings the Correlator to whoever asked, in the same package: %s [IW-EXEC-2] [1x§5.3]',
    async (same) => {
      const told: { Alert?: { AlertType: string; Data: unknown }[] }[] = [];
      const host = await listening(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        told.push(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        response
          .writeHead(200, { 'content-type': 'application/vnd.oma.dm.request+json' })
          .end('{"CMD":[["END"]]}');
      });
      let correlator = '';
      const report = () =>
        `<Alert><CmdID>70</CmdID><Data>1226</Data><Correlator>${correlator}</Correlator><Item><Source><LocURI>./Box/Run</LocURI></Source><Meta><Type xmlns="syncml:metinf">org.example.done</Type><Format xmlns="syncml:metinf">int</Format></Meta><Data>200</Data></Item></Alert>`;
      const answer = (now: Said): string => {
        const started = now.commands.find(({ kind }) => kind === 'Exec');
        const body = `${headerOk(now)}${parts(now, ({ kind }) => (kind === 'Exec' ? 202 : 200)).join('')}`;
        if (started && 'correlator' in started) correlator = started.correlator ?? '';
        if (started && same) return `${body}${NEXT(96)}`;
        return `${body}${same && correlator !== '' && !asks(now) ? report() : ''}<Final/>`;
      };
      const { sc, gateway } = await run(
        [['EXEC', `${BOX}//Run`, `http://${host}/done`]],
        { answer },
        { outbound: { allow: [host] } },
      );
      expect(sc).toEqual([202]);
      expect(correlator).not.toBe('');
      if (!same) {
        const opening = `<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>${devInfo(ID)}${report()}<Final/>`;
        const [first] = await talk(gateway, { id: ID, sessionId: '5', ...wbxml, opening });
        expect(codesOf(first)).toContain('Alert 70 200');
      }
      const delivered = () =>
        told.map(({ Alert = [] }) => Alert.map(({ AlertType, Data }) => [AlertType, Data]));
      await expect.poll(delivered).toEqual([
        [
          ['urn:oma:at:dm:2.0:ClientInitiatedMgmt', undefined],
          ['org.example.done', { DM1x: 200 }],
        ],
      ]);
    },
  );

  it.each<[string, string, number | undefined]>([
    ['0', 'limits nothing', undefined],
    ['-5', 'limits nothing', undefined],
    ['lots', 'limits nothing', undefined],
    ['99999999999999999999', 'limits nothing', undefined],
    ['1500', 'is kept to', 1500],
    ['2147483647', 'is kept to', 2147483647],
  ])('whose MaxMsgSize is %s %s [1x§1.3]', async (size, _, most) => {
    const many = Array.from({ length: 30 }, (_, i) => ['EXEC', `${BOX}//Run${i}`]);
    const { sc, said } = await run(many, {
      meta: `<Meta><MaxMsgSize xmlns="syncml:metinf">${size}</MaxMsgSize></Meta>`,
      answer: (now) => `${headerOk(now)}${parts(now).join('')}<Final/>`,
    });
    expect(sc).toEqual(many.map(() => 200));
    const carriers = said.filter((each) => each.commands.some(({ kind }) => kind === 'Exec'));
    if (most === 1500) expect(carriers.length).toBeGreaterThan(1);
    else expect(carriers).toHaveLength(1);
    for (const { bytes } of said) expect(bytes).toBeLessThanOrEqual(most ?? 1_000_000);
  });

  it.each([1, 300])(
    'whose MaxMsgSize is %i gets the smallest answer that there is, with 400, and no session [1x§1.3]',
    async (size) => {
      const gateway = await known();
      const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, { CMD: [A] });
      const meta = `<Meta><MaxMsgSize xmlns="syncml:metinf">${size}</MaxMsgSize></Meta>`;
      const said = await talk(gateway, { id: ID, ...wbxml, meta });
      expect(said.map((each) => [codesOf(each), kindsOf(each), each.message.final])).toEqual([
        [['SyncHdr 0 400'], [], true],
      ]);
      const [trace] = await gateway.traces(ID);
      expect(trace).toMatchObject({
        state: 'done',
        ending: 'refused',
        detail: expect.stringContaining(`${size} bytes`),
      });
      expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ state: 'queued' });
    },
  );

  it('whose MaxMsgSize holds a command but not its value or a long name answers for the rest: 413, unsent, with a note [1x§1.3]', async () => {
    const { sc, said, gateway } = await run(
      [['EXEC', `${BOX}//Run`], ['EXEC', `${BOX}//${'x'.repeat(1400)}`], A],
      {
        meta: '<Meta><MaxMsgSize xmlns="syncml:metinf">1400</MaxMsgSize></Meta>',
        answer: (now) => `${headerOk(now)}${parts(now).join('')}<Final/>`,
      },
    );
    expect(sc).toEqual([200, 413, 200]);
    for (const { bytes } of said) expect(bytes).toBeLessThanOrEqual(1400);
    expect((await notes(gateway)).join('\n')).toMatch(/Exec \.\/Box\/x+/);
    expect(said.length).toBeLessThan(8);
  });

  it('opens over several messages: each is answered and asked on, and no command goes before its Final [IW-SES-6] [1x§2.3]', async () => {
    const rest = [
      devInfo(ID, 4),
      `<Alert><CmdID>7</CmdID><Data>1226</Data><Item><Source><LocURI>./Box</LocURI></Source><Meta><Type xmlns="syncml:metinf">org.example.x</Type></Meta><Data>1</Data></Item></Alert><Final/>`,
    ];
    const { sc, said } = await run([A], {
      opening: '<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>',
      answer: (now) => {
        const next = rest.shift();
        return next ? `${headerOk(now)}${next}` : `${headerOk(now)}${parts(now).join('')}<Final/>`;
      },
    });
    expect(said.slice(0, 2).map((each) => [codesOf(each), kindsOf(each), each.message.final])).toEqual([
      [['SyncHdr 0 212', 'Alert 1 200'], ['1222'], false],
      [['SyncHdr 0 212', 'Replace 4 200'], ['1222'], false],
    ]);
    expect(codesOf(said[2])).toEqual(['SyncHdr 0 212', 'Alert 7 200']);
    expect(sc).toEqual([200]);
  });
});

describe.each(['xml', 'wbxml'] as const)('Alert 1223 in %s [1x§2.4]', (form) => {
  const wbxml: Partial<RawDevice> = form === 'wbxml' ? { encode: (xml) => xmlToWbxml(xml) } : {};

  it.each<[string, boolean]>([
    ['with what it had done', false],
    ['in the middle of a package', true],
  ])(
    'of a device %s ends the session; what is left has failed for the backend [IW-SES-10]',
    async (_, split) => {
      let aborting = false;
      const { said, sc, gateway } = await play([A, B, GET_A], {
        ...wbxml,
        answer: (now) => {
          if (aborting) return `${headerOk(now)}${ABORT(2)}<Final/>`;
          const done = parts(now, (c) => (addressOf(c) === './Box/B' ? undefined : 200)).join('');
          const ours = now.commands.some((c) => addressOf(c) === './Box/B');
          if (!ours) return `${headerOk(now)}${done}<Final/>`;
          aborting = split;
          return `${headerOk(now)}${done}${split ? NEXT(96) : `${ABORT(97)}<Final/>`}`;
        },
      });
      expect(sc).toEqual([200, 500, 500]);
      // Statuses for header and alert, no command, Final; and no more.
      const last = said.at(-1)!;
      expect([codesOf(last), kindsOf(last), last.message.final]).toEqual([
        ['SyncHdr 0 212', `Alert ${split ? 2 : 97} 200`],
        [],
        true,
      ]);
      expect((await gateway.traces(ID))[0]).toMatchObject({ state: 'done', ending: 'aborted' });
      // The next session of the device is like any other.
      const after = await talk(gateway, { id: ID, sessionId: '8', ...wbxml, answer: (now) => plainly(now) });
      expect(after.at(-1)!.message.final).toBe(true);
      expect((await gateway.traces(ID))[0]).toMatchObject({ state: 'done', ending: 'completed' });
    },
  );

  it('of a device in its first message is answered, and leaves its commands to the next session [IW-SES-10]', async () => {
    const gateway = await known();
    const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, { CMD: [A] });
    const opening = `<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>${devInfo(ID)}${ABORT(3)}<Final/>`;
    const said = await talk(gateway, { id: ID, ...wbxml, opening });
    expect(said.map((each) => [codesOf(each), kindsOf(each)])).toEqual([
      [['SyncHdr 0 212', 'Alert 1 200', 'Replace 2 200', 'Alert 3 200'], []],
    ]);
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ state: 'queued' });
  });

  it('is sent to a device whose session comes to limits.messages, with all Statuses [IW-SES-10]', async () => {
    const alerts = (n: number) =>
      `<Alert><CmdID>${n}</CmdID><Data>1226</Data><Item><Source><LocURI>./Box</LocURI></Source><Meta><Type xmlns="syncml:metinf">org.example.x</Type></Meta><Data>1</Data></Item></Alert>`;
    const { said, sc, gateway } = await play(
      [A, B],
      {
        ...wbxml,
        answer: (now) =>
          kindsOf(now)?.includes('1223') ? undefined : `${headerOk(now)}${alerts(5)}${NEXT(6)}`,
      },
      { limits: { messages: 5 } },
    );
    const last = said.at(-1)!;
    expect(said).toHaveLength(6);
    expect([codesOf(last), kindsOf(last), last.message.final]).toEqual([
      ['SyncHdr 0 212', 'Alert 5 200', 'Alert 6 200'],
      ['1223'],
      true,
    ]);
    expect(sc).toEqual([500, 500]);
    expect((await gateway.traces(ID))[0]).toMatchObject({ state: 'done', ending: 'aborted' });
  });
});

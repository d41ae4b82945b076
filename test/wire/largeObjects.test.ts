import { describe, expect, it } from 'vitest';
import { xmlToWbxml } from '../../src/dm1/codec.ts';
import type { Item } from '../../src/dm1/message.ts';
import { BOX, ID, known } from './box.ts';
import { listening } from './harness.ts';
import {
  beforeServer,
  codes,
  converse,
  legacyServer,
  outline,
  type Reply,
  SETTINGS,
  type Told,
} from './legacyServer.ts';
import {
  addressOf,
  headerOk,
  item,
  kindOf,
  type RawDevice,
  results,
  type Said,
  status,
  talk,
} from './quirks.ts';

/** Large objects to and from raw peers of both roles, in both encodings (1x§8). */

/** Characters of one to four bytes, and such as XML escapes. */
const TEXT = 'aß€😀<&'.repeat(250);
const BYTES = Buffer.byteLength(TEXT);
/** A text that no session holds. */
const TOO_LARGE = 'tex, '.repeat(1 << 20);
const MAX = 1500;
const SIZES = (maxMsgSize = MAX, maxObjSize?: number) =>
  `<Meta><MaxMsgSize xmlns="syncml:metinf">${maxMsgSize}</MaxMsgSize>${
    maxObjSize === undefined ? '' : `<MaxObjSize xmlns="syncml:metinf">${maxObjSize}</MaxObjSize>`
  }</Meta>`;
const escaped = (data: string) => data.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const alert = (id: number, code: number) => `<Alert><CmdID>${id}</CmdID><Data>${code}</Data></Alert>`;
const NODE = '<Meta><Format xmlns="syncml:metinf">node</Format></Meta>';
const META = '<Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type>';

/** What chunks have to be, whoever sends them: Size first and once, MoreData until the last, all of the value. */
function expectChunks(chunks: readonly Item[], value: string): void {
  expect(chunks.length).toBeGreaterThan(2);
  expect(chunks.map(({ data }) => data).join('')).toBe(value);
  expect(chunks.map(({ meta }) => meta?.size)).toEqual(
    chunks.map((_, i) => (i === 0 ? Buffer.byteLength(value) : undefined)),
  );
  expect(chunks.map(({ moreData }) => moreData === true)).toEqual(
    chunks.map((_, i) => i < chunks.length - 1),
  );
  for (const { meta } of chunks) expect(meta).toMatchObject({ format: 'chr', type: 'text/plain' });
}

describe.each(['xml', 'wbxml'] as const)('a legacy device in %s', (form) => {
  /** How it answers the nth chunk, from 0: the body behind the header's Status, without Final. */
  type Habit = (said: Said, n: number, accepted: string) => string | undefined;

  /** Values that a 2.0 backend has the device fetch, and what the device makes of them. */
  async function fetching(
    commands: (host: string) => readonly (readonly string[])[],
    device: { habit?: Habit; meta?: string; json?: object; text?: string } = {},
  ) {
    const host = await listening((request, response) => {
      const json = request.url === '/json';
      const type = json ? 'application/vnd.oma.dm.mo+json' : 'text/plain';
      response
        .writeHead(200, { 'content-type': type })
        .end(json ? JSON.stringify(device.json) : (device.text ?? TEXT));
    });
    const gateway = await known({ outbound: { allow: [host] } });
    const values: Record<string, string> = { './Box/A': 'a', './Box/B': 'b', './Box/Run': '' };
    const chunks: Item[] = [];
    let open = '';
    let sessions = 0;
    const order = async (CMD: readonly (readonly string[])[]) =>
      (await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, { CMD })).job;
    const raw = (habit: Habit | undefined): RawDevice => ({
      id: ID,
      sessionId: String(++sessions),
      meta: device.meta ?? SIZES(),
      ...(form === 'wbxml' && { encode: (xml: string) => xmlToWbxml(xml) }),
      answer: (said) => {
        const { msgId } = said.message.header;
        let body = '';
        for (const [i, command] of said.commands.entries()) {
          const answer = (code: number) => {
            body += status(i * 2 + 2, msgId, command.cmdId, kindOf(command), code);
          };
          const uri = addressOf(command);
          const [what] = 'items' in command ? command.items : [];
          if (uri === './Box') {
            answer(200);
            body += results(
              i * 2 + 3,
              msgId,
              command.cmdId,
              item(
                uri,
                Object.keys(values)
                  .map((each) => each.slice(6))
                  .join('/'),
                NODE,
              ),
            );
          } else if (command.kind === 'Get') {
            const value = values[uri];
            answer(value === undefined ? 404 : 200);
            if (value !== undefined)
              body += results(i * 2 + 3, msgId, command.cmdId, item(uri, escaped(value)));
          } else if (command.kind === 'Replace' && uri in values) {
            if (what?.moreData || open !== '') chunks.push(what!);
            open += what?.data;
            if (!what?.moreData) {
              values[uri] = open;
              open = '';
            }
            answer(what?.moreData ? 213 : 200);
          } else answer(command.kind === 'Atomic' || command.kind === 'Alert' ? 200 : 404);
        }
        const isChunk = said.commands.some((c) => 'items' in c && c.items.some(({ moreData }) => moreData));
        if (!isChunk && said.message.final) return `${headerOk(said)}${body}<Final/>`;
        const told = habit?.(said, chunks.length - 1, body);
        return habit && told === undefined
          ? undefined
          : `${headerOk(said)}${told ?? `${body}${alert(80, 1222)}`}`;
      },
    });
    const job = await order(commands(host));
    const said = await talk(gateway, raw(device.habit));
    const outcome = async (id = job) => {
      const { Status = [] } = await gateway.api<{ Status?: { sc: number; MO?: unknown }[] }>(
        'GET',
        `/api/jobs/${id}`,
      );
      return Status;
    };
    const again = async (CMD: readonly (readonly string[])[]) => {
      const next = await order(CMD);
      chunks.length = 0;
      open = '';
      await talk(gateway, raw(undefined));
      return outcome(next);
    };
    return { gateway, host, said, values, chunks, sc: (await outcome()).map(({ sc }) => sc), again };
  }
  const hget = (name: string) => (host: string) => [['HGET', `http://${host}/text`, `${BOX}//${name}`]];
  const sendsA = ({ commands }: Said) =>
    commands.some((c) => c.kind === 'Replace' && addressOf(c) === './Box/A');

  it('is sent them in messages of its MaxMsgSize, the Item last and Final with the last chunk [IW-HGET-4] [1x§1.3]', async () => {
    const { said, sc, values, chunks } = await fetching(hget('A'));
    expect(sc).toEqual([200]);
    expect(values['./Box/A']).toBe(TEXT);
    expectChunks(chunks, TEXT);
    for (const { bytes } of said) expect(bytes).toBeLessThanOrEqual(MAX);
    const carrying = said.filter(sendsA);
    expect(carrying.map(({ message }) => message.final)).toEqual(
      carrying.map((_, i) => i === carrying.length - 1),
    );
    // Statuses may stand before it, nothing behind it.
    for (const { message } of carrying) expect(message.body.at(-1)).toMatchObject({ kind: 'Replace' });
  });

  it.each<[string, Habit]>([
    ['says 1222 before 213', (_said, _n, accepted) => `${alert(70, 1222)}${accepted}`],
    ['says 213 and no 1222', (_said, _n, accepted) => accepted],
    ['says 1222 alone', () => alert(70, 1222)],
    ['says 200 for each', (_said, _n, accepted) => accepted.replaceAll('>213<', '>200<')],
    ['says Final each time', (_said, _n, accepted) => `${accepted}<Final/>`],
    [
      'tells of an event meanwhile',
      (_said, n, accepted) =>
        `${accepted}${n > 0 ? '' : `<Alert><CmdID>70</CmdID><Data>1226</Data><Item><Source><LocURI>./Box</LocURI></Source><Meta><Type xmlns="syncml:metinf">urn:example:at</Type><Format xmlns="syncml:metinf">chr</Format></Meta><Data>x</Data></Item></Alert>`}`,
    ],
  ])('that %s gets all of it', async (_, habit) => {
    const { sc, values, chunks } = await fetching(hget('A'), { habit });
    expect(sc).toEqual([200]);
    expect(values['./Box/A']).toBe(TEXT);
    expectChunks(chunks, TEXT);
  });

  it.each([
    [411, 411],
    [413, 413],
    [416, 416],
    [420, 500],
    [424, 500],
    [425, 403],
  ] as const)(
    'that refuses with %i gets no more of it, and the next command [IW-STAT-1]',
    async (code, sc) => {
      const refused = (each: string) => each.replaceAll('>213<', `>${code}<`);
      for (const at of [0, 1]) {
        const run = await fetching((host) => [...hget('A')(host), ['GET', `${BOX}//B`]], {
          habit: (_said, n, accepted) => `${n === at ? refused(accepted) : accepted}${alert(70, 1222)}`,
        });
        expect(run.sc).toEqual([sc, 200]);
        expect(run.chunks).toHaveLength(at + 1);
        expect(run.values['./Box/A']).toBe('a');
      }
    },
  );

  it('that breaks it off with Alert 1225 gets no more of it', async () => {
    const { sc, chunks } = await fetching((host) => [...hget('A')(host), ['GET', `${BOX}//B`]], {
      habit: () =>
        `<Alert><CmdID>70</CmdID><Data>1225</Data><Item><Target><LocURI>./Box/A</LocURI></Target></Item></Alert>${alert(71, 1222)}`,
    });
    expect(sc).toEqual([500, 200]);
    expect(chunks).toHaveLength(1);
  });

  it('is sent nothing above its MaxObjSize, in chunks or whole [1x§1.3]', async () => {
    for (const meta of [SIZES(MAX, BYTES - 1), SIZES(100_000, BYTES - 1)]) {
      const { sc, said } = await fetching((host) => [...hget('A')(host), ['GET', `${BOX}//B`]], { meta });
      expect(sc).toEqual([413, 200]);
      expect(said.some(sendsA)).toBe(false);
    }
    const { sc } = await fetching(hget('A'), { meta: SIZES(MAX, BYTES) });
    expect(sc).toEqual([200]);
  });

  it('is sent no text that is too large for memory [IW-HGET-4]', async () => {
    const run = await fetching((host) => [...hget('A')(host), ['GET', `${BOX}//B`]], { text: TOO_LARGE });
    expect(run.sc).toEqual([413, 200]);
    expect(run.said.some(sendsA)).toBe(false);
  });

  it('is sent several in a row, with other commands between them', async () => {
    const { sc, values, said } = await fetching((host) => [
      ['GET', `${BOX}//B`],
      ...hget('A')(host),
      ...hget('B')(host),
      ['GET', `${BOX}//B`],
    ]);
    expect(sc).toEqual([200, 200, 200, 200]);
    expect([values['./Box/A'], values['./Box/B']]).toEqual([TEXT, TEXT]);
    for (const { bytes } of said) expect(bytes).toBeLessThanOrEqual(MAX);
  });

  it('that leaves in the middle gets it from its start in the next session [IW-SES-3]', async () => {
    const { values, again, host, chunks } = await fetching(hget('A'), {
      habit: (_said, n, accepted) => (n === 1 ? undefined : `${accepted}${alert(70, 1222)}`),
    });
    expect(values['./Box/A']).toBe('a');
    expect(await again(hget('A')(host))).toMatchObject([{ sc: 200 }]);
    expect(values['./Box/A']).toBe(TEXT);
    expectChunks(chunks, TEXT);
  });

  it('is sent a document whose value is too large for an Atomic [IW-HGET-3] [1x§2.3]', async () => {
    const { sc, values, said } = await fetching((host) => [['HGET', `http://${host}/json`, `${BOX}//`]], {
      json: { Box: { A: TEXT, B: 'new', Run: '' } },
    });
    expect(sc).toEqual([200]);
    expect(values).toMatchObject({ './Box/A': TEXT, './Box/B': 'new' });
    for (const { message } of said) {
      const groups = message.body.filter((e) => e.kind === 'Atomic' || e.kind === 'Sequence');
      expect(JSON.stringify(groups)).not.toContain('moreData');
    }
  });
});

describe.each(['xml', 'wbxml'] as const)('a legacy server in %s', (form) => {
  const target = (name: string) => `<Target><LocURI>${SETTINGS}/${name}</LocURI></Target>`;
  const get = (id: number, name: string) => `<Get><CmdID>${id}</CmdID><Item>${target(name)}</Item></Get>`;
  const replace = (id: number, name: string, data: string, more = false, size?: number) =>
    `<Replace><CmdID>${id}</CmdID><Item>${target(name)}<Meta>${META}${size === undefined ? '' : `<Size xmlns="syncml:metinf">${size}</Size>`}</Meta><Data>${escaped(data)}</Data>${more ? '<MoreData/>' : ''}</Item></Replace>`;
  const HALF = Math.floor([...TEXT].length / 2);
  const [one, two] = [[...TEXT].slice(0, HALF).join(''), [...TEXT].slice(HALF).join('')];

  async function session(
    replies: (n: number, told: Told) => Reply | undefined,
    values: Record<string, string> = { A: TEXT, B: 'b' },
    config: Record<string, unknown> = {},
  ) {
    const server = await legacyServer(form, (n) => replies(n, server.told[n]!));
    const gateway = await beforeServer(server.url, form, config);
    await converse(gateway, { values });
    return { told: server.told, values, gateway };
  }
  const resultsIn = (told: readonly Told[]) =>
    told.flatMap(({ message }) => message.body.flatMap((e) => (e.kind === 'Results' ? e.items : [])));
  /** 213 for the Results of a message, where they are a chunk; and Alert 1222 while there is no Final. */
  function welcoming({ message }: Told, code = 213): Reply {
    const chunk = message.body.find((e) => e.kind === 'Results' && e.items.some(({ moreData }) => moreData));
    const told = chunk ? status(2, message.header.msgId, chunk.cmdId, 'Results', code) : '';
    return { body: `${told}${message.final ? '' : alert(3, 1222)}`, final: message.final };
  }

  it('gets Results in messages of its MaxMsgSize, the Item last but for Alert 1222, Final with the last [IW-WR-5] [1x§1.3]', async () => {
    const { told } = await session((n, last) =>
      n === 0 ? { body: `${get(3, 'A')}${get(4, 'B')}${get(5, 'A')}`, meta: SIZES() } : welcoming(last),
    );
    expect(codes(told)).toEqual(expect.arrayContaining(['Get 200', 'Get 200', 'Get 200']));
    const items = resultsIn(told);
    const small = items.findIndex(({ data }) => data === 'b');
    expectChunks(items.slice(0, small), TEXT);
    expectChunks(items.slice(small + 1), TEXT);
    for (const { bytes } of told.slice(1)) expect(bytes).toBeLessThanOrEqual(MAX);
    for (const { message } of told) {
      const at = message.body.findIndex((e) => e.kind === 'Results' && e.items.some((i) => i.moreData));
      if (at < 0) continue;
      expect(message.final).toBe(false);
      expect(message.body.slice(at + 1)).toMatchObject([{ kind: 'Alert', code: '1222' }]);
    }
    expect(told.at(-1)!.message.final).toBe(true);
  });

  it.each([411, 413, 416, 420, 424])(
    'that refuses Results with %i gets no more of them, and the other Status [1x§8]',
    async (code) => {
      const { told } = await session((n, last) =>
        n === 0 ? { body: `${get(3, 'A')}${get(4, 'B')}`, meta: SIZES() } : welcoming(last, code),
      );
      const items = resultsIn(told);
      expect(items.map(({ moreData }) => moreData)).toEqual([true, undefined]);
      expect(items[1]!.data).toBe('b');
    },
  );

  it('gets 413 for a text that is too large for memory [IW-RD-1]', async () => {
    const { told } = await session((n) => (n === 0 ? { body: `${get(3, 'A')}${get(4, 'B')}` } : undefined), {
      A: TOO_LARGE,
      B: 'b',
    });
    expect(codes(told)).toEqual(['Get 413', 'Get 200']);
  });

  it('gets 413 for a value above its MaxObjSize [IW-WR-5]', async () => {
    const { told } = await session((n) =>
      n === 0 ? { body: `${get(3, 'A')}${get(4, 'B')}`, meta: SIZES(MAX, BYTES - 1) } : undefined,
    );
    expect(codes(told)).toEqual(['Get 413', 'Get 200']);
  });

  it('may chunk a Replace behind other commands, and several in a row; 213 and 1222 for each part [IW-WR-5]', async () => {
    const { told, values } = await session((n) =>
      [
        { body: `${get(3, 'B')}${replace(4, 'B', one, true, BYTES)}`, final: false },
        { body: replace(3, 'B', two), final: false },
        { body: replace(3, 'A', two, true, BYTES), final: false },
        { body: `${replace(3, 'A', one)}${get(4, 'B')}` },
      ].at(n < 4 ? n : 99),
    );
    expect(codes(told)).toEqual([
      'Get 200',
      'Replace 213',
      'Replace 200',
      'Replace 213',
      'Replace 200',
      'Get 200',
    ]);
    expect(outline(told).slice(1)).toEqual(['Results 1222', '1222', '1222', 'Results Final']);
    expect(values).toMatchObject({ A: `${two}${one}`, B: TEXT });
  });

  it.each(['Atomic', 'Sequence'])('may not begin one inside %s [1x§2.3]', async (kind) => {
    const around = (inner: string) => `<${kind}><CmdID>3</CmdID>${inner}</${kind}>`;
    const { told, values } = await session((n) =>
      [
        { body: around(`${replace(4, 'B', 'x')}${replace(5, 'A', one, true, BYTES)}`), final: false },
        { body: around(replace(4, 'A', two)) },
        { body: get(3, 'B') },
      ].at(n < 3 ? n : 99),
    );
    const whole = `${kind} ${kind === 'Atomic' ? 507 : 412}`;
    expect(codes(told)).toEqual([whole, 'Replace 215', 'Replace 412', whole, 'Replace 412', 'Get 200']);
    expect(values).toEqual({ A: TEXT, B: 'b' });
  });

  it('that ends its session in the middle of one changes nothing, and can send it anew [IW-SES-10]', async () => {
    const { told, values, gateway } = await session((n) =>
      [
        { body: replace(3, 'B', one, true, BYTES), final: false },
        undefined,
        { body: replace(3, 'B', two, true, BYTES), final: false },
        { body: replace(3, 'B', one) },
      ].at(n < 4 ? n : 99),
    );
    expect(values).toEqual({ A: TEXT, B: 'b' });
    await converse(gateway, { values });
    expect(codes(told)).toEqual(['Replace 213', 'Replace 213', 'Replace 200']);
    expect(values).toEqual({ A: TEXT, B: `${two}${one}` });
  });

  it('may cut base64 anywhere, and break its lines [IW-VAL-3]', async () => {
    const bytes = Buffer.from(TEXT);
    const base64 = bytes.toString('base64').replace(/.{76}/g, '$&\n');
    const part = (id: number, data: string, more: boolean, size?: number) =>
      replace(id, 'A', data, more, size).replace('>chr<', '>b64<');
    const { told, values } = await session(
      (n) =>
        [
          { body: part(3, base64.slice(0, 5), true, base64.length), final: false },
          { body: part(3, base64.slice(5, 1001), true), final: false },
          { body: part(3, base64.slice(1001), false) },
        ].at(n < 3 ? n : 99),
      { A: 'a' },
    );
    expect(codes(told)).toEqual(['Replace 213', 'Replace 213', 'Replace 200']);
    expect(values['A']).toBe(TEXT);
  });
});

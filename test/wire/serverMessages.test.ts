import { describe, expect, it } from 'vitest';
import {
  beforeServer,
  CLIENT,
  codes,
  converse,
  legacyServer,
  outline,
  type Reply,
  SETTINGS,
  type Told,
} from './legacyServer.ts';
import { status } from './quirks.ts';

/** Messages, packages and Atomics of a legacy server for a 2.0 client, both raw, in both encodings. */

const META =
  '<Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta>';
const target = (name: string) => `<Target><LocURI>${SETTINGS}/${name}</LocURI></Target>`;
const write = (kind: 'Add' | 'Replace') => (id: number, name: string, data: string) =>
  `<${kind}><CmdID>${id}</CmdID><Item>${target(name)}${META}<Data>${data}</Data></Item></${kind}>`;
const [add, replace] = [write('Add'), write('Replace')];
const bare = (kind: string) => (id: number, name: string) =>
  `<${kind}><CmdID>${id}</CmdID><Item>${target(name)}</Item></${kind}>`;
const [get, remove, exec] = [bare('Get'), bare('Delete'), bare('Exec')];
const copy = (id: number, from: string, to: string) =>
  `<Copy><CmdID>${id}</CmdID><Item>${target(to)}<Source><LocURI>${SETTINGS}/${from}</LocURI></Source></Item></Copy>`;
const group = (kind: 'Atomic' | 'Sequence', id: number, ...inner: string[]) =>
  `<${kind}><CmdID>${id}</CmdID>${inner.join('')}</${kind}>`;
const alert = (id: number, code: number) => `<Alert><CmdID>${id}</CmdID><Data>${code}</Data></Alert>`;

const START = { Ringtone: 'Default', Volume: '5', Roaming: 'false' };
const valuesIn = (told: readonly Told[]) =>
  told.flatMap(({ message }) =>
    message.body.flatMap((e) => (e.kind === 'Results' ? e.items.map(({ data }) => String(data)) : [])),
  );

describe.each(['xml', 'wbxml'] as const)('a legacy server in %s', (form) => {
  async function session(
    replies: readonly Reply[] | ((n: number, told: Told) => Reply | undefined),
    refuse?: Parameters<typeof converse>[1]['refuse'],
    config: Record<string, unknown> = {},
  ) {
    const server = await legacyServer(form, (n) =>
      typeof replies === 'function' ? replies(n, server.told[n]!) : replies[n],
    );
    const gateway = await beforeServer(server.url, form, config);
    const values: Record<string, string> = { ...START };
    const got = await converse(gateway, { values, ...(refuse && { refuse }) });
    const trace = async () => (await gateway.traces(CLIENT))[0]!;
    const notes = async () =>
      (await trace()).trace.flatMap(({ kind, text = '' }) => (kind === 'note' ? [text] : []));
    return { told: server.told, got, values, gateway, trace, notes };
  }
  const verbs = (got: readonly string[][]) => got.map(([verb]) => verb);

  it('may spread a package over messages without Final, with and without commands; ours has its Final behind it [1x§2.3]', async () => {
    const { told, values } = await session([
      { body: replace(3, 'Ringtone', 'Bells'), final: false },
      { body: '', final: false },
      { body: alert(3, 1222), final: false },
      { body: get(3, 'Ringtone') },
    ]);
    expect(outline(told)).toEqual(['1201 Replace Final', '1222', '1222', '1222', 'Results Final']);
    expect(codes(told)).toEqual(['Replace 200', 'Alert 200', 'Get 200']);
    expect([values['Ringtone'], valuesIn(told)]).toEqual(['Bells', ['Bells']]);
  });

  it.each([true, false])(
    'gets all of a package that takes us several messages, Final of its own in each: %s [1x§2.3]',
    async (finals) => {
      const meta = '<Meta><MaxMsgSize xmlns="syncml:metinf">1500</MaxMsgSize></Meta>';
      const many = Array.from({ length: 12 }, (_, i) => get(i + 3, 'Volume')).join('');
      const { told } = await session((n, { message }) => {
        if (n === 0) return { body: many, meta };
        return finals || message.final ? undefined : { body: alert(9, 1222), final: false };
      });
      expect(codes(told).filter((each) => each !== 'Alert 200')).toEqual(Array(12).fill('Get 200'));
      expect(valuesIn(told)).toEqual(Array(12).fill('5'));
      expect(told.length).toBeGreaterThan(2);
      for (const { bytes } of told.slice(1)) expect(bytes).toBeLessThanOrEqual(1500);
      expect(told.map(({ message }) => message.final)).toEqual(
        told.map((_, i) => i === 0 || i === told.length - 1),
      );
    },
  );

  it('may number its messages as it likes, and say NoResp [1x§1.3]', async () => {
    const silent = get(3, 'Volume').replace('</CmdID>', '</CmdID><NoResp/>');
    const { told } = await session([
      { body: silent, msgId: '7' },
      { body: get(3, 'Roaming'), msgId: '7' },
    ]);
    expect(codes(told)).toEqual(['Get 200', 'Get 200']);
    expect(valuesIn(told)).toEqual(['5', 'false']);
  });

  it('that aborts in the middle of a package has the client sent END, and nothing said to it [IW-SES-10] [1x§2.4]', async () => {
    const { told, got, values, trace } = await session([
      { body: replace(3, 'Ringtone', 'Bells'), final: false },
      { body: replace(3, 'Volume', '9') + alert(4, 1223) },
    ]);
    expect(told).toHaveLength(2);
    expect(codes(told)).toEqual(['Replace 200']);
    // What came beside the abort is not executed; what came before it stands.
    expect(values).toEqual({ ...START, Ringtone: 'Bells' });
    expect(got.at(-1)).toEqual(['END']);
    expect(await trace()).toMatchObject({ state: 'done', ending: 'aborted' });
  });

  it('whose session comes to limits.messages is told by Alert 1223, with what was done [IW-SES-10] [1x§2.4]', async () => {
    const { told, got, trace } = await session(() => ({ body: get(3, 'Volume') }), undefined, {
      limits: { messages: 4 },
    });
    expect(outline(told)).toEqual([
      '1201 Replace Final',
      'Results Final',
      'Results Final',
      'Results Final',
      '1223 Final',
    ]);
    expect(codes(told)).toEqual(['Get 200', 'Get 200', 'Get 200', 'Get 200']);
    expect(got.at(-1)).toEqual(['END']);
    expect(await trace()).toMatchObject({
      state: 'done',
      ending: 'aborted',
      detail: expect.stringContaining('4 messages'),
    });
  });

  it('is told by Alert 1223 when the client leaves for good and begins anew [IW-SES-3] [IW-SES-10]', async () => {
    let sessions = 0;
    const server = await legacyServer(form, (n, message) => {
      if (message.body.some((e) => e.kind === 'Alert' && e.code === '1201')) sessions += 1;
      if (sessions > 1) return undefined;
      return { body: n === 0 ? replace(3, 'Volume', '9') + exec(4, 'Ringtone') : get(3, 'Volume') };
    });
    const gateway = await beforeServer(server.url, form);
    const leaves = (command: readonly string[]) => (command[0] === 'EXEC' ? ('gone' as const) : undefined);
    await converse(gateway, { values: { ...START }, refuse: leaves });
    await converse(gateway, { values: { ...START } });
    await expect
      .poll(async () => (await gateway.traces(CLIENT)).map(({ ending }) => ending))
      .toEqual(['completed', 'device-gone']);
    const [first = ''] = server.told.map(({ message }) => message.header.sessionId);
    const own = server.told.filter(({ message }) => message.header.sessionId === first);
    expect(codes(own).slice(0, 2)).toEqual(['Replace 200', 'Exec 500']);
    expect(outline(own).at(-1)).toBe('1223 Final');
    // What was asked behind that got no silence either.
    expect(codes(own).slice(2)).toEqual(['Get 500']);
  });

  it.each<[string, string, number, boolean]>([
    ['0', 'limits nothing', 0, true],
    ['-5', 'limits nothing', 0, true],
    ['lots', 'limits nothing', 0, true],
    ['99999999999999999999', 'limits nothing', 0, true],
    ['1', 'has no room', 1, false],
    ['300', 'has no room', 300, false],
    ['1500', 'is kept to', 1500, true],
  ])('whose MaxMsgSize is %s %s [1x§1.3]', async (size, _, most, goesOn) => {
    const { told, got, notes, trace } = await session([
      { body: get(3, 'Volume'), meta: `<Meta><MaxMsgSize xmlns="syncml:metinf">${size}</MaxMsgSize></Meta>` },
      { body: Array.from({ length: 12 }, (_, i) => get(i + 3, 'Volume')).join('') },
    ]);
    if (goesOn) {
      expect(codes(told)).toEqual(Array(13).fill('Get 200'));
      expect(valuesIn(told)).toEqual(Array(13).fill('5'));
      if (most > 0) for (const { bytes } of told.slice(1)) expect(bytes).toBeLessThanOrEqual(most);
      return;
    }
    // WBXML fits where XML does not.
    for (const { bytes } of told.slice(1)) expect(bytes).toBeLessThanOrEqual(most);
    expect(got.at(-1)).toEqual(['END']);
    if (form === 'wbxml' && most > 1) return;
    expect(told).toHaveLength(1);
    expect(await trace()).toMatchObject({
      ending: 'aborted',
      detail: expect.stringContaining(`${most} bytes`),
    });
    expect((await notes()).join('\n')).toContain(`${most} bytes`);
  });

  const settled = (told: readonly Told[]) => codes(told.slice(1));

  it('has an Atomic put back whole when a child fails: 507, 216 each, the failing code, 215 [IW-WR-4]', async () => {
    const { told, values, got } = await session([
      {
        body: group(
          'Atomic',
          3,
          replace(4, 'Ringtone', 'Bells'),
          add(5, 'New', 'x'),
          remove(6, 'Volume'),
          copy(7, 'Roaming', 'Ringtone'),
          replace(8, 'Absent', 'x'),
          replace(9, 'Roaming', 'true'),
        ),
      },
      { body: get(3, 'Ringtone') },
    ]);
    expect(settled(told)).toEqual([
      'Atomic 507',
      'Replace 216',
      'Add 216',
      'Delete 216',
      'Copy 216',
      'Replace 404',
      'Replace 215',
      'Get 200',
    ]);
    expect(values).toEqual(START);
    expect(valuesIn(told)).toEqual(['Default']);
    expect(got.at(-1)).toEqual(['END']);
  });

  it('is told 516 for what could not be put back, and 216 for the rest [IW-WR-4]', async () => {
    let looked = 0;
    const { told, values, notes } = await session(
      [
        {
          body: group(
            'Atomic',
            3,
            replace(4, 'Ringtone', 'Bells'),
            remove(5, 'Volume'),
            add(6, 'New', 'x'),
            replace(7, 'Absent', 'x'),
          ),
        },
      ],
      ([verb, , uri = '']) => {
        // From the failure on the client takes no Ringtone any more: first all is read, then each child executed.
        if (verb === 'HPOST' && uri.endsWith('/Absent')) looked += 1;
        return looked > 1 && verb === 'HGET' && uri.endsWith('/Ringtone') ? 500 : undefined;
      },
    );
    expect(settled(told)).toEqual(['Atomic 507', 'Replace 516', 'Delete 216', 'Add 216', 'Replace 404']);
    expect(values).toEqual({ ...START, Ringtone: 'Bells' });
    expect((await notes()).join('\n')).toContain(`Not put back: ${SETTINGS}/Ringtone.`);
  });

  it('has nothing of an Atomic executed where a place cannot be read: it could not be put back [IW-WR-4]', async () => {
    const { told, values, got } = await session(
      [{ body: group('Atomic', 3, replace(4, 'Ringtone', 'Bells'), remove(5, 'Volume')) }],
      ([verb, , uri = '']) => (verb === 'HPOST' && uri.endsWith('/Volume') ? 403 : undefined),
    );
    expect(settled(told)).toEqual(['Atomic 507', 'Replace 215', 'Delete 425']);
    expect(values).toEqual(START);
    expect(verbs(got)).not.toContain('HGET');
    expect(verbs(got)).not.toContain('DELETE');
  });

  it.each<[string, string, string[]]>([
    [
      'Sequence',
      group('Sequence', 5, add(6, 'Deep', 'x'), get(7, 'Volume')),
      ['Sequence 500', 'Add 215', 'Get 215'],
    ],
    ['Atomic', group('Atomic', 5, add(6, 'Deep', 'x')), ['Atomic 500', 'Add 215']],
    ['Get', get(5, 'Volume'), ['Get 500']],
    ['Exec', exec(5, 'Volume'), ['Exec 500']],
  ])('with a %s in an Atomic has nothing of it executed [IW-WR-4]', async (_, inner, answers) => {
    const { told, values, got } = await session([
      { body: group('Atomic', 3, add(4, 'New', 'x'), inner, replace(9, 'Volume', '9')) },
    ]);
    expect(settled(told)).toEqual(['Atomic 507', 'Add 215', ...answers, 'Replace 215']);
    expect(values).toEqual(START);
    expect(verbs(got).filter((verb) => verb === 'HGET' || verb === 'DELETE' || verb === 'EXEC')).toEqual([]);
  });

  it('has a Sequence go on behind a failed child, an Atomic inside it rolled back by itself [IW-WR-4]', async () => {
    const { told, values } = await session([
      {
        body: group(
          'Sequence',
          3,
          replace(4, 'Absent', 'x'),
          group('Atomic', 5, replace(6, 'Ringtone', 'Bells'), remove(7, 'Absent')),
          replace(8, 'Volume', '9'),
          copy(9, 'Volume', 'Ringtone'),
          get(10, 'Ringtone'),
        ),
      },
    ]);
    expect(settled(told)).toEqual([
      'Sequence 200',
      'Replace 404',
      'Atomic 507',
      'Replace 216',
      'Delete 404',
      'Replace 200',
      'Copy 200',
      'Get 200',
    ]);
    expect(valuesIn(told)).toEqual(['9']);
    expect(values).toEqual({ ...START, Volume: '9', Ringtone: '9' });
  });

  it('may answer our alerts late, twice, out of order, or for messages never sent [1x§2.5]', async () => {
    const { told, trace } = await session((n, { message }) => {
      if (n > 1) return undefined;
      const [first, second] = message.body.filter((e) => e.kind !== 'Status');
      const late = n === 0 ? '' : status(20, '1', '1', 'Alert', 200);
      const alien = status(21, '99', '1', 'Alert', 500) + status(22, '1', '77', 'Alert', 500);
      const own =
        n === 0
          ? status(23, '1', second?.cmdId ?? '2', 'Replace', 200) +
            status(24, '1', first?.cmdId ?? '1', 'Alert', 200)
          : '';
      return { body: `${own}${alien}${late}${n === 0 ? get(3, 'Volume') : ''}` };
    });
    expect(codes(told)).toEqual(['Get 200']);
    expect(await trace()).toMatchObject({ state: 'done', ending: 'completed' });
  });
});

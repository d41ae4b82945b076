import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../src/dm1/codec.ts';
import type { TndsNode } from '../../src/dm1/tnds/node.ts';
import { writeTnds, writeTndsWbxml } from '../../src/dm1/tnds/write.ts';
import { Dm2Client } from '../../src/simulator/index.ts';
import { closing, wired } from './harness.ts';
import { fromServer, ok, rawServer, sessionOf } from './rawLegacyServer.ts';

const ID = 'RAW:1';
const MOID = 'urn:example:mo:settings:1.0';
const SETTINGS = `./MO/${MOID}/settings1`;
const XML_TREE = 'application/vnd.syncml.dmtnds+xml';
const WBXML_TREE = 'application/vnd.syncml.dmtnds+wbxml';
const OBJECTS = [
  { moid: 'urn:oma:mo:oma-dm-devinfo:1.2', miid: 'DevInfo', root: 'DevInfo', tree: { DevID: ID, Man: 'M' } },
  {
    moid: 'urn:oma:mo:oma-fumo:1.0',
    miid: 'fumo1',
    root: 'fumo',
    tree: { PkgName: 'base', State: 10, Update: { PkgData: { $format: 'bin', $value: 'AAECAwQF' } } },
  },
  {
    moid: MOID,
    miid: 'settings1',
    root: 'Settings',
    tree: { 'A/B': 'x & <y>', Deep: { Volume: 5 } },
  },
];

interface Answer {
  readonly code: number;
  /** Inside of the Results, element by element. */
  readonly results: readonly string[];
}

/**
 * A legacy server that sends these commands in one message, each given its CmdID, and what the gateway
 * answered. `bytes` go in as they are where the text names them.
 */
async function ask(
  form: 'xml' | 'wbxml',
  commands: readonly ((cmdId: number) => string)[],
  bytes: Readonly<Record<string, Uint8Array>> = {},
) {
  let asked = false;
  const server = await rawServer(form, (body) => {
    const msgId = /<MsgID>(.*?)</.exec(body)?.[1] ?? '';
    const session = sessionOf(body);
    const owed = body.includes('<Data>1222</Data>')
      ? ok(2, msgId, /<Alert><CmdID>(\d+)<\/CmdID><Data>1222/.exec(body)![1]!, 'Alert')
      : '';
    if (asked) return fromServer(session, msgId, ok(1, msgId, '0', 'SyncHdr') + owed);
    asked = true;
    const opened = `${ok(1, '1', '0', 'SyncHdr', 212)}${ok(2, '1', '1', 'Alert')}${ok(3, '1', '2', 'Replace')}`;
    const xml = fromServer(session, msgId, opened + commands.map((command, i) => command(i + 10)).join(''));
    return filled(form, xml, bytes);
  });
  const gateway = await wired({
    backends: { legacy: { protocol: 'dm1', url: server.url, encoding: form, serverId: 'srv' } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
  });
  const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, objects: OBJECTS }));
  const report = await device.session();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  const said = server.got.map(({ text }) => text).join('');
  const answers = commands.map((_, i): Answer => {
    const ref = i + 10;
    const statuses = [
      ...said.matchAll(new RegExp(`<CmdRef>${ref}</CmdRef><Cmd>\\w+</Cmd>.*?<Data>(\\d+)</Data>`, 'g')),
    ];
    const results = [...said.matchAll(new RegExp(`<CmdRef>${ref}</CmdRef>(<Item>.*?)</Results>`, 'gs'))];
    return { code: Number(statuses[0]?.[1]), results: results.map(([, inside]) => inside!) };
  });
  const [session] = await gateway.traces(ID);
  return {
    answers,
    codes: answers.map(({ code }) => code),
    notes: session!.trace.filter(({ rule }) => rule === 'IW-WR-2').map(({ text = '' }) => text),
    hgets: report.executed.filter(({ command }) => command[0] === 'HGET').length,
    reads: report.executed.filter(({ command }) => ['HPOST', 'GET'].includes(command[0] ?? '')).length,
    node: (...path: string[]) => device.objects.tree.find([MOID, 'settings1', ...path]),
    find: (...path: string[]) => device.objects.tree.find(path),
  };
}

/** The message with bytes in place of the texts that name them. */
function filled(form: 'xml' | 'wbxml', xml: string, bytes: Readonly<Record<string, Uint8Array>>) {
  if (form === 'xml' || Object.keys(bytes).length === 0) return xml;
  const { message, encoding } = decodeMessage(Buffer.from(xml), 'xml');
  const body = message.body.map((element) =>
    'items' in element && element.kind !== 'Status'
      ? {
          ...element,
          items: element.items.map((item) => {
            const data = typeof item.data === 'string' ? bytes[item.data] : undefined;
            return data ? { ...item, data } : item;
          }),
        }
      : element,
  );
  return encodeMessage({ ...message, body } as typeof message, { ...encoding, form });
}

const metinf = (name: string, text: string) => `<${name} xmlns="syncml:metinf">${text}</${name}>`;
const meta = (format?: string, type?: string) =>
  format === undefined && type === undefined
    ? ''
    : `<Meta>${format === undefined ? '' : metinf('Format', format)}${type === undefined ? '' : metinf('Type', type)}</Meta>`;
const target = (uri: string) => `<Target><LocURI>${uri}</LocURI></Target>`;
const get = (uri: string) => (id: number) => `<Get><CmdID>${id}</CmdID><Item>${target(uri)}</Item></Get>`;
const act = (kind: string, uri: string) => (id: number) =>
  `<${kind}><CmdID>${id}</CmdID><Item>${target(uri)}</Item></${kind}>`;
const write =
  (kind: 'Add' | 'Replace', uri: string, data: string, format?: string, type?: string) => (id: number) =>
    `<${kind}><CmdID>${id}</CmdID><Item>${target(uri)}${meta(format, type)}<Data>${data}</Data></Item></${kind}>`;
const property = (uri: string, name: string, value: string) =>
  write('Replace', `${uri}?prop=${name}`, value, 'chr', 'text/plain');
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const unescaped = (text: string) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
const tree = (nodes: string) => `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>${nodes}</MgmtTree>`;

describe.each(['xml', 'wbxml'] as const)('a legacy server in %s that asks for lists', (form) => {
  const binary = form === 'xml' ? 'b64' : 'bin';
  const item = (uri: string, format: string, type: string | undefined, data?: string) =>
    `<Item><Source><LocURI>${uri}</LocURI></Source>${meta(format, type)}${data === undefined ? '' : `<Data>${data}</Data>`}</Item>`;

  it('gets one Item for each node, with and without data [IW-RD-2]', async () => {
    const { answers } = await ask(form, [
      get(`${SETTINGS}/Deep?list=Struct`),
      get(`${SETTINGS}/Deep?list=StructData`),
      get(`${SETTINGS}/A%2FB?list=StructData`),
      get(`${SETTINGS}/A%2FB?list=Struct`),
      get(`${SETTINGS}/Nope?list=Struct`),
      get('./FUMO?list=Struct'),
    ]);
    expect(answers).toEqual([
      {
        code: 200,
        results: [
          item(`${SETTINGS}/Deep`, 'node', undefined) + item(`${SETTINGS}/Deep/Volume`, 'chr', 'text/plain'),
        ],
      },
      {
        code: 200,
        results: [
          item(`${SETTINGS}/Deep`, 'node', undefined) +
            item(`${SETTINGS}/Deep/Volume`, 'chr', 'text/plain', '5'),
        ],
      },
      { code: 200, results: [item(`${SETTINGS}/A%2FB`, 'chr', 'text/plain', 'x &amp; &lt;y&gt;')] },
      { code: 200, results: [item(`${SETTINGS}/A%2FB`, 'chr', 'text/plain')] },
      { code: 404, results: [] },
      {
        code: 200,
        results: [
          item('./FUMO', 'node', undefined) +
            item('./FUMO/fumo1', 'node', 'urn:oma:mo:oma-fumo:1.0') +
            item('./FUMO/fumo1/PkgName', 'chr', 'text/plain') +
            item('./FUMO/fumo1/State', 'int', 'text/plain') +
            item('./FUMO/fumo1/Update', 'node', undefined) +
            item('./FUMO/fumo1/Update/PkgData', binary, 'application/octet-stream'),
        ],
      },
    ]);
  });

  it('gets bytes in a list as its encoding has them [IW-RD-2] [IW-VAL-3]', async () => {
    const { answers } = await ask(form, [get('./FUMO/fumo1/Update/PkgData?list=StructData')]);
    const [results = ''] = answers[0]!.results;
    expect(results).toContain(meta(binary, 'application/octet-stream'));
    if (form === 'xml') expect(results).toContain('<Data>AAECAwQF</Data>');
  });

  /** What TNDS says of one leaf, by property, in the order of the DTD (1x§11.1). */
  const TOLD = {
    Format: '<Format><int/></Format>',
    Name: '<Name>State</Name>',
    Size: '<Size>2</Size>',
    Type: '<Type><MIME>text/plain</MIME></Type>',
  };
  const leafTree = (names: readonly (keyof typeof TOLD)[], value = '<Value>10</Value>') =>
    tree(
      `<Node><NodeName>State</NodeName><RTProperties>${names.map((name) => TOLD[name]).join('')}</RTProperties>${value}</Node>`,
    );

  it('gets TNDS as it selects properties [IW-RD-2]', async () => {
    const rows: readonly (readonly [string, string])[] = [
      ['', leafTree(['Format', 'Size', 'Type'])],
      ['+ACL', leafTree([], '')],
      ['+Format', leafTree(['Format'], '')],
      ['+Name', leafTree(['Name'], '')],
      ['+Size', leafTree(['Size'], '')],
      ['+Type', leafTree(['Type'], '')],
      ['+Value', leafTree([])],
      ['+Value+ACL', leafTree([])],
      ['+Type+Value+Format', leafTree(['Format', 'Type'])],
      ['-ACL', leafTree(['Format', 'Size', 'Type'])],
      ['-Format', leafTree(['Size', 'Type'])],
      ['-Name', leafTree(['Format', 'Size', 'Type'])],
      ['-Size', leafTree(['Format', 'Type'])],
      ['-Type', leafTree(['Format', 'Size'])],
      ['-Value', leafTree(['Format', 'Size', 'Type'], '')],
      ['-Title-TStamp-VerNo', leafTree(['Format', 'Size', 'Type'])],
      ['-Value-Size-Format', leafTree(['Type'], '')],
    ];
    const { answers } = await ask(
      form,
      rows.map(([selection]) => get(`./FUMO/fumo1/State?list=TNDS${selection}`)),
    );
    expect(rows.map(([selection], i) => [selection, answers[i]])).toEqual(
      rows.map(([selection, document]) => [
        selection,
        { code: 200, results: [item('./FUMO/fumo1/State', 'xml', XML_TREE, escaped(document))] },
      ]),
    );
  });

  it('gets a subtree as TNDS with MOID and ACL where they are, and the whole tree by its own name [IW-RD-2] [IW-INV-4]', async () => {
    const { answers } = await ask(form, [get('./FUMO?list=TNDS-Size'), get('.?list=TNDS+ACL')]);
    const leaf = (name: string, format: string, type: string, value: string) =>
      `<Node><NodeName>${name}</NodeName><RTProperties><Format><${format}/></Format><Type><MIME>${type}</MIME></Type></RTProperties><Value>${value}</Value></Node>`;
    const inner = (name: string, moid: string, below: string) =>
      `<Node><NodeName>${name}</NodeName><RTProperties><Format><node/></Format><Type>${moid === '' ? '<DDFName/>' : `<DDFName>${moid}</DDFName>`}</Type></RTProperties>${below}</Node>`;
    const below =
      leaf('PkgName', 'chr', 'text/plain', 'base') +
      leaf('State', 'int', 'text/plain', '10') +
      inner('Update', '', leaf('PkgData', 'b64', 'application/octet-stream', 'AAECAwQF'));
    const document = tree(inner('FUMO', '', inner('fumo1', 'urn:oma:mo:oma-fumo:1.0', below)));
    expect(answers[0]).toEqual({ code: 200, results: [item('./FUMO', 'xml', XML_TREE, escaped(document))] });
    expect(unescaped(answers[1]!.results[0]!)).toContain(
      '<Node><NodeName>.</NodeName><RTProperties><ACL>Add=srv&amp;Delete=srv&amp;Exec=srv&amp;Get=srv&amp;Replace=srv</ACL>',
    );
  });

  it('is answered each wrong question by its own code, and the session goes on [IW-RD-2] [IW-ADDR-5]', async () => {
    const rows: readonly (readonly [string, string, number])[] = [
      ['an unknown list', `${SETTINGS}?list=Everything`, 406],
      ['an empty list', `${SETTINGS}?list=`, 406],
      ['a list in other letters', `${SETTINGS}?list=struct`, 406],
      ['a property that DM 2.0 has not', `${SETTINGS}?list=TNDS+Title`, 406],
      ['an unknown property', `${SETTINGS}?list=TNDS+Colour`, 406],
      ['properties to take and to leave', `${SETTINGS}?list=TNDS+Value-Size`, 406],
      ['a selection without a name', `${SETTINGS}?list=TNDS+`, 406],
      ['a selection behind Struct', `${SETTINGS}?list=Struct+Value`, 406],
      ['an escaped sign', `${SETTINGS}?list=TNDS%2BValue`, 406],
      ['a list and a property', `${SETTINGS}?list=Struct&amp;prop=Name`, 406],
      ['a property and a list', `${SETTINGS}?prop=Name?list=Struct`, 406],
      ['an unknown property', `${SETTINGS}?prop=Colour`, 406],
      ['all properties', `${SETTINGS}?prop=*`, 406],
      ['a query that is none', `${SETTINGS}?Struct`, 406],
      ['an unknown property of nothing', './Nope?prop=Colour', 404],
      ['a list of nothing', './Nope?list=TNDS', 404],
      ['a wrong escape', './MO/%ZZ?list=Struct', 404],
      ['an empty segment', './FUMO//fumo1?list=Struct', 404],
      ['a way up', './FUMO/../FUMO?prop=Name', 404],
      ['a list of the Inbox', './Inbox?list=Struct', 405],
    ];
    const questions = rows.map(([, uri]) => get(uri));
    const { codes } = await ask(form, [...questions, get('./FUMO/fumo1/PkgName')]);
    expect(rows.map(([what], i) => [what, codes[i]])).toEqual(rows.map(([what, , code]) => [what, code]));
    expect(codes.at(-1)).toBe(200);
  });
});

describe.each(['xml', 'wbxml'] as const)('a legacy server in %s and properties', (form) => {
  const ROOT_ACL = 'Add=srv&amp;Delete=srv&amp;Exec=srv&amp;Get=srv&amp;Replace=srv';
  it.each([
    ['.', { ACL: ROOT_ACL, Format: 'node', Name: '.', Type: '' }],
    ['./FUMO', { ACL: '', Format: 'node', Name: 'FUMO', Type: '' }],
    [SETTINGS, { ACL: '', Format: 'node', Name: 'settings1', Type: MOID }],
    [`${SETTINGS}/Deep`, { ACL: '', Format: 'node', Name: 'Deep', Type: '' }],
    ['./FUMO/fumo1/State', { ACL: '', Format: 'int', Name: 'State', Size: '2', Type: 'text/plain' }],
    [`${SETTINGS}/A%2FB`, { ACL: '', Format: 'chr', Name: 'A%2FB', Size: '7', Type: 'text/plain' }],
    [
      './FUMO/fumo1/Update/PkgData',
      { ACL: '', Format: 'bin', Name: 'PkgData', Size: '6', Type: 'application/octet-stream' },
    ],
    [
      './DevDetail',
      { ACL: 'Get=srv', Format: 'node', Name: 'DevDetail', Type: 'urn:oma:mo:oma-dm-devdetail:1.0' },
    ],
  ] as const)(
    'reads those of %s [IW-RD-2] [IW-INV-4]',
    async (uri, told: Readonly<Record<string, string>>) => {
      const names = ['ACL', 'Format', 'Name', 'Size', 'Title', 'TStamp', 'Type', 'VerNo'];
      const { answers } = await ask(
        form,
        names.map((name) => get(`${uri}?prop=${name}`)),
      );
      expect(answers).toEqual(
        names.map((name) =>
          told[name] === undefined
            ? { code: 406, results: [] }
            : {
                code: 200,
                results: [
                  `<Item><Source><LocURI>${uri}?prop=${name}</LocURI></Source>${told[name] === '' ? '<Data/>' : `<Data>${told[name]}</Data>`}</Item>`,
                ],
              },
        ),
      );
    },
  );

  it('needs no word of the client for what the list of its objects says [IW-RD-2]', async () => {
    const { answers, reads } = await ask(form, [
      get('./FUMO'),
      get('./FUMO?prop=ACL'),
      get('./MO?prop=Type'),
    ]);
    // Its DevInfo alone, for the first message.
    expect(reads).toBe(1);
    expect(answers[0]).toEqual({
      code: 200,
      results: [
        `<Item><Source><LocURI>./FUMO</LocURI></Source>${meta('node', 'text/plain')}<Data>fumo1</Data></Item>`,
      ],
    });
    expect(answers.map(({ code }) => code)).toEqual([200, 200, 200]);
  });

  it('renames, and is refused what cannot be renamed so [IW-WR-2]', async () => {
    const { codes, node } = await ask(form, [
      property(`${SETTINGS}/Deep`, 'Name', 'Deeper'),
      property(`${SETTINGS}/Deeper/Volume`, 'Name', 'Loud%2Fness'),
      property(`${SETTINGS}/A%2FB`, 'Name', 'Deeper'),
      property(`${SETTINGS}/A%2FB`, 'Name', ''),
      property(`${SETTINGS}/A%2FB`, 'Name', 'a/b'),
      property(`${SETTINGS}/A%2FB`, 'Name', '..'),
      property(`${SETTINGS}/A%2FB`, 'Name', '%ZZ'),
      property(`${SETTINGS}/Nope`, 'Name', 'Yes'),
      property('./DevInfo/Man', 'Name', 'Maker'),
      property('./DevDetail', 'Name', 'Detail'),
      property('./FUMO', 'Name', 'Firmware'),
      property('.', 'Name', 'root'),
    ]);
    expect(codes).toEqual([200, 200, 418, 400, 400, 400, 400, 404, 405, 405, 405, 405]);
    expect(node('Deeper', 'Loud/ness')?.value).toBe('5');
    expect(node('Deep')).toBeUndefined();
  });

  it('is answered what the policy says of an ACL, each with a note [IW-WR-2]', async () => {
    const rows: readonly (readonly [string, string, string, number])[] = [
      ['one that is empty', SETTINGS, '', 406],
      ['one that is good', SETTINGS, 'Add=srvA&amp;Delete=srvA&amp;Replace=srvA+srvB&amp;Get=*', 406],
      ['one with blanks', SETTINGS, 'Get = * &amp; Add = a + b', 406],
      ['one of a leaf', `${SETTINGS}/Deep/Volume`, 'Get=*', 406],
      ['a command that is none', SETTINGS, 'Fly=srv', 400],
      ['no command', SETTINGS, '=srv', 400],
      ['no sign', SETTINGS, 'Get', 400],
      ['no server', SETTINGS, 'Get=', 400],
      ['an empty entry', SETTINGS, 'Get=*&amp;', 400],
      ['a command named twice', SETTINGS, 'Get=a&amp;Get=b', 400],
      ['a star among letters', SETTINGS, 'Get=a*', 400],
      ['a server with a blank inside', SETTINGS, 'Get=a b', 400],
      ['one of an object that only the gateway shows', './DevDetail', 'Get=*', 406],
      ['one that is too long', SETTINGS, `Get=${'a'.repeat(17_000)}`, 413],
    ];
    const { codes, notes } = await ask(
      form,
      rows.map(([, uri, text]) => property(uri, 'ACL', text)),
    );
    expect(rows.map(([what], i) => [what, codes[i]])).toEqual(rows.map(([what, , , code]) => [what, code]));
    expect(notes).toHaveLength(rows.length);
  });

  it('cannot set the others, nor add, delete, execute or copy to any [IW-WR-2] [IW-RD-2]', async () => {
    const at = `${SETTINGS}/Deep/Volume`;
    const { codes, node } = await ask(form, [
      ...['Format', 'Type', 'Size', 'Title', 'TStamp', 'VerNo', 'Colour'].map((name) =>
        property(at, name, 'x'),
      ),
      write('Replace', `${at}?list=Struct`, 'x', 'chr', 'text/plain'),
      write('Add', `${at}?prop=Title`, 'x', 'chr', 'text/plain'),
      act('Delete', `${at}?prop=Name`),
      act('Exec', `${at}?prop=Name`),
      (id) =>
        `<Copy><CmdID>${id}</CmdID><Item>${target(`${at}?prop=Name`)}<Source><LocURI>${at}</LocURI></Source></Item></Copy>`,
    ]);
    expect(codes).toEqual([406, 406, 406, 406, 406, 406, 406, 406, 405, 405, 405, 405]);
    expect(node('Deep', 'Volume')?.value).toBe('5');
  });
});

const PROFILE: TndsNode = {
  name: 'Profile',
  format: 'node',
  children: [
    { name: 'Label', format: 'chr', type: 'text/plain', value: 'at <work>' },
    {
      name: 'Rules',
      format: 'node',
      children: [{ name: 'On', format: 'bool', type: 'text/plain', value: 'true' }],
    },
    { name: 'Pic', format: 'bin', type: 'application/x', value: Uint8Array.of(0, 1, 254) },
  ],
};
const AT = `${SETTINGS}/Profile`;
const NESTED = writeTnds(PROFILE);
const FLAT = writeTnds(PROFILE, undefined, '', 'flat');
const WBXML = writeTndsWbxml(PROFILE);

describe.each(['xml', 'wbxml'] as const)('TNDS from a legacy server in %s', (form) => {
  it.each([
    ['escaped', write('Add', AT, escaped(NESTED), 'xml', XML_TREE)],
    ['in CDATA', write('Add', AT, `<![CDATA[${NESTED}]]>`, 'xml', XML_TREE)],
    ['as elements', write('Add', AT, NESTED, 'xml', XML_TREE)],
    ['flat as elements', write('Add', AT, FLAT, 'xml', XML_TREE)],
    ['flat in CDATA', write('Add', AT, `<![CDATA[${FLAT}]]>`, 'xml', XML_TREE)],
    ['with blanks around its Type', write('Add', AT, NESTED, 'xml', `\n  ${XML_TREE}\n `)],
    ['with a charset', write('Add', AT, escaped(NESTED), 'xml', `${XML_TREE}; charset=utf-8`)],
    ['as base64 of its XML', write('Add', AT, Buffer.from(NESTED).toString('base64'), 'b64', XML_TREE)],
    ['as base64 of WBXML', write('Add', AT, Buffer.from(WBXML).toString('base64'), 'b64', WBXML_TREE)],
    ['without a Type, as elements', write('Add', AT, NESTED, 'xml')],
    ['without a Type, escaped', write('Add', AT, escaped(NESTED), 'xml')],
    ['below its target', write('Add', SETTINGS, NESTED, 'xml', XML_TREE)],
    [
      'of which the command tells Format and Type',
      (id: number) =>
        `<Add><CmdID>${id}</CmdID>${meta('xml', XML_TREE)}<Item>${target(AT)}<Data>${escaped(NESTED)}</Data></Item></Add>`,
    ],
  ] as const)('is unfolded %s [IW-WR-2]', async (_, command) => {
    const { codes, node, hgets } = await ask(form, [command]);
    expect(codes).toEqual([200]);
    expect(hgets).toBe(1);
    expect(node('Profile', 'Label')?.value).toBe('at <work>');
    expect(node('Profile', 'Rules', 'On')?.value).toBe('true');
    expect(node('Profile', 'Pic')?.value).toBe('AAH+');
    expect(node('Deep', 'Volume')?.value).toBe('5');
  });

  it('is a value like any other where Type or Format say so [IW-WR-2]', async () => {
    const { codes, node } = await ask(form, [
      write('Add', `${SETTINGS}/Xml`, escaped(NESTED), 'xml', 'text/xml'),
      write('Add', `${SETTINGS}/Text`, escaped(NESTED), 'chr'),
    ]);
    expect(codes).toEqual([200, 200]);
    expect([node('Xml')?.value, node('Text')?.value]).toEqual([NESTED, NESTED]);
  });

  const named = (name: string, more: string) => `<Node><NodeName>${name}</NodeName>${more}</Node>`;
  const format = (name: string) => `<RTProperties><Format>${name}</Format></RTProperties>`;
  const deep = (levels: number) =>
    `${'<Node><NodeName>a</NodeName>'.repeat(levels)}${'</Node>'.repeat(levels)}`;
  it('that is wrong is refused by its own words, nothing is written, and the session goes on [IW-WR-2]', async () => {
    const rows: readonly (readonly [string, string, number, string])[] = [
      ['a circle of two Paths', named('A', '<Path>B</Path>') + named('B', '<Path>A</Path>'), 400, 'circle'],
      [
        'a circle of three Paths',
        named('A', '<Path>B</Path>') + named('B', '<Path>C</Path>') + named('C', '<Path>A</Path>'),
        400,
        'circle',
      ],
      ['a Path that climbs', named('Profile', '') + named('A', '<Path>../x</Path>'), 400, 'no ".."'],
      [
        'a Path to another place',
        named('Profile', '') + named('A', '<Path>/FUMO</Path>'),
        400,
        'leaves the target',
      ],
      ['a Path inside a Node', named('Profile', named('A', '<Path>x</Path>')), 400, 'has a Path'],
      ['siblings of one name', named('Profile', named('A', '') + named('A', '')), 400, 'occurs twice'],
      [
        'one place told twice',
        named('Profile', named('A', '')) + named('A', '<Path>Profile</Path>'),
        400,
        'occurs twice',
      ],
      [
        'a value on an interior node',
        named('Profile', `${format('<node/>')}<Value>x</Value>`),
        415,
        'interior node',
      ],
      [
        'a value beside children',
        named('Profile', `${named('A', '')}<Value>x</Value>`),
        400,
        'both a Value and child Nodes',
      ],
      [
        'children of a leaf',
        named('Profile', format('<chr/>') + named('A', '')),
        415,
        'only Format node has children',
      ],
      ['a Format that is none', named('Profile', format('<blob/>')), 415, 'none that is known'],
      ['two Formats', named('Profile', format('<chr/><int/>')), 415, 'none that is known'],
      ['base64 that is none', named('Profile', `${format('<b64/>')}<Value>?</Value>`), 415, 'not base64'],
      ['a nested Node without a name', named('Profile', '<Node><Value>x</Value></Node>'), 400, 'no NodeName'],
      [
        'a second Node without a name',
        `${named('Profile', '')}<Node><Value>x</Value></Node>`,
        400,
        'no NodeName',
      ],
      ['a name of two segments', named('Profile', named('a/b', '')), 400, 'is no NodeName'],
      ['a name with a wrong escape', named('Profile', named('%ZZ', '')), 400, 'is no NodeName'],
      ['no Node', '', 400, 'has no Node'],
      ['text between its elements', `x${named('Profile', '')}`, 400, 'text stands between'],
      ['too many levels', deep(300), 413, 'nesting'],
    ];
    const { codes, notes, hgets, node } = await ask(form, [
      ...rows.flatMap(([, nodes]) => [
        write('Add', AT, escaped(tree(nodes)), 'xml', XML_TREE),
        write(
          'Replace',
          `${SETTINGS}/Deep`,
          escaped(tree(nodes.replaceAll('Profile', 'Deep'))),
          'xml',
          XML_TREE,
        ),
      ]),
      get(`${SETTINGS}/Deep/Volume`),
    ]);
    expect(rows.map(([what], i) => [what, codes[2 * i], codes[2 * i + 1]])).toEqual(
      rows.map(([what, , code]) => [what, code, code]),
    );
    expect(codes.at(-1)).toBe(200);
    expect(notes).toEqual(rows.flatMap(([, , , why]) => Array(2).fill(expect.stringContaining(why))));
    expect(hgets).toBe(0);
    expect(node('Profile')).toBeUndefined();
  });

  it('that misses every Format is read by what stands in it [IW-WR-2]', async () => {
    const { codes, answers } = await ask(form, [
      write(
        'Add',
        AT,
        escaped(tree(named('Profile', named('A', '<Value>1</Value>') + named('B', named('C', ''))))),
        'xml',
        XML_TREE,
      ),
      ...['', '/A', '/B', '/B/C'].map((below) => get(`${AT}${below}?prop=Format`)),
    ]);
    expect(codes).toEqual([200, 200, 200, 200, 200]);
    const formats = answers.slice(1).map(({ results }) => /<Data>(.*?)</.exec(results[0]!)?.[1]);
    expect(formats).toEqual(['node', 'chr', 'node', 'chr']);
  });
});

describe.each(['xml', 'wbxml'] as const)('the Inbox for a legacy server in %s', (form) => {
  const object = (name: string, moid: string, leaf: string, value: string) =>
    `<Node><NodeName>${name}</NodeName><RTProperties><Format><node/></Format><Type><DDFName>${moid}</DDFName></Type></RTProperties><Node><NodeName>${leaf}</NodeName><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME></Type></RTProperties><Value>${value}</Value></Node></Node>`;
  const NAP = 'urn:oma:mo:oma-connmo-nap:1.0';
  const ACCOUNT = 'urn:oma:mo:oma-dm-dmacc:1.0';

  it.each([
    ['with', XML_TREE],
    ['without', undefined],
  ] as const)(
    'takes two objects that refer to one another, %s a Type, and puts each where it belongs [IW-WR-2]',
    async (_, type) => {
      const both = tree(
        object('OperatorX', ACCOUNT, 'PrefConRef', './Inbox/Internet') +
          object('Internet', NAP, 'Name', 'net'),
      );
      const { codes, find, answers } = await ask(form, [
        write('Add', './Inbox', both, type && 'xml', type),
        get('./DMAcc/OperatorX/PrefConRef'),
      ]);
      expect(codes).toEqual([200, 200]);
      const [, place] = /<Data>(.*?)<\/Data>/.exec(answers[1]!.results[0]!) ?? [];
      expect(place).toMatch(/^\.\/(?!Inbox).*Internet$/);
      const naps = [...(find(NAP)?.children?.values() ?? [])].map(
        (each) => each.children?.get('Name')?.value,
      );
      expect(naps).toEqual(['net']);
    },
  );

  it('cannot be read, replaced, deleted, executed, copied or renamed, and takes nothing but trees [IW-WR-2]', async () => {
    const tnds = escaped(tree(object('x', NAP, 'Name', 'n')));
    const { codes, hgets } = await ask(form, [
      get('./Inbox'),
      get('./Inbox/x'),
      get('./Inbox?prop=ACL'),
      write('Replace', './Inbox/x', tnds, 'xml', XML_TREE),
      act('Delete', './Inbox/x'),
      act('Exec', './Inbox'),
      (id) =>
        `<Copy><CmdID>${id}</CmdID><Item>${target('./FUMO/fumo1/PkgName')}<Source><LocURI>./Inbox/x</LocURI></Source></Item></Copy>`,
      property('./Inbox/x', 'Name', 'y'),
      write('Add', './Inbox/x', 'text', 'chr', 'text/plain'),
      write('Add', './Inbox/x', '', 'node'),
      write('Add', './Inbox/x', escaped(tree('<Node><NodeName>x</NodeName></Node>')), 'xml', XML_TREE),
    ]);
    expect(codes).toEqual([405, 405, 405, 405, 405, 405, 405, 405, 405, 405, 415]);
    expect(hgets).toBe(0);
  });
});

describe('TNDS in a WBXML message', () => {
  it.each([
    ['nested', WBXML],
    ['flat', writeTndsWbxml(PROFILE, undefined, '', 'flat')],
  ])('is unfolded from an opaque of its own WBXML, %s [IW-WR-2] [IW-VAL-3]', async (_, document) => {
    const { codes, node } = await ask('wbxml', [write('Add', AT, 'TREE', 'bin', WBXML_TREE)], {
      TREE: document,
    });
    expect(codes).toEqual([200]);
    expect(node('Profile', 'Pic')?.value).toBe('AAH+');
  });

  it('that cannot be read is refused, and the session goes on [IW-WR-2]', async () => {
    const cut = WBXML.subarray(0, WBXML.length - 9);
    const { codes, hgets } = await ask(
      'wbxml',
      [write('Add', AT, 'TREE', 'bin', WBXML_TREE), get(`${SETTINGS}/Deep/Volume`)],
      { TREE: cut },
    );
    expect(codes).toEqual([400, 200]);
    expect(hgets).toBe(0);
  });
});

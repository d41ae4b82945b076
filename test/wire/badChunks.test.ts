import { describe, expect, it } from 'vitest';
import { wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client } from '../../src/simulator/index.ts';
import { closing, listening, packageOne, statuses, syncml, TYPES, wired } from './harness.ts';

const ENCODINGS = ['xml', 'wbxml'] as const;
type Encoding = (typeof ENCODINGS)[number];
const written = (xml: string, encoding: Encoding) =>
  encoding === 'xml' ? Buffer.from(xml) : Buffer.from(xmlToWbxml(xml));
const read = (bytes: Uint8Array, encoding: Encoding) =>
  encoding === 'xml' ? Buffer.from(bytes).toString('utf8') : wbxmlToXml(bytes);

const SETTINGS = './MO/urn:example:mo:settings:1.0/settings1';
const meta = (size?: number) =>
  `<Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type>${size === undefined ? '' : `<Size xmlns="syncml:metinf">${size}</Size>`}</Meta>`;
const item = (name: string, data: string, size?: number, more = false) =>
  `<Item><Target><LocURI>${SETTINGS}/${name}</LocURI></Target>${meta(size)}<Data>${data}</Data>${more ? '<MoreData/>' : ''}</Item>`;
const add = (id: number, ...args: Parameters<typeof item>) =>
  `<Add><CmdID>${id}</CmdID>${item(...args)}</Add>`;
const get = (id: number, uri: string) =>
  `<Get><CmdID>${id}</CmdID><Item><Target><LocURI>${uri}</LocURI></Target></Item></Get>`;

/** A legacy server that says these bodies, in turn, then only Final; what it was told, as XML. */
async function server(encoding: Encoding, bodies: readonly string[], limits: Record<string, number> = {}) {
  const told: string[] = [];
  const host = await listening(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const message = read(Buffer.concat(chunks), encoding);
    told.push(message);
    const n = told.length;
    const last = n >= bodies.length;
    const header = `<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${/<SessionID>(.*?)</.exec(message)?.[1]}</SessionID><MsgID>${n}</MsgID><Target><LocURI>D</LocURI></Target><Source><LocURI>S</LocURI></Source></SyncHdr>`;
    const body = `<Status><CmdID>1</CmdID><MsgRef>${n}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>212</Data></Status>${bodies[n - 1] ?? ''}`;
    const final = last || !/<MoreData\/>/.test(bodies[n - 1]!) ? '<Final/>' : '';
    const xml = `<SyncML xmlns="SYNCML:SYNCML1.2">${header}<SyncBody>${body}${final}</SyncBody></SyncML>`;
    response.writeHead(200, { 'content-type': TYPES[encoding] });
    response.end(written(xml, encoding));
  });
  const gateway = await wired({
    backends: { legacy: { protocol: 'dm1', url: `http://${host}/`, encoding } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    limits,
  });
  const device = closing(new Dm2Client({ url: gateway.dm, deviceId: 'IMEI:490154203237518' }));
  expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
  const codes = told.slice(1).flatMap((message) => statuses(message).filter(([cmd]) => cmd !== 'SyncHdr'));
  const value = (name: string) =>
    device.objects.tree.find(['urn:example:mo:settings:1.0', 'settings1', name])?.value;
  return { told, codes: codes.map((each) => each.join(' ')), value };
}

describe.each(ENCODINGS)('chunks of a legacy server in %s [IW-WR-5] [1x§8]', (encoding) => {
  it.each([
    ['in order', [add(2, 'New', 'abc', 6, true), add(2, 'New', 'def')], ['Add 213', 'Add 200'], 'abcdef'],
    [
      'of which one is missing',
      [add(2, 'New', 'abc', 9, true), add(2, 'New', 'ghi')],
      ['Add 213', 'Add 424'],
    ],
    [
      'of which one is repeated',
      [add(2, 'New', 'abc', 6, true), add(2, 'New', 'abc', undefined, true), add(2, 'New', 'def')],
      ['Add 213', 'Add 213', 'Add 424'],
    ],
    [
      'that are larger than announced',
      [add(2, 'New', 'abc', 4, true), add(2, 'New', 'def')],
      ['Add 213', 'Add 424'],
    ],
    [
      'whose first is missing',
      [add(2, 'New', 'abc', undefined, true), add(2, 'New', 'def')],
      ['Add 411', 'Add 411'],
    ],
    ['above MaxObjSize', [add(2, 'New', 'abc', 5000, true), add(2, 'New', 'def')], ['Add 413', 'Add 413']],
  ] as const)(
    '%s get their Status, and the session goes on',
    async (_what, bodies, codes, left = undefined) => {
      const { codes: given, value } = await server(encoding, [...bodies, get(2, `${SETTINGS}/Volume`)], {
        objectBytes: 1024,
      });
      expect(given).toEqual([...codes, 'Get 200']);
      expect(value('New')).toBe(left);
    },
  );

  it('that are broken off by another node are dropped with Alert 1225, and the other is executed', async () => {
    const { codes, told, value } = await server(encoding, [
      add(2, 'New', 'abc', 6, true),
      add(2, 'Other', 'x'),
      get(2, `${SETTINGS}/Volume`),
    ]);
    expect(codes).toEqual(['Add 213', 'Add 200', 'Get 200']);
    expect(told[2]).toMatch(/<Data>1225<\/Data>.*\/New</s);
    expect([value('New'), value('Other')]).toEqual([undefined, 'x']);
  });
});

describe.each(ENCODINGS)('an Atomic of a legacy server in %s [IW-WR-4]', (encoding) => {
  it.each([
    [
      'an Atomic',
      `<Atomic><CmdID>4</CmdID>${add(5, 'Deep', 'x')}</Atomic>`,
      ['Atomic 507', 'Add 215', 'Atomic 500', 'Add 215'],
    ],
    ['a Get', get(4, `${SETTINGS}/Volume`), ['Atomic 507', 'Add 215', 'Get 500']],
  ])('with %s in it executes nothing, and the session goes on', async (_what, inner, codes) => {
    const { codes: given, value } = await server(encoding, [
      `<Atomic><CmdID>2</CmdID>${add(3, 'New', 'x')}${inner}</Atomic>`,
      get(2, `${SETTINGS}/Volume`),
    ]);
    expect(given).toEqual([...codes, 'Get 200']);
    expect([value('New'), value('Deep')]).toEqual([undefined, undefined]);
  });
});

/** A legacy device that answers the Get of its manufacturer with these Results, one message each. */
async function device(encoding: Encoding, results: readonly string[]) {
  const ID = 'IMEI:493005100592800';
  const backend = closing(new Dm2Backend({ script: [[['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man']]] }));
  const gateway = await wired({
    backends: { dms: { protocol: 'dm2', url: await backend.start() } },
    routes: [{ match: { deviceId: 'IMEI:*' }, backend: 'dms' }],
  });
  let target: string | undefined;
  let msgId = 0;
  const send = async (body: string) => {
    msgId += 1;
    const xml = syncml({ device: ID, msgId: String(msgId), ...(target !== undefined && { target }) }, body);
    const answer = await gateway.post(written(xml, encoding), { 'content-type': TYPES[encoding] });
    const text = read(answer.body, encoding);
    target = /<RespURI>(.*?)<\/RespURI>/.exec(text)?.[1];
    return text;
  };
  let text = await send(packageOne(ID));
  const codes: string[] = [];
  const said: string[] = [];
  for (let left = [...results]; msgId < 30; ) {
    const ref = /<MsgID>(\d+)</.exec(text)?.[1];
    const commands = [...text.matchAll(/<(Get|Alert)><CmdID>(\d+)<.*?<\/\1>/gs)];
    if (!commands.some(([, name]) => name === 'Get') && left.length === 0) break;
    let body = `<Status><CmdID>1</CmdID><MsgRef>${ref}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>`;
    const man = commands.find(([whole]) => whole.includes('./DevInfo/Man<'));
    for (const [i, [whole, name, id]] of commands.entries()) {
      const code = whole.includes('./DevInfo/Man<') || name === 'Alert' ? 200 : 404;
      body += `<Status><CmdID>${i + 2}</CmdID><MsgRef>${ref}</MsgRef><CmdRef>${id}</CmdRef><Cmd>${name}</Cmd><Data>${code}</Data></Status>`;
    }
    if (man) asked = { ref: ref!, id: man[2]! };
    const next = asked ? left[0] : undefined;
    if (next !== undefined && asked) {
      left = left.slice(1);
      body += `<Results><CmdID>50</CmdID><MsgRef>${asked.ref}</MsgRef><CmdRef>${asked.id}</CmdRef>${next}</Results>`;
    }
    const open = asked !== undefined && left.length > 0;
    text = await send(`${body}${open ? '' : '<Final/>'}`);
    said.push(text);
    codes.push(
      ...statuses(text)
        .filter(([cmd]) => cmd === 'Results')
        .map(([, code]) => code!),
    );
  }
  return { codes, said, status: backend.sessions.at(-1)!.commands[0]!.status };
}

let asked: { ref: string; id: string } | undefined;

describe.each(ENCODINGS)('chunks of a legacy device in %s [1x§8]', (encoding) => {
  const result = (data: string, size?: number, more = false, uri = './DevInfo/Man') =>
    `<Item><Source><LocURI>${uri}</LocURI></Source>${meta(size)}<Data>${data}</Data>${more ? '<MoreData/>' : ''}</Item>`;

  it.each([
    ['in order', [result('Ac', 4, true), result('me')], ['213'], 200],
    ['of which one is missing', [result('Ac', 8, true), result('me')], ['213', '424'], 500],
    [
      'of which one is repeated',
      [result('Ac', 4, true), result('Ac', undefined, true), result('me')],
      ['213', '213', '424'],
      500,
    ],
    ['larger than the limit', [result('Ac', 2 ** 40, true), result('me')], ['413', '413'], 500],
  ] as const)('%s get their Status, and the backend is told', async (_what, results, codes, sc) => {
    asked = undefined;
    const { codes: given, status } = await device(encoding, results);
    expect(given).toEqual(codes);
    expect(status?.sc).toBe(sc);
  });

  it('broken off by another node are dropped with Alert 1225', async () => {
    asked = undefined;
    const { said } = await device(encoding, [
      result('Ac', 4, true),
      result('x', undefined, false, './DevInfo/Mod'),
    ]);
    expect(said.join('')).toMatch(/<Data>1225<\/Data>.*\.\/DevInfo\/Man</s);
  });
});

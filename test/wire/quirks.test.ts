import { describe, expect, it } from 'vitest';
import { basicCred, md5Digest, userHash } from '../../src/dm1/auth/digests.ts';
import { xmlToWbxml } from '../../src/dm1/codec.ts';
import { readTnds } from '../../src/dm1/tnds/read.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { BOX, type Commands, ID, known, MAN, play } from './box.ts';
import { outOfOrder } from './dtdOrder.ts';
import { closing, listening, type Wired, wired } from './harness.ts';
import {
  addressOf,
  DEVINFO,
  devInfo,
  headerOk,
  item,
  kindOf,
  plainly,
  type RawDevice,
  results,
  type Said,
  status,
  TARGET,
  talk,
} from './quirks.ts';

/** Answers every Get with these Items and everything else with 200. */
const getting =
  (
    items: (uri: string) => string,
    around: (said: Said, inner: string) => string = (said, inner) => `${headerOk(said)}${inner}<Final/>`,
  ) =>
  (said: Said): string => {
    let next = 1;
    const inner = said.commands.map((command) => {
      const { msgId } = said.message.header;
      next += 1;
      const own = status(next, msgId, command.cmdId, kindOf(command), 200);
      if (command.kind !== 'Get') return own;
      next += 1;
      return own + results(next, msgId, command.cmdId, items(addressOf(command)));
    });
    return around(said, inner.join(''));
  };

/** What is emitted, row by row (1x§16.1). Each looks at every message of a session with commands of all kinds. */
describe('every message of the gateway', () => {
  const session = async (encode?: RawDevice['encode']) => {
    const host = await listening((_request, response) => {
      const body = JSON.stringify({ Box: { A: 'x', B: 'b', Run: '', Deep: { Leaf: 'y', Number: 3 } } });
      response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.mo+json' }).end(body);
    });
    const nodes: Record<string, string> = {
      './Box': 'A/B/Run',
      './Box/A': 'a',
      './Box/B': 'b',
      './Box/Run': '',
    };
    const played = await play(
      [
        MAN,
        ['HGET', `http://${host}/box`, `${BOX}//`],
        ['DELETE', `${BOX}//A`],
        ['DELETE', `${BOX}//B`],
        ['EXEC', `${BOX}//Run`],
      ],
      {
        sessionId: '0a',
        ...(encode && { encode }),
        answer: getting((uri) =>
          item(
            uri.split('?')[0]!,
            nodes[uri.split('?')[0]!] ?? 'Raw',
            uri.startsWith('./Box') && !uri.includes('/B', 4) && uri.split('/').length === 2
              ? '<Meta><Format xmlns="syncml:metinf">node</Format></Meta>'
              : '',
          ),
        ),
      },
      { outbound: { allow: [host] } },
    );
    const kinds = new Set(played.said.flatMap(({ commands }) => commands.map(kindOf)));
    expect([...kinds]).toEqual(expect.arrayContaining(['Get', 'Add', 'Delete', 'Exec']));
    return played;
  };

  it('has its elements in DTD order, CmdID first [1x§16.1]', async () => {
    const { said } = await session();
    for (const { xml } of said) expect(outOfOrder(xml)).toEqual([]);
  });

  it.each([undefined, (xml: string) => xmlToWbxml(xml)])(
    'opens with the Status of the header, echoes SessionID, names the device and RespURI, is final [1x§16.1]',
    async (encode) => {
      const { said, gateway } = await session(encode);
      for (const { message } of said) {
        expect(message.body[0]).toMatchObject({ kind: 'Status', cmdRef: '0', cmd: 'SyncHdr', code: '212' });
        expect(message.header).toMatchObject({
          sessionId: '0a',
          target: { uri: ID },
          source: { uri: TARGET.replaceAll('&amp;', '&') },
          respURI: gateway.dm,
        });
        expect(message.final).toBe(true);
      }
    },
  );

  it('has Data and Meta in every Add and Replace, an empty one for interior nodes, and one Item [1x§16.1]', async () => {
    const { said } = await session();
    const writes = said
      .flatMap(({ commands }) => commands)
      .filter(({ kind }) => kind === 'Add' || kind === 'Replace');
    expect(writes.length).toBeGreaterThan(2);
    for (const command of writes) {
      if (!('items' in command)) continue;
      expect(command.items).toHaveLength(1);
      const [only] = command.items;
      expect(only!.data).toBeDefined();
      expect(only!.meta?.format).toBeDefined();
      if (only!.meta!.format === 'node') expect(only!.data).toBe('');
      else expect(only!.meta!.type).toBeDefined();
    }
    const deep = writes.find((command) => addressOf(command) === './Box/Deep')!;
    expect(said.map(({ xml }) => xml).join('')).toMatch(
      /<LocURI>\.\/Box\/Deep<\/LocURI>.*?<Data(\/>|><\/Data>)/,
    );
    expect(deep).toMatchObject({ items: [{ meta: { format: 'node' }, data: '' }] });
  });

  it('has Content-Length, its own Content-Type and no chunks [1x§16.1]', async () => {
    const { said } = await session();
    for (const { headers, xml } of said) {
      expect(headers['content-length']).toBe(String(Buffer.byteLength(xml)));
      expect(headers['content-type']).toBe('application/vnd.syncml.dm+xml');
      expect(headers).not.toHaveProperty('transfer-encoding');
    }
  });

  it('challenges with 401, never 407, and welcomes with 212 [1x§16.1] [IW-AUTH-1]', async () => {
    const gateway = await wired({ deviceAuth: { dm1: 'md5', dm2: 'none' } });
    await gateway.api('POST', '/api/devices', { id: ID, username: 'u', password: 'p' });
    const said = await talk(gateway, { id: ID });
    expect(said[0]!.message.body.map((e) => (e.kind === 'Status' ? e.code : e.kind))).toEqual([
      '401',
      '401',
      '401',
    ]);
    const device = closing(
      new LegacyDevice({
        url: gateway.dm,
        deviceId: ID,
        auth: { type: 'md5', username: 'u', password: 'p' },
      }),
    );
    const { statuses } = await device.session();
    expect(statuses.filter(({ cmd }) => cmd === 'SyncHdr').map(({ code }) => code)).toContain('212');
    expect(statuses.map(({ code }) => code)).not.toContain('407');
  });
});

describe('a device with an account for us', () => {
  const account = { username: 'u', password: 'p', serverUsername: 'srv', serverPassword: 'pw' };
  const md5Chal = (nonce: string) =>
    `<Chal><Meta><Type xmlns="syncml:metinf">syncml:auth-md5</Type><Format xmlns="syncml:metinf">b64</Format><NextNonce xmlns="syncml:metinf">${nonce}</NextNonce></Meta></Chal>`;

  it.each(['basic', 'md5'] as const)(
    'sees our %s credentials in the first message, or would say 0 to everything for ever [1x§16.1] [IW-AUTH-2]',
    async (serverAuth) => {
      const gateway = await known();
      await gateway.api('PUT', `/api/devices/${ID}`, { ...account, serverAuth });
      const shown: (string | undefined)[] = [];
      const given = Buffer.from('0123456789abcdef').toString('base64');
      const good = (nonce: string) =>
        serverAuth === 'basic'
          ? basicCred('srv', 'pw')
          : md5Digest(userHash('srv', 'pw'), Buffer.from(nonce, 'base64'));
      let nonce = '';
      let accepted = false;
      const get = getting((uri) => item(uri, 'Raw'));
      /** As libdmclient: 401 and a challenge to a wrong Cred, Status 0 without any. */
      const answer = (said: Said): string => {
        const { cred, msgId } = said.message.header;
        shown.push(cred?.data);
        if (accepted) return get(said);
        if (cred?.data === good(nonce)) {
          accepted = true;
          nonce = given;
          const chal = serverAuth === 'md5' ? { more: md5Chal(nonce) } : {};
          return get(said).replace(headerOk(said), status(1, msgId, '0', 'SyncHdr', 212, chal));
        }
        nonce = cred ? given : nonce;
        const code = cred ? 401 : 0;
        const own = said.commands.map((c, i) => status(i + 2, msgId, c.cmdId, kindOf(c), code));
        const chal = cred ? { more: md5Chal(nonce) } : {};
        return `${status(1, msgId, '0', 'SyncHdr', code, chal)}${own.join('')}<Final/>`;
      };
      for (const first of [true, false]) {
        shown.length = 0;
        accepted = false;
        const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, {
          CMD: [MAN],
        });
        if (first && serverAuth === 'md5') nonce = Buffer.from('unknown').toString('base64');
        await talk(gateway, { id: ID, answer });
        expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ Status: [{ sc: 200 }] });
        // The first md5 of all is for the challenge; the nonce that came with 212 serves the next session at once.
        expect(shown.slice(0, first && serverAuth === 'md5' ? 2 : 1)).not.toContain(undefined);
        expect(shown.filter((data) => data !== undefined)).toHaveLength(
          first && serverAuth === 'md5' ? 2 : 1,
        );
      }
    },
  );
});

/** A page with a question of several choices and one of text, and what came there. */
async function colours() {
  const hits: string[] = [];
  const host = await listening(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    hits.push(`${request.method} ${body}`);
    const boxes = ['r', 'g', 'b']
      .map((c) => `<label><input type=checkbox name=c value=${c}>${c}</label>`)
      .join('');
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(
      request.method === 'GET'
        ? `<form method=post><fieldset><legend>Colour</legend>${boxes}</fieldset><label>Text<input name=t></label><button>Go</button></form>`
        : '<p>Done</p>',
    );
  });
  return { host, hits };
}

/** What is accepted, row by row (1x§16.1, "Accept"). */
describe.each(['xml', 'wbxml'] as const)('a device in %s is understood', (form) => {
  const encoded = form === 'wbxml' && { encode: (xml: string) => xmlToWbxml(xml) };
  const playing = (CMD: Commands, device: Partial<RawDevice> = {}, config?: Record<string, unknown>) =>
    play(CMD, { ...encoded, ...device }, config);
  const talking = (gateway: Wired, device: RawDevice) => talk(gateway, { ...encoded, ...device });
  const raw = (uri: string) => item(uri, 'Raw');

  it('that leaves CmdRef out of the header Status, puts TargetRef behind Data and Cmd into Results', async () => {
    const answer = getting(raw);
    const { Status } = await playing([MAN], {
      answer: (said) =>
        answer(said)
          .replace('<CmdRef>0</CmdRef>', '')
          .replaceAll(
            '<Data>200</Data></Status><Results>',
            '<Data>200</Data><TargetRef>./x</TargetRef></Status><Results>',
          )
          .replaceAll(/(<Results>.*?)(<Item>)/g, '$1<Cmd>Get</Cmd>$2'),
    });
    expect(Status).toMatchObject([{ sc: 200, MO: [{ MOData: { Man: 'Raw' } }] }]);
  });

  it('that uses one CmdID for everything', async () => {
    const answer = getting(raw);
    const { sc } = await playing([MAN], {
      answer: (said) => answer(said).replaceAll(/<CmdID>\d+<\/CmdID>/g, '<CmdID>1</CmdID>'),
    });
    expect(sc).toEqual([200]);
  });

  it('whose SessionID is always 1, and which tells its leaving in a first message without 1201', async () => {
    const { gateway, sc } = await playing([MAN], { answer: getting(raw) });
    expect(sc).toEqual([200]);
    const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, { CMD: [MAN] });
    await talking(gateway, { id: ID, answer: getting(raw) });
    expect(await gateway.api('GET', `/api/jobs/${job}`)).toMatchObject({ state: 'done' });
    const leaving = `<Alert><CmdID>1</CmdID><Data>1226</Data>${item('./x', '1', '<Meta><Type xmlns="syncml:metinf">com.microsoft:mdm.unenrollment.userrequest</Type><Format xmlns="syncml:metinf">int</Format></Meta>')}</Alert><Final/>`;
    const [said] = await talking(gateway, { id: ID, opening: leaving });
    expect(said!.message.body[1]).toMatchObject({ kind: 'Status', cmd: 'Alert', code: '200' });
  });

  it.each(['Chr', 'CHR', ' chr '])('that writes its formats as %j', async (format) => {
    const meta = `<Meta><Format xmlns="syncml:metinf">${format}</Format></Meta>`;
    const { Status } = await playing([MAN], { answer: getting((uri) => item(uri, 'Raw', meta)) });
    expect(Status).toMatchObject([{ sc: 200, MO: [{ MOData: { Man: 'Raw' } }] }]);
  });

  it.each([
    [
      'alerts between 1201 and the Replace',
      (alert: string, replace: string) =>
        `<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>${alert}${replace}<Final/>`,
    ],
    [
      'the Replace before every alert',
      (alert: string, replace: string) =>
        `${replace}<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>${alert}<Final/>`,
    ],
  ])('that sends %s, DevInfo without Meta', async (_, opening) => {
    const alert = `<Alert><CmdID>3</CmdID><Data>1226</Data>${item('./Box', 'x', '<Meta><Type xmlns="syncml:metinf">org.example.event</Type></Meta>')}</Alert>`;
    const { gateway, said } = await playing([], {
      opening: opening(alert, devInfo(ID)),
      answer: plainly,
    }).catch(async () => {
      // An empty job is refused; the device alone will do.
      const alone = await known();
      return { gateway: alone, said: await talking(alone, { id: ID, opening: opening(alert, devInfo(ID)) }) };
    });
    expect(said[0]!.message.body.filter(({ kind }) => kind === 'Status')).toHaveLength(4);
    expect(await gateway.api('GET', `/api/devices/${ID}`)).toMatchObject({
      devInfo: Object.fromEntries(DEVINFO),
    });
    const { alerts } = await gateway.api<{ alerts: object[] }>('GET', `/api/devices/${ID}/alerts`);
    expect(alerts).toMatchObject([{ alert: { AlertType: 'org.example.event' } }]);
  });

  it.each([
    'org.example.event',
    'Reversed-Domain-Name: org.example.event',
    'Reversed-Domain-Name:org.example.event',
    '\n  reversed-domain-name:\n org.example.event \n',
  ])('whose alert type is %j', async (type) => {
    const gateway = await known();
    const alert = `<Alert><CmdID>1</CmdID><Data>1226</Data>${item('./Box', 'x', `<Meta><Type xmlns="syncml:metinf">${type}</Type></Meta>`)}</Alert>`;
    await talking(gateway, {
      id: ID,
      opening: `<Alert><CmdID>9</CmdID><Data>1201</Data></Alert>${alert}${devInfo(ID)}<Final/>`,
    });
    const { alerts } = await gateway.api<{ alerts: object[] }>('GET', `/api/devices/${ID}/alerts`);
    expect(alerts).toMatchObject([{ alert: { AlertType: 'org.example.event' } }]);
  });

  const TWO = [
    ['DELETE', `${BOX}//A`],
    ['DELETE', `${BOX}//B`],
  ];
  const grouped = (said: Said) => said.commands.find(({ kind }) => kind === 'Sequence');

  it('that answers a Sequence behind its children', async () => {
    const { sc, said } = await playing(TWO, {
      answer: (said) => {
        const { msgId } = said.message.header;
        const [group, ...others] = [...said.commands].sort((a) => (a.kind === 'Sequence' ? -1 : 1));
        const own = (c = group!, i = 0) =>
          status(i + 2, msgId, c.cmdId, kindOf(c), kindOf(c) === 'Get' ? 404 : 200);
        return `${headerOk(said)}${others.map((c, i) => own(c, i)).join('')}${own(group, 40)}<Final/>`;
      },
    });
    expect(said.some(grouped)).toBe(true);
    expect(sc).toEqual([200, 200]);
  });

  it('that answers an Atomic under the name of a Sequence', async () => {
    const host = await listening((_request, response) => {
      const body = JSON.stringify({ Box: { A: 'new', B: 'newer', Run: '' } });
      response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.mo+json' }).end(body);
    });
    const nodes: Record<string, string> = { './Box/A': 'a', './Box/B': 'b', './Box/Run': '' };
    const get = getting((uri) => {
      const [path = ''] = uri.split('?');
      const interior = path === './Box' ? '<Meta><Format xmlns="syncml:metinf">node</Format></Meta>' : '';
      return item(path, path === './Box' ? 'A/B/Run' : (nodes[path] ?? '1'), interior);
    });
    const { sc, said } = await playing(
      [['HGET', `http://${host}/box`, `${BOX}//`]],
      { answer: (said) => get(said).replaceAll('<Cmd>Atomic</Cmd>', '<Cmd>Sequence</Cmd>') },
      { outbound: { allow: [host] } },
    );
    expect(said.some(({ commands }) => commands.some(({ kind }) => kind === 'Atomic'))).toBe(true);
    expect(sc).toEqual([200]);
  });

  it.each([
    ['says so (215): the rest is sent again', 215, [405, 200], ['./Box/A', './Box/B', './Box/B']],
    [
      'says nothing of the rest: that is 500, and not tried twice',
      undefined,
      [405, 500],
      ['./Box/A', './Box/B'],
    ],
  ])('that stops a Sequence at its first failure and %s [IW-SEQ-1]', async (_, skipped, codes, deletes) => {
    const sent: string[] = [];
    let first = true;
    const { sc } = await playing(TWO, {
      answer: (said) => {
        const { msgId } = said.message.header;
        const stops = first && grouped(said);
        if (stops) first = false;
        const answers = said.commands.map((command, i) => {
          const uri = addressOf(command);
          if (command.kind === 'Delete') sent.push(uri);
          const own = (code: number) => status(i + 2, msgId, command.cmdId, kindOf(command), code);
          if (command.kind === 'Get') return own(404);
          if (!stops || command.kind === 'Sequence') return own(200);
          if (uri === './Box/A') return own(405);
          return skipped === undefined ? '' : own(skipped);
        });
        return `${headerOk(said)}${answers.join('')}<Final/>`;
      },
    });
    expect(sc).toEqual(codes);
    expect(sent).toEqual(deletes);
  });

  it.each([401, 407, 0])(
    'that answers commands with %i, and children of a Sequence not at all, until we have proved ourselves',
    async (code) => {
      const gateway = await known();
      const server = { serverUsername: 'srv', serverPassword: 'pw', serverAuth: 'basic' };
      await gateway.api('PUT', `/api/devices/${ID}`, { username: 'u', password: 'p', ...server });
      const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, {
        CMD: [MAN, ...TWO],
      });
      const get = getting(raw);
      const creds: boolean[] = [];
      await talking(gateway, {
        id: ID,
        answer: (said) => {
          const proved = said.message.header.cred !== undefined;
          creds.push(proved);
          if (proved || creds.slice(0, -1).includes(true)) return get(said);
          const { msgId } = said.message.header;
          const chal =
            '<Chal><Meta><Type xmlns="syncml:metinf">syncml:auth-basic</Type><Format xmlns="syncml:metinf">b64</Format></Meta></Chal>';
          const top = said.message.body.filter(({ kind }) => kind !== 'Status');
          return `${status(1, msgId, '0', 'SyncHdr', 401, { more: chal })}${top.map((c, i) => status(i + 2, msgId, c.cmdId, c.kind, code)).join('')}<Final/>`;
        },
      });
      expect(creds).toContain(true);
      const { Status } = await gateway.api<{ Status: { sc: number }[] }>('GET', `/api/jobs/${job}`);
      expect(Status.map(({ sc }) => sc)).toEqual([200, 200, 200]);
    },
  );

  it('that sends binaries as base64 with a Size, and text as an opaque', async () => {
    const meta =
      '<Meta><Format xmlns="syncml:metinf">b64</Format><Size xmlns="syncml:metinf">4</Size></Meta>';
    const { Status } = await playing([['GET', `${BOX}//A`], MAN], {
      answer: getting((uri) => (uri.startsWith('./Box/A') ? item('./Box/A', 'AAEC', meta) : raw(uri))),
      // Data goes as an opaque in WBXML here.
      encode: (xml) => xmlToWbxml(xml),
    });
    expect(Status).toMatchObject([
      { sc: 200, MO: [{ MOData: { A: 'AAEC' } }] },
      { sc: 200, MO: [{ MOData: { Man: 'Raw' } }] },
    ]);
  });

  it('that lists its tree as many Results of one Item, with addresses of every spelling', async () => {
    const gateway = await wired();
    const node = (uri: string, type = '') =>
      `<Item><Meta><Format xmlns="syncml:metinf">node</Format><Type xmlns="syncml:metinf">${type}</Type></Meta><Source><LocURI>${uri}</LocURI></Source></Item>`;
    const list = [
      node('./'),
      node('DevInfo/'),
      node('./Box/', BOX),
      '<Item><Source>./Box/A</Source></Item>',
      '<Item><Source><LocURI>/Box/B</LocURI></Source></Item>',
    ];
    await talking(gateway, {
      id: ID,
      answer: (said) => {
        const { msgId } = said.message.header;
        let next = 1;
        const id = () => {
          next += 1;
          return next;
        };
        const answers = said.commands.map((command) => {
          const asked = addressOf(command) === '.?list=Struct';
          const own = status(id(), msgId, command.cmdId, kindOf(command), asked ? 200 : 406);
          return asked ? own + list.map((one) => results(id(), msgId, command.cmdId, one)).join('') : own;
        });
        return `${headerOk(said)}${answers.join('')}<Final/>`;
      },
    });
    const { mounts } = await gateway.api<{ mounts: { moid: string; root: string }[] }>(
      'GET',
      `/api/devices/${ID}`,
    );
    expect(mounts).toContainEqual(expect.objectContaining({ moid: BOX, root: './Box' }));
  });

  it('whose TNDS is flat, with MIME for interior nodes and a ctime stamp', () => {
    const tnds = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>Box</NodeName><RTProperties><Format><node/></Format><Type><MIME>text/plain</MIME></Type><TStamp>Thu Jan 1 00:00:00 1970</TStamp></RTProperties></Node><Node><NodeName>A</NodeName><Path>Box</Path><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME></Type></RTProperties><Value>a</Value></Node></MgmtTree>`;
    const { nodes } = readTnds(Buffer.from(tnds));
    expect(nodes[0]!.node).toMatchObject({ name: 'Box', children: [{ name: 'A', value: 'a' }] });
  });

  it('that breaks off where its results overflow, with neither Final nor 1222', async () => {
    let held = '';
    let broken = false;
    const { sc, said } = await playing([['GET', `${BOX}//A`, `${BOX}//B`]], {
      answer: (said) => {
        if (held !== '') {
          const rest = held;
          held = '';
          const alert = said.commands[0]!;
          return `${headerOk(said)}${status(2, said.message.header.msgId, alert.cmdId, 'Alert', 200)}${rest}<Final/>`;
        }
        const { msgId } = said.message.header;
        const parts = said.commands.map((command, i) => {
          const own = status(i * 2 + 3, msgId, command.cmdId, kindOf(command), 200);
          return own + results(i * 2 + 4, msgId, command.cmdId, item(addressOf(command), 'v'));
        });
        if (broken) return `${headerOk(said)}${parts.join('')}<Final/>`;
        broken = true;
        held = parts.slice(1).join('');
        return `${headerOk(said)}${parts[0]}`;
      },
    });
    expect(said[1]!.commands).toMatchObject([{ kind: 'Alert', code: '1222' }]);
    expect(said[1]!.message.final).toBe(false);
    expect(sc).toEqual([200]);
  });

  it('that answers an Exec with 1200, and an Item where TargetRef belongs', async () => {
    const { sc } = await playing([['EXEC', `${BOX}//Run`]], {
      answer: (said) => {
        const { msgId } = said.message.header;
        const own = said.commands.map((c, i) =>
          status(i + 2, msgId, c.cmdId, kindOf(c), c.kind === 'Exec' ? 1200 : 404, {
            after: `<Item><Source><LocURI>${addressOf(c)}</LocURI></Source></Item>`,
          }),
        );
        return `${headerOk(said)}${own.join('')}<Final/>`;
      },
    });
    expect(sc).toEqual([200]);
  });

  it.each([
    ['several choices in one Item', ['1-3'], 'c=r&c=b&t=a+b'],
    ['one choice only', ['2'], 'c=g&t=a+b'],
  ])('that gives %s, and blanks of a text as plus signs', async (_, choices, sent) => {
    const { host, hits } = await colours();
    const { sc } = await playing(
      [['SHOW', `http://${host}/`]],
      {
        answer: (said) => {
          const { msgId } = said.message.header;
          const own = said.commands.map((c, i) => {
            const given =
              c.kind !== 'Alert' ? [] : c.code === '1104' ? choices : c.code === '1102' ? ['a b'] : [];
            const after = given.map((data) => `<Item><Data>${data}</Data></Item>`).join('');
            return status(i + 2, msgId, c.cmdId, kindOf(c), kindOf(c) === 'Get' ? 404 : 200, { after });
          });
          return `${headerOk(said)}${own.join('')}<Final/>`;
        },
      },
      { outbound: { allow: [host] } },
    );
    expect(sc).toEqual([200]);
    expect(hits).toContain(`POST ${sent}`);
  });

  it('that says "no" by a 304 to the whole Sequence of questions: nothing is submitted', async () => {
    const { host, hits } = await colours();
    const { sc, said } = await playing(
      [['SHOW', `http://${host}/`], MAN],
      {
        answer: (said) => {
          const { msgId } = said.message.header;
          const group = grouped(said);
          if (!group) return getting(raw)(said);
          return `${headerOk(said)}${status(2, msgId, group.cmdId, 'Sequence', 304)}<Final/>`;
        },
      },
      { outbound: { allow: [host] } },
    );
    expect(said.some(grouped)).toBe(true);
    expect(sc).toEqual([200, 200]);
    expect(hits).toEqual(['GET ']);
  });
});

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../src/dm1/message.ts';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, type Running, run } from './gateway.ts';

const ID = 'IMEI:490154203237518';

type Fields = Readonly<Record<string, string | readonly string[]>>;

async function post(url: string, fields: Fields): Promise<Response> {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const each of [value].flat()) body.append(name, each);
  return await fetch(url, { method: 'POST', body });
}

/** Users with a browser: the first SHOW gets the first answer, and so on. */
function users(...answers: readonly Fields[]) {
  const left = [...answers];
  return async (url: string): Promise<void> => {
    await fetch(url);
    const answer = left.shift();
    if (answer) await post(url, answer);
  };
}

const textOf = ({ data = '' }: Item): string =>
  typeof data === 'string' ? data : Buffer.from(data).toString();

/** Alerts as scripts write them. */
const alert = (code: string, ...items: string[]): ServerCommand => ({ kind: 'Alert', code, items });

async function legacyServer(
  encoding: 'xml' | 'wbxml',
  script: readonly (readonly ServerCommand[])[],
  options: Partial<ConstructorParameters<typeof Dm2Client>[0]> = {},
  limits: Record<string, unknown> = {},
) {
  const server = closing(new LegacyServer({ script }));
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, encoding } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    limits,
  });
  const client = (dm: string) => closing(new Dm2Client({ url: dm, deviceId: ID, ...options }));
  const told = () =>
    server.sessions
      .at(-1)!
      .commands.map(({ code, statuses }) => [code, ...statuses.flatMap(({ items }) => items.map(textOf))]);
  return { gateway, client, server, told };
}

async function play(...args: Parameters<typeof legacyServer>) {
  const peers = await legacyServer(...args);
  const client = peers.client(peers.gateway.dm);
  const report = await client.session();
  return { ...peers, client, report, told: peers.told() };
}

describe.each(['xml', 'wbxml'] as const)('UI alerts of a legacy server in %s', (encoding) => {
  it('are answered on pages, all five of them [IW-UI-1] [IW-UI-2]', async () => {
    const { told, report, client } = await play(
      encoding,
      [
        [
          alert('1100', 'MINDT=1', 'Hello'),
          alert('1101', '', 'Go on?'),
          alert('1102', 'IT=D', 'When?'),
          alert('1103', '', 'One of', 'a', 'b'),
          alert('1104', '', 'Some of', 'a', 'b', 'c'),
        ],
        [{ kind: 'Get', uris: ['./DevInfo/Man'] }],
      ],
      {
        show: users(
          { do: 'ok' },
          { do: 'yes' },
          { do: 'ok', text: '2026-12-24' },
          { do: 'ok', choice: '2' },
          { do: 'ok', choice: ['3', '1'] },
        ),
      },
    );
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(told).toEqual([['200'], ['200'], ['200', '24122026'], ['200', '2'], ['200', '1', '3'], ['200']]);
    expect(new Set(client.state.shown).size).toBe(5);
  });

  it('skip what "No" and a cancel skip [IW-UI-2] [IW-WR-4]', async () => {
    const read: ServerCommand = { kind: 'Get', uris: ['./DevInfo/Man'] };
    const write = (data: string): ServerCommand => ({ kind: 'Replace', uri: './FUMO/fumo1/PkgName', data });
    const name = async (...package_: ServerCommand[]) => {
      const show = users({ do: 'no' }, { do: 'cancel' });
      const { told, client } = await play(encoding, [package_], { show });
      const value = client.objects.tree.find(['urn:oma:mo:oma-fumo:1.0', 'fumo1', 'PkgName'])?.value;
      return [told.map(([code]) => code).join(' '), value];
    };
    const ask = alert('1101', '', 'Sure?');
    expect(await name(ask, read, ask, read, { kind: 'Sequence', commands: [write('x')] })).toEqual([
      '304 200 214 215 215 215',
      'base',
    ]);
    expect(await name({ kind: 'Sequence', commands: [write('a'), ask, write('b')] }, read)).toEqual([
      '200 200 304 215 200',
      'a',
    ]);
    expect(await name({ kind: 'Atomic', commands: [write('a'), ask, write('b')] }, read)).toEqual([
      '507 216 304 215 200',
      'base',
    ]);
  });

  it('time out with 408, or with the default response at MAXDT [IW-UI-2]', async () => {
    const late = await play(
      encoding,
      [
        [alert('1103', 'MAXDT=1&DR=2', 'One of', 'a', 'b')],
        [alert('1101', 'MAXDT=1', 'Go on?'), alert('1100', '', 'x')],
      ],
      { show: () => undefined },
    );
    expect(late.told).toEqual([['200', '2'], ['408'], ['215']]);
    const limited = await play(
      encoding,
      [[alert('1102', 'DR=x', 'Name')]],
      { show: () => undefined },
      {
        interactionSeconds: 1,
      },
    );
    expect(limited.told).toEqual([['408']]);
    expect(await limited.gateway.notes(ID)).toContainEqual({
      rule: 'IW-UI-2',
      text: 'Nobody answered as long as the gateway waits; Alert 1102 is answered 408.',
    });
  });

  it('are 406 for a client without SHOW, which is remembered, and 412 without Items [IW-UI-2]', async () => {
    const { told, gateway, client, server } = await play(
      encoding,
      [[alert('1100', '', 'Hello'), alert('1100', ''), alert('1101', '', 'Go on?')]],
      { missing: ['show'] },
    );
    expect(told).toEqual([['406'], ['412'], ['406']]);
    await client.session();
    expect(server.sessions).toHaveLength(2);
    expect(await gateway.notes(ID)).toContainEqual({
      rule: 'IW-UI-2',
      text: 'The client is known to answer SHOW with 501.',
    });
  });
});

describe('what a user types unseen', () => {
  it('reaches the legacy server and no trace [IW-UI-1]', async () => {
    const { told, gateway } = await play('xml', [[alert('1102', 'ET=P', 'PIN?')]], {
      show: users({ do: 'ok', text: 'hunter2' }),
    });
    expect(told).toEqual([['200', 'hunter2']]);
    const { body } = await gateway.api<{ sessions: { id: string }[] }>('GET', '/api/sessions');
    const traces = await Promise.all(
      body.sessions.map(({ id }) => gateway.api('GET', `/api/sessions/${id}`)),
    );
    expect(JSON.stringify(traces)).toContain('interaction.wait');
    expect(JSON.stringify(traces)).not.toContain('hunter2');
  });
});

describe('a page that is waited for', () => {
  it('is answered by another device over a restart of the gateway [IW-UI-2]', async () => {
    let shown: (url: string) => void = () => undefined;
    const page = new Promise<string>((resolve) => {
      shown = resolve;
    });
    const { gateway, client, server, told } = await legacyServer('xml', [[alert('1102', '', 'Name?')]], {
      show: (url) => shown(url),
    });
    const { port } = new URL(gateway.dm);
    // The device reaches the gateway under one address before and after.
    let target = gateway.dm;
    const front = closing(await relay(() => target));
    const device = client(front.url);
    const session = device.session();
    const url = await page;
    const path = new URL(url).pathname;
    expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(200);
    const again: Running = await gateway.restart();
    target = again.dm;
    const { origin } = new URL(again.dm);
    expect((await post(`${origin}${path}`, { do: 'ok', text: 'Ada' })).status).toBe(200);
    expect((await post(`${origin}${path}`, { do: 'ok', text: 'Eve' })).status).toBe(410);
    expect((await fetch(`${origin}${path}`)).status).toBe(410);
    await session;
    expect(server.sessions).toHaveLength(1);
    expect(told()).toEqual([['200', 'Ada']]);
  }, 60_000);

  it('is left by a device that begins anew [IW-UI-2] [IW-SES-3]', async () => {
    let shown: () => void = () => undefined;
    const page = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const { gateway, client, server } = await legacyServer('xml', [[alert('1100', '', 'Hello')]], {
      show: () => shown(),
    });
    void client(gateway.dm).session();
    await page;
    const began = Date.now();
    await closing(new Dm2Client({ url: gateway.dm, deviceId: ID, missing: ['show'] })).session();
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(server.sessions.length).toBe(2);
  }, 30_000);
});

/** Passes requests on, and repeats one that found nobody, as a device does that lost its answer. */
async function relay(target: () => string) {
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(
        ([name]) => !['host', 'connection', 'content-length'].includes(name),
      ),
    ) as Record<string, string>;
    for (let tries = 0; tries < 100; tries += 1) {
      try {
        const answer = await fetch(target(), { method: 'POST', headers, body });
        if (answer.status === 503) throw new Error('not yet');
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(Buffer.from(await answer.arrayBuffer()));
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    }
    response.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dm`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

interface Hit {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly cookie: string;
}

type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly html?: string };

/** A site with one answer for each path, which records who came. */
async function site(pages: Readonly<Record<string, Reply | ((hit: Hit) => Reply)>>) {
  const hits: Hit[] = [];
  const server = createServer(async (request, response) => {
    const hit: Hit = {
      method: request.method ?? '',
      path: request.url ?? '',
      body: (await bodyOf(request)).toString(),
      cookie: request.headers.cookie ?? '',
    };
    hits.push(hit);
    const found = pages[hit.path.split('?')[0]!] ?? { status: 404 };
    const { status = 200, headers, html = '' } = typeof found === 'function' ? found(hit) : found;
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers });
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  closing({ close: () => void server.close() });
  return { hits, host, url: (path: string) => `http://${host}${path}` };
}

type UiHook = NonNullable<ConstructorParameters<typeof LegacyDevice>[0]['ui']>;
type UiRequest = Parameters<UiHook>[0];

async function showOn(
  encoding: 'xml' | 'wbxml',
  host: string,
  commands: readonly (readonly string[])[],
  device: Partial<ConstructorParameters<typeof LegacyDevice>[0]>,
) {
  const asked: UiRequest[] = [];
  const { ui } = device;
  const backend = closing(new Dm2Backend({ script: [commands] }));
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url: await backend.start() } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    outbound: { allow: [host] },
  });
  const phone = closing(
    new LegacyDevice({
      url: gateway.dm,
      deviceId: ID,
      encoding,
      ...device,
      ...(ui && {
        ui: (request) => {
          asked.push(request);
          return ui(request);
        },
      }),
    }),
  );
  const report = await phone.session();
  const sc = backend.sessions.at(-1)!.commands.map(({ status }) => status?.sc);
  return { gateway, phone, report, asked, sc, notes: await gateway.notes(ID) };
}

const WIZARD = {
  '/start': { status: 302, headers: { location: '/one', 'set-cookie': 'sid=42; Path=/; HttpOnly' } },
  '/one': {
    html: '<title>Set up</title><form method=post action=two><label>Name <input name=n required maxlength=9></label><label>PIN <input name=p type=password></label><button>Next</button></form>',
  },
  '/two': {
    html: '<form action="/done"><fieldset><legend>Colour</legend><label><input type=radio name=c value=r>Red</label><label><input type=radio name=c value=b>Blue</label></fieldset><button>Next</button></form>',
  },
  '/done': { html: '<h1>Thank you</h1>' },
} as const;

describe.each(['xml', 'wbxml'] as const)('SHOW on a legacy device in %s', (encoding) => {
  const GET = ['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man'];

  it('leads through a wizard, with its cookies and redirects [IW-SHOW-1] [IW-UI-3]', async () => {
    const { hits, host, url } = await site(WIZARD);
    const answers: Record<string, string> = { 'Set up\nName': 'Ann & Bo', PIN: '0815', Colour: '2' };
    const ui: UiHook = ({ code, text }) => ({
      status: 200,
      ...(code !== '1100' && { items: [answers[text] ?? ''] }),
    });
    const { sc, asked, report } = await showOn(encoding, host, [['SHOW', url('/start')], GET], { ui });
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(sc).toEqual([200, 200]);
    expect(asked.map(({ code, text, choices }) => [code, text, ...choices])).toEqual([
      ['1102', 'Set up\nName'],
      ['1102', 'PIN'],
      ['1103', 'Colour', 'Red', 'Blue'],
      ['1100', 'Thank you'],
    ]);
    expect(asked[0]!.options).toMatchObject({ MAXLEN: '9', MAXDT: expect.stringMatching(/^\d+$/) });
    expect(asked[1]!.options).toMatchObject({ ET: 'P' });
    expect(hits).toEqual([
      { method: 'GET', path: '/start', body: '', cookie: '' },
      { method: 'GET', path: '/one', body: '', cookie: 'sid=42' },
      { method: 'POST', path: '/two', body: 'n=Ann+%26+Bo&p=0815', cookie: 'sid=42' },
      { method: 'GET', path: '/done?c=b', body: '', cookie: 'sid=42' },
    ]);
  });

  it.each([
    [214, 'The user cancelled; nothing was submitted.'],
    [408, 'The user did not answer in time; nothing was submitted.'],
    [304, 'The user said no; nothing was submitted.'],
  ])(
    'submits nothing when the device answers %i, and goes on [IW-UI-4] [IW-SHOW-1]',
    async (status, text) => {
      const { hits, host, url } = await site(WIZARD);
      const { sc, asked, notes } = await showOn(encoding, host, [['SHOW', url('/one')], GET], {
        ui: () => ({ status }),
      });
      expect(sc).toEqual([200, 200]);
      expect(asked).toHaveLength(status === 408 ? 2 : 1);
      expect(hits.map(({ method }) => method)).toEqual(['GET']);
      expect(notes).toContainEqual({ rule: 'IW-UI-4', text });
    },
  );

  it('is 501 on a device that shows nothing, which is remembered [IW-SHOW-1]', async () => {
    const { hits, host, url } = await site(WIZARD);
    const { sc, phone, gateway } = await showOn(
      encoding,
      host,
      [['SHOW', url('/done')], GET, ['SHOW', url('/done')]],
      {
        missing: ['ui'],
      },
    );
    expect(sc).toEqual([501, 200, 501]);
    expect(hits).toHaveLength(1);
    await phone.session();
    expect(hits).toHaveLength(1);
    expect(await gateway.notes(ID)).toContainEqual({
      rule: 'IW-SHOW-1',
      text: 'The device is known to show nothing to its user.',
    });
  });
});

describe('SHOW of a page', () => {
  const agree: UiHook = ({ code }) => ({ status: 200, ...(code === '1102' && { items: ['x'] }) });
  const show = async (pages: Parameters<typeof site>[0], path = '/p', ui = agree) => {
    const { hits, host, url } = await site(pages);
    return { hits, ...(await showOn('xml', host, [['SHOW', url(path)]], { ui })) };
  };

  it('that is not there, or answers with an error, is reported [IW-SHOW-1]', async () => {
    expect((await show({})).sc).toEqual([404]);
    expect((await show({ '/p': { status: 503 } })).sc).toEqual([500]);
    const { sc, notes } = await showOn(
      'xml',
      'other.example',
      [
        ['SHOW', 'http://127.0.0.1:1/'],
        ['SHOW', 'nonsense'],
      ],
      {},
    );
    expect(sc[1]).toBe(400);
    expect(sc[0]).toBeGreaterThanOrEqual(400);
    expect(notes.some(({ rule }) => rule === 'IW-SHOW-1')).toBe(true);
  });

  it('whose form leads where nobody allowed submits nothing [IW-UI-4]', async () => {
    const { sc, notes } = await show({
      '/p': {
        html: '<form method=post action="http://127.0.0.1:9/"><input name=a value=1><button>Go</button></form>',
      },
    });
    expect(sc).toEqual([200]);
    expect(notes.filter(({ rule }) => rule === 'IW-SHOW-1')).toHaveLength(1);
  });

  it('that is no page or needs script is told with its address [IW-UI-4]', async () => {
    const pdf = await show({ '/p': { headers: { 'content-type': 'application/pdf' }, html: '%PDF-1.7' } });
    expect(pdf.asked[0]!.text).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/p$/);
    const app = await show({ '/p': { html: '<title>App</title><script src=x></script>' } });
    expect(app.asked[0]!.text).toMatch(/^App\nhttp:/);
    const huge = await show({ '/p': { html: `<p>${'x'.repeat(3_000_000)}` } });
    expect(huge.asked[0]!.text).toMatch(/^http:/);
    for (const { sc, notes } of [pdf, app, huge]) {
      expect(sc).toEqual([200]);
      expect(notes.filter(({ rule }) => rule === 'IW-UI-4')).toHaveLength(1);
    }
  });

  it('that leads on for ever is ended [IW-UI-3]', async () => {
    const { sc, asked, notes } = await show({ '/p': { html: '<form><p>again<button>Go</button></form>' } });
    expect(sc).toEqual([200]);
    expect(asked).toHaveLength(10);
    expect(notes).toContainEqual({ rule: 'IW-UI-3', text: 'The dialogue was ended behind 10 pages.' });
  });

  it('ends where the draft dialect says, without showing what is there [IW-UI-3]', async () => {
    const { hits, host, url } = await site({
      '/p': { html: '<form method=post action="/over"><button>Go</button></form>' },
      '/over': { html: 'not shown' },
    });
    const address = `${url('/p')}?Close=${encodeURIComponent(url('/over'))}`;
    const { asked } = await showOn('xml', host, [['SHOW', address]], { ui: agree });
    expect(asked).toHaveLength(1);
    expect(hits.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual([
      'GET /p',
      'POST /over',
    ]);
  });

  it('with a field that has to be filled is asked again, then left [IW-UI-3]', async () => {
    const { asked, hits } = await show(
      {
        '/p': {
          html: '<form method=post><label>Name<input name=n required></label><button>Go</button></form>',
        },
      },
      '/p',
      () => ({ status: 200, items: [''] }),
    );
    expect(asked).toHaveLength(3);
    expect(hits).toHaveLength(1);
  });
});

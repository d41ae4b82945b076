import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:490154203237518';

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
  { device: kind }: Pick<Phone, 'device'>,
  host: string,
  commands: readonly (readonly string[])[],
  device: Partial<ConstructorParameters<typeof LegacyDevice>[0]> = {},
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
      ...kind,
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

describe.each(PHONES.filter(({ has }) => has('ui')))('SHOW on a legacy device $name', (phone) => {
  const GET = ['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man'];

  it('leads through a wizard, with its cookies and redirects [IW-SHOW-1] [IW-UI-3]', async () => {
    const { hits, host, url } = await site(WIZARD);
    const answers: Record<string, string> = { 'Set up\nName': 'Ann & Bo', PIN: '0815', Colour: '2' };
    const ui: UiHook = ({ code, text }) => ({
      status: 200,
      ...(code !== '1100' && { items: [answers[text] ?? ''] }),
    });
    const { sc, asked, report } = await showOn(phone, host, [['SHOW', url('/start')], GET], { ui });
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
      const { sc, asked, notes } = await showOn(phone, host, [['SHOW', url('/one')], GET], {
        ui: () => ({ status }),
      });
      expect(sc).toEqual([200, 200]);
      // Both questions of a page are in one Sequence, which some leave at a question that nobody answers.
      const stops = phone.device.preset === 'sequence-stopper';
      expect(asked).toHaveLength(status === 408 && !stops ? 2 : 1);
      expect(hits.map(({ method }) => method)).toEqual(['GET']);
      expect(notes).toContainEqual({ rule: 'IW-UI-4', text });
    },
  );

  it('is 501 on a device that shows nothing, which is remembered [IW-SHOW-1]', async () => {
    const { hits, host, url } = await site(WIZARD);
    const {
      sc,
      phone: device,
      gateway,
    } = await showOn(phone, host, [['SHOW', url('/done')], GET, ['SHOW', url('/done')]], {
      missing: ['ui'],
    });
    expect(sc).toEqual([501, 200, 501]);
    expect(hits).toHaveLength(1);
    await device.session();
    expect(hits).toHaveLength(1);
    expect(await gateway.notes(ID)).toContainEqual({
      rule: 'IW-SHOW-1',
      text: 'The device is known to show nothing to its user.',
    });
  });
});

it.each(PHONES.filter(({ has }) => !has('ui')))(
  'SHOW is 501 on a device $name, and the session goes on [IW-SHOW-1]',
  async (phone) => {
    const { host, url } = await site(WIZARD);
    const { sc, report } = await showOn(phone, host, [
      ['SHOW', url('/one')],
      ['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man'],
    ]);
    expect(sc).toEqual([501, 200]);
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  },
);

describe('SHOW of a page', () => {
  const XML = PHONES[0]!;
  const agree: UiHook = ({ code }) => ({ status: 200, ...(code === '1102' && { items: ['x'] }) });
  const show = async (pages: Parameters<typeof site>[0], path = '/p', ui = agree) => {
    const { hits, host, url } = await site(pages);
    return { hits, ...(await showOn(XML, host, [['SHOW', url(path)]], { ui })) };
  };

  it('that is not there, or answers with an error, is reported [IW-SHOW-1]', async () => {
    expect((await show({})).sc).toEqual([404]);
    expect((await show({ '/p': { status: 503 } })).sc).toEqual([500]);
    const { sc, notes } = await showOn(
      XML,
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

  it('of 50 MB, or of more than limits.transferBytes, is told with its address and never read as a form [IW-UI-4]', async () => {
    const html = `<form><input name=a><button>Go</button></form><p>${'x'.repeat(50 * 1024 * 1024)}`;
    for (const page of [html, html + html.slice(0, 20_000_000)]) {
      const { sc, asked, hits, notes } = await show({ '/p': { html: page } });
      expect(sc).toEqual([200]);
      expect(asked.map(({ text }) => text)).toEqual([
        expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/p$/),
      ]);
      expect(hits.map(({ method }) => method)).toEqual(['GET']);
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
    const { asked } = await showOn(XML, host, [['SHOW', address]], { ui: agree });
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

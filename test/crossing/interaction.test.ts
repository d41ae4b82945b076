import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../src/dm1/message.ts';
import { Dm2Client, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
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
  config: Record<string, unknown> = {},
) {
  const server = closing(new LegacyServer({ script }));
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, encoding } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    ...config,
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
      { limits: { interactionSeconds: 1 } },
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
    // Its replay needed the text; nobody does once the session is over.
    const { rows, journal, pages } = await gateway.inStore(async ({ db, sessions }) => ({
      rows: await db.selectFrom('journal').selectAll().execute(),
      journal: await Promise.all(
        (await db.selectFrom('sessions').select('id').execute()).map(({ id }) => sessions.entries(id)),
      ),
      pages: await db.selectFrom('interactions').select(['state', 'answer']).execute(),
    }));
    expect(journal.flat().find(({ kind }) => kind === 'interaction.wait')?.body).toBeNull();
    expect(rows.filter(({ bodies }) => bodies && Buffer.from(bodies).includes('hunter2'))).toEqual([]);
    expect(pages).toEqual([{ state: 'answered', answer: null }]);
  });
});

describe('a page that is waited for', () => {
  it('is answered by another device over a restart of the gateway [IW-UI-2]', async () => {
    let shown: (url: string) => void = () => undefined;
    const page = new Promise<string>((resolve) => {
      shown = resolve;
    });
    // The device reaches the gateway under one address before and after.
    let target = '';
    const front = closing(await relay(() => target));
    const { gateway, client, server, told } = await legacyServer(
      'xml',
      [[alert('1102', '', 'Name?')]],
      { show: (url) => shown(url) },
      { publicUrl: new URL(front.url).origin },
    );
    const { port } = new URL(gateway.dm);
    target = gateway.dm;
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
    // Were the page waited for, it would be for limits.interactionSeconds.
    await closing(new Dm2Client({ url: gateway.dm, deviceId: ID, missing: ['show'] })).session();
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
        const { method = 'POST', url = '' } = request;
        const answer = await fetch(new URL(url, target()), {
          method,
          headers,
          ...(method !== 'GET' && { body }),
        });
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

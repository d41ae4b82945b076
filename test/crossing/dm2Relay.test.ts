import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Peer, type Received, startPeer } from '../gateway/outbound/server.ts';
import { closing, type Running, run } from './gateway.ts';

const ID = 'IMEI:490154203237518';
const PACKAGE1 = 'application/vnd.oma.dm.initiation+json';
const PACKAGE2 = 'application/vnd.oma.dm.request+json';
const PACKAGE3 = 'application/vnd.oma.dm.response+json';
const SERIALIZATION = 'application/vnd.oma.dm.mo+json';
const END = '{"CMD":[["END"]]}';
const OPENING =
  '{"MOS":[{"DDF":"http://v.example/d.ddf","MOID":"urn:oma:mo:oma-fumo:1.0","MIID":["fumo1"]}],"Alert":[{"AlertType":"urn:oma:at:dm:2.0:ClientInitiatedMgmt"}]}';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';

type Answer = (request: Received, response: ServerResponse) => void;

/** A server that answers messages with `packages`, one after another, and everything else with `other`. */
async function between(
  packages: readonly string[],
  other: Answer = (_, r) => r.writeHead(404).end(),
  config = {},
) {
  const left = [...packages];
  const server: Peer = closing(
    await startPeer((request, response) => {
      if (!request.url.startsWith('/dm20')) {
        other(request, response);
        return;
      }
      const body = (left.shift() ?? END).replaceAll('{origin}', server.origin);
      response.writeHead(200, { 'content-type': PACKAGE2 }).end(body);
    }),
  );
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url: `${server.origin}/dm20`, ...config } },
    routes: [{ match: {}, backend: 'dms' }],
  });
  const messages = () => server.received.filter(({ url }) => url.startsWith('/dm20'));
  return { server, gateway, messages, post: posting(gateway) };
}

/** A client that sends bytes: the answer's body. */
function posting(gateway: Running) {
  return async (contentType: string, body: string, url = gateway.dm): Promise<string> => {
    const headers = { 'content-type': contentType, 'omadm-devid': ID };
    const response = await fetch(url, { method: 'POST', headers, body });
    return await response.text();
  };
}

describe('a DM 2.0 device on a DM 2.0 server', () => {
  it('has its packages passed byte for byte, under its identity, and traced [IW-REL-1]', async () => {
    const commands = `{"CMD":[["SHOW","https://dms.example/page?a=ä"],["GET","${FUMO}//State"]]}`;
    const status = `{"Status":[{"sc":200},{"sc":200,"MO":[{"ClientURI":"${FUMO}/fumo1/State","MOData":{"State":"1e3"}}]}]}`;
    const { gateway, messages, post } = await between([commands]);
    expect(await post(PACKAGE1, OPENING)).toBe(commands);
    expect(await post(PACKAGE3, status)).toBe(END);
    expect(messages().map(({ body }) => body.toString('utf8'))).toEqual([OPENING, status]);
    expect(messages().map(({ headers }) => headers['omadm-devid'])).toEqual([ID, ID]);
    const { body } = await gateway.api<{ sessions: { id: string }[] }>('GET', `/api/sessions?device=${ID}`);
    const trace = await gateway.api('GET', `/api/sessions/${body.sessions[0]!.id}`);
    expect(JSON.stringify(trace.body)).toContain(`${FUMO}//State`);
  });

  it('keeps what only its server understands: odd members, the letters of numbers, blanks [IW-REL-1]', async () => {
    const { messages, post } = await between([`{"CMD":[["GET","${FUMO}//State"]]}`]);
    const opening = `{ "MgmtTree" : {"a":1.50},\n${OPENING.slice(1)}`;
    const status = `{"Status":[{"sc":200,"Reason":"so","Data":[{"ClientURI":"${FUMO}/fumo1/State","MOData":{"State":1.50}}]}],"x":null}`;
    await post(PACKAGE1, opening);
    expect(await post(PACKAGE3, status)).toBe(END);
    expect(messages().map(({ body }) => body.toString('utf8'))).toEqual([opening, status]);
  });

  it('has GET data under the member that its server is configured to want [IW-GET-2] [IW-REL-1]', async () => {
    const { messages, post } = await between([`{"CMD":[["GET","${FUMO}//State"]]}`], undefined, {
      getMember: 'Found',
    });
    await post(PACKAGE1, OPENING);
    const data = `[{"ClientURI":"${FUMO}/fumo1/State","MOData":{"State":"1"}}]`;
    await post(PACKAGE3, `{"Status":[{"sc":200,"MO":${data}}]}`);
    expect(messages()[1]?.body.toString()).toBe(`{"Status":[{"sc":200,"Found":${data}}]}`);
  });

  it('is not believed when its Status list is short: the server gets 500s [IW-SES-12] [IW-REL-1]', async () => {
    const { messages, post } = await between(['{"CMD":[["SHOW","http://a/"],["SHOW","http://b/"]]}']);
    await post(PACKAGE1, OPENING);
    expect(await post(PACKAGE3, '{"Status":[{"sc":200}]}')).toBe(END);
    expect(messages()[1]?.body.toString()).toBe('{"Status":[{"sc":500},{"sc":500}]}');
  });

  it('goes on at the URL that CONT names, which the device does not see [IW-SES-9] [IW-REL-1]', async () => {
    const { messages, post } = await between([
      '{"CMD":[["CONT","{origin}/dm20/moved"],["SHOW","http://a/"]]}',
    ]);
    expect(await post(PACKAGE1, OPENING)).toBe('{"CMD":[["SHOW","http://a/"]]}');
    expect(await post(PACKAGE3, '{"Status":[{"sc":200}]}')).toBe(END);
    expect(messages().map(({ url }) => url)).toEqual(['/dm20', '/dm20/moved']);
    expect(messages()[1]?.body.toString()).toBe('{"Status":[{"sc":200},{"sc":200}]}');
  });
});

describe('CONT to another URL of the device port', () => {
  it('is the device’s own matter: its session goes on there [IW-SES-9] [IW-SES-3]', async () => {
    const gateway = await run();
    await gateway.api('POST', '/api/devices', { id: ID });
    const moved = `${gateway.dm}?node=7`;
    const job = await gateway.queue(ID, [['CONT', moved]]);
    const next = await gateway.queue(ID, [['SHOW', 'http://a/']]);
    const post = posting(gateway);
    expect(await post(PACKAGE1, OPENING)).toBe(JSON.stringify({ CMD: [['CONT', moved]] }));
    expect(await post(PACKAGE3, '{"Status":[{"sc":200}]}', moved)).toBe(
      JSON.stringify({
        CMD: [
          ['SHOW', 'http://a/'],
          ['CONT', `${moved}&answers=2`],
        ],
      }),
    );
    const answers = `${moved}&answers=2`;
    expect(await post(PACKAGE3, '{"Status":[{"sc":501},{"sc":200}]}', answers)).toBe(END);
    expect(await gateway.job(job)).toMatchObject({ state: 'done', Status: [{ sc: 200 }] });
    expect(await gateway.job(next)).toMatchObject({ state: 'done', Status: [{ sc: 501 }] });
  });

  it.each(['http://other.example/dm', '{dm}/x', '{dm}x?y'])(
    'to %s is refused in a job [IW-SES-9]',
    async (url) => {
      const gateway = await run();
      await gateway.api('POST', '/api/devices', { id: ID });
      const CMD = [['CONT', url.replace('{dm}', gateway.dm)]];
      expect(await gateway.api('POST', `/api/devices/${ID}/commands`, { CMD })).toMatchObject({
        status: 400,
      });
    },
  );
});

describe('side transfers that the gateway carries', () => {
  const TRANSFERS = { transfers: 'gateway' };
  const URL_IN = /\["H(?:GET|PUT|POST)","([^"]+)"/;
  const urlOf = (package2: string) => URL_IN.exec(package2)?.[1] ?? '';

  it('hide the server: documents pass byte for byte by one-time URLs, in order [IW-REL-1]', async () => {
    const document = `[ {"ClientURI":"${FUMO}/fumo1/PkgName", "MOData":{"PkgName":1.50}} ]`;
    const { server, post, messages, gateway } = await between(
      [
        `{"CMD":[["SHOW","http://a/"],["HGET","{origin}/get?id=[IMEI]","${FUMO}//PkgName"],["HPUT","{origin}/put","${FUMO}//"]]}`,
      ],
      ({ method }, response) => {
        if (method === 'GET') response.writeHead(200, { 'content-type': SERIALIZATION }).end(document);
        else response.writeHead(204).end();
      },
      TRANSFERS,
    );
    expect(await post(PACKAGE1, OPENING)).toBe('{"CMD":[["SHOW","http://a/"]]}');
    const hget = await post(PACKAGE3, '{"Status":[{"sc":200}]}');
    expect(urlOf(hget)).toMatch(new RegExp(`^${new URL(gateway.dm).origin}/repository/`));
    expect(hget).toContain(`,"${FUMO}//PkgName"]`);
    const fetched = await fetch(urlOf(hget));
    expect([fetched.headers.get('content-type'), await fetched.text()]).toEqual([SERIALIZATION, document]);
    const hput = await post(PACKAGE3, '{"Status":[{"sc":200},{"sc":200}]}');
    expect((await fetch(urlOf(hget))).status).toBe(410);
    // Nothing is sent before the client sent it.
    expect(server.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /dm20',
      'GET /get?id=490154203237518',
    ]);
    const upload = `[ {"ClientURI":"${FUMO}/fumo1/","CV":"7","MOData":{"FUMO":{}}} ]`;
    const put = { method: 'PUT', headers: { 'content-type': SERIALIZATION }, body: upload };
    expect((await fetch(urlOf(hput), put)).status).toBe(204);
    expect(await post(PACKAGE3, '{"Status":[{"sc":200}]}')).toBe(END);
    const sent = server.received.find(({ url }) => url === '/put');
    expect(sent).toMatchObject({ method: 'PUT', body: Buffer.from(upload) });
    expect(sent?.headers['content-type']).toBe(SERIALIZATION);
    expect(messages()[1]?.body.toString()).toBe('{"Status":[{"sc":200},{"sc":200},{"sc":200}]}');
  });

  it('go on where they stood after a restart [IW-REL-1]', async () => {
    const { server, post, messages, gateway } = await between(
      [`{"CMD":[["HPUT","{origin}/put","${FUMO}//"]]}`],
      (_, response) => response.writeHead(204).end(),
      TRANSFERS,
    );
    const hput = new URL(urlOf(await post(PACKAGE1, OPENING)));
    const second = await gateway.restart();
    const url = `${new URL(second.dm).origin}${hput.pathname}`;
    const put = { method: 'PUT', headers: { 'content-type': SERIALIZATION }, body: '[ ]' };
    expect((await fetch(url, put)).status).toBe(204);
    expect(await posting(second)(PACKAGE3, '{"Status":[{"sc":200}], "x":1}')).toBe(END);
    expect(
      server.received.map(({ method, url: at, body }) => [method, at, body.toString()]).slice(1),
    ).toEqual([
      ['PUT', '/put', '[ ]'],
      ['POST', '/dm20', '{"Status":[{"sc":200}], "x":1}'],
    ]);
    expect(messages()).toHaveLength(2);
  });

  it.each([
    ['a server that has no such document', '{origin}/get', 404, 404],
    ['a server that fails', '{origin}/get', 503, 500],
    ['an address that the guard refuses', 'http://169.254.169.254/latest', 200, 403],
    ['a placeholder that is not known', '{origin}/get?x=[MCC]', 200, 400],
  ])('fail alone, and the client is not asked: %s [IW-REL-1]', async (_what, url, http, sc) => {
    const { post, messages, server } = await between(
      [`{"CMD":[["HGET","${url}","${FUMO}//PkgName"],["SHOW","http://a/"]]}`],
      (_, response) => response.writeHead(http, { 'content-type': SERIALIZATION }).end('[]'),
      TRANSFERS,
    );
    expect(await post(PACKAGE1, OPENING)).toBe('{"CMD":[["SHOW","http://a/"]]}');
    expect(await post(PACKAGE3, '{"Status":[{"sc":200}]}')).toBe(END);
    expect(messages()[1]?.body.toString()).toBe(`{"Status":[{"sc":${sc}},{"sc":200}]}`);
    if (http === 200) expect(server.received).toHaveLength(2);
  });

  it.each([
    ['sends nothing, and says 200', 200, 500],
    ['cannot', 404, 404],
    ['has nothing new', 304, 304],
  ])('of a client that %s reach no server [IW-REL-1]', async (_what, given, told) => {
    const { post, messages, server } = await between(
      [`{"CMD":[["HPOST","{origin}/post","${FUMO}//"]]}`],
      undefined,
      TRANSFERS,
    );
    await post(PACKAGE1, OPENING);
    await post(PACKAGE3, `{"Status":[{"sc":${given}}]}`);
    expect(messages()[1]?.body.toString()).toBe(`{"Status":[{"sc":${told}}]}`);
    expect(server.received).toHaveLength(2);
  });

  it('that the server refuses are told to the server, not to the client [IW-REL-1]', async () => {
    const { post, messages } = await between(
      [`{"CMD":[["HPOST","{origin}/post","${FUMO}//"]]}`],
      (_, response) => response.writeHead(413).end(),
      TRANSFERS,
    );
    const hpost = await post(PACKAGE1, OPENING);
    expect((await fetch(urlOf(hpost), { method: 'POST', body: 'x' })).status).toBe(201);
    expect(await post(PACKAGE3, '{"Status":[{"sc":200}]}')).toBe(END);
    expect(messages()[1]?.body.toString()).toBe('{"Status":[{"sc":413}]}');
  });
});

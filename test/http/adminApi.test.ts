import { request as rawRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post, type Running, startTestGateway, TOKEN } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startTestGateway({
    limits: { jobsPerDevice: 2 },
    backends: { dms: { protocol: 'dm2', url: 'http://user-info.example/dm?key=hidden' } },
  });
});
afterAll(() => gateway.stop());

const PROBLEM = 'application/problem+json; charset=utf-8';

async function problem(answer: Response): Promise<Record<string, unknown>> {
  expect(answer.headers.get('content-type')).toBe(PROBLEM);
  const body = (await answer.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ status: answer.status, requestId: answer.headers.get('x-request-id') });
  return body;
}

describe('the admin token', () => {
  it.each([
    ['/api/devices'],
    ['/api/sessions'],
    ['/api/backends'],
    ['/metrics'],
    ['/openapi.json'],
    ['/no/such/route'],
  ])('is demanded at %s', async (path) => {
    const none = await gateway.api(path, { token: null });
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toContain('Bearer');
    expect(await problem(none)).toMatchObject({ code: 'unauthenticated' });
    for (const token of ['wrong', `${TOKEN}x`, TOKEN.slice(1)]) {
      expect((await gateway.api(path, { token })).status).toBe(401);
    }
  });

  it('is not demanded of probes', async () => {
    expect(await (await gateway.api('/livez', { token: null })).json()).toEqual({ status: 'ok' });
    expect(await (await gateway.api('/readyz', { token: null })).json()).toEqual({ status: 'ok' });
  });

  it('is counted when it is wrong, and never answered back', async () => {
    const refused = await gateway.api('/api/devices', { token: 'guess-of-a-token' });
    expect(await refused.text()).not.toContain('guess-of-a-token');
    expect(await (await gateway.api('/metrics')).text()).toMatch(
      /dragoman_auth_failures_total\{where="admin"\} [1-9]/,
    );
  });
});

describe('devices', () => {
  it('are added once, shown without secrets, changed and forgotten', async () => {
    const created = await gateway.api(
      '/api/devices',
      post({
        id: 'dev/1',
        username: 'u',
        password: 'a secret of it',
        serverUsername: 's',
        serverPassword: 'p',
        notifySecret: 'c2VjcmV0',
        notifyAddress: '+491',
      }),
    );
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/api/devices/dev%2F1');
    const again = await gateway.api('/api/devices', post({ id: 'dev/1' }));
    expect(again.status).toBe(409);
    expect(await problem(again)).toMatchObject({ code: 'exists', retry: false });

    const shown = await (await gateway.api('/api/devices/dev%2F1')).text();
    expect(JSON.parse(shown)).toEqual({
      id: 'dev/1',
      username: 'u',
      serverUsername: 's',
      notifyAddress: '+491',
      devInfo: {},
      mounts: [],
      capabilities: {},
      sessionsEnded: 0,
      failures: 0,
    });
    expect(shown).not.toMatch(/secret|c2VjcmV0|hash|ha1/i);

    const put = (body: unknown) => gateway.api('/api/devices/dev%2F1', { ...post(body), method: 'PUT' });
    expect((await put({ username: 'v', password: 'q' })).status).toBe(200);
    expect(await gateway.json('/api/devices/dev%2F1')).toMatchObject({ username: 'v' });
    expect((await gateway.api('/api/devices/dev%2F1', { method: 'DELETE' })).status).toBe(204);
    expect((await gateway.api('/api/devices/dev%2F1', { method: 'DELETE' })).status).toBe(404);
    expect((await put({})).status).toBe(201);
    await gateway.api('/api/devices/dev%2F1', { method: 'DELETE' });
  });

  it.each([
    ['no id', {}, 'id'],
    ['an unknown member', { id: 'x', colour: 'red' }, 'colour'],
    ['a number as id', { id: 5 }, 'id'],
    ['half an account', { id: 'x', username: 'u' }, 'password'],
    ['a notification secret that is no base64', { id: 'x', notifySecret: '!!' }, 'notifySecret'],
    ['an unknown scheme', { id: 'x', auth: 'magic' }, 'basic'],
    ['a control character', { id: 'x\u0000' }, 'control'],
  ])('are refused with %s', async (_what, body, named) => {
    const answer = await gateway.api('/api/devices', post(body));
    expect(answer.status).toBe(400);
    expect((await problem(answer))['detail']).toContain(named);
  });

  it('are listed page by page', async () => {
    for (const n of [1, 2, 3, 4, 5]) await gateway.api('/api/devices', post({ id: `page:${n}` }));
    const ids: string[] = [];
    for (let after: string | undefined; ; ) {
      const query = `prefix=page:&limit=2${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`;
      const page = await gateway.json<{ devices: { id: string }[]; next?: string }>(`/api/devices?${query}`);
      ids.push(...page.devices.map(({ id }) => id));
      after = page.next;
      if (after === undefined) break;
    }
    expect(ids).toEqual(['page:1', 'page:2', 'page:3', 'page:4', 'page:5']);
    for (const query of ['limit=0', 'limit=x', 'limit=1001', 'protocol=dm3', 'after=a&after=b']) {
      expect((await gateway.api(`/api/devices?${query}`)).status, query).toBe(400);
    }
  });

  it('are imported from CSV, wrong rows with line and column', async () => {
    const csv = 'id,username,password\ncsv:1,u1,p1\n,u2,p2\ncsv:3,u3,\n"csv:4","u,4","p""4"\n';
    const init = { method: 'POST', body: csv, headers: { 'Content-Type': 'text/csv' } };
    const result = await (await gateway.api('/api/devices/import', init)).json();
    expect(result).toEqual({
      imported: 2,
      refused: 2,
      problems: [
        { line: 3, column: 'id', message: 'is empty' },
        { line: 4, column: 'password', message: 'is empty' },
      ],
    });
    expect(await gateway.json('/api/devices/csv:4')).toMatchObject({ username: 'u,4' });
    expect((await gateway.api('/api/devices/import', post({}))).status).toBe(415);
    const headless = await gateway.api('/api/devices/import', { ...init, body: 'a,b\n1,2\n' });
    expect((await problem(headless))['detail']).toContain('line 1');
    expect(headless.status).toBe(400);
  });
});

describe('jobs', () => {
  it('are queued, listed, withdrawn, and bounded for each device', async () => {
    await gateway.api('/api/devices', post({ id: 'jobs:1' }));
    const queue = () =>
      gateway.api('/api/devices/jobs:1/commands', post({ CMD: [['GET', 'urn:oma:mo:x:1.0']] }));
    const first = await queue();
    expect(first.status).toBe(202);
    const { job } = (await first.json()) as { job: string };
    expect(first.headers.get('location')).toBe(`/api/jobs/${job}`);
    expect((await queue()).status).toBe(202);
    const full = await queue();
    expect(full.status).toBe(503);
    expect(full.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await problem(full)).toMatchObject({ code: 'overload', retry: true });
    expect((await gateway.json<{ jobs: unknown[] }>('/api/devices/jobs:1/jobs')).jobs).toHaveLength(2);
    expect((await gateway.api(`/api/jobs/${job}`, { method: 'DELETE' })).status).toBe(204);
    expect((await gateway.api(`/api/jobs/${job}`, { method: 'DELETE' })).status).toBe(409);
    expect(await gateway.json(`/api/jobs/${job}`)).toMatchObject({ state: 'failed', detail: 'withdrawn' });
    expect((await gateway.api('/api/jobs/none')).status).toBe(404);
  });

  it.each([
    ['no CMD', {}],
    ['an empty CMD', { CMD: [] }],
    ['a command that is no array', { CMD: ['GET'] }],
    ['a number as parameter', { CMD: [['GET', 5]] }],
    ['an unknown verb', { CMD: [['FETCH', 'urn:x']] }],
    ['CONT, which would take the session away', { CMD: [['CONT', 'http://other.example/']] }],
  ])('are refused with %s', async (_what, body) => {
    await gateway.api('/api/devices', post({ id: 'jobs:2' }));
    const answer = await gateway.api('/api/devices/jobs:2/commands', post(body));
    expect([400, 501]).toContain(answer.status);
    await problem(answer);
  });

  it('need a device that is known', async () => {
    const answer = await gateway.api('/api/devices/nobody/commands', post({ CMD: [['GET', 'urn:x']] }));
    expect(answer.status).toBe(404);
    expect((await problem(answer))['detail']).toContain('nobody');
    for (const list of ['jobs', 'alerts']) {
      expect((await gateway.api(`/api/devices/nobody/${list}`)).status).toBe(404);
    }
  });
});

describe('every error', () => {
  it('of the body is a problem document', async () => {
    const send = (body: string, type = 'application/json') =>
      gateway.api('/api/devices', { method: 'POST', body, headers: { 'Content-Type': type } });
    expect((await send('{"id"')).status).toBe(400);
    expect((await send('"text"')).status).toBe(400);
    expect((await send('id=1', 'application/x-www-form-urlencoded')).status).toBe(415);
    const large = await send(JSON.stringify({ id: 'x'.repeat(3 * 1024 * 1024) }));
    expect(large.status).toBe(413);
    expect(await problem(large)).toMatchObject({ code: 'too-large' });
  });

  it('of the path or method says what there is', async () => {
    expect(await problem(await gateway.api('/nothing'))).toMatchObject({ code: 'not-found', status: 404 });
    const wrong = await gateway.api('/api/devices', { method: 'PATCH' });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('GET, POST');
    expect((await gateway.api('/api/devices/%E0%A4%A')).status).toBe(400);
    expect((await gateway.api('/api/sessions/none')).status).toBe(404);
    expect((await gateway.api('/api/sessions?before=yesterday')).status).toBe(400);
  });
});

it('shows backends without what their URLs hide', async () => {
  expect(await gateway.json('/api/backends')).toEqual({
    backends: [
      { name: 'console', protocol: 'builtin' },
      { name: 'dms', protocol: 'dm2', url: 'http://user-info.example/dm', dialect: 'approved' },
    ],
  });
});

it('sends headers that keep its answers out of frames and caches, and echoes a request id', async () => {
  const { headers } = await gateway.api('/api/devices', { headers: { 'X-Request-Id': 'mine-1' } });
  expect(headers.get('x-request-id')).toBe('mine-1');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-powered-by')).toBeNull();
});

it('takes a body behind Expect: 100-continue', async () => {
  const { port } = new URL(gateway.urls.admin);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = rawRequest({
      port,
      host: '127.0.0.1',
      path: '/api/devices',
      method: 'POST',
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        'Content-Type': 'application/json',
        Expect: '100-continue',
      },
    });
    request.on('continue', () => request.end('{"id":"patient"}'));
    request.on('response', (response) => resolve(response.resume().statusCode));
    request.on('error', reject);
    request.flushHeaders();
  });
  expect(status).toBe(201);
});

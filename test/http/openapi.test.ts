import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OPERATIONS } from '../../src/http/openapi.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { post, type Running, startTestGateway } from './running.ts';

interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { responses: Record<string, { content?: Content }> }>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}
type Content = Record<string, { schema: { $ref?: string } }>;

let gateway: Running;
let description: Description;
const names: Record<string, string> = { id: 'IMEI:77', job: '', notification: '' };
let session = '';

beforeAll(async () => {
  gateway = await startTestGateway({
    deviceAuth: { dm1: 'none' },
    notifications: { via: 'hook', transports: { hook: { type: 'webhook', url: 'http://127.0.0.1:9/' } } },
  });
  description = await gateway.json<Description>('/openapi.json');
  const device = new LegacyDevice({ url: gateway.urls.devices, deviceId: 'IMEI:77' });
  await device.session({ alerts: [{ source: './FUMO/fw', type: 'org.example.alert', data: '1' }] });
  await device.close();
  const queued = await gateway.api('/api/devices/IMEI:77/commands', post({ CMD: [['GET', 'urn:x']] }));
  names['job'] = ((await queued.json()) as { job: string }).job;
  const account = { ...post({ serverUsername: 'gw', serverPassword: 'pw' }), method: 'PUT' };
  await gateway.api('/api/devices/IMEI:77', account);
  const notified = await gateway.api('/api/devices/IMEI:77/notify', post({ uiMode: 'background' }));
  names['notification'] = ((await notified.json()) as { id: string }).id;
  names['alert'] = (await gateway.json<{ alerts: { id: string }[] }>('/api/outbox')).alerts[0]!.id;
  session = (await gateway.json<{ sessions: { id: string }[] }>('/api/sessions')).sessions[0]?.id ?? '';
});
afterAll(() => gateway.stop());

const filled = (path: string) =>
  path.replace(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(path.startsWith('/api/sessions') ? session : (names[name] ?? '')),
  );

it('is OpenAPI 3.1 and lists every operation with its own id', () => {
  expect(description.openapi).toBe('3.1.0');
  const ids = OPERATIONS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, method } of OPERATIONS) expect(description.paths[path]).toHaveProperty(method);
});

it('describes only routes that are there, and all of their methods', async () => {
  for (const path of Object.keys(description.paths)) {
    const answer = await gateway.api(filled(path), { method: 'PATCH' });
    expect(answer.status, path).toBe(405);
    const allowed = (answer.headers.get('allow') ?? '').toLowerCase().split(', ').sort();
    expect(allowed, path).toEqual(Object.keys(description.paths[path] ?? {}).sort());
  }
});

it('describes the answers as they are', async () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api', components: description.components });
  for (const { path, method } of OPERATIONS) {
    if (method !== 'get') continue;
    const answer = await gateway.api(filled(path));
    expect(answer.status, path).toBe(200);
    const content = description.paths[path]?.[method]?.responses['200']?.content ?? {};
    const schema = content['application/json']?.schema.$ref;
    if (schema === undefined) continue;
    const body: unknown = await answer.json();
    ajv.validate({ $ref: `api${schema}` }, body);
    expect(ajv.errors, `${path}: ${JSON.stringify(body)}`).toBeNull();
  }
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { post, type Running, startTestGateway } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startTestGateway({ deviceAuth: { dm1: 'none', dm2: 'none' } });
});
afterAll(() => gateway.stop());

const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';

describe.each([
  { name: '1.2 device in XML', make: (url: string) => new LegacyDevice({ url, deviceId: 'IMEI:1' }) },
  {
    name: '1.2 device in WBXML',
    make: (url: string) => new LegacyDevice({ url, deviceId: 'IMEI:2', encoding: 'wbxml' }),
  },
  { name: '2.0 device', make: (url: string) => new Dm2Client({ url, deviceId: 'IMEI:3' }) },
])('a $name on the built-in backend', ({ make }) => {
  it('is registered at its first contact and executes what the REST API queues', async () => {
    const device = make(gateway.urls.devices);
    const id = encodeURIComponent(device.options.deviceId);
    const first = await device.session();
    expect(first).toMatchObject({ outcome: 'completed', violations: [] });
    const record = await gateway.json(`/api/devices/${id}`);
    expect(record).toMatchObject({ id: device.options.deviceId });

    const accepted = await gateway.api(
      `/api/devices/${id}/commands`,
      post({ CMD: [['GET', `${DEVINFO}//Man`]] }),
    );
    expect(accepted.status).toBe(202);
    const { job } = (await accepted.json()) as { job: string };
    expect(await gateway.json(`/api/jobs/${job}`)).toMatchObject({ state: 'queued' });
    const second = await device.session();
    expect(second).toMatchObject({ outcome: 'completed', violations: [] });
    const done = await gateway.json(`/api/jobs/${job}`);
    expect(done).toMatchObject({ state: 'done', Status: [{ sc: 200 }] });
    expect(JSON.stringify(done)).toContain('Example');

    const { sessions } = await gateway.json<{ sessions: { id: string }[] }>(`/api/sessions?device=${id}`);
    expect(sessions).toHaveLength(2);
    const trace = await gateway.api(`/api/sessions/${sessions[0]?.id}`, {
      headers: { Accept: 'text/plain' },
    });
    expect(trace.headers.get('content-type')).toContain('text/plain');
    expect(await trace.text()).toContain('device → gateway');
    await device.close();
  });
});

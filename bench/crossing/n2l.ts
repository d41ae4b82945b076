import { Pool } from 'undici';
import { Dm2Client, type Dm2ClientOptions, type ServerCommand } from '../../src/simulator/index.ts';
import { AT_ONCE, fill, type Played, TEMPLATE_ID } from './l2n.ts';

/** A request of the device: a package, or a transfer to the URL at `place` of the last Package#2. */
export interface Step {
  readonly method: 'POST' | 'PUT' | 'GET';
  readonly place?: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly answerBytes: number;
}

/** One read, one write and one execution: three DM 1.x packages of the legacy server. */
export const N2L_SCRIPT: readonly (readonly ServerCommand[])[] = [
  [
    { kind: 'Get', uris: ['./FUMO/fumo1/State'] },
    { kind: 'Get', uris: ['./FUMO/fumo1/PkgName', './FUMO/fumo1/PkgVersion'] },
  ],
  [{ kind: 'Replace', uri: './FUMO/fumo1/PkgName', data: 'update' }],
  [{ kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate', correlator: 'c1' }],
];

const TRANSFER = /https?:\/\/[^"\\]+\/repository\/[^"\\]+/g;

/** Records the second session of a device, when the gateway knows what its client can do. */
export async function recordN2l(url: string, options: Partial<Dm2ClientOptions> = {}): Promise<Step[]> {
  const device = new Dm2Client({ ...AT_ONCE, ...options, url, deviceId: TEMPLATE_ID });
  try {
    const first = await device.session();
    if (first.outcome !== 'completed') throw new Error(`first session: ${first.detail}`);
    const before = device.messages.length;
    const report = await device.session();
    if (report.outcome !== 'completed') throw new Error(`template session: ${report.detail}`);
    const steps: Step[] = [];
    let offered: readonly string[] = [];
    let sent: { contentType: string; body: Buffer } | undefined;
    for (const { direction, url: target, bytes, contentType, text } of device.messages.slice(before)) {
      if (direction === 'sent') {
        sent = { contentType, body: Buffer.from(bytes) };
        continue;
      }
      const place = offered.indexOf(target);
      const { body, contentType: type } = sent ?? { body: Buffer.alloc(0), contentType: '' };
      const method = place < 0 ? 'POST' : sent === undefined ? 'GET' : 'PUT';
      steps.push({
        method,
        contentType: type,
        body,
        answerBytes: bytes.length,
        ...(place >= 0 && { place }),
      });
      if (method === 'POST') offered = text.match(TRANSFER) ?? [];
      sent = undefined;
    }
    return steps;
  } finally {
    await device.close();
  }
}

/**
 * Plays one session each for `ids`, `lanes` at a time. `transfers: false` posts the transfers to `url` as
 * well, for a proxy whose upstream offers none.
 */
export async function playN2l(
  url: string,
  steps: readonly Step[],
  ids: Iterable<string>,
  transfers: boolean,
  lanes = 8,
): Promise<Played> {
  const target = new URL(url);
  const pool = new Pool(target.origin, { connections: lanes });
  const left = ids[Symbol.iterator]();
  let messages = 0;
  let differing = 0;
  const lane = async (): Promise<void> => {
    for (let { done, value: id } = left.next(); !done; { done, value: id } = left.next()) {
      let offered: readonly string[] = [];
      for (const step of steps) {
        const place = transfers && step.place !== undefined ? offered[step.place] : undefined;
        if (transfers && step.place !== undefined && place === undefined) throw new Error('no URL offered');
        const { statusCode, body } = await pool.request({
          path: place === undefined ? target.pathname : new URL(place).pathname,
          method: step.method,
          headers: {
            ...(step.contentType !== '' && { 'content-type': step.contentType }),
            accept: 'application/vnd.oma.dm.request+json',
            'omadm-devid': id,
            'x-answer-bytes': String(step.answerBytes),
          },
          body: step.method === 'GET' ? null : fill(step.body, id),
        });
        const answer = Buffer.from(await body.arrayBuffer());
        if (statusCode >= 300) throw new Error(`HTTP ${statusCode}: ${answer}`);
        messages += 1;
        if (answer.length !== step.answerBytes) differing += 1;
        if (transfers && step.method === 'POST') offered = answer.toString('latin1').match(TRANSFER) ?? [];
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await pool.close();
  return { messages, differing };
}

/** Lets the gateway learn what devices `1` to `count` are and what their clients can do. */
export async function discoverN2l(
  url: string,
  devices: Iterable<string>,
  options: Partial<Dm2ClientOptions> = {},
): Promise<void> {
  for (const deviceId of devices) {
    const device = new Dm2Client({ ...AT_ONCE, ...options, url, deviceId, keepMessages: false });
    for (let session = 0; session < 2; session++) {
      const { outcome, detail } = await device.session();
      if (outcome !== 'completed') throw new Error(`discovery of ${deviceId}: ${outcome} ${detail}`);
    }
    await device.close();
  }
}

import { Pool } from 'undici';
import { LegacyDevice, type LegacyDeviceOptions } from '../../src/simulator/index.ts';

/** One device message and how long the answer to it is. */
export interface Exchange {
  readonly body: Buffer;
  readonly contentType: string;
  readonly answerBytes: number;
}

/** As long as the ids that take its place in the recorded bytes. */
export const TEMPLATE_ID = 'IMEI:000000000000000';
export const idOf = (n: number): string => `IMEI:${String(n).padStart(15, '0')}`;
/** As long as the session ids that take its place; found nowhere else in the messages. */
const TEMPLATE_SESSION = 'S000';
export const sessionIdOf = (n: number): string => `T${(n % 46_656).toString(36).padStart(3, '0')}`;

/** An Exec is done at once: a report of the last one in each session, and a promise of the next, is the exception. */
export const AT_ONCE = { exec: () => ({ status: 200 }) };

export const L2N_COMMANDS = [
  ['GET', 'urn:oma:mo:oma-fumo:1.0//State'],
  ['GET', 'urn:oma:mo:oma-fumo:1.0//PkgName', 'urn:oma:mo:oma-fumo:1.0//PkgVersion'],
  ['EXEC', 'urn:oma:mo:oma-lawmo:1.0//Operations/FullyLock'],
];

/** Records the messages of a session of a device that the gateway knows already, to be played for many. */
export async function recordL2n(url: string, options: Partial<LegacyDeviceOptions>): Promise<Exchange[]> {
  const { encoding = 'xml' } = options;
  const device = new LegacyDevice({ ...AT_ONCE, ...options, url, deviceId: TEMPLATE_ID });
  try {
    const discovery = await device.session({ sessionId: 'D000' });
    if (discovery.outcome !== 'completed') throw new Error(`discovery: ${discovery.detail}`);
    const before = device.messages.length;
    const report = await device.session({ sessionId: TEMPLATE_SESSION });
    if (report.outcome !== 'completed') throw new Error(`template: ${report.detail}`);
    const messages = device.messages.slice(before);
    return messages.flatMap(({ direction, bytes }, i): Exchange[] =>
      direction === 'received'
        ? []
        : [
            {
              body: Buffer.from(bytes),
              contentType: `application/vnd.syncml.dm+${encoding}`,
              answerBytes: messages[i + 1]!.bytes.length,
            },
          ],
    );
  } finally {
    await device.close();
  }
}

/** Lets devices be discovered, which takes more messages than later sessions do. */
export async function discoverL2n(
  url: string,
  devices: Iterable<string>,
  options: Partial<LegacyDeviceOptions>,
): Promise<void> {
  for (const deviceId of devices) {
    const device = new LegacyDevice({ ...AT_ONCE, ...options, url, deviceId, keepMessages: false });
    const { outcome, detail } = await device.session({ sessionId: 'D000' });
    await device.close();
    if (outcome !== 'completed') throw new Error(`discovery of ${deviceId}: ${outcome} ${detail}`);
  }
}

/** The recorded bytes as another device sends them in another session. */
export function fill(body: Buffer, id: string, session?: string): Buffer {
  const copy = Buffer.from(body);
  overwrite(copy, TEMPLATE_ID, id);
  if (session !== undefined) overwrite(copy, TEMPLATE_SESSION, session);
  return copy;
}

function overwrite(bytes: Buffer, from: string, to: string): void {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length)) bytes.write(to, at);
}

export interface Played {
  readonly messages: number;
  /** Answers that are not as long as in the recorded session. */
  readonly differing: number;
}

/** Plays one session each for `ids`, `lanes` at a time. Session ids must be new to each device. */
export async function playL2n(
  url: string,
  exchanges: readonly Exchange[],
  ids: Iterable<string>,
  session: string,
  lanes = 8,
): Promise<Played> {
  const target = new URL(url);
  const pool = new Pool(target.origin, { connections: lanes });
  const left = ids[Symbol.iterator]();
  let messages = 0;
  let differing = 0;
  const lane = async (): Promise<void> => {
    for (let { done, value } = left.next(); !done; { done, value } = left.next()) {
      for (const exchange of exchanges) {
        const { statusCode, body } = await pool.request({
          path: target.pathname,
          method: 'POST',
          headers: {
            'content-type': exchange.contentType,
            'x-answer-bytes': String(exchange.answerBytes),
          },
          body: fill(exchange.body, value, session),
        });
        const answer = await body.arrayBuffer();
        if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${Buffer.from(answer)}`);
        messages += 1;
        if (answer.byteLength !== exchange.answerBytes) differing += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await pool.close();
  return { messages, differing };
}

export function* ids(first: number, count: number): Generator<string> {
  for (let n = first; n < first + count; n++) yield idOf(n);
}

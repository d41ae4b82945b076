import { Pool } from 'undici';
import { LegacyDevice } from '../../src/simulator/index.ts';

/** One device message and how long the answer to it is. */
export interface Exchange {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly answerBytes: number;
}

/** As long as the ids that take its place in the recorded bytes. */
export const TEMPLATE_ID = 'IMEI:000000000000000';
export const idOf = (n: number): string => `IMEI:${String(n).padStart(15, '0')}`;

export const L2N_COMMANDS = [
  ['GET', 'urn:oma:mo:oma-fumo:1.0//State'],
  ['GET', 'urn:oma:mo:oma-fumo:1.0//PkgName', 'urn:oma:mo:oma-fumo:1.0//PkgVersion'],
  ['EXEC', 'urn:oma:mo:oma-lawmo:1.0//Operations/FullyLock'],
];

/** Records the messages of a session of a known device, to be played for many devices. */
export async function record(url: string, encoding: 'xml' | 'wbxml'): Promise<Exchange[]> {
  const device = new LegacyDevice({ url, deviceId: TEMPLATE_ID, encoding, sessionId: '1' });
  await device.session();
  const before = device.messages.length;
  const report = await device.session();
  if (report.outcome !== 'completed') throw new Error(`the template session ${report.outcome}: ${report.detail}`);
  const messages = device.messages.slice(before);
  const exchanges: Exchange[] = [];
  for (let i = 0; i + 1 < messages.length; i += 2) {
    exchanges.push({
      body: messages[i]!.bytes,
      contentType: `application/vnd.syncml.dm+${encoding}`,
      answerBytes: messages[i + 1]!.bytes.length,
    });
  }
  await device.close();
  return exchanges;
}

/** The recorded messages with another device's id in them. */
export function personal(exchange: Exchange, id: string): Uint8Array {
  const body = Buffer.from(exchange.body);
  const from = Buffer.from(TEMPLATE_ID);
  const to = Buffer.from(id);
  for (let at = body.indexOf(from); at >= 0; at = body.indexOf(from, at + to.length)) to.copy(body, at);
  return body;
}

/** Plays sessions of devices `first`, `first + 1`, … `lanes` at a time; returns the number of messages. */
export async function play(
  url: string,
  exchanges: readonly Exchange[],
  first: number,
  sessions: number,
  lanes = 8,
): Promise<number> {
  const target = new URL(url);
  const pool = new Pool(target.origin, { connections: lanes });
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < first + sessions) {
      const id = idOf(next++);
      for (const exchange of exchanges) {
        const { statusCode, body } = await pool.request({
          path: target.pathname,
          method: 'POST',
          headers: { 'content-type': exchange.contentType, 'x-answer-bytes': String(exchange.answerBytes) },
          body: personal(exchange, id),
        });
        const answer = Buffer.from(await body.arrayBuffer());
        if (statusCode !== 200) throw new Error(`${statusCode}: ${answer}`);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await pool.close();
  return sessions * exchanges.length;
}


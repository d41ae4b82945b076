import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DialectName } from '../../../src/dm2/dialects/index.ts';
import type { SessionContext } from '../../../src/interworking/context.ts';
import { perform, type SessionScript } from '../../../src/interworking/script.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { toyGateway } from './toySession.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore('sqlite::memory:');
});
afterAll(() => store.close());

/** Two rounds of commands; the last one repeats, as a digest, all that the script was told. */
function* echoing({ opening }: SessionContext): SessionScript {
  const heard: unknown[] = [opening];
  for (let round = 1; round <= 2; round += 1) {
    const reads = opening.protocol === 'dm2' && opening.dialect !== 'draft-text-1';
    const event = yield* perform<'device.exchange'>({
      kind: 'device.exchange',
      reply: {
        protocol: 'dm2',
        package2: {
          CMD: [
            ['DELETE', `urn:x:mo:a:1.0/1/n${round}`],
            ...(reads ? [['GET', 'urn:x:mo:a:1.0/1/']] : []),
            ['DELETE', `urn:x:mo:a:1.0/2/n${round}`],
          ],
        },
      },
    });
    // The time of a message is the one member that differs between two runs.
    heard.push(event.kind === 'package3' ? event.package3 : event.kind);
  }
  const said = createHash('sha256').update(JSON.stringify(heard)).digest('hex');
  return {
    ending: 'completed',
    reply: { protocol: 'dm2', package2: { CMD: [['DELETE', `urn:x:mo:a:1.0/${said}/`], ['END']] } },
  };
}

const TNDS = '{"TNDS20":[{"MOID":"x:mo:a:1.0","Path":"/1","A":"b"}]}';
const OPENING =
  '{"MO":[{"MOID":"x:mo:a:1.0","Path":"/1","Path":"/2"}],"TNDS20":[{"MOID":"oma:mo:oma-dm-devinfo:1.0","Path":"/","Man":"Early"}]}';
/** Which status the data belongs to only the commands tell: no part says so. */
const PARTS = `--a\r\ncontent-type: application/dm20status\r\n\r\n200\r\n200\r\n404\r\n\r\n--a\r\ncontent-type: application/tnds20\r\n\r\n${TNDS}\r\n--a--\r\n`;

interface Row {
  readonly dialect: DialectName;
  readonly header: string;
  readonly messages: readonly (readonly [type: string, body: string])[];
}

const text = (...reports: string[]): Row['messages'] => [
  ['application/tnds20', OPENING],
  ...reports.map((body) => ['application/dm20status', body] as const),
];

const ROWS: readonly Row[] = [
  {
    dialect: 'draft-text-1',
    header: 'x-omadmdeviceid',
    messages: text('MsgID 0\r\n200 \r\n404 \r\n', 'MsgID 1\r\n405 \r\n200 \r\n'),
  },
  {
    dialect: 'draft-text-2',
    header: 'x-omadmdevid',
    messages: [
      ['application/tnds20', OPENING],
      ['multipart/mixed; boundary=a', PARTS],
      ['application/dm20status', '200\r\n406\r\n404\r\n'],
    ],
  },
  {
    dialect: 'draft-text-3',
    header: 'x-omadmdevid',
    messages: text(`200\r\n200 ${TNDS}\r\n404\r\n`, '200\r\n304\r\n200\r\n'),
  },
  {
    dialect: 'draft-json',
    header: 'omadm-devid',
    messages: [
      ['application/vnd.oma.dm.initiation+json', '{"MOS":[{"MOID":"urn:x:mo:a:1.0","MIID":["1"]}]}'],
      ['application/vnd.oma.dm.response+json', '{"Status":[{"sc":200},{"sc":200,"MO":[]},{"sc":404}]}'],
      ['application/vnd.oma.dm.response+json', '{"Status":[{"sc":404},{"sc":304},{"sc":200}]}'],
    ],
  },
];

describe.each(ROWS)('a session in $dialect', ({ dialect, header, messages }) => {
  /** The session's answers; `fresh`: every message meets a node that has to replay what came before. */
  async function play(id: string, fresh: boolean): Promise<string[]> {
    const node = () => toyGateway(store, { script: echoing, dialectOf: () => dialect });
    let gateway = node();
    const answers: string[] = [];
    for (const [type, body] of messages) {
      if (fresh) gateway = node();
      const response = await gateway.port.handle({
        headers: { 'content-type': type, [header]: id },
        body: Buffer.from(body),
        url: '/dm',
        delivered: Promise.resolve(true),
      });
      expect(response.status).toBe(200);
      answers.push(Buffer.from(response.body).toString('utf8'));
    }
    expect(gateway.problems).toEqual([]);
    return answers;
  }

  it('is replayed to the byte after every message [IW-SES-4]', async () => {
    const whole = await play(`${dialect} whole`, false);
    expect(whole).toHaveLength(3);
    expect(whole[2]).toContain('END');
    // The id of the device stands in none of the answers, and the digest covers all that the script heard.
    expect(await play(`${dialect} fresh`, true)).toEqual(whole);
  });
});

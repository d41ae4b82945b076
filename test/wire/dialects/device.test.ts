import { describe, expect, it } from 'vitest';
import type { DialectName } from '../../../src/dm2/dialects/index.ts';
import { post, wired } from '../harness.ts';

const ID = 'IMEI:004401074861234';
const DELETE = ['DELETE', 'urn:oma:mo:oma-mms:1.3/3/'];
const EXEC = ['EXEC', 'urn:oma:mo:oma-fumo:1.0/1/Update'];

const TNDS = (more = '') =>
  `{"MO":[{"MOID":"oma:mo:oma-mms:1.3","Path":"/3"}],"TNDS20":[{"MOID":"oma:mo:oma-dm-devinfo:1.0","Path":"/","DevID":"${ID}","Man":"Early","Mod":"X1"}]${more}}`;
const PACKAGE1 = '{"MOS":[{"MOID":"urn:oma:mo:oma-mms:1.3","MIID":["3"]}]}';

interface Row {
  readonly dialect: DialectName;
  readonly headers: Record<string, string>;
  readonly types: { readonly opening: string; readonly status: string; readonly commands: string };
  readonly opening: string;
  /** Commands and reports in order, byte for byte; the last commands end the session. */
  readonly commands: readonly [string, string, string];
  readonly reports: readonly [string, string];
}

const TEXT = {
  opening: 'application/tnds20',
  status: 'application/dm20status',
  commands: 'application/dm20',
};
const JSON_TYPES = {
  opening: 'application/vnd.oma.dm.initiation+json',
  status: 'application/vnd.oma.dm.response+json',
  commands: 'application/vnd.oma.dm.request+json',
};
const json = {
  headers: { 'omadm-devid': ID },
  types: JSON_TYPES,
  opening: PACKAGE1,
  commands: [
    '{"CMD":[["DELETE","urn:oma:mo:oma-mms:1.3/3/"]]}',
    '{"CMD":[["EXEC","urn:oma:mo:oma-fumo:1.0/1/Update"],["CONT","{dm}?answers=2"]]}',
    '{"CMD":[["END"]]}',
  ],
  reports: ['{"Status":[{"sc":200}]}', '{"Status":[{"sc":405},{"sc":200}]}'],
} as const;
const text = {
  types: TEXT,
  opening: TNDS(),
  commands: [
    'DELETE oma:mo:oma-mms:1.3/3\r\n',
    'EXEC oma:mo:oma-fumo:1.0/1/Update\r\nCONT {dm}?answers=2\r\n',
    'END\r\n',
  ],
  reports: ['200\r\n', '405\r\n200\r\n'],
} as const;

const ROWS: readonly Row[] = [
  { dialect: 'approved', ...json },
  { dialect: 'draft-json', ...json },
  {
    dialect: 'draft-text-1',
    ...text,
    headers: { 'x-omadmdeviceid': ID },
    commands: [
      'MsgID 0\r\nDELETE oma:mo:oma-mms:1.3/3\r\n',
      'MsgID 1\r\nEXEC oma:mo:oma-fumo:1.0/1/Update\r\n',
      'MsgID 2\r\nEND\r\n',
    ],
    reports: ['MsgID 0\r\n200 \r\n', 'MsgID 1\r\n405 \r\n'],
  },
  { dialect: 'draft-text-2', ...text, headers: { 'x-omadmdevid': ID } },
  { dialect: 'draft-text-3', ...text, headers: { 'x-omadmdevid': ID } },
];

async function served({ dialect }: Row, config: Record<string, unknown> = {}) {
  // Headers tell the others.
  const dialects =
    dialect === 'draft-json' || dialect === 'draft-text-3' ? [{ deviceId: 'IMEI:*', dialect }] : [];
  const gateway = await wired({ dialects, ...config });
  await gateway.api('POST', '/api/devices', { id: ID, username: 'u', password: 'password' });
  const jobs: string[] = [];
  for (const command of [DELETE, EXEC]) {
    const path = `/api/devices/${encodeURIComponent(ID)}/commands`;
    jobs.push((await gateway.api<{ job: string }>('POST', path, { CMD: [command] })).job);
  }
  return { gateway, jobs };
}

function typed({ headers, types }: Row, kind: 'opening' | 'status'): Record<string, string> {
  return { ...headers, 'content-type': types[kind] };
}

describe.each(ROWS.filter(({ dialect }) => dialect !== 'draft-json' && dialect !== 'approved'))(
  'a device that speaks $dialect',
  (row) => {
    it('is known by what its first message says of it [IW-SES-7] [IW-SES-2]', async () => {
      const { gateway } = await served(row);
      await gateway.post(row.opening, typed(row, 'opening'));
      const device = await gateway.api<{ dialect: string; devInfo: object }>(
        'GET',
        `/api/devices/${encodeURIComponent(ID)}`,
      );
      expect(device).toMatchObject({ dialect: row.dialect, devInfo: { DevID: ID, Man: 'Early', Mod: 'X1' } });
    });

    it('is routed by the manufacturer in its first message', async () => {
      const { gateway } = await served(row, {
        backends: { away: { protocol: 'dm2', url: 'http://127.0.0.1:1/' } },
        routes: [{ match: { man: 'Early' }, backend: 'away' }],
      });
      const { text: answer } = await gateway.post(row.opening, typed(row, 'opening'));
      expect(answer).toMatch(/END\r\n$/);
      const [trace] = await gateway.traces(ID);
      expect(trace).toMatchObject({ ending: 'backend-failed' });
    });

    it.each([
      ['is no JSON', '{"TNDS20":[', 400],
      ['names another device', TNDS().replace('"DevID":"IMEI:0044', '"DevID":"IMEI:0055'), 400],
      ['has a node twice', TNDS().replace('"Mod":"X1"', '"Man":"X1"'), 400],
    ])('gets its reason where the first message %s', async (_, body, status) => {
      const { gateway } = await served(row);
      const answer = await gateway.post(body, typed(row, 'opening'));
      expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/plain; charset=utf-8']);
    });
  },
);

describe.each(ROWS)('a session in $dialect', (row) => {
  it('goes byte for byte [IW-SES-1] [IW-SES-4] [IW-SES-8] [IW-SES-9]', async () => {
    const { gateway, jobs } = await served(row);
    const answers = [await gateway.post(row.opening, typed(row, 'opening'))];
    for (const report of row.reports) {
      // Where the next answer could look like the last one, CONT takes it to a URL of its own.
      const moved = /CONT[", ]+([^"\r]+)/.exec(answers.at(-1)!.text)?.[1];
      answers.push(await post(moved ?? gateway.dm, report, typed(row, 'status')));
    }
    expect(answers.map(({ status, headers, text: body }) => [status, headers['content-type'], body])).toEqual(
      row.commands.map((body) => [200, row.types.commands, body.replace('{dm}', gateway.dm)]),
    );
    const done = await Promise.all(
      jobs.map((job) => gateway.api<{ Status: object[] }>('GET', `/api/jobs/${job}`)),
    );
    expect(done.map(({ Status }) => Status)).toEqual([[{ sc: 200 }], [{ sc: 405 }]]);
  });

  it('refuses a report in another dialect and goes on in its own [IW-SES-1]', async () => {
    const { gateway } = await served(row);
    await gateway.post(row.opening, typed(row, 'opening'));
    const other = ROWS.find(({ types }) => types !== row.types)!;
    const mixed = await gateway.post(other.reports[0], typed(other, 'status'));
    expect([mixed.status, mixed.text]).toEqual([415, expect.stringContaining(row.dialect)]);
    const next = await gateway.post(row.reports[0], typed(row, 'status'));
    expect([next.status, next.text]).toEqual([200, row.commands[1].replace('{dm}', gateway.dm)]);
  });

  it('answers 406 where Accept leaves commands out, and takes any other list', async () => {
    const { gateway } = await served(row);
    const refused = await gateway.post(row.opening, { ...typed(row, 'opening'), accept: 'text/html' });
    expect(refused.status).toBe(406);
    expect(await gateway.traces(ID)).toEqual([]);
    const accept = `${row.types.commands};${row.types.opening}`;
    expect((await gateway.post(row.opening, { ...typed(row, 'opening'), accept })).status).toBe(200);
  });

  it('answers 415 to a type that no dialect has, and names those that one has', async () => {
    const { gateway } = await served(row);
    const answer = await gateway.post(row.opening, { ...row.headers, 'content-type': 'text/html' });
    expect([answer.status, answer.headers['accept']]).toEqual([
      415,
      expect.stringContaining(row.types.opening),
    ]);
  });

  it('is closed with END where no session waits for a report [IW-SES-8]', async () => {
    const { gateway } = await served(row);
    const answer = await gateway.post(row.reports[0], typed(row, 'status'));
    const end = row.types === JSON_TYPES ? '{"CMD":[["END"]]}' : 'END\r\n';
    expect([answer.status, answer.text.endsWith(end)]).toEqual([200, true]);
  });
});

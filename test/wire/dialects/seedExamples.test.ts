import { describe, expect, it } from 'vitest';
import { httpBlock, text, wire } from '../../dm2/dialects/seeds.ts';
import { wired } from '../harness.ts';
import { rawServer } from './rawServer.ts';

/** The JSON text without the blanks between its tokens. */
const compact = (json: string) =>
  json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) => string ?? '');

const jsonOf = (body: Buffer) => {
  const printed = text(body);
  return compact(printed.slice(printed.indexOf('{')));
};

/** What a client of the examples sends, but for what its HTTP library adds. */
function headersOf({ headers }: ReturnType<typeof httpBlock>): Record<string, string> {
  const {
    host: _host,
    connection: _connection,
    expect: _expect,
    'content-length': _length,
    ...own
  } = headers;
  return own;
}

describe('the examples of the first draft between its own device and server', () => {
  const [c1, c2, c3, c4, c5, c6] = [
    'c1-opening',
    'c2-commands',
    'c3-status',
    'c4-commands',
    'c5-status',
    'c6-commands',
  ].map((name) => httpBlock(`first-draft/${name}.txt`)) as [Block, Block, Block, Block, Block, Block];
  type Block = ReturnType<typeof httpBlock>;

  async function play() {
    const server = await rawServer(
      'application/dm20',
      [c2, c4, c6].map(({ body }) => wire(body)),
    );
    const gateway = await wired({
      backends: { early: { protocol: 'dm2', url: server.url, dialect: 'draft-text-1' } },
      routes: [{ match: { man: 'Sony Ericsson' }, backend: 'early' }],
    });
    const sent = [c1.body.toString('utf8'), wire(c3.body), wire(c5.body)];
    const answers = [];
    for (const [i, block] of [c1, c3, c5].entries()) {
      answers.push(await gateway.post(sent[i]!, headersOf(block)));
    }
    return { server, gateway, answers };
  }

  it('pass byte for byte in both directions [IW-REL-1] [IW-SES-1]', async () => {
    const { server, answers } = await play();
    expect(answers.map(({ status, headers, text: body }) => [status, headers['content-type'], body])).toEqual(
      [c2, c4, c6].map(({ body }) => [200, 'application/dm20', wire(body)]),
    );
    expect(server.got.map(({ body }) => body)).toEqual([jsonOf(c1.body), wire(c3.body), wire(c5.body)]);
    for (const [i, block] of [c1, c3, c5].entries()) {
      expect(server.got[i]!.headers).toMatchObject({
        'content-type': block.headers['content-type'],
        'x-omadmdeviceid': block.headers['x-omadmdeviceid'],
        accept: 'application/dm20, application/tnds20',
      });
      expect(server.got[i]!.headers['omadm-devid']).toBeUndefined();
    }
  });

  it('leave the device in the registry, with what they tell of it [IW-SES-2] [IW-INV-4]', async () => {
    const { gateway } = await play();
    const id = c1.headers['x-omadmdeviceid'] ?? '';
    const device = await gateway.api<object>('GET', `/api/devices/${encodeURIComponent(id)}`);
    expect(device).toMatchObject({
      dialect: 'draft-text-1',
      devInfo: { DevID: id, Man: 'Sony Ericsson', Mod: 'X1i', FwV: '1.05.948.10', OEM: 'SonyEricsson' },
    });
    const [trace] = await gateway.traces(id);
    expect(trace).toMatchObject({ state: 'done', ending: 'completed' });
  });
});

describe('the firmware update of the introduction between a draft-json device and server', () => {
  const [opening, exec, status, end] = ['opening', 'commands-exec', 'status', 'commands-end'].map((name) =>
    httpBlock(`introduction/${name}.txt`),
  ) as [Block, Block, Block, Block];
  type Block = ReturnType<typeof httpBlock>;

  it('runs as it is printed, without blanks where the gateway writes [IW-REL-1] [IW-SES-8]', async () => {
    const server = await rawServer(
      'application/vnd.oma.dm.request+json',
      [exec, end].map(({ body }) => body.toString('utf8')),
    );
    const gateway = await wired({
      backends: { dms: { protocol: 'dm2', url: server.url, dialect: 'draft-json' } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'dms' }],
      dialects: [{ deviceId: '*', dialect: 'draft-json' }],
    });
    const answers = [];
    for (const block of [opening, status]) {
      answers.push(await gateway.post(block.body, headersOf(block)));
    }
    expect(answers.map(({ status: code, text: body }) => [code, body])).toEqual([
      [200, jsonOf(exec.body)],
      [200, jsonOf(end.body)],
    ]);
    expect(server.got.map(({ body }) => body)).toEqual([opening, status].map(({ body }) => text(body)));
    expect(server.got.map(({ headers }) => headers['omadm-devid'])).toEqual([
      opening.headers['omadm-devid'],
      opening.headers['omadm-devid'],
    ]);
  });
});

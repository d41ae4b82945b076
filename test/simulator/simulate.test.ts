import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  runSimulate,
  SIMULATE_FLAGS,
  type Simulated,
  type SimulateFlags,
} from '../../src/simulator/index.ts';

/** Runs a server until `use` is done with its URL; all lines it printed. */
async function serving(
  kind: 'server' | 'backend',
  flags: SimulateFlags,
  use: (url: string) => Promise<void>,
) {
  const lines: string[] = [];
  const stop = new AbortController();
  let listening: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => {
    listening = resolve;
  });
  const print = (line: string) => {
    lines.push(line);
    const [, address] = /^listening on (.*)$/.exec(line) ?? [];
    if (address) listening(address);
  };
  const done = runSimulate(kind, flags, { print, signal: stop.signal });
  await use(await url);
  stop.abort();
  expect(await done).toBe(0);
  return lines;
}

async function client(kind: 'device' | 'client', flags: SimulateFlags) {
  const lines: string[] = [];
  const code = await runSimulate(kind, flags, { print: (line) => lines.push(line) });
  return { code, lines };
}

const file = (content: unknown) => {
  const name = join(mkdtempSync(join(tmpdir(), 'simulate-')), 'script.json');
  writeFileSync(name, JSON.stringify(content));
  return name;
};

describe('dragoman simulate', () => {
  it('runs a device against a server and prints one line per message, without values', async () => {
    const script = file([
      [
        { kind: 'Get', uris: ['./DevInfo/Man', './DevInfo/Mod'] },
        { kind: 'Sequence', commands: [{ kind: 'Delete', uris: ['./Settings'] }] },
      ],
    ]);
    const auth = { auth: 'md5', user: 'phone', password: 'hunter2' };
    let device: Awaited<ReturnType<typeof client>> | undefined;
    const lines = await serving('server', { script, ...auth }, async (url) => {
      device = await client('device', { url, encoding: 'wbxml', ...auth });
    });
    expect(device!.code).toBe(0);
    expect(device!.lines.at(-1)).toMatch(/^session 1 completed: 3 messages, \d+ ms$/);
    expect(device!.lines.filter((line) => line.includes('message'))).toHaveLength(7);
    expect(device!.lines[4]).toMatch(
      /-> \/dm application\/vnd\.syncml\.dm\+wbxml \d+ B session 1 message 3: SyncHdr=200 Get=200 Results Results Sequence=200 Delete=200 Final$/,
    );
    expect(device!.lines[3]).toMatch(
      /<- \/dm HTTP 200 .* SyncHdr=212 Alert=200 Replace=200 Getx2 Sequence\(Delete\) Final$/,
    );
    expect(lines.join('\n')).not.toMatch(/hunter2|Example/);
  });

  it('runs a client against a backend', async () => {
    const script = file([
      [
        ['GET', 'urn:oma:mo:oma-fumo:1.0//State'],
        ['SHOW', 'http://x.example/'],
      ],
    ]);
    await serving('backend', { script, auth: 'basic', user: 'u', password: 'p' }, async (url) => {
      const { code, lines } = await client('client', {
        url,
        auth: 'basic',
        user: 'u',
        password: 'p',
        missing: 'show',
        sessions: '2',
      });
      expect(code).toBe(0);
      expect(lines[0]).toMatch(
        /-> \/dm20 application\/vnd\.oma\.dm\.initiation\+json \d+ B MOS\(8\), Alert urn:oma:at:dm:2\.0:ClientInitiatedMgmt$/,
      );
      expect(lines[1]).toMatch(/CMD GET SHOW$/);
      expect(lines[2]).toMatch(/Status 200 501$/);
      expect(lines.filter((line) => line.startsWith('session'))).toHaveLength(2);
    });
  });

  it('fails with 1 where nobody listens', async () => {
    const { code, lines } = await client('device', { url: 'http://127.0.0.1:1/dm' });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(/^session 1 failed/);
  });

  it.each<[Simulated, SimulateFlags, RegExp]>([
    ['device', {}, /--url/],
    ['device', { url: 'http://x/', port: '1' }, /no flag --port/],
    ['device', { url: 'http://x/', encoding: 'json' }, /--encoding must be one of xml, wbxml/],
    ['client', { url: 'http://x/', auth: 'md5' }, /takes --auth none, basic/],
    ['server', { port: 'x' }, /--port must be a number/],
    ['device', { url: 'http://x/', preset: 'x' }, /There is no preset x/],
  ])('%s %j is refused', async (kind, flags, message) => {
    await expect(runSimulate(kind, flags, { print: () => undefined })).rejects.toThrow(message);
  });

  it('has a text for every flag, each once', () => {
    const names = SIMULATE_FLAGS.map(({ flag }) => flag);
    expect(new Set(names).size).toBe(names.length);
    for (const { text } of SIMULATE_FLAGS) expect(text.length).toBeGreaterThan(5);
  });
});

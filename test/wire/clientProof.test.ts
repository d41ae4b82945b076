import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { Dm2Client } from '../../src/simulator/index.ts';
import { b64, challenge, credIn, hashOf, nonceOf, proofOf, SCHEMES, type Scheme } from './formulas.ts';
import { DEVICE } from './guarded.ts';
import { closing, listening, TYPES, wired } from './harness.ts';

const USER = 'gateway:to-server';

interface Got {
  readonly url: string;
  readonly text: string;
  readonly bytes: Buffer;
  readonly mac: string | undefined;
}

interface Said {
  /** Status of the header. */
  readonly code: string;
  /** Of every command of the client. */
  readonly each?: string;
  readonly chal?: string;
  /** Commands, and whatever comes behind them. */
  readonly more?: string;
}

const GET = '<Get><CmdID>90</CmdID><Item><Target><LocURI>./DevInfo/Man</LocURI></Target></Item></Get>';

const field = (text: string, name: string) =>
  new RegExp(`<${name}[^>]*>(.*?)</${name}>`, 's').exec(text)?.[1] ?? '';
const commandsIn = (text: string) =>
  [...text.matchAll(/<(Alert|Replace)>\s*<CmdID>(\d+)</g)].map(
    ([, name = '', id = '']) => [name, id] as const,
  );

/** What the message shows of its sender. */
const proofIn = (scheme: Scheme, { text, mac }: Got) => (scheme === 'hmac' ? mac : credIn(scheme, text));
const expected = (scheme: Scheme, nonce: Uint8Array, { bytes }: Got) => proofOf(scheme, USER, nonce, bytes);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe.each(['xml', 'wbxml'] as const)('the gateway proves itself to a legacy server, in %s', (form) => {
  /** A server in raw messages; `script` answers the nth message of a session. */
  async function serverOf(script: (n: number, got: Got) => Said) {
    const got: Got[] = [];
    const sessions = new Map<string, number>();
    const host = await listening(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const bytes = Buffer.concat(chunks);
      const text = form === 'xml' ? bytes.toString('utf8') : wbxmlToXml(bytes);
      const mac = request.headers['x-syncml-hmac'];
      const one = { url: request.url ?? '', text, bytes, mac: typeof mac === 'string' ? mac : undefined };
      got.push(one);
      const id = field(text, 'SessionID');
      const n = (sessions.get(id) ?? 0) + 1;
      sessions.set(id, n);
      const { code, each = '200', chal = '', more = '' } = script(n, one);
      const ref = field(text, 'MsgID');
      const answer = `<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${id}</SessionID><MsgID>${n}</MsgID><Target><LocURI>${DEVICE}</LocURI></Target><Source><LocURI>http://legacy.example/dm</LocURI></Source><RespURI>/dm?in=${id}</RespURI></SyncHdr><SyncBody><Status><CmdID>1</CmdID><MsgRef>${ref}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>${chal}<Data>${code}</Data></Status>${commandsIn(
        text,
      )
        .map(
          ([name, cmd], i) =>
            `<Status><CmdID>${i + 2}</CmdID><MsgRef>${ref}</MsgRef><CmdRef>${cmd}</CmdRef><Cmd>${name}</Cmd><Data>${each}</Data></Status>`,
        )
        .join('')}${more}<Final/></SyncBody></SyncML>`;
      response
        .writeHead(200, { 'content-type': TYPES[form] })
        .end(form === 'xml' ? answer : xmlToWbxml(answer));
    });
    return { got, url: `http://${host}/dm` };
  }

  async function between(type: Scheme, script: (n: number, got: Got) => Said, more: object = {}) {
    const server = await serverOf(script);
    const config = {
      backends: {
        legacy: {
          protocol: 'dm1',
          url: server.url,
          encoding: form,
          auth: { type, username: 'gateway', password: 'to-server' },
        },
      },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
      ...more,
    };
    const gateway = await wired(config);
    const session = async (at = gateway) => {
      const client = closing(new Dm2Client({ url: at.dm, deviceId: DEVICE }));
      return client.session();
    };
    return { server, gateway, config, session };
  }

  it.each(SCHEMES.flatMap((scheme) => (['401', '407'] as const).map((code) => [scheme, code] as const)))(
    'by %s: after %s the same Package 1 again, in the same session, at RespURI; the nonce of 212 opens the next one, after a restart too [IW-AUTH-3] [1x§9.3] [1x§9.4]',
    async (scheme, code) => {
      const folder = mkdtempSync(join(tmpdir(), 'dragoman-client-'));
      folders.push(folder);
      let given = 1;
      let expects: Buffer | undefined;
      const accepted = scheme === 'hmac' ? '200' : '212';
      const verdicts: boolean[] = [];
      const { server, gateway, config, session } = await between(
        scheme,
        (n, got) => {
          const good = expects !== undefined && proofIn(scheme, got) === expected(scheme, expects, got);
          const fresh = () => {
            given += 1;
            expects = nonceOf(given);
            return challenge(scheme, b64(expects));
          };
          // After 212 nothing is shown any more; HMAC is on every message.
          if (scheme !== 'hmac' && n > 1 && verdicts.at(-1)) {
            expect(proofIn(scheme, got)).toBeUndefined();
            return { code: accepted };
          }
          verdicts.push(good);
          if (!good) return { code, each: code, chal: fresh() };
          const last = got.text.includes('<Results>');
          return { code: accepted, chal: fresh(), more: last ? '' : GET };
        },
        { store: `sqlite:${join(folder, 'dragoman.db')}` },
      );
      expect(await session()).toMatchObject({ outcome: 'completed', violations: [] });
      const first = server.got.splice(0);
      expect(first.map(({ text }) => [field(text, 'MsgID'), commandsIn(text).map(([name]) => name)])).toEqual(
        [
          ['1', ['Alert', 'Replace']],
          ['2', ['Alert', 'Replace']],
          ['3', []],
        ],
      );
      expect(proofIn(scheme, first[0]!)).toBe(
        scheme === 'basic' ? expected('basic', nonceOf(0), first[0]!) : undefined,
      );
      expect(new Set(first.map(({ text }) => field(text, 'SessionID'))).size).toBe(1);
      const inSession = `/dm?in=${field(first[0]!.text, 'SessionID')}`;
      expect(first.map(({ url }) => url)).toEqual(['/dm', inSession, inSession]);
      for (const got of first)
        expect(got.text.includes('<LocName>gateway<')).toBe(proofIn(scheme, got) !== undefined);
      expect(first[1]!.text).toMatch(/<Cmd>SyncHdr<\/Cmd>/);
      expect(first[2]!.text).toContain('<Results>');

      await gateway.stop();
      const again = await wired(config);
      expect(await session(again)).toMatchObject({ outcome: 'completed', violations: [] });
      // The nonce was kept: no challenge any more.
      expect(server.got.map(({ text }) => commandsIn(text).length)).toEqual([2, 0]);
      expect(verdicts.at(-1)).toBe(true);
      const shown = JSON.stringify([gateway.log, again.log, await again.traces(DEVICE)]);
      for (const secret of ['to-server', hashOf(USER), b64(USER)]) expect(shown).not.toContain(secret);
    },
  );

  it.each(SCHEMES)(
    'by %s in every message while the server says 200, over its newest nonce, in 1223 too [IW-AUTH-3] [1x§2.6]',
    async (scheme) => {
      let expects = nonceOf(1);
      const proved: boolean[] = [];
      const { server, session } = await between(
        scheme,
        (n, got) => {
          if (n === 1) return { code: '401', each: '401', chal: challenge(scheme, b64(expects)) };
          proved.push(proofIn(scheme, got) === expected(scheme, expects, got));
          expects = nonceOf(n);
          return { code: '200', chal: challenge(scheme, b64(expects)), more: GET };
        },
        { limits: { messages: 6 } },
      );
      // A server without end is broken off.
      await session();
      expect(server.got.length).toBeGreaterThan(3);
      expect(proved).toEqual(proved.map(() => true));
      expect(server.got.at(-1)?.text).toContain('<Data>1223</Data>');
    },
  );

  it.each(SCHEMES)(
    'by %s and gives up after a second refusal: END for the client, and the stored nonce stays [IW-AUTH-3] [1x§9.4]',
    async (scheme) => {
      let refuse = false;
      let shown: string | undefined;
      const { server, session } = await between(scheme, (n, got) => {
        shown = proofIn(scheme, got);
        if (refuse) return { code: '401', each: '401', chal: challenge(scheme, b64(nonceOf(100 + n))) };
        if (n === 1 && scheme !== 'basic' && shown === undefined)
          return { code: '401', each: '401', chal: challenge(scheme, b64(nonceOf(1))) };
        return { code: scheme === 'hmac' ? '200' : '212', chal: challenge(scheme, b64(nonceOf(2))) };
      });
      expect(await session()).toMatchObject({ outcome: 'completed' });
      refuse = true;
      const before = server.got.length;
      const report = await session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(report.executed.at(-1)?.command).toEqual(['END']);
      // Its own nonce, then that of the challenge, then no more.
      const tries = server.got.slice(before);
      expect(tries.map((got) => proofIn(scheme, got))).toEqual([
        expected(scheme, nonceOf(2), tries[0]!),
        expected(scheme, nonceOf(101), tries[1]!),
      ]);
      // A nonce of a server that did not accept us takes no other's place.
      refuse = false;
      const next = server.got.length;
      await session();
      expect(proofIn(scheme, server.got[next]!)).toBe(expected(scheme, nonceOf(2), server.got[next]!));
    },
  );

  it.each([
    ['a challenge of a kind that it has not', challenge('X509')],
    ['no challenge', ''],
  ])('and gives up at once at %s [IW-AUTH-3] [1x§9.4]', async (_what, demand) => {
    const { server, session } = await between('md5', () => ({ code: '401', each: '401', chal: demand }));
    const report = await session();
    expect(report.executed.at(-1)?.command).toEqual(['END']);
    expect(server.got).toHaveLength(1);
  });

  it('over a nonce of any length, also one that is no base64 [IW-AUTH-3] [1x§9.3] [1x§12.2]', async () => {
    const bytes = Buffer.from('not 16 bytes, but 50 of them; clients keep that many');
    const cases: [string, Buffer][] = [
      [b64(bytes), bytes],
      [b64('n'), Buffer.from('n')],
      [` ${b64('four bytes')} `, Buffer.from('four bytes')],
      ['#no base64#', Buffer.from('#no base64#')],
    ];
    for (const [text, nonce] of cases) {
      const verdicts: boolean[] = [];
      const { session } = await between('md5', (n, got) => {
        if (n === 1) return { code: '401', each: '401', chal: challenge('md5', text) };
        verdicts.push(proofIn('md5', got) === expected('md5', nonce, got));
        return { code: '212' };
      });
      await session();
      expect([text, verdicts]).toEqual([text, [true]]);
    }
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { b64, challenge, credIn, hashOf, nonceOf, proofOf, SCHEMES, type Scheme } from './formulas.ts';
import { basic, DEVICE, HEADER_OK, OPENING, placeIn, read, STATE, written } from './guarded.ts';
import { type Answer, closing, post, TYPES, type Wired, wired } from './harness.ts';

const ACCOUNT = 'dragoman:server-secret';
const chal = (scheme: Scheme | 'X509', nonce?: Uint8Array) => challenge(scheme, nonce && b64(nonce));

/** What an answer shows of the gateway. */
const proofIn = (scheme: Scheme, { headers }: Answer, text: string) =>
  scheme === 'hmac' ? headers['x-syncml-hmac'] : credIn(scheme, text);
const expected = (scheme: Scheme, nonce: Uint8Array, { body }: Answer) =>
  proofOf(scheme, ACCOUNT, nonce, body);

const commandsIn = (text: string) => [...text.matchAll(/<Get>\s*<CmdID>(\d+)<.*?<LocURI>(.*?)</gs)];
const outline = (text: string) => commandsIn(text).map(([, , uri]) => uri);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe.each(['xml', 'wbxml'] as const)('the gateway proves itself to a device, in %s', (form) => {
  const headers = { 'content-type': TYPES[form] };

  async function between(serverAuth: Scheme, config: Record<string, unknown> = {}) {
    const backend = closing(new Dm2Backend({ script: [[['GET', STATE]]] }));
    const more = {
      deviceAuth: { dm1: 'basic', dm2: 'none' },
      backends: { peer: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'peer' }],
      ...config,
    };
    const gateway = await wired(more);
    const server = { serverUsername: 'dragoman', serverPassword: 'server-secret', serverAuth };
    await gateway.api('PUT', `/api/devices/${encodeURIComponent(DEVICE)}`, {
      username: 'user',
      password: 'right',
      ...server,
    });
    return { backend, gateway, config: more };
  }

  /** A device in raw messages: `say` answers the last message with a code for its header and for each command. */
  function device(gateway: Wired, sessionId: string) {
    let place = gateway.dm;
    let msgId = 0;
    const take = (answer: Answer) => {
      const text = read(form, answer);
      place = placeIn(form, answer) || place;
      return { answer, text };
    };
    const send = async (body: string, more: { cred?: string } = {}) => {
      msgId += 1;
      return take(
        await post(place, written(form, { sessionId, msgId: String(msgId), ...more }, body), headers),
      );
    };
    return {
      open: () => send(OPENING, { cred: basic('right') }),
      say: (
        last: string,
        code: string,
        demand = '',
        each = code === '401' || code === '407' ? code : '404',
      ) => {
        const ref = /<MsgID>(\d+)/.exec(last)?.[1] ?? '';
        const statuses = commandsIn(last).map(
          ([, id], i) =>
            `<Status><CmdID>${i + 2}</CmdID><MsgRef>${ref}</MsgRef><CmdRef>${id}</CmdRef><Cmd>Get</Cmd><Data>${each}</Data></Status>`,
        );
        return send(`${HEADER_OK(ref, code, demand)}${statuses.join('')}<Final/>`);
      },
    };
  }

  it.each(SCHEMES.flatMap((scheme) => (['401', '407'] as const).map((code) => [scheme, code] as const)))(
    'by %s: challenged with %s it sends the same commands again, over that nonce; the next session begins with the newest, also after a restart [IW-AUTH-2] [1x§9.2] [1x§9.4]',
    async (scheme, code) => {
      const folder = mkdtempSync(join(tmpdir(), 'dragoman-proof-'));
      folders.push(folder);
      const store = { store: `sqlite:${join(folder, 'dragoman.db')}` };
      const { gateway, config } = await between(scheme, store);
      const phone = device(gateway, '1');
      const first = await phone.open();
      expect(outline(first.text)).not.toEqual([]);
      // It shows what it has from the first message on, if only to be challenged (1x§16.1).
      expect(proofIn(scheme, first.answer, first.text)).toBe(expected(scheme, Buffer.alloc(0), first.answer));
      if (scheme !== 'hmac') expect(first.text).toContain('<LocName>dragoman</LocName>');
      let said = await phone.say(first.text, code, chal(scheme, nonceOf(1)));
      expect(outline(said.text)).toEqual(outline(first.text));
      expect(proofIn(scheme, said.answer, said.text)).toBe(expected(scheme, nonceOf(1), said.answer));
      // Accepted: for the session by 212, and its nonce is for the next one; HMAC is on every message.
      const accepted = scheme === 'hmac' ? '200' : '212';
      let last = nonceOf(2);
      said = await phone.say(said.text, accepted, chal(scheme, last));
      for (let n = 3; ; n += 1) {
        const proof = proofIn(scheme, said.answer, said.text);
        expect(proof).toBe(scheme === 'hmac' ? expected('hmac', last, said.answer) : undefined);
        if (commandsIn(said.text).length === 0) break;
        if (scheme === 'hmac') last = nonceOf(n);
        said = await phone.say(said.text, accepted, scheme === 'hmac' ? chal('hmac', last) : '');
      }
      await gateway.stop();

      const again = await wired(config);
      const next = device(again, '2');
      const opened = await next.open();
      const begins = proofIn(scheme, opened.answer, opened.text);
      expect(begins).toBe(expected(scheme, last, opened.answer));
      // Stale there: exactly one more try.
      if (commandsIn(opened.text).length > 0) {
        const retry = await next.say(opened.text, code, chal(scheme, nonceOf(90)));
        expect(outline(retry.text)).toEqual(outline(opened.text));
        expect(proofIn(scheme, retry.answer, retry.text)).toBe(expected(scheme, nonceOf(90), retry.answer));
      }
      const shown = JSON.stringify([await again.traces(DEVICE), gateway.log, again.log]);
      for (const secret of ['server-secret', hashOf(ACCOUNT), b64(ACCOUNT)])
        expect(shown).not.toContain(secret);
    },
  );

  it.each(SCHEMES)(
    'by %s to one that says 200: each message bears it anew, over the nonce that came last, the last one too [IW-AUTH-2] [1x§2.6]',
    async (scheme) => {
      const { gateway } = await between(scheme);
      const phone = device(gateway, '1');
      let said = await phone.open();
      let rounds = 0;
      for (; commandsIn(said.text).length > 0; rounds += 1) {
        said = await phone.say(said.text, '200', chal(scheme, nonceOf(rounds + 1)));
        expect(proofIn(scheme, said.answer, said.text)).toBe(
          expected(scheme, nonceOf(rounds + 1), said.answer),
        );
      }
      expect(rounds).toBeGreaterThan(1);
    },
  );

  it.each([
    ...SCHEMES.map((scheme) => [scheme, `a second ${scheme} challenge`, chal(scheme, nonceOf(7))] as const),
    ['md5', 'a challenge that it cannot meet', chal('X509')],
    ['md5', 'a refusal without challenge', ''],
    ['md5', 'a wish for basic, which a hash cannot serve', chal('basic')],
  ] as const)(
    'by %s and no more after %s: the backend is told, nothing is executed, the session ends [IW-AUTH-2] [1x§9.4]',
    async (scheme, _what, demand) => {
      const { gateway } = await between(scheme);
      const phone = device(gateway, '1');
      let said = await phone.open();
      const tries: string[][] = [];
      for (let n = 0; n < 12 && commandsIn(said.text).length > 0; n += 1) {
        tries.push(outline(said.text) as string[]);
        said = await phone.say(said.text, '401', demand);
      }
      expect(commandsIn(said.text)).toEqual([]);
      expect(said.answer.status).toBe(200);
      // Nothing goes out more than twice.
      const counts = new Map<string, number>();
      for (const uri of tries.flat()) counts.set(uri, (counts.get(uri) ?? 0) + 1);
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(2);
      await expect
        .poll(async () => (await gateway.traces(DEVICE)).map(({ state }) => state))
        .toEqual([expect.stringMatching(/done|failed/)]);
    },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xmlToWbxml } from '../../src/dm1/codec.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { BOX, ID, TREE } from '../wire/box.ts';
import { codes, converse, legacyServer, SETTINGS } from '../wire/legacyServer.ts';
import { addressOf, headerOk, item, kindOf, results, type Said, status, talk } from '../wire/quirks.ts';
import { closing, type Running, run } from './gateway.ts';

/**
 * Whatever is asked, no message is larger than its receiver takes, and each command goes and is answered once,
 * over restarts of the gateway between any two messages.
 */

/** A gateway that restarts before the messages that `plan` says, in turn. */
function mortal(first: Running, plan: readonly boolean[]) {
  let running = first;
  let at = 0;
  return {
    get dm() {
      return running.dm;
    },
    get now() {
      return running;
    },
    before: async () => {
      at += 1;
      if (at > 1 && plan.length > 0 && plan[at % plan.length]) running = await running.restart();
    },
  };
}

const padding = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ max: 60, min: 0 }) },
  fc.integer({ min: 61, max: 900 }),
);
const restarts = fc.array(fc.boolean(), { maxLength: 5 });
const sizeOf = (bytes: number) => `<Meta><MaxMsgSize xmlns="syncml:metinf">${bytes}</MaxMsgSize></Meta>`;
const named = (prefix: string, pads: readonly number[]) =>
  pads.map((n, i) => `${prefix}${i}${'x'.repeat(n)}`);

describe.each(['xml', 'wbxml'] as const)('in %s', (form) => {
  it('a legacy device gets every command once, in messages that it takes [IW-SEQ-1] [IW-SES-4] [1x§1.3]', async () => {
    const command = fc.tuple(fc.constantFrom('DELETE', 'EXEC', 'GET'), padding);
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 1100, max: 2400 }),
        restarts,
        async (list, most, plan) => {
          const first = await run();
          const earlier = closing(new LegacyDevice({ url: first.dm, deviceId: ID, tree: TREE }));
          expect(await earlier.session({ sessionId: '0' })).toMatchObject({ outcome: 'completed' });
          const names = named(
            'n',
            list.map(([, pad]) => pad),
          );
          const job = await first.queue(
            ID,
            list.map(([verb], i) => [verb, `${BOX}//${names[i]}`]),
          );
          const gateway = mortal(first, plan);
          const said = await talk(gateway, {
            id: ID,
            ...(form === 'wbxml' && { encode: (xml: string) => xmlToWbxml(xml) }),
            meta: sizeOf(most),
            most: 120,
            before: gateway.before,
            answer,
          });
          expect(said.at(-1)!.message.final).toBe(true);
          for (const { bytes } of said) expect(bytes).toBeLessThanOrEqual(most);
          const { state, Status = [] } = await gateway.now.job(job);
          expect(state).toBe('done');
          const sent = said
            .flatMap(({ commands }) => commands)
            .filter(({ kind }) => kind === 'Delete' || kind === 'Exec');
          for (const [i, [verb]] of list.entries()) {
            const { sc } = Status[i]!;
            const times = sent.filter((c) => addressOf(c) === `./Box/${names[i]}`).length;
            // A name that no message holds, or none with `?list=` behind it, is 413 and not sent.
            if (verb === 'GET') expect([200, 413]).toContain(sc);
            else expect([sc, times]).toEqual(times === 0 ? [413, 0] : [200, 1]);
            if (names[i]!.length < 150) expect(sc).toBe(200);
          }
          await gateway.now.gateway.stop();
        },
      ),
      { numRuns: 5 },
    );
  });

  it('a legacy server gets one Status for every command, and every value once, in messages that it takes [IW-WR-5] [IW-SES-4] [1x§1.3]', async () => {
    const command = fc.tuple(fc.constantFrom('Get', 'Replace', 'Exec', 'Copy'), padding);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(command, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1400, max: 2400 }),
        restarts,
        async (packages, most, plan) => {
          const values: Record<string, string> = {};
          const bodies = packages.map((list, p) =>
            list.map(([kind, pad], i) => {
              const name = `${kind}${p}.${i}`;
              values[name] = kind === 'Get' ? `${p}.${i}`.padEnd(pad * 4, 'v<') : 'old';
              const source = kind === 'Copy' ? `<Source><LocURI>${SETTINGS}/${name}</LocURI></Source>` : '';
              const data = kind === 'Replace' ? `<Data>${'new'.padEnd(pad, 'w')}</Data>` : '';
              const to = kind === 'Copy' ? `To${name}` : name;
              return `<${kind}><CmdID>${i + 2}</CmdID><Item><Target><LocURI>${SETTINGS}/${to}</LocURI></Target>${source}${data}</Item></${kind}>`;
            }),
          );
          let at = 0;
          const server = await legacyServer(form, (_, message) => {
            if (!message.final)
              return { body: '<Alert><CmdID>99</CmdID><Data>1222</Data></Alert>', final: false };
            const body = bodies[at++]?.join('');
            return body === undefined ? undefined : { body, meta: sizeOf(most) };
          });
          const config = {
            backends: { legacy: { protocol: 'dm1', url: server.url, encoding: form } },
            routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
          };
          const gateway = mortal(await run(config), plan);
          const got = await converse(gateway, { values, before: gateway.before });
          expect(got.at(-1)).toEqual(['END']);
          for (const { bytes } of server.told.slice(1)) expect(bytes).toBeLessThanOrEqual(most);
          expect(codes(server.told).filter((each) => each !== 'Alert 200')).toEqual(
            packages.flatMap((list) => list.map(([kind]) => `${kind} 200`)),
          );
          const items = server.told.flatMap(({ message }) =>
            message.body.flatMap((e) => (e.kind === 'Results' ? e.items : [])),
          );
          const wanted = packages.flatMap((list, p) =>
            list.flatMap(([kind], i) => (kind === 'Get' ? [`Get${p}.${i}`] : [])),
          );
          expect(new Set(items.map(({ source }) => source?.uri))).toEqual(
            new Set(wanted.map((name) => `${SETTINGS}/${name}`)),
          );
          for (const name of wanted) {
            const parts = items.filter(({ source }) => source?.uri === `${SETTINGS}/${name}`);
            expect(parts.map(({ data }) => data).join('')).toBe(values[name]);
          }
          expect(got.filter(([verb]) => verb === 'EXEC')).toHaveLength(
            packages.flat().filter(([kind]) => kind === 'Exec').length,
          );
          await gateway.now.gateway.stop();
        },
      ),
      { numRuns: 5 },
    );
  });
});

/** Executes all; its nodes have no list. */
function answer(said: Said): string {
  const { msgId } = said.message.header;
  let next = 1;
  const parts = said.commands.map((command) => {
    const uri = addressOf(command);
    const code = command.kind !== 'Get' ? 200 : uri.startsWith('./Box/') && !uri.includes('?') ? 200 : 406;
    next += 1;
    const own = status(next, msgId, command.cmdId, kindOf(command), code);
    if (command.kind !== 'Get' || code !== 200) return own;
    next += 1;
    return own + results(next, msgId, command.cmdId, item(uri, 'value'));
  });
  return `${headerOk(said)}${parts.join('')}<Final/>`;
}

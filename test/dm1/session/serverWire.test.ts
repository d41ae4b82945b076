import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, Encoding, SyncMLMessage } from '../../../src/dm1/message.ts';
import { type PlannedCommand, ServerLeg } from '../../../src/dm1/session/server.ts';
import {
  alert,
  answerAll,
  answering,
  commands,
  leaf,
  type Peer,
  package1,
  play,
  results,
  script,
  xml,
} from './play.ts';
import { overWire } from './wire.ts';

const wbxml: Encoding = { form: 'wbxml', namespace: 'SYNCML:SYNCML1.2', wbxmlVersion: 2, publicId: 0x1201 };
const encodings = [
  ['XML', xml],
  ['WBXML', wbxml],
] as const;

const name = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
const uri = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `./${names.join('/')}`);
const data = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !/[^\P{Cc}\t\n]/u.test(text)),
  fc.constant(''),
  fc.constant('<&>"\'€'.repeat(9)),
);
const command: fc.Arbitrary<PlannedCommand> = fc.oneof(
  uri.map((uri): PlannedCommand => ({ kind: 'Get', items: [{ target: { uri } }] })),
  uri.map((uri): PlannedCommand => ({ kind: 'Delete', items: [{ target: { uri } }] })),
  fc.record({ uri, name }).map(
    ({ uri, name }): PlannedCommand => ({
      kind: 'Exec',
      correlator: name,
      items: [{ target: { uri } }],
    }),
  ),
  fc.record({ kind: fc.constantFrom('Add' as const, 'Replace' as const), uri, data }).map(
    ({ kind, uri, data }): PlannedCommand => ({
      kind,
      items: [{ target: { uri }, meta: { format: 'chr', type: 'text/plain' }, data }],
    }),
  ),
);

function open(encoding: Encoding, maxMsgSize: number): ServerLeg {
  const leg = new ServerLeg({
    opening: package1({ meta: { maxMsgSize } }),
    encoding,
    respURI: 'https://gateway.example/dm',
    maxMessages: 500,
  });
  play(leg.open(), script());
  return leg;
}

/** What a command means, whatever its CmdID. */
const essence = (c: Command | PlannedCommand) => {
  const { cmdId: _, ...rest } = { cmdId: '', ...c };
  return rest;
};

/** A device that executes everything, tells each value by its URI, and interrupts itself at times. */
function device(log: Command[], whims: readonly number[]): Peer {
  let at = 0;
  return (sent) => {
    const whim = whims.length === 0 ? 0 : (whims[at++ % whims.length] as number);
    const asked = commands(sent).filter((c) => c.kind !== 'Alert' && c.kind !== 'Sequence');
    log.push(...asked);
    const msgRef = sent.header.msgId;
    const values = asked.flatMap((c, i) =>
      c.kind === 'Get'
        ? [results(`${i + 900}`, { msgRef, cmdRef: c.cmdId }, [leaf(c.items[0]?.target?.uri ?? '', 'v')])]
        : [],
    );
    const body = [...answerAll(sent), ...values];
    if (whim === 1) body.reverse();
    if (whim === 2)
      return answering(sent, [...body, alert('99', '1226', [{ source: { uri: './x' }, data: '1' }])]);
    // All said, but the package goes on.
    if (whim === 3) return answering(sent, [...body, alert('99', '1222')], { final: false });
    return answering(sent, body);
  };
}

describe.each(encodings)('device session over %s', (_, encoding) => {
  it('sends every command exactly once, in order, in messages of the announced size [IW-SEQ-1] [1x§1.3]', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 40 }),
        fc.integer({ min: 1400, max: 4000 }),
        fc.constantFrom(undefined, 'Sequence' as const),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
        (list, maxMsgSize, group, whims) => {
          const leg = open(encoding, maxMsgSize);
          const log: Command[] = [];
          const run = leg.run(list, group ? { group } : {});
          const { result, sent } = play(run, overWire(device(log, whims), encoding, maxMsgSize));
          expect(log.map(essence)).toEqual(list.map(essence));
          expect(result.map(({ code, answered }) => [code, answered])).toEqual(list.map(() => [200, true]));
          expect(result.map(({ results }) => results.length)).toEqual(
            list.map((c) => (c.kind === 'Get' ? 1 : 0)),
          );
          expect(leg.ended).toBeUndefined();
          expect(sent.map(({ header }) => header.msgId)).toEqual(sent.map((_, at) => String(at + 1)));
          for (const m of sent) expectWellFormed(m);
          expectWellFormed(leg.close());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('carries large values whole through chunks of the announced size [IW-HGET-4] [1x§8]', () => {
    const binary = fc.uint8Array({ minLength: 2100, maxLength: 4000 });
    const text = fc.string({
      unit: fc.constantFrom('a', '<', 'ß', '€', '😀', ' '),
      minLength: 2100,
      maxLength: 4000,
    });
    fc.assert(
      fc.property(fc.oneof(binary, text), fc.integer({ min: 900, max: 2000 }), (value, maxMsgSize) => {
        const leg = open(encoding, maxMsgSize);
        const format = typeof value === 'string' ? 'chr' : 'bin';
        const parts: (string | Uint8Array)[] = [];
        let size: number | undefined;
        const peer: Peer = (sent) => {
          for (const c of commands(sent)) {
            if (c.kind !== 'Replace') continue;
            size ??= c.items[0]?.meta?.size;
            parts.push(c.items[0]?.data ?? '');
          }
          return answering(
            sent,
            answerAll(sent, () => (sent.final ? 200 : 213)),
            { final: sent.final },
          );
        };
        const items = [{ target: { uri: './big' }, meta: { format, type: 'x/y' }, data: value }];
        const { result } = play(leg.run([{ kind: 'Replace', items }]), overWire(peer, encoding, maxMsgSize));
        expect(result[0]).toMatchObject({ code: 200, answered: true });
        const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
        expect(size).toBe(bytes.length);
        const expected = Buffer.from(value as string);
        if (format === 'bin' && encoding.form === 'xml')
          expect(Buffer.from(bytes.toString(), 'base64')).toEqual(expected);
        else expect(bytes).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});

/** Emit rules of 1x§16.1 that hold for every message of a server. */
function expectWellFormed(sent: SyncMLMessage): void {
  expect(sent.header).toMatchObject({ sessionId: '4a', respURI: 'https://gateway.example/dm' });
  expect(sent.body[0]).toMatchObject({ kind: 'Status', cmdRef: '0', cmd: 'SyncHdr' });
  const ids = [
    ...sent.body.filter((e) => e.kind === 'Status').map(({ cmdId }) => cmdId),
    ...commands(sent).map(({ cmdId }) => cmdId),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).not.toContain('0');
}

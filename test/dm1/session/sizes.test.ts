import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultEncoding, encodeMessage } from '../../../src/dm1/codec.ts';
import type { BodyElement, Command, Encoding, Item, SyncMLMessage } from '../../../src/dm1/message.ts';
import { ClientLeg, type ServerCommandAnswer } from '../../../src/dm1/session/client.ts';
import { type CommandAnswer, type PlannedCommand, ServerLeg } from '../../../src/dm1/session/server.ts';
import type { CredVerdict, Machine, PresentCred } from '../../../src/dm1/turn.ts';
import { accountForTests, credBytes, presentTo } from './account.ts';
import {
  alert,
  answerAll,
  answering,
  commands,
  DEVICE,
  leaf,
  package1,
  results,
  SERVER,
  status,
  statuses,
} from './play.ts';

/**
 * Whatever is to be said, no message is larger on the wire than its receiver takes, each command goes and
 * is answered once, and a session is the same when it is played again from what came in.
 */

type Answer = (sent: SyncMLMessage) => SyncMLMessage | undefined;
interface Run<R> {
  readonly result: R;
  readonly sent: readonly SyncMLMessage[];
  /** What the peer said to that. */
  readonly heard: readonly SyncMLMessage[];
}

const ACCEPTED: CredVerdict = { ok: true, status: 212, scheme: 'none' };

const NONCE = new Uint8Array(16).fill(7);
/** What becomes of a device's credentials: the verdict on its nth message. */
const GUARDS = {
  open: () => ACCEPTED,
  // A Chal in the first answer, and the next nonce in the second.
  challenged: (n) =>
    n === 0
      ? { ok: false, status: 401, challenge: { scheme: 'md5', nonce: NONCE }, detail: 'who?' }
      : { ok: true, status: 212, scheme: 'md5', nextNonce: NONCE },
  // A Chal in every answer.
  each: () => ({ ok: true, status: 200, scheme: 'hmac', nextNonce: NONCE }),
} satisfies Record<string, (n: number) => CredVerdict>;
type Guard = keyof typeof GUARDS;

/** Runs a machine whose messages are checked, as bytes and with their Cred, against what the peer takes now. */
function converse<R>(
  machine: () => Machine<R>,
  peer: Answer,
  encoding: Encoding,
  limit: () => number,
  account = accountForTests(4, 4),
  guard: Guard = 'open',
): Run<R> {
  const heard: SyncMLMessage[] = [];
  const sent: SyncMLMessage[] = [];
  const check = (message: SyncMLMessage, present: PresentCred | undefined): void => {
    const whole = present ? presentTo(message, present, account, 'peer').message : message;
    expect(encodeMessage(whole, encoding).length).toBeLessThanOrEqual(limit());
  };
  const result = drive(machine(), guard, (message, present) => {
    check(message, present);
    sent.push(message);
    const answer = peer(message);
    if (answer) heard.push(answer);
    return answer;
  });
  // Once more from the journal, as after a restart.
  const again: SyncMLMessage[] = [];
  const replayed = drive(machine(), guard, (message) => {
    again.push(message);
    return heard[again.length - 1];
  });
  expect(again).toEqual(sent);
  expect(replayed).toEqual(result);
  return { result, sent, heard };
}

function drive<R>(
  machine: Machine<R>,
  guard: Guard,
  exchange: (message: SyncMLMessage, present: PresentCred | undefined) => SyncMLMessage | undefined,
): R {
  let turn = machine.next();
  let verified = 0;
  while (!turn.done) {
    if (turn.value.kind === 'verify') turn = machine.next(GUARDS[guard](verified++));
    else if (turn.value.kind === 'store') turn = machine.next({ object: 'o', from: 0, bytes: 0, arrived: 0 });
    else turn = machine.next(exchange(turn.value.message, turn.value.present));
  }
  return turn.value;
}

const name = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
const uri = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `./${names.join('/')}`),
  },
  { weight: 1, arbitrary: fc.integer({ min: 300, max: 900 }).map((n) => `./${'n'.repeat(n)}`) },
);
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', '<', '&', 'ß', '€', '😀', ' '), maxLength: 60 }),
  fc.integer({ min: 200, max: 2500 }).map((n) => '<&é'.repeat(n)),
);
const planned: fc.Arbitrary<PlannedCommand> = fc.oneof(
  uri.map((uri): PlannedCommand => ({ kind: 'Get', items: [{ target: { uri } }] })),
  uri.map((uri): PlannedCommand => ({ kind: 'Delete', items: [{ target: { uri } }] })),
  fc
    .tuple(uri, name)
    .map(([uri, correlator]): PlannedCommand => ({ kind: 'Exec', correlator, items: [{ target: { uri } }] })),
  fc.tuple(fc.constantFrom('Add' as const, 'Replace' as const), uri, text).map(
    ([kind, uri, data]): PlannedCommand => ({
      kind,
      items: [{ target: { uri }, meta: { format: 'chr', type: 'text/plain' }, data }],
    }),
  ),
);
/** Anything that a header may say. */
const anySize = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 600, max: 3000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 900 }) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2 ** 31, Number.MAX_SAFE_INTEGER) },
);

const idOf = (c: Command | PlannedCommand): string =>
  'items' in c ? `${c.kind} ${c.items[0]?.target?.uri}` : c.kind;
const isLast = (c: Command): boolean => !('items' in c) || !c.items.some(({ moreData }) => moreData);

/** How a device behaves while it executes: one number for each of its messages. */
const whim = fc.constantFrom('plain', 'alerts', 'next', 'reversed') satisfies fc.Arbitrary<string>;

function device(whims: readonly string[]): Answer {
  let at = 0;
  return (sent) => {
    if (statuses(sent)[0]?.code === '401') return package1({}, Number(sent.header.msgId) + 1);
    const mood = whims[at++] ?? 'plain';
    const asked = commands(sent).filter(
      ({ kind }) => kind !== 'Alert' && kind !== 'Sequence' && kind !== 'Atomic',
    );
    const msgRef = sent.header.msgId;
    const values = asked.flatMap((c, i) =>
      c.kind === 'Get'
        ? [results(`${900 + i}`, { msgRef, cmdRef: c.cmdId }, [leaf(c.items[0]!.target!.uri, 'v')])]
        : [],
    );
    const body: BodyElement[] = [...answerAll(sent, (c) => (isLast(c) ? 200 : 213)), ...values];
    if (mood === 'reversed') body.reverse();
    if (mood === 'alerts')
      for (let n = 0; n < 5; n += 1)
        body.push(alert(`9${n}`, '1226', [{ source: { uri: './x' }, data: '1' }]));
    if (mood !== 'next') return answering(sent, body, { final: sent.final });
    return answering(sent, [...body, alert('99', '1222')], { final: false });
  };
}

describe.each(['xml', 'wbxml'] as const)('in %s', (form) => {
  const encoding = defaultEncoding(form, '1.2');

  it('a device gets no message above its MaxMsgSize, each command once, or 413 for what no message holds [IW-SEQ-1] [1x§1.3] [1x§2.3]', () => {
    const group = fc.constantFrom(undefined, 'Sequence' as const, 'Atomic' as const);
    const proof = fc.constantFrom(undefined, 'basic' as const, 'md5' as const);
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(
        fc.array(planned, { maxLength: 20 }),
        anySize,
        group,
        fc.array(whim, { maxLength: 4 }),
        proof,
        sizes,
        fc.constantFrom<Guard>('open', 'challenged', 'each'),
        (list, maxMsgSize, group, whims, scheme, [user = 4, password = 4], guard) => {
          const account = accountForTests(user, password);
          function* session(): Machine<{
            answers: readonly CommandAnswer[];
            end: SyncMLMessage | undefined;
          }> {
            const leg = new ServerLeg({
              opening: package1({ meta: { maxMsgSize } }),
              encoding,
              respURI: 'https://gateway.example/dm',
              maxMessages: 600,
              credBytes: credBytes(account),
              ...(scheme && { present: { scheme } }),
            });
            const opened = yield* leg.open();
            if (opened.kind === 'refused') {
              expect(opened.reason).toContain(`${maxMsgSize} bytes`);
              expect(statuses(opened.reply)[0]?.code).toBe('400');
              return { answers: [], end: undefined };
            }
            const answers = yield* leg.run(list, group ? { group } : {});
            const end = yield* leg.finish();
            expect(leg.ended).toBeUndefined();
            return { answers, end };
          }
          const { result, sent, heard } = converse(
            session,
            device(whims),
            encoding,
            () => maxMsgSize,
            account,
            guard,
          );
          const { answers, end } = result;
          if (!end) return;
          expect(encodeMessage(end, encoding).length).toBeLessThanOrEqual(maxMsgSize);
          expect(sent.length).toBeLessThan(600);
          expect(answers.every(({ code, answered }) => (answered ? code === 200 : code === 413))).toBe(true);
          // What was sent was sent whole, once, in order.
          const expected = list.filter((_, at) => answers[at]?.answered);
          const delivered = sent.flatMap((m) =>
            commands(m)
              .filter((c) => 'items' in c && c.kind !== 'Alert' && isLast(c))
              .map(idOf),
          );
          expect(delivered).toEqual(expected.map(idOf));
          // What a message beside the header's Status could hold is not refused.
          if (group !== 'Atomic') {
            const alone = (c: PlannedCommand) =>
              encodeMessage({ ...end, body: [end.body[0]!, { ...c, cmdId: '99' }] }, encoding).length;
            // In the last message there is no Chal any more.
            const chal = guard === 'open' ? 0 : 230;
            const reserved = (scheme ? credBytes(account) : 0) + chal;
            for (const [at, c] of list.entries())
              if (!answers[at]!.answered) expect(alone(c)).toBeGreaterThan(maxMsgSize - reserved - 8);
          }
          // Everything that the device said was answered, once.
          const said = [package1(), ...heard].flatMap((m) =>
            commands(m).map((c) => `${m.header.msgId}/${c.cmdId}`),
          );
          const told = [...sent, end].flatMap(statuses).filter(({ cmdRef }) => cmdRef !== '0');
          expect(told.map(({ msgRef, cmdRef }) => `${msgRef}/${cmdRef}`).sort()).toEqual(said.sort());
        },
      ),
      { numRuns: 80 },
    );
  });

  it('a server gets no message above its MaxMsgSize, every Status and every value once [IW-WR-5] [1x§1.3] [1x§2.3]', () => {
    const value = fc.oneof(text, fc.uint8Array({ maxLength: 3000 }), fc.constant(undefined));
    const asked = fc.tuple(
      uri,
      fc.array(fc.tuple(uri, value), { maxLength: 6 }),
      fc.array(text, { maxLength: 2 }),
    );
    const scheme = fc.constantFrom('none' as const, 'basic' as const, 'md5' as const);
    const lengths = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(
        fc.array(fc.array(asked, { maxLength: 5 }), { maxLength: 3 }),
        fc.array(fc.tuple(uri, text), { maxLength: 3 }),
        anySize,
        fc.array(fc.boolean(), { maxLength: 3 }),
        scheme,
        lengths,
        (packages, alerts, maxMsgSize, unfinished, scheme, [user, password]) => {
          const account = accountForTests(user, password);
          const wanted = new Map<string, ServerCommandAnswer>();
          const peer = legacyServer(packages, unfinished, maxMsgSize, wanted);
          const told = alerts.map(
            ([uri, data]) => ({ kind: 'Alert', code: '1226', items: [{ source: { uri }, data }] }) as const,
          );
          let notes: string[] = [];
          function* session(): Machine<{ end: string; settled: number; reason?: string }> {
            notes = [];
            const leg = new ClientLeg({
              sessionId: '1',
              deviceId: DEVICE,
              serverUrl: SERVER,
              verDTD: '1.2',
              verProto: 'DM/1.2',
              encoding,
              scheme,
              ...(scheme === 'md5' && { nonce: new Uint8Array(16) }),
              maxMessages: 600,
              credBytes: credBytes(account),
              note: (text) => notes.push(text),
            });
            let next = yield* leg.open({
              sessionAlert: '1201',
              devInfo: [leaf('./DevInfo/DevId', DEVICE)],
              alerts: told,
            });
            while (next.kind === 'commands')
              next = yield* leg.answer(next.commands.map(({ command }) => wanted.get(idOf(command))!));
            return {
              end: next.kind,
              settled: new Set(leg.alertStatuses.map(({ alert }) => alert)).size,
              ...(next.kind === 'given-up' && { reason: next.reason }),
            };
          }
          const { result, sent, heard } = converse(session, peer.answer, encoding, peer.limit, account);
          expect(sent.length).toBeLessThan(600);
          if (result.end === 'given-up') {
            expect(result.reason).toContain(`${maxMsgSize} bytes`);
            return;
          }
          expect(result.end).toBe('end');
          // Each command has its Status, those for Items aside that no message could name.
          const given = sent.flatMap(statuses).filter(({ cmdRef }) => cmdRef !== '0');
          const said = heard.flatMap((m) => commands(m).map((c) => `${m.header.msgId}/${c.cmdId}`));
          expect(new Set(given.map(({ msgRef, cmdRef }) => `${msgRef}/${cmdRef}`))).toEqual(new Set(said));
          expect(given.length).toBe(said.length);
          // Values arrive whole, once, and where the Status says so.
          const values = valuesIn(sent);
          for (const [key, { code, results = [] }] of wanted) {
            const ref = refOf(heard, key);
            const own = given.find(({ msgRef, cmdRef }) => `${msgRef}/${cmdRef}` === ref);
            if (own?.code === '413') continue;
            expect(own?.code).toBe(String(code));
            expect(values.get(ref) ?? []).toEqual(
              results.map(({ source, data }) => [source?.uri, plain(data)]),
            );
          }
          const left = notes.filter((text) => /^Alert .*left out/.test(text)).length;
          expect(result.settled).toBe(1 + alerts.length - left);
        },
      ),
      { numRuns: 80 },
    );
  });
});

type Asked = readonly [
  string,
  readonly (readonly [string, string | Uint8Array | undefined])[],
  readonly string[],
];

/** A legacy server that asks for these packages, some of them over two messages, and takes what it is told. */
function legacyServer(
  packages: readonly (readonly Asked[])[],
  unfinished: readonly boolean[],
  maxMsgSize: number,
  wanted: Map<string, ServerCommandAnswer>,
): { answer: Answer; limit: () => number } {
  let n = 0;
  let heard = false;
  let ids = 0;
  /** Its last message lacked Final. */
  let open = false;
  const queue = packages.flatMap((commands, at): { commands: readonly Asked[]; final: boolean }[] =>
    unfinished[at] && commands.length > 1
      ? [
          { commands: commands.slice(0, 1), final: false },
          { commands: commands.slice(1), final: true },
        ]
      : [{ commands, final: true }],
  );
  const answer: Answer = (sent) => {
    heard = true;
    ids += 1;
    const { msgId } = sent.header;
    const statusOf = (c: BodyElement & { cmdId: string }, at: number) =>
      status(
        `s${at}`,
        { msgRef: msgId, cmdRef: c.cmdId, cmd: c.kind },
        'items' in c && c.items.some(({ moreData }) => moreData) ? 213 : 200,
      );
    const chunks = sent.body.filter((e) => e.kind === 'Results' && e.items.some(({ moreData }) => moreData));
    const owed = [...commands(sent), ...(chunks as Extract<BodyElement, { kind: 'Results' }>[])].map(
      statusOf,
    );
    const asks = sent.final || open;
    const part = asks ? queue[n] : undefined;
    open = part?.final === false;
    if (part) n += 1;
    const asked = (part?.commands ?? []).map(([uri, values, items], at): Command => {
      const cmdId = `c${at}`;
      const command: Command = { kind: 'Get', cmdId, items: [{ target: { uri: `${uri}/${ids}.${at}` } }] };
      wanted.set(idOf(command), {
        code: 200,
        results: values.map(
          ([uri, data]): Item => ({
            source: { uri },
            meta: {
              format: typeof data === 'string' || data === undefined ? 'chr' : 'bin',
              type: 'text/plain',
            },
            ...(data !== undefined && { data }),
          }),
        ),
        ...(items.length > 0 && { statusItems: items.map((data) => ({ data })) }),
      });
      return command;
    });
    const final = asks ? !open : false;
    const next = final || open ? [] : [alert('n', '1222')];
    return {
      header: {
        verDTD: '1.2',
        verProto: 'DM/1.2',
        sessionId: '1',
        msgId: String(ids),
        target: { uri: DEVICE },
        source: { uri: SERVER },
        meta: { maxMsgSize },
      },
      body: [status('1', { msgRef: msgId, cmdRef: '0', cmd: 'SyncHdr' }, 212), ...owed, ...asked, ...next],
      final,
    };
  };
  return { answer, limit: () => (heard ? maxMsgSize : Number.POSITIVE_INFINITY) };
}

const plain = (data: string | Uint8Array | undefined): string =>
  Buffer.from((data ?? '') as string).toString('latin1');

/** Items of Results by the command that they answer, chunks joined; in XML binary came as base64. */
function valuesIn(sent: readonly SyncMLMessage[]): Map<string, (readonly [string | undefined, string])[]> {
  const values = new Map<string, (readonly [string | undefined, string])[]>();
  let open = '';
  for (const element of sent.flatMap(({ body }) => body)) {
    if (element.kind !== 'Results') continue;
    const key = `${element.msgRef}/${element.cmdRef}`;
    const list = values.get(key) ?? [];
    values.set(key, list);
    for (const item of element.items) {
      open += plain(item.data);
      if (item.moreData) continue;
      const decoded = item.meta?.format === 'b64' ? Buffer.from(open, 'base64').toString('latin1') : open;
      list.push([item.source?.uri, decoded]);
      open = '';
    }
  }
  return values;
}

function refOf(heard: readonly SyncMLMessage[], key: string): string {
  for (const m of heard)
    for (const c of commands(m)) if (idOf(c) === key) return `${m.header.msgId}/${c.cmdId}`;
  return '';
}

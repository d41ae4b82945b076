import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { md5Digest, userHash, verifyMd5 } from '../../../src/dm1/auth/digests.ts';
import { AUTH_TYPES } from '../../../src/dm1/auth/schemes.ts';
import { decodeMessage, defaultEncoding, encodeMessage } from '../../../src/dm1/codec.ts';
import type { Command, Item, SyncHdr, SyncMLMessage } from '../../../src/dm1/message.ts';
import {
  ClientLeg,
  type ReceivedCommand,
  type ServerCommandAnswer,
  type ServerPackage,
} from '../../../src/dm1/session/client.ts';
import { type CommandAnswer, type PlannedCommand, ServerLeg } from '../../../src/dm1/session/server.ts';
import type { CredVerdict, Machine, PresentCred } from '../../../src/dm1/turn.ts';
import { DEVICE, leaf, SERVER } from './play.ts';

const SECRET = userHash('bruce', 'OhBehave');

/** What a device of ours answers: every leaf holds as much text as its URI says. */
function execute(command: Command): ServerCommandAnswer {
  if (command.kind === 'Sequence' || command.kind === 'Atomic')
    return { code: 200, children: command.commands.map(execute) };
  if (command.kind !== 'Get') return { code: command.kind === 'Delete' ? 404 : 200 };
  return {
    code: 200,
    results: command.items.map(({ target }) => leaf(target?.uri ?? '', textOf(target?.uri ?? ''))),
  };
}

const textOf = (uri: string): string => `<${'ü'.repeat(Number(uri.split('/').at(-1)))}>`;

interface Report {
  readonly answers: readonly CommandAnswer[];
  readonly executed: readonly Command[];
  readonly end: ServerPackage;
  readonly messages: number;
}

/** Both legs against each other, every message over the wire and within the receiver's MaxMsgSize. */
function converse(
  form: 'xml' | 'wbxml',
  sizes: { readonly device: number; readonly server: number },
  list: readonly PlannedCommand[],
  group: 'Sequence' | undefined,
): Report {
  const encoding = defaultEncoding(form, '1.2');
  const executed: Command[] = [];
  const flat = (command: Command): Command[] =>
    command.kind === 'Sequence' || command.kind === 'Atomic' ? command.commands.flatMap(flat) : [command];
  let messages = 0;
  let serverSize = Number.POSITIVE_INFINITY;
  const nonces: Uint8Array[] = [];

  const travel = (message: SyncMLMessage, limit: number, present?: PresentCred): SyncMLMessage => {
    messages += 1;
    const data = present && md5Digest(SECRET, present.nonce ?? new Uint8Array());
    const cred = data && { cred: { meta: { type: AUTH_TYPES.md5, format: 'b64' }, data } };
    const bytes = encodeMessage({ ...message, header: { ...message.header, ...cred } }, encoding);
    expect(bytes.length).toBeLessThanOrEqual(limit);
    return decodeMessage(bytes, form).message;
  };

  const judge = ({ cred }: SyncHdr): CredVerdict => {
    const nonce = nonces.at(-1);
    if (cred && nonce && verifyMd5(cred.data, SECRET, nonce))
      return { ok: true, status: 212, scheme: 'md5', nextNonce: new Uint8Array(16).fill(9) };
    const fresh = new Uint8Array(16).fill(nonces.push(new Uint8Array(16).fill(nonces.length + 1)));
    return { ok: false, status: 401, challenge: { scheme: 'md5', nonce: fresh }, detail: 'who?' };
  };

  function* clientSession(): Machine<ServerPackage> {
    const leg = new ClientLeg({
      sessionId: '7F',
      deviceId: DEVICE,
      serverUrl: SERVER,
      verDTD: '1.2',
      verProto: 'DM/1.2',
      encoding,
      maxMsgSize: sizes.device,
      scheme: 'md5',
      userName: 'bruce',
      maxMessages: 400,
    });
    let next = yield* leg.open({
      sessionAlert: '1201',
      devInfo: [leaf('./DevInfo/DevId', DEVICE)],
      alerts: [],
    });
    while (next.kind === 'commands') {
      executed.push(...next.commands.flatMap(({ command }: ReceivedCommand) => flat(command)));
      next = yield* leg.answer(next.commands.map(({ command }) => execute(command)));
    }
    expect(leg.url).toBe('https://gateway.example/dm');
    expect(leg.nextNonce).toEqual(new Uint8Array(16).fill(9));
    return next;
  }

  let leg: ServerLeg | undefined;
  let answers: readonly CommandAnswer[] = [];
  function* serverSession(opening: SyncMLMessage): Machine<SyncMLMessage> {
    leg = new ServerLeg({
      opening,
      encoding,
      respURI: 'https://gateway.example/dm',
      ownMaxMsgSize: sizes.server,
      maxMessages: 400,
    });
    const opened = yield* leg.open();
    expect(opened).toMatchObject({ kind: 'open', sessionAlert: '1201' });
    answers = yield* leg.run(list, group ? { group } : {});
    return leg.close();
  }

  const client = clientSession();
  let server: Machine<SyncMLMessage> | undefined;
  let turn = client.next();
  while (!turn.done) {
    if (turn.value.kind !== 'send') throw new Error('a client does not verify, and stores nothing so small');
    const arrived = travel(turn.value.message, serverSize, turn.value.present);
    if (!server) server = serverSession(arrived);
    let step = server.next(arrived);
    while (!step.done && step.value.kind === 'verify') step = server.next(judge(step.value.header));
    const reply = step.done ? step.value : step.value.kind === 'send' ? step.value.message : undefined;
    if (!reply) throw new Error('no reply');
    serverSize = sizes.server;
    turn = client.next(travel(reply, sizes.device));
  }
  return { answers, executed, end: turn.value, messages };
}

const path = fc
  .record({ name: fc.stringMatching(/^[a-z]{1,9}$/), length: fc.integer({ min: 0, max: 1200 }) })
  .map(({ name, length }) => `./${name}/${length}`);
const planned: fc.Arbitrary<PlannedCommand> = fc.oneof(
  fc.array(path, { minLength: 1, maxLength: 3 }).map(
    (uris): PlannedCommand => ({
      kind: 'Get',
      items: uris.map((uri) => ({ target: { uri } })),
    }),
  ),
  path.map((uri): PlannedCommand => ({ kind: 'Delete', items: [{ target: { uri } }] })),
  path.map(
    (uri): PlannedCommand => ({
      kind: 'Replace',
      items: [{ target: { uri }, meta: { format: 'chr', type: 'text/plain' }, data: textOf(uri) }],
    }),
  ),
);

describe.each(['xml', 'wbxml'] as const)('client and server role against each other over %s', (form) => {
  it('agree on every command and every value, within both sizes, authenticated by md5 [IW-SEQ-1] [IW-WR-5] [IW-AUTH-1] [IW-AUTH-3]', () => {
    fc.assert(
      fc.property(
        fc.array(planned, { maxLength: 12 }),
        fc.record({
          device: fc.integer({ min: 1400, max: 5000 }),
          server: fc.integer({ min: 1400, max: 5000 }),
        }),
        fc.constantFrom(undefined, 'Sequence' as const),
        (list, sizes, group) => {
          const { answers, executed, end } = converse(form, sizes, list, group);
          expect(end).toEqual({ kind: 'end' });
          const items = (c: Command | PlannedCommand): readonly Item[] => ('items' in c ? c.items : []);
          expect(executed.map((c) => [c.kind, items(c).map((i) => [i.target?.uri, i.data])])).toEqual(
            list.map((c) => [c.kind, items(c).map((i) => [i.target?.uri, i.data])]),
          );
          list.forEach((command, at) => {
            const answer = answers[at];
            expect(answer).toMatchObject({ code: command.kind === 'Delete' ? 404 : 200, answered: true });
            const uris = command.kind === 'Get' ? command.items.map(({ target }) => target?.uri ?? '') : [];
            expect(answer?.results.map(({ source, data }) => [source?.uri, data])).toEqual(
              uris.map((uri) => [uri, textOf(uri)]),
            );
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('needs two messages each way, and one more for the challenge, where nothing has to be split', () => {
    const { messages } = converse(
      form,
      { device: 9000, server: 9000 },
      [{ kind: 'Get', items: [{ target: { uri: './a/5' } }] }],
      undefined,
    );
    expect(messages).toBe(6);
  });
});

import { describe, expect, it } from 'vitest';
import type { Command, SyncMLMessage } from '../../../src/dm1/message.ts';
import {
  alert,
  answerAll,
  answering,
  commands,
  exec,
  get,
  headerStatus,
  jsonSize,
  leaf,
  message,
  openLeg,
  package1,
  play,
  replace,
  results,
  script,
  sizeOf,
  status,
  statuses,
} from './play.ts';

/** Runs commands against a device that answers the one message with the given body. */
function ask(
  list: Parameters<ReturnType<typeof openLeg>['run']>[0],
  body: (sent: SyncMLMessage) => Parameters<typeof answering>[1],
) {
  const notes: string[] = [];
  const leg = openLeg({ note: (text) => notes.push(text) });
  const played = play(
    leg.run(list),
    script((sent) => answering(sent, body(sent))),
  );
  return { ...played, leg, notes };
}

describe('commands on a legacy device', () => {
  it('sends them in order behind the Statuses for Package 1, with Final [IW-SEQ-1] [1x§16.1]', () => {
    const { sent, result } = ask([get('./a'), exec('./b')], (m) => answerAll(m));
    expect(sent).toHaveLength(1);
    expect(sent[0]?.final).toBe(true);
    expect(sent[0]?.body.map((e) => [e.kind, e.cmdId])).toEqual([
      ['Status', '1'],
      ['Status', '2'],
      ['Status', '3'],
      ['Get', '4'],
      ['Exec', '5'],
    ]);
    expect(result.map(({ code }) => code)).toEqual([200, 200]);
  });

  it('continues its own message numbers and answers the header of the last message', () => {
    const { leg } = ask([get('./a')], (m) => answerAll(m));
    const { sent } = play(
      leg.run([get('./b')]),
      script((m) => answering(m, answerAll(m))),
    );
    expect(sent[0]?.header.msgId).toBe('2');
    expect(statuses(sent[0]).map(({ msgRef, cmdRef }) => [msgRef, cmdRef])).toEqual([['2', '0']]);
    expect(leg.close().header.msgId).toBe('3');
  });

  it('gives no Status for Results that it took [1x§2.3]', () => {
    const { leg, result } = ask([get('./a')], () => [
      status('2', { msgRef: '1', cmdRef: '4', cmd: 'Get' }, 200),
      results('3', { msgRef: '1', cmdRef: '4' }, [leaf('./a', 'x')]),
    ]);
    expect(result[0]).toEqual({
      code: 200,
      items: [{ uri: './a', code: 200 }],
      results: [leaf('./a', 'x')],
      statusItems: [],
      answered: true,
    });
    expect(statuses(leg.close())).toHaveLength(1);
  });

  it('matches Status by MsgRef and CmdRef in any order, before or behind Results [1x§2.5]', () => {
    const { result } = ask([get('./a'), get('./b'), exec('./c')], () => [
      results('2', { msgRef: '1', cmdRef: '5' }, [leaf('./b', 'B')]),
      status('3', { msgRef: '1', cmdRef: '6', cmd: 'Exec' }, 405),
      status('4', { msgRef: '1', cmdRef: '5', cmd: 'Get' }, 200),
      status('5', { msgRef: '1', cmdRef: '4', cmd: 'Get' }, 404),
    ]);
    expect(result.map(({ code, results }) => [code, results.length])).toEqual([
      [404, 0],
      [200, 1],
      [405, 0],
    ]);
  });

  it('takes codes per Item by TargetRef, several in one Status, and Results with many Items [1x§2.5]', () => {
    const many = { kind: 'Get', items: ['./a', './b', './c'].map((uri) => ({ target: { uri } })) } as const;
    const { result } = ask([many], () => [
      status('2', { msgRef: '1', cmdRef: '4', cmd: 'Get' }, 200, { targetRefs: ['./a', 'c/'] }),
      status('3', { msgRef: '1', cmdRef: '4', cmd: 'Get' }, 404, { targetRefs: ['./b'] }),
      results('4', { msgRef: '1', cmdRef: '4' }, [leaf('./a', '1'), leaf('./c', '3')]),
    ]);
    expect(result[0]).toMatchObject({ code: 404, answered: true });
    expect(result[0]?.items).toEqual([
      { uri: './a', code: 200 },
      { uri: './b', code: 404 },
      { uri: './c', code: 200 },
    ]);
    expect(result[0]?.results.map(({ data }) => data)).toEqual(['1', '3']);
  });

  it('reads Item/Source as the address where TargetRef is missing (Motorola) [1x§16.1]', () => {
    const many = { kind: 'Delete', items: ['./a', './b'].map((uri) => ({ target: { uri } })) } as const;
    const { result } = ask([many], () => [
      status('2', { msgRef: '1', cmdRef: '4', cmd: 'Delete' }, 200, { items: [{ source: { uri: './a' } }] }),
      status('3', { msgRef: '1', cmdRef: '4', cmd: 'Delete' }, 405, { items: [{ source: { uri: './b' } }] }),
    ]);
    expect(result[0]?.items.map(({ code }) => code)).toEqual([200, 405]);
    expect(result[0]?.statusItems).toEqual([]);
  });

  it('applies one Status without TargetRef to all Items (Koneki, Windows) [1x§16.1]', () => {
    const many = { kind: 'Delete', items: ['./a', './b'].map((uri) => ({ target: { uri } })) } as const;
    const { result } = ask([many], () => [status('2', { msgRef: '1', cmdRef: '4', cmd: 'Delete' }, 425)]);
    expect(result[0]?.items.map(({ code }) => code)).toEqual([425, 425]);
  });

  it('keeps Items with data as answers of the user, and a failing implicit node [1x§2.5]', () => {
    const { result } = ask([replace('./a/b', 'x')], () => [
      status('2', { msgRef: '1', cmdRef: '4', cmd: 'Replace' }, 404, {
        items: [{ target: { uri: './a' } }, { data: 'text' }],
      }),
    ]);
    expect(result[0]?.statusItems).toEqual([{ target: { uri: './a' } }, { data: 'text' }]);
  });

  it('reads a missing MsgRef as the open message and finds the command of a missing CmdRef by name and address [1x§2.5]', () => {
    const { result } = ask([get('./a'), get('./b'), exec('./c')], () => [
      status('2', { cmdRef: '4', cmd: 'Get' }, 200),
      status('3', { msgRef: '1', cmd: 'Get' }, 404, { targetRefs: ['./b'] }),
      status('4', { msgRef: '1', cmdRef: '', cmd: 'Exec' }, 202),
      results('5', {}, [leaf('./a', 'A')]),
    ]);
    expect(result.map(({ code, results }) => [code, results.length])).toEqual([
      [200, 1],
      [404, 0],
      [202, 0],
    ]);
  });

  it('takes the header Status of hs20, which lacks CmdRef [1x§2.5]', () => {
    const leg = openLeg();
    const { result } = play(
      leg.run([exec('./a')]),
      script((m) =>
        message(2, [status('1', { msgRef: '1', cmd: 'SyncHdr' }, 212), ...answerAll(m, () => 202)]),
      ),
    );
    expect(result[0]?.code).toBe(202);
  });

  it.each([
    ['1200', 200],
    ['1212', 200],
    ['1405', 500],
    [' 404 ', 404],
    ['0', 500],
    ['ok', 500],
  ])('reads the Status code %j as %i [1x§16.1]', (text, code) => {
    const { result } = ask([exec('./a')], () => [
      status('2', { msgRef: '1', cmdRef: '4', cmd: 'Exec' }, text),
    ]);
    expect(result[0]).toMatchObject({ code, answered: true });
  });

  it('does not take "in progress" for an answer [1x§2.6]', () => {
    const { result } = ask([exec('./a')], () => [
      status('2', { msgRef: '1', cmdRef: '4', cmd: 'Exec' }, 101),
      status('3', { msgRef: '1', cmdRef: '4', cmd: 'Exec' }, 403),
    ]);
    expect(result[0]?.code).toBe(403);
  });

  it('reports 500, unanswered, for a command without Status at Final [1x§16.3]', () => {
    const { result } = ask([exec('./a'), exec('./b')], (m) => answerAll(m).slice(1));
    expect(result.map(({ code, answered }) => [code, answered])).toEqual([
      [500, false],
      [200, true],
    ]);
  });

  it('ignores, and notes, a Status and Results for commands that were never sent', () => {
    const { result, notes } = ask([exec('./a')], (m) => [
      ...answerAll(m),
      status('7', { msgRef: '1', cmdRef: '77', cmd: 'Exec' }, 500),
      status('8', { msgRef: '9', cmdRef: '4', cmd: 'Exec' }, 500),
      results('9', { msgRef: '1', cmdRef: '77' }, [leaf('./z', 'z')]),
    ]);
    expect(result[0]).toMatchObject({ code: 200, results: [] });
    expect(notes).toEqual([
      'Status for unknown command 77 ignored',
      'Status for message 9 ignored',
      'Results for unknown command 77 ignored',
    ]);
  });

  it('collects a list that comes as many single-Item Results (Motorola) and one over two messages [1x§16.1]', () => {
    const leg = openLeg();
    const { result, sent } = play(
      leg.run([get('./a?list=Struct')]),
      script(
        (m) =>
          answering(
            m,
            [
              status('2', { msgRef: '1', cmdRef: '4', cmd: 'Get' }, 200),
              results('3', { msgRef: '1', cmdRef: '4' }, [leaf('./a', '1')]),
              results('4', { msgRef: '1', cmdRef: '4' }, [leaf('./a/b', '2')]),
            ],
            { final: false },
          ),
        (m) => answering(m, [results('2', { msgRef: '1', cmdRef: '4' }, [leaf('./a/c', '3')])]),
      ),
    );
    expect(result[0]?.results.map(({ data }) => data)).toEqual(['1', '2', '3']);
    expect(sent[1]?.final).toBe(false);
    expect(sent[1]?.body.map(({ kind }) => kind)).toEqual(['Status', 'Alert']);
  });

  it('answers an Alert 1222 with 200 and asks on until Final; statuses that refer to the reminder count [1x§2.3] [1x§16.1]', () => {
    const notes: string[] = [];
    const leg = openLeg({ note: (text) => notes.push(text) });
    const { result, sent } = play(
      leg.run([exec('./a'), exec('./b')]),
      script(
        (m) =>
          answering(m, [status('2', { msgRef: '1', cmdRef: '4', cmd: 'Exec' }, 200), alert('3', '1222')], {
            final: false,
          }),
        // MsgRef taken from the header of the message that asked for more.
        (m) =>
          answering(m, [
            status('2', { msgRef: '2', cmdRef: '3', cmd: 'Alert' }, 200),
            status('3', { msgRef: '2', cmdRef: '5', cmd: 'Exec' }, 202),
          ]),
      ),
    );
    expect(result.map(({ code }) => code)).toEqual([200, 202]);
    expect(notes).toEqual([]);
    expect(statuses(sent[1]).map(({ cmd, code }) => [cmd, code])).toEqual([
      ['SyncHdr', '212'],
      ['Alert', '200'],
    ]);
  });

  it('takes a package as complete when the device goes on without Final and without content', () => {
    const leg = openLeg();
    const { result, sent } = play(leg.run([exec('./a')]), (m) =>
      answering(m, m.header.msgId === '1' ? answerAll(m) : [], { final: false }),
    );
    expect(result[0]?.code).toBe(200);
    expect(sent.length).toBeLessThan(5);
  });

  it('inherits Results/Meta and fills in a missing Source [1x§1.4] [1x§16.1]', () => {
    const { result } = ask([get('./a')], () => [
      status('2', { msgRef: '1', cmdRef: '4', cmd: 'Get' }, 200),
      {
        ...results('3', { msgRef: '1', cmdRef: '4' }, [{ data: 'x', meta: { type: 'text/html' } }]),
        meta: { format: 'chr', type: 'text/plain' },
      },
    ]);
    expect(result[0]?.results).toEqual([
      { source: { uri: './a' }, meta: { format: 'chr', type: 'text/html' }, data: 'x' },
    ]);
  });

  it('puts chunked Results together, answering 213 per chunk [IW-WR-5] [1x§8]', () => {
    const leg = openLeg();
    const chunk = (data: string, more: boolean, size?: number) => ({
      source: { uri: './a' },
      meta: { format: 'chr', ...(size && { size }) },
      data,
      ...(more && { moreData: true }),
    });
    const { result, sent } = play(
      leg.run([get('./a')]),
      script(
        (m) =>
          answering(
            m,
            [
              status('2', { msgRef: '1', cmdRef: '4', cmd: 'Get' }, 200),
              results('3', { msgRef: '1', cmdRef: '4' }, [chunk('abc', true, 5)]),
            ],
            { final: false },
          ),
        (m) => answering(m, [results('2', { msgRef: '1', cmdRef: '4' }, [chunk('de', false)])]),
      ),
    );
    expect(result[0]?.results).toMatchObject([{ source: { uri: './a' }, data: 'abcde' }]);
    expect(result[0]?.results[0]).not.toHaveProperty('moreData');
    expect(statuses(sent[1]).map(({ cmd, cmdRef, code }) => [cmd, cmdRef, code])).toEqual([
      ['SyncHdr', '0', '212'],
      ['Results', '3', '213'],
    ]);
  });

  describe('whose Results come in chunks [1x§8]', () => {
    const ref = { msgRef: '1', cmdRef: '4' };
    const chunk = (data: string, more: boolean) => ({
      source: { uri: './a' },
      data,
      ...(more && { moreData: true }),
    });
    const said = (sent: SyncMLMessage | undefined) => [
      ...statuses(sent).map(({ cmd, code }) => `${cmd} ${code}`),
      ...commands(sent).map((c) => (c.kind === 'Alert' ? c.code : c.kind)),
    ];
    const firstChunk = (m: SyncMLMessage, final: boolean) =>
      answering(
        m,
        [
          status('2', { ...ref, cmd: 'Get' }, 200),
          { ...results('3', ref, [chunk('abc', true)]), meta: { format: 'chr', size: 5 } },
        ],
        { final },
      );

    it('judges them by the Size in the Meta of the Results [1x§1.4]', () => {
      const leg = openLeg();
      const { result, sent } = play(
        leg.run([get('./a')]),
        script(
          (m) => firstChunk(m, false),
          (m) => answering(m, [results('2', ref, [chunk('d', false)])]),
        ),
      );
      expect(result[0]?.results).toEqual([]);
      expect(said(sent[1])).toEqual(['SyncHdr 212', 'Results 213', '1222']);
      expect(said(leg.close())).toEqual(['SyncHdr 212', 'Results 424']);
    });

    it('goes on although Final stands beside MoreData', () => {
      const leg = openLeg();
      const { result } = play(
        leg.run([get('./a')]),
        script(
          (m) => firstChunk(m, true),
          (m) => answering(m, [results('2', ref, [chunk('de', false)])]),
        ),
      );
      expect(result[0]?.results).toMatchObject([{ data: 'abcde' }]);
      expect(said(leg.close())).toEqual(['SyncHdr 212']);
    });

    it('drops what has no last chunk, and tells by Alert 1225', () => {
      const leg = openLeg();
      const { result } = play(
        leg.run([get('./a')]),
        script(
          (m) => firstChunk(m, false),
          (m) => answering(m, []),
        ),
      );
      expect(result[0]?.results).toEqual([]);
      const again = play(
        leg.run([get('./a')]),
        script((m) => {
          const { cmdId } = commands(m).find(({ kind }) => kind === 'Get')!;
          const { msgId } = m.header;
          return answering(m, [
            status('2', { msgRef: msgId, cmdRef: cmdId, cmd: 'Get' }, 200),
            results('3', { msgRef: msgId, cmdRef: cmdId }, [chunk('whole', false)]),
          ]);
        }),
      );
      expect(said(again.sent[0])).toEqual(['SyncHdr 212', '1225', 'Get']);
      expect(commands(again.sent[0])[0]).toMatchObject({ items: [{ source: { uri: './a' } }] });
      expect(again.result[0]?.results).toMatchObject([{ data: 'whole' }]);
    });
  });

  it('collects alerts of Package 3 and answers them in the next message [IW-ALERT-4]', () => {
    const { leg, result } = ask([exec('./a')], (m) => [
      alert('9', '1226', [{ data: '200' }]),
      ...answerAll(m),
    ]);
    expect(result[0]?.code).toBe(200);
    expect(leg.takeAlerts()).toMatchObject([{ code: '1226' }]);
    expect(leg.takeAlerts()).toEqual([]);
    expect(statuses(leg.close()).map(({ cmd, cmdRef, code }) => [cmd, cmdRef, code])).toEqual([
      ['SyncHdr', '0', '212'],
      ['Alert', '9', '200'],
    ]);
  });

  it('ends on Alert 1223: what is unanswered fails with 500 and the abort is answered [IW-SES-10] [1x§2.4]', () => {
    const { leg, result } = ask([exec('./a'), exec('./b')], (m) => [
      ...answerAll(m).slice(0, 1),
      alert('9', '1223'),
    ]);
    expect(leg.ended).toBe('aborted');
    expect(result.map(({ code, answered }) => [code, answered])).toEqual([
      [200, true],
      [500, false],
    ]);
    expect(leg.close().body.map((e) => (e.kind === 'Status' ? [e.cmd, e.code] : e.kind))).toEqual([
      ['SyncHdr', '212'],
      ['Alert', '200'],
    ]);
    const after = play(leg.run([exec('./c')]), script());
    expect(after.sent).toEqual([]);
    expect(after.result).toEqual([
      { code: 500, items: [{ uri: './c', code: 500 }], results: [], statusItems: [], answered: false },
    ]);
  });

  it('fails what a device that went away did not answer [IW-SES-11]', () => {
    const leg = openLeg();
    const { result } = play(leg.run([exec('./a')]), script());
    expect(leg.ended).toBe('gone');
    expect(result[0]).toMatchObject({ code: 500, answered: false });
  });

  it('aborts a session that has no end, with Alert 1223 [1x§2.4]', () => {
    const leg = openLeg({ maxMessages: 4 });
    const { result, sent } = play(leg.run([exec('./a')]), (m) =>
      answering(m, [alert('2', '1226', [{ data: 'again' }])], { final: false }),
    );
    expect(sent).toHaveLength(4);
    expect(leg.ended).toBe('aborted');
    expect(result[0]).toMatchObject({ code: 500, answered: false });
    const closing = leg.close();
    expect(closing.final).toBe(true);
    expect(closing.body.at(-1)).toMatchObject({ kind: 'Alert', code: '1223' });
  });

  it('notes message numbers that skip and goes on', () => {
    const notes: string[] = [];
    const leg = openLeg({ note: (text) => notes.push(text) });
    const { result } = play(
      leg.run([exec('./a')]),
      script((m) => message(7, [headerStatus('1'), ...answerAll(m)])),
    );
    expect(result[0]?.code).toBe(200);
    expect(notes).toEqual(['MsgID 7 follows 1']);
  });
});

describe('credentials of the server [IW-AUTH-2]', () => {
  const nonce = new Uint8Array(16).fill(9);
  const chal = { type: 'syncml:auth-md5', format: 'b64', nextNonce: nonce };

  it('resends the same commands with Cred when the device challenges it in Package 3 [1x§9.4]', () => {
    const leg = openLeg();
    const { result, sent, presents } = play(
      leg.run([get('./a'), exec('./b')], { group: 'Sequence' }),
      script(
        // libdmclient: children of the Sequence stay without Status.
        (m) =>
          message(2, [
            headerStatus('1', 407, chal),
            ...answerAll(m, (c) => (c.kind === 'Sequence' ? 407 : undefined)),
          ]),
        (m) => answering(m, answerAll(m)),
      ),
    );
    expect(result.map(({ code }) => code)).toEqual([200, 200]);
    expect(commands(sent[1]).map(({ kind }) => kind)).toEqual(['Sequence', 'Get', 'Exec']);
    expect(presents).toEqual([undefined, { scheme: 'md5', nonce }]);
  });

  it('stops presenting once accepted for the session, and presents the next nonce after a 200', () => {
    const nonce2 = new Uint8Array(16).fill(2);
    const leg = openLeg({ present: { scheme: 'md5', nonce } });
    const { presents } = play(
      leg.run([replace('./a', '1'), replace('./b', '2'), replace('./c', '3')], { group: 'Atomic' }),
      script((m) => message(2, [headerStatus('1', 200, { ...chal, nextNonce: nonce2 }), ...answerAll(m)])),
    );
    const second = play(
      leg.run([exec('./b')]),
      script((m) => message(3, [headerStatus('2', 212), ...answerAll(m)])),
    );
    const third = play(
      leg.run([exec('./b')]),
      script((m) => answering(m, answerAll(m))),
    );
    expect([...presents, ...second.presents, ...third.presents]).toEqual([
      { scheme: 'md5', nonce },
      { scheme: 'md5', nonce: nonce2 },
      undefined,
    ]);
  });

  it('gives up after one retry, reporting what the device said', () => {
    const leg = openLeg();
    let id = 1;
    const { result, sent } = play(leg.run([exec('./a')]), (m) =>
      message(++id, [headerStatus(m.header.msgId, 401, chal), ...answerAll(m, () => 401)]),
    );
    expect(sent).toHaveLength(2);
    expect(result[0]).toMatchObject({ code: 401, answered: true });
  });

  it('does not try a scheme that it cannot make', () => {
    const leg = openLeg();
    const { sent, result } = play(
      leg.run([exec('./a')]),
      script((m) =>
        message(2, [headerStatus('1', 401, { type: 'syncml:auth-X509' }), ...answerAll(m, () => 401)]),
      ),
    );
    expect(sent).toHaveLength(1);
    expect(result[0]?.code).toBe(401);
  });
});

describe('groups', () => {
  const run = (
    list: Parameters<ReturnType<typeof openLeg>['run']>[0],
    group: 'Sequence' | 'Atomic',
    ...code: readonly ((command: Command) => number | undefined)[]
  ) => {
    const leg = openLeg();
    let at = 0;
    const played = play(leg.run(list, { group }), (m) =>
      answering(m, answerAll(m, code[Math.min(at++, code.length - 1)])),
    );
    return { ...played, leg, codes: played.result.map((answer) => answer.code) };
  };
  const uriOf = (command: Command) => ('items' in command ? command.items[0]?.target?.uri : undefined);
  const list = [exec('./a'), exec('./b'), exec('./c')];

  it('wraps commands in one Sequence, a single one not [IW-SEQ-1]', () => {
    const { sent, codes } = run(list, 'Sequence', () => 200);
    expect(commands(sent[0]).map(({ kind, cmdId }) => [kind, cmdId])).toEqual([
      ['Sequence', '4'],
      ['Exec', '5'],
      ['Exec', '6'],
      ['Exec', '7'],
    ]);
    expect(codes).toEqual([200, 200, 200]);
    expect(commands(run(list.slice(0, 1), 'Sequence', () => 200).sent[0]).map(({ kind }) => kind)).toEqual([
      'Exec',
    ]);
  });

  it('sends again what a client skipped behind a failed child (Motorola): DM 2.0 goes on [IW-SEQ-1] [1x§3.2]', () => {
    const { sent, codes } = run(
      list,
      'Sequence',
      (c) => (uriOf(c) === './a' ? 404 : uriOf(c) ? 215 : 200),
      (c) => (uriOf(c) === './b' ? 405 : uriOf(c) ? 215 : 200),
      () => 200,
    );
    expect(codes).toEqual([404, 405, 200]);
    expect(sent.map((m) => commands(m).map(uriOf).filter(Boolean))).toEqual([
      ['./a', './b', './c'],
      ['./b', './c'],
      ['./c'],
    ]);
  });

  it('leaves skipped what the user cancelled [1x§4.5]', () => {
    const question = { kind: 'Alert', code: '1101', items: [{}, { data: 'Sure?' }] } as const;
    const { sent, codes } = run([question, exec('./b')], 'Sequence', (c) =>
      c.kind === 'Alert' ? 214 : c.kind === 'Exec' ? 215 : 200,
    );
    expect(sent).toHaveLength(1);
    expect(codes).toEqual([214, 215]);
  });

  it('reads 304 for the whole Sequence as the "No" of its alert (libdmclient) [1x§16.1]', () => {
    const question = { kind: 'Alert', code: '1101', items: [{}, { data: 'Sure?' }] } as const;
    const { codes } = run([exec('./a'), question, exec('./b')], 'Sequence', (c) =>
      c.kind === 'Sequence' ? 304 : uriOf(c) === './a' ? 200 : undefined,
    );
    expect(codes).toEqual([200, 304, 215]);
  });

  it('takes the Status of a Sequence behind those of its children (libdmclient) [1x§16.1]', () => {
    const leg = openLeg();
    const { result } = play(
      leg.run(list, { group: 'Sequence' }),
      script((m) => answering(m, answerAll(m, (c) => (c.kind === 'Sequence' ? 200 : 404)).reverse())),
    );
    expect(result.map(({ code }) => code)).toEqual([404, 404, 404]);
  });

  it('falls back to one command per message on a device without Sequence, and remembers it [IW-SEQ-1]', () => {
    const { sent, codes, leg } = run(
      list,
      'Sequence',
      (c) => (c.kind === 'Sequence' ? 501 : sent0(c)),
      () => 200,
    );
    expect(codes).toEqual([200, 200, 200]);
    expect(sent.map((m) => commands(m).map(({ kind }) => kind))).toEqual([
      ['Sequence', 'Exec', 'Exec', 'Exec'],
      ['Exec'],
      ['Exec'],
      ['Exec'],
    ]);
    expect(leg.learned).toEqual({ sequence: false });
    const later = play(leg.run(list.slice(0, 2), { group: 'Sequence' }), (m) => answering(m, answerAll(m)));
    expect(later.sent.map((m) => commands(m).map(({ kind }) => kind))).toEqual([['Exec'], ['Exec']]);
  });

  const sent0 = (_: Command): undefined => undefined;

  it('needs no Status for an Atomic itself (libdmclient), and tells each child its own [1x§16.1]', () => {
    const writes = [replace('./a', '1'), replace('./b', '2'), replace('./c', '3')];
    const { codes } = run(writes, 'Atomic', (c) =>
      c.kind === 'Atomic' ? undefined : { './a': 216, './b': 418, './c': 215 }[uriOf(c) ?? ''],
    );
    expect(codes).toEqual([216, 418, 215]);
  });

  it('gives an Atomic that is answered as a whole to its children [1x§3.2]', () => {
    const writes = [replace('./a', '1'), replace('./b', '2')];
    const whole = (code: number) => run(writes, 'Atomic', (c) => (c.kind === 'Atomic' ? code : undefined));
    expect(whole(200).codes).toEqual([200, 200]);
    expect(whole(517).codes).toEqual([517, 517]);
    const refused = whole(406);
    expect(refused.codes).toEqual([406, 406]);
    expect(refused.leg.learned).toEqual({ atomic: false });
    expect(refused.sent).toHaveLength(1);
  });

  it('does not send an Atomic that fits no message: 413 for every child [1x§2.3]', () => {
    const writes = [replace('./a', 'x'.repeat(900)), replace('./b', 'y'.repeat(900))];
    const leg = openLeg({ opening: package1({ meta: { maxMsgSize: 2000 } }) });
    const { result, sent } = play(leg.run(writes, { group: 'Atomic' }), (m) => answering(m, answerAll(m)));
    expect(sent.flatMap((m) => commands(m)).filter(({ kind }) => kind !== 'Alert')).toEqual([]);
    expect(result.map(({ code, answered }) => [code, answered])).toEqual([
      [413, false],
      [413, false],
    ]);
  });
});

describe('MaxMsgSize of the device', () => {
  const opening = package1({ meta: { maxMsgSize: 1500 } });

  it('spreads commands over messages, each with Final, and splits a Sequence [IW-SEQ-1] [1x§2.3]', () => {
    const list = Array.from({ length: 20 }, (_, at) => replace(`./node/${at}`, 'some value'));
    for (const group of [undefined, 'Sequence'] as const) {
      const leg = openLeg({ opening });
      const { result, sent } = play(leg.run(list, group ? { group } : {}), (m) => answering(m, answerAll(m)));
      expect(result.every(({ code }) => code === 200)).toBe(true);
      expect(sent.length).toBeGreaterThan(2);
      for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1500);
      expect(sent.every(({ final }) => final)).toBe(true);
      const kinds = sent.map((m) => m.body.filter((e) => e.kind !== 'Status').map(({ kind }) => kind));
      if (group) expect(kinds.every((k) => k.length === 1)).toBe(true);
    }
  });

  it('obeys a smaller size that a later message announces [1x§1.3]', () => {
    const leg = openLeg({ opening: package1({ meta: { maxMsgSize: 5000 } }) });
    play(
      leg.run([exec('./a')]),
      script((m) => answering(m, answerAll(m), { meta: { maxMsgSize: 1200 } })),
    );
    const list = Array.from({ length: 20 }, (_, at) => exec(`./node/${at}`));
    const { sent } = play(leg.run(list), (m) => answering(m, answerAll(m)));
    expect(sent.length).toBeGreaterThan(1);
    for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1200);
  });

  it('sends a value larger than a message in chunks: Size first, MoreData until the last, Final with it [IW-HGET-4] [1x§8]', () => {
    const data = 'äöü€😀'.repeat(400);
    const leg = openLeg({ opening });
    const { result, sent } = play(
      leg.run([replace('./a', 'x'), replace('./big', data), replace('./b', 'y')]),
      (m) =>
        answering(
          m,
          answerAll(m, (c) => ('items' in c && c.items[0]?.moreData ? 213 : 200)),
          { final: m.final },
        ),
    );
    expect(result.map(({ code }) => code)).toEqual([200, 200, 200]);
    const chunks = sent.flatMap((m) => commands(m)).flatMap((c) => (c.kind === 'Replace' ? c.items : []));
    const big = chunks.filter((item) => item.target?.uri === './big');
    expect(big.length).toBeGreaterThan(2);
    expect(sent).toHaveLength(big.length + 2);
    expect(big.map((item) => item.data).join('')).toBe(data);
    expect(big.map((item) => item.meta?.size)).toEqual([
      Buffer.byteLength(data),
      ...big.slice(1).map(() => undefined),
    ]);
    expect(big.map((item) => item.moreData ?? false)).toEqual(big.map((_, at) => at < big.length - 1));
    const carriers = sent.filter((m) =>
      commands(m).some((c) => 'items' in c && c.items[0]?.target?.uri === './big'),
    );
    expect(carriers.map(({ final }) => final)).toEqual(carriers.map((_, at) => at === carriers.length - 1));
    for (const m of carriers) expect(commands(m)).toHaveLength(1);
    for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1500);
  });

  it.each([
    ['a chunk is refused', (first: boolean) => (first ? 420 : 200), 420],
    ['the last code differs', (first: boolean) => (first ? 213 : 424), 424],
  ])('reports the device’s own code when %s [1x§8]', (_, answer, code) => {
    const leg = openLeg({ opening });
    const { result } = play(leg.run([replace('./big', 'x'.repeat(3000))]), (m) =>
      answering(
        m,
        answerAll(m, (c) => answer('items' in c && c.items[0]?.moreData === true)),
        { final: m.final },
      ),
    );
    expect(result[0]).toMatchObject({ code, answered: true });
  });

  it('stops a large object that the device dropped with Alert 1225 [1x§8]', () => {
    const leg = openLeg({ opening });
    const { result, sent } = play(leg.run([replace('./big', 'x'.repeat(9000))]), (m) =>
      answering(
        m,
        m.final ? [] : [...answerAll(m, () => 213), alert('9', '1225', [{ target: { uri: './big' } }])],
      ),
    );
    expect(result[0]?.code).toBe(500);
    expect(commands(sent[0]).length).toBe(1);
    expect(sent).toHaveLength(1);
  });

  it('answers 413, unsent, for what can neither fit nor be chunked, or exceeds MaxObjSize [1x§1.3]', () => {
    const leg = openLeg({ opening: package1({ meta: { maxMsgSize: 1500, maxObjSize: 2000 } }) });
    const long = exec(`./${'x'.repeat(3000)}`);
    const { result, sent } = play(leg.run([long, replace('./big', 'y'.repeat(3000)), exec('./c')]), (m) =>
      answering(m, answerAll(m)),
    );
    expect(result.map(({ code, answered }) => [code, answered])).toEqual([
      [413, false],
      [413, false],
      [200, true],
    ]);
    expect(sent.flatMap((m) => commands(m)).filter((c) => c.kind !== 'Alert')).toHaveLength(1);
  });

  it.each([
    [undefined, [200, 413, 200], 2],
    ['Sequence', [200, 413, 200], 3],
    ['Atomic', [413, 413, 413], 0],
  ] as const)(
    'sends no value above MaxObjSize, though it fits a message, in %s [1x§1.3]',
    (group, codes, count) => {
      const leg = openLeg({ opening: package1({ meta: { maxMsgSize: 9000, maxObjSize: 20 } }) });
      const list = [replace('./a', 'x'), replace('./b', '€'.repeat(7)), replace('./c', 'y'.repeat(20))];
      const { result, sent } = play(leg.run(list, group && { group }), (m) => answering(m, answerAll(m)));
      expect(result.map(({ code }) => code)).toEqual(codes);
      expect(sent.flatMap((m) => commands(m))).toHaveLength(count);
    },
  );

  it('lets owed Statuses go first when they leave no room [1x§2.3]', () => {
    const alerts = Array.from({ length: 30 }, (_, at) => alert(String(at + 5), '1226', [{ data: '1' }]));
    const leg = openLeg({ opening });
    play(
      leg.run([exec('./a')]),
      script((m) => answering(m, [...answerAll(m), ...alerts])),
    );
    const { result, sent } = play(leg.run([exec('./b')]), (m) =>
      answering(
        m,
        answerAll(m, (c) => (c.kind === 'Alert' ? undefined : 200)),
      ),
    );
    expect(result[0]?.code).toBe(200);
    expect(sent.slice(0, -1).every((m) => !m.final && m.body.at(-1)?.kind === 'Alert')).toBe(true);
    expect(sent.flatMap(statuses).filter(({ cmd }) => cmd === 'Alert')).toHaveLength(30);
    for (const m of sent) expect(sizeOf(m)).toBeLessThanOrEqual(1500);
  });

  it('keeps room for the Cred that is added later', () => {
    const leg = openLeg({ opening, present: { scheme: 'basic' } });
    const list = Array.from({ length: 30 }, (_, at) => exec(`./node/${at}`));
    const { sent } = play(leg.run(list), (m) =>
      message(9, [headerStatus(m.header.msgId, 200), ...answerAll(m)]),
    );
    for (const m of sent) expect(sizeOf(m) + jsonSize({ type: 'syncml:auth-basic' })).toBeLessThan(1200);
  });
});

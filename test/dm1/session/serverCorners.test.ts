import { describe, expect, it } from 'vitest';
import { ServerLeg } from '../../../src/dm1/session/server.ts';
import {
  alert,
  answerAll,
  answering,
  commands,
  exec,
  get,
  headerStatus,
  leaf,
  leg,
  message,
  openLeg,
  package1,
  play,
  replace,
  results,
  script,
  status,
  statuses,
  xml,
} from './play.ts';

const opening = package1({ meta: { maxMsgSize: 1500 } });
const chal = { type: 'syncml:auth-md5', nextNonce: new Uint8Array(16) };

describe('corners of a device session', () => {
  it('leaves the Correlator out for a DM 1.1 device, and says so [1x§1.1]', () => {
    const notes: string[] = [];
    const old = openLeg({
      opening: package1({ verDTD: '1.1', verProto: 'DM/1.1' }),
      note: (text) => notes.push(text),
    });
    const { sent } = play(old.run([{ ...exec('./a'), correlator: 'c7' }]), script());
    expect(commands(sent[0])[0]).not.toHaveProperty('correlator');
    expect(notes).toEqual(['Correlator c7 left out for a DM 1.1 device']);
    const { sent: kept } = play(openLeg().run([{ ...exec('./a'), correlator: 'c7' }]), script());
    expect(commands(kept[0])[0]).toMatchObject({ correlator: 'c7' });
  });

  it('starts without Sequence on a device that is known not to have it [IW-SEQ-1]', () => {
    const known = new ServerLeg(
      { opening: package1(), encoding: xml, respURI: 'https://gateway.example/dm', maxMessages: 9 },
      { sequence: false },
    );
    play(known.open(), script());
    const { sent } = play(known.run([exec('./a'), exec('./b')], { group: 'Sequence' }), (m) =>
      answering(m, answerAll(m)),
    );
    expect(sent.map((m) => commands(m).map(({ kind }) => kind))).toEqual([['Exec'], ['Exec']]);
  });

  it('waits for a device that has nothing to say for a while, as during a dialogue [IW-UI-2]', () => {
    const { result, sent } = play(openLeg().run([exec('./a')]), (m) =>
      Number(m.header.msgId) < 6
        ? answering(m, [alert('2', '1222')], { final: false })
        : answering(m, [status('2', { msgRef: '1', cmdRef: '4', cmd: 'Exec' }, 200)]),
    );
    expect(result[0]).toMatchObject({ code: 200, answered: true });
    expect(sent).toHaveLength(6);
  });

  it('takes DevInfo at any time, and nothing else, from a Replace of the device [1x§2.1]', () => {
    const open = openLeg();
    play(
      open.run([exec('./a')]),
      script((m) =>
        answering(m, [
          ...answerAll(m),
          { kind: 'Replace', cmdId: '8', items: [leaf('./DevInfo/Lang', 'de')] },
          { kind: 'Replace', cmdId: '9', items: [leaf('./Other/x', 'y')] },
        ]),
      ),
    );
    expect(statuses(open.close()).map(({ cmdRef, code }) => [cmdRef, code])).toEqual([
      ['0', '212'],
      ['8', '200'],
      ['9', '405'],
    ]);
  });

  it('tells by Alert 1225 that chunked Results have no end [1x§8]', () => {
    const open = openLeg();
    const { result, sent } = play(
      open.run([get('./a'), get('./b')]),
      script(
        (m) =>
          answering(
            m,
            [
              ...answerAll(m),
              results('3', { msgRef: '1', cmdRef: '4' }, [{ ...leaf('./a', 'half'), moreData: true }]),
            ],
            { final: false },
          ),
        (m) =>
          answering(m, [results('2', { msgRef: '1', cmdRef: '5' }, [leaf('./b', 'B')])], { final: false }),
        (m) => answering(m, []),
      ),
    );
    expect(result.map((answer) => answer.results.length)).toEqual([0, 1]);
    expect(sent[2]?.body.filter(({ kind }) => kind === 'Alert')).toMatchObject([
      { code: '1225', items: [{ source: { uri: './a' } }] },
      { code: '1222' },
    ]);
    expect(open.close().body.map(({ kind }) => kind)).toEqual(['Status']);
  });

  it('refuses chunked Results above its limit with 413, to their end [1x§8]', () => {
    const open = openLeg({ maxObjectBytes: 5 });
    const part = (data: string, moreData: boolean) => ({
      ...leaf('./a', data),
      ...(moreData && { moreData }),
    });
    const { result, sent } = play(
      open.run([get('./a')]),
      script(
        (m) =>
          answering(m, [...answerAll(m), results('3', { msgRef: '1', cmdRef: '4' }, [part('abcd', true)])], {
            final: false,
          }),
        (m) =>
          answering(m, [results('2', { msgRef: '1', cmdRef: '4' }, [part('efgh', true)])], { final: false }),
        (m) => answering(m, [results('2', { msgRef: '1', cmdRef: '4' }, [part('i', false)])]),
      ),
    );
    expect(result[0]?.results).toEqual([]);
    const codes = [...sent, open.close()].flatMap(statuses).filter(({ cmd }) => cmd === 'Results');
    expect(codes.map(({ code }) => code)).toEqual(['213', '413', '413']);
  });

  it('asks once for the Status of a chunk that did not fit its message [1x§8]', () => {
    const open = openLeg({ opening });
    let chunks = 0;
    const { result, sent } = play(open.run([replace('./big', 'x'.repeat(3000))]), (m) => {
      const chunk = commands(m).find(({ kind }) => kind === 'Replace');
      if (chunk) chunks += 1;
      if (m.final) return answering(m, answerAll(m));
      const late = status('2', { msgRef: '1', cmdRef: '4', cmd: 'Replace' }, 213);
      return answering(m, chunk && chunks === 1 ? [] : chunk ? answerAll(m, () => 213) : [late], {
        final: false,
      });
    });
    expect(result[0]).toMatchObject({ code: 200, answered: true });
    expect(sent).toHaveLength(chunks + 1);
  });

  it('begins a large object again when the device wants credentials first [IW-AUTH-2]', () => {
    const open = openLeg({ opening });
    let first = true;
    const data = 'x'.repeat(3000);
    const received: string[] = [];
    const { result } = play(open.run([replace('./big', data)]), (m) => {
      if (first) {
        first = false;
        return message(2, [headerStatus('1', 401, chal), ...answerAll(m, () => 401)], { final: false });
      }
      for (const c of commands(m)) if (c.kind === 'Replace') received.push(String(c.items[0]?.data));
      return answering(
        m,
        answerAll(m, () => (m.final ? 200 : 213)),
        { final: m.final },
      );
    });
    expect(result[0]).toMatchObject({ code: 200, answered: true });
    expect(received.join('')).toBe(data);
  });

  it('refuses a device that leaves no room for a Status, and goes on where later messages leave none [1x§1.3]', () => {
    const tiny = leg({ opening: package1({ meta: { maxMsgSize: 10 } }) });
    const refused = play(tiny.open(), script());
    expect(refused.sent).toEqual([]);
    expect(refused.result).toMatchObject({ kind: 'refused', reason: expect.stringContaining('10 bytes') });
    const shrinking = openLeg({ maxMessages: 12 });
    const { result, sent } = play(shrinking.run([exec('./a'), exec('./b')]), (m) =>
      answering(m, [...answerAll(m), alert('2', '1222')], { final: false, meta: { maxMsgSize: 10 } }),
    );
    expect(result.map(({ code }) => code)).toEqual([200, 200]);
    expect(sent).toHaveLength(1);
    expect(shrinking.ended).toBe('aborted');
  });

  it('cuts what it quotes of a peer in notes', () => {
    const notes: string[] = [];
    const open = leg({ opening: package1({}, 1), note: (text) => notes.push(text) });
    play(open.open(), script());
    play(
      open.run([exec('./a')]),
      script((m) => message('9'.repeat(5000), [headerStatus('1'), ...answerAll(m)])),
    );
    expect(notes.map(({ length }) => length)).toEqual([200]);
  });

  it('says in a note that a device objects to the header, and goes by its word on the commands', () => {
    const notes: string[] = [];
    const open = openLeg({ note: (text) => notes.push(text) });
    const { result } = play(
      open.run([exec('./a')]),
      script((m) => message(2, [headerStatus('1', 400), ...answerAll(m, () => 405)])),
    );
    expect(result[0]?.code).toBe(405);
    expect(notes).toEqual(['The device answers the header with 400']);
  });
});

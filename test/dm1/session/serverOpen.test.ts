import { describe, expect, it } from 'vitest';
import type { CredVerdict } from '../../../src/dm1/turn.ts';
import {
  alert,
  answering,
  DEVICE,
  devInfo,
  type Judge,
  leaf,
  leg,
  message,
  package1,
  play,
  SERVER,
  script,
  status,
  statuses,
} from './play.ts';

const nonce = new Uint8Array(16).fill(1);
const challenge: CredVerdict = {
  ok: false,
  status: 401,
  challenge: { scheme: 'md5', nonce },
  detail: 'no credentials',
};
const final: CredVerdict = { ok: false, status: 401, detail: 'wrong credentials again' };

/** Gives the verdicts in turn, the last one for ever. */
function verdicts(...list: readonly CredVerdict[]): Judge & { readonly asked: string[] } {
  const asked: string[] = [];
  const judge: Judge = ({ msgId }) => {
    asked.push(msgId);
    return list[Math.min(asked.length, list.length) - 1] as CredVerdict;
  };
  return Object.assign(judge, { asked });
}

describe('opening of a legacy device session', () => {
  it('takes session alert, DevInfo and further alerts of Package 1 [IW-SES-6]', () => {
    const generic = alert('3', '1226', [{ source: { uri: './x' }, data: '0' }]);
    const opening = message(1, [alert('1', '1200'), generic, { ...devInfo, cmdId: '4' }]);
    const { result, sent } = play(leg({ opening }).open(), script());
    expect(sent).toEqual([]);
    expect(result).toEqual({
      kind: 'open',
      sessionAlert: '1200',
      devInfo: [leaf('./DevInfo/DevId', DEVICE), leaf('./DevInfo/Man', 'Acme')],
      alerts: [generic],
      verProto: 'DM/1.2',
    });
  });

  it('takes DevInfo before the alert and without Meta [1x§16.1]', () => {
    const bare = {
      kind: 'Replace',
      cmdId: '1',
      items: [{ source: { uri: './DevInfo/Man' }, data: 'X' }],
    } as const;
    const { result } = play(leg({ opening: message(1, [bare, alert('2', '1201')]) }).open(), script());
    expect(result).toMatchObject({ sessionAlert: '1201', devInfo: bare.items });
  });

  it('says so when the device sent no session alert', () => {
    const { result } = play(leg({ opening: message(1, [devInfo]) }).open(), script());
    expect(result).toMatchObject({ kind: 'open' });
    expect(result).not.toHaveProperty('sessionAlert');
  });

  it('answers header, alert and Replace in order, header first, with the emit rules of 1x§16.1', () => {
    const open = leg({ ownMaxMsgSize: 9000, opening: package1({ sessionId: '0' }) });
    play(open.open(), script());
    const closing = open.close();
    expect(closing).toEqual({
      header: {
        verDTD: '1.2',
        verProto: 'DM/1.2',
        sessionId: '0',
        msgId: '1',
        target: { uri: DEVICE },
        source: { uri: SERVER },
        respURI: 'https://gateway.example/dm',
        meta: { maxMsgSize: 9000 },
      },
      body: [
        {
          kind: 'Status',
          cmdId: '1',
          msgRef: '1',
          cmdRef: '0',
          cmd: 'SyncHdr',
          targetRefs: [SERVER],
          sourceRefs: [DEVICE],
          code: '212',
          items: [],
        },
        status('2', { msgRef: '1', cmdRef: '1', cmd: 'Alert' }, 200),
        status('3', { msgRef: '1', cmdRef: '2', cmd: 'Replace' }, 200),
      ],
      final: true,
    });
  });

  it('collects a Package 1 of several messages by asking for the next message [1x§2.3]', () => {
    const second = message(2, [{ ...devInfo, cmdId: '1' }, alert('2', '1222')], { final: false });
    const third = message(3, [alert('1', '1226', [{ data: '1' }])]);
    const { result, sent } = play(
      leg({ opening: message(1, [alert('1', '1201')], { final: false }) }).open(),
      script(second, third),
    );
    expect(result).toMatchObject({ kind: 'open', sessionAlert: '1201', alerts: [{ code: '1226' }] });
    expect(sent.map(({ final, body }) => [final, body.at(-1)])).toEqual([
      [false, alert('3', '1222')],
      [false, alert('4', '1222')],
    ]);
    expect(statuses(sent[1]).map(({ cmd, code }) => [cmd, code])).toEqual([
      ['SyncHdr', '212'],
      ['Replace', '200'],
      ['Alert', '200'],
    ]);
  });

  it('challenges with 401 for the header and every command, children included, and takes the repetition [IW-AUTH-1] [1x§9.4]', () => {
    const opening = message(1, [
      alert('1', '1201'),
      devInfo,
      { kind: 'Sequence', cmdId: '3', commands: [alert('4', '1226', [{}])] },
    ]);
    const judge = verdicts(challenge, { ok: true, status: 212, scheme: 'md5', nextNonce: nonce });
    const open = leg({ opening });
    const { result, sent } = play(open.open(), script(package1({ cred: { meta: {}, data: 'x' } }, 2)), judge);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.final).toBe(true);
    expect(sent[0]?.body.map((e) => (e.kind === 'Status' ? [e.cmdRef, e.cmd, e.code] : e.kind))).toEqual([
      ['0', 'SyncHdr', '401'],
      ['1', 'Alert', '401'],
      ['2', 'Replace', '401'],
      ['3', 'Sequence', '401'],
      ['4', 'Alert', '401'],
    ]);
    const chal = { type: 'syncml:auth-md5', format: 'b64', nextNonce: nonce };
    expect(statuses(sent[0])[0]?.chal).toEqual(chal);
    expect(result).toMatchObject({ kind: 'open', alerts: [] });
    const closing = statuses(open.close());
    expect(closing[0]).toMatchObject({ code: '212', chal, msgRef: '2' });
    expect(closing.map(({ code }) => code)).toEqual(['212', '200', '200']);
  });

  it('ends the session on the second failure, with a Status for every command [IW-AUTH-1]', () => {
    const open = leg();
    const { result, sent } = play(open.open(), script(package1({}, 2)), verdicts(challenge, final));
    expect(sent).toHaveLength(1);
    expect(result).toMatchObject({ kind: 'refused', reason: 'wrong credentials again' });
    expect(open.ended).toBe('aborted');
    const reply = result.kind === 'refused' ? result.reply : undefined;
    expect(reply?.final).toBe(true);
    expect(statuses(reply).map(({ code, chal }) => [code, chal])).toEqual([
      ['401', undefined],
      ['401', undefined],
      ['401', undefined],
    ]);
  });

  it('refuses an identity with the code of the verdict [IW-SES-2]', () => {
    const { result } = play(
      leg().open(),
      script(),
      verdicts({ ok: false, status: 403, detail: 'not yours' }),
    );
    expect(result.kind === 'refused' && statuses(result.reply).map(({ code }) => code)).toEqual([
      '403',
      '403',
      '403',
    ]);
  });

  it('stops challenging a device that never learns', () => {
    let id = 1;
    const { result, sent } = play(leg().open(), () => package1({}, ++id), verdicts(challenge));
    expect(result.kind).toBe('refused');
    expect(sent).toHaveLength(3);
  });

  it('checks every message while the verdict is 200, and hands out a nonce each time [IW-AUTH-1] [1x§9.5]', () => {
    const nonces = [1, 2, 3].map((n) => new Uint8Array(16).fill(n));
    let at = 0;
    const asked: string[] = [];
    const judge: Judge = ({ msgId }) => {
      asked.push(msgId);
      return { ok: true, status: 200, scheme: 'hmac', nextNonce: nonces[at++] as Uint8Array };
    };
    const open = leg();
    play(open.open(), script(), judge);
    const { result, sent } = play(
      open.run([{ kind: 'Exec', items: [{ target: { uri: './x' } }] }]),
      script((m) => answering(m, [status('2', { msgRef: '1', cmdRef: '4', cmd: 'Exec' }, 202)])),
      judge,
    );
    expect(result[0]?.code).toBe(202);
    expect(asked).toEqual(['1', '2']);
    expect(statuses(sent[0])[0]).toMatchObject({
      code: '200',
      chal: { type: 'syncml:auth-MAC', nextNonce: nonces[0] },
    });
    expect(statuses(open.close())[0]).toMatchObject({ code: '200', chal: { nextNonce: nonces[1] } });
  });

  it('executes nothing of a later message with bad credentials until it is repeated with good ones [IW-AUTH-1]', () => {
    const good: CredVerdict = { ok: true, status: 200, scheme: 'md5', nextNonce: nonce };
    const judge = verdicts(good, challenge, good);
    const open = leg();
    play(open.open(), script(), judge);
    const done = (msgId: number) =>
      message(msgId, [
        status('2', { msgRef: '1', cmdRef: '4', cmd: 'Exec' }, 200),
        alert('3', '1226', [{ data: '1' }]),
      ]);
    const { result, sent } = play(
      open.run([{ kind: 'Exec', items: [{ target: { uri: './x' } }] }]),
      script(done(2), done(3)),
      judge,
    );
    expect(sent).toHaveLength(2);
    expect(statuses(sent[1]).map(({ cmd, code }) => [cmd, code])).toEqual([
      ['SyncHdr', '401'],
      ['Alert', '401'],
    ]);
    expect(result[0]).toMatchObject({ code: 200, answered: true });
    expect(open.takeAlerts()).toHaveLength(1);
  });

  it.each([
    [{ verDTD: '1.0' }, '505'],
    [{ verProto: 'DM/2.0' }, '513'],
  ])('refuses version %j with %s on header and commands [1x§1.1]', (version, code) => {
    const { result } = play(leg({ opening: package1(version) }).open(), script());
    expect(result.kind === 'refused' && statuses(result.reply).map((s) => s.code)).toEqual([
      code,
      code,
      code,
    ]);
    expect(result.kind === 'refused' && result.reply.header.verProto).toBe('DM/1.2');
  });

  it.each(['DM/1.1', 'DM/1.2', 'DM/1.3'])('answers %s in its own version [1x§16.3]', (verProto) => {
    const open = leg({ opening: package1({ verProto, verDTD: verProto === 'DM/1.1' ? '1.1' : '1.2' }) });
    expect(play(open.open(), script()).result).toMatchObject({ kind: 'open', verProto });
    expect(open.close().header.verProto).toBe(verProto);
  });

  it('ends at once when the device aborts in Package 1 [IW-SES-10]', () => {
    const open = leg({ opening: message(1, [alert('1', '1201'), alert('2', '1223')]) });
    const { result } = play(open.open(), script());
    expect(result).toMatchObject({ kind: 'aborted', reply: { final: true } });
  });

  it('reports a device that went away before its Package 1 was complete', () => {
    const open = leg({ opening: package1({ final: false }) });
    expect(play(open.open(), script()).result).toEqual({ kind: 'gone' });
    expect(open.ended).toBe('gone');
  });

  it('judges alerts: 412 without Items, else as decided; 406 for unknown and UI ones [IW-ALERT-4]', () => {
    const opening = message(1, [
      alert('1', '1201'),
      alert('2', '1224'),
      alert('3', '1226', [{ data: '1' }]),
      alert('4', '1100', [{}, { data: 'hello' }]),
      alert('5', '999'),
    ]);
    const open = leg({ opening, judgeAlert: () => 202 });
    const { result } = play(open.open(), script());
    expect(result).toMatchObject({ alerts: [{ cmdId: '3' }] });
    expect(statuses(open.close()).map(({ cmdRef, code }) => [cmdRef, code])).toEqual([
      ['0', '212'],
      ['1', '200'],
      ['2', '412'],
      ['3', '202'],
      ['4', '406'],
      ['5', '406'],
    ]);
  });

  it('answers what a device may not send, duplicate and missing CmdIDs included [1x§2.1] [1x§16.1]', () => {
    const opening = message(1, [
      alert('1', '1201'),
      { kind: 'Foreign', name: 'Put', cmdId: '1' },
      { kind: 'Get', cmdId: '2', items: [] },
      { kind: 'Delete', cmdId: '', items: [] },
      { kind: 'Replace', cmdId: '3', items: [] },
    ]);
    const open = leg({ opening });
    play(open.open(), script());
    expect(statuses(open.close()).map(({ cmdRef, cmd, code }) => [cmdRef, cmd, code])).toEqual([
      ['0', 'SyncHdr', '212'],
      ['1', 'Alert', '200'],
      ['1', 'Put', '406'],
      ['2', 'Get', '405'],
      ['', 'Delete', '400'],
      ['3', 'Replace', '412'],
    ]);
  });
});

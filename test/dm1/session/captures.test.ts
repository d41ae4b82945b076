import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/dm1/message.ts';
import { type PlannedCommand, ServerLeg } from '../../../src/dm1/session/server.ts';
import { commands, get, type Judge, play, script, statuses } from './play.ts';
import { capture } from './wire.ts';

/** A command of the recorded server as our caller would plan it. */
function planned(command: Command): PlannedCommand {
  if (!('items' in command)) throw new Error(`unexpected ${command.kind}`);
  return command;
}

/** Plays a recorded libdmclient session: the device's two messages are real, the server is ours. */
function replay(name: string) {
  const first = capture(`${name}-01-req`);
  const recorded = capture(`${name}-01-res`);
  const leg = new ServerLeg({
    opening: first.message,
    encoding: first.encoding,
    respURI: 'https://gateway.example/dm',
    maxMessages: 20,
  });
  const basic: Judge = ({ cred }) =>
    cred
      ? { ok: true, status: 212, scheme: 'basic' }
      : { ok: false, status: 401, challenge: { scheme: 'basic' }, detail: 'none given' };
  const opened = play(leg.open(), script(), basic);
  const list = commands(recorded.message).map(planned);
  const run = play(leg.run(list), script(capture(`${name}-02-req`).message));
  return { leg, opened, run, recorded, list };
}

describe.each(['libdmclient-xml-get', 'libdmclient-wbxml-get'])('recorded session %s', (name) => {
  const { leg, opened, run, recorded, list } = replay(name);

  it('opens with credentials, DevInfo leaves and interior nodes [IW-SES-6] [IW-AUTH-1]', () => {
    expect(opened.result).toMatchObject({
      kind: 'open',
      sessionAlert: '1201',
      alerts: [],
      verProto: 'DM/1.2',
    });
    const items = opened.result.kind === 'open' ? opened.result.devInfo : [];
    expect(items).toHaveLength(13);
    expect(items.find(({ source }) => source?.uri === './DevInfo/DevId')?.data).toBe('DMCtest');
    expect(items.filter(({ meta }) => meta?.format === 'node')).toHaveLength(4);
  });

  it('puts its commands under the CmdIDs that the device answers', () => {
    expect(commands(run.sent[0]).map(({ cmdId }) => cmdId)).toEqual(
      commands(recorded.message).map(({ cmdId }) => cmdId),
    );
    expect(run.sent[0]?.header).toMatchObject({ sessionId: '1', msgId: '1', target: { uri: 'DMCtest' } });
  });

  it('reads every code and value, one Status per Item of a Get included [1x§16.2]', () => {
    const codes = run.result.map((answer) => answer.code);
    expect(codes).toEqual([404, 200, 200, 404, 406, 406, 406, 200, 200, 200, 406, 200, 425, 200, 200]);
    expect(run.result[0]?.items).toEqual([
      { uri: './DevInfo/Man', code: 200 },
      { uri: './DevInfo/Mod', code: 200 },
      { uri: './DevInfo/Nope', code: 404 },
    ]);
    expect(run.result[0]?.results.map(({ data }) => data)).toEqual(['test manufacturer', 'test model']);
    expect(run.result[1]?.results[0]?.meta?.format).toBe('node');
    expect(run.result.every(({ answered }) => answered)).toBe(true);
    expect(run.result).toHaveLength(list.length);
  });

  it('closes with the header Status alone, for Results with 200 get none [1x§2.3]', () => {
    const closing = leg.close();
    expect(closing.body).toHaveLength(1);
    expect(statuses(closing)[0]).toMatchObject({ msgRef: '2', cmdRef: '0', code: '212' });
    expect(closing.final).toBe(true);
  });
});

describe('recorded session libdmclient-xml-exec-corr', () => {
  it('matches the Exec behind an alert, and hands on the alert with its Correlator [IW-ALERT-4]', () => {
    const { leg, run } = replay('libdmclient-xml-exec-corr');
    expect(run.result).toMatchObject([{ code: 200, answered: true }]);
    expect(leg.takeAlerts()).toMatchObject([{ code: '1226', correlator: 'corr-77' }]);
    expect(statuses(leg.close()).map(({ cmdRef, cmd, code }) => [cmdRef, cmd, code])).toEqual([
      ['0', 'SyncHdr', '212'],
      ['2', 'Alert', '200'],
    ]);
  });
});

describe('recorded session libdmclient-xml-authbasic', () => {
  it('reads leaf and interior nodes', () => {
    const { run } = replay('libdmclient-xml-authbasic');
    expect(run.result.map(({ results }) => results[0]?.data)).toEqual([
      'DMCtest',
      'URI/DevTyp/OEM/FwV/SwV/HwV/LrgObj',
      'DevId/Man/Mod/DmV/Lang/Bearer/Ext',
    ]);
  });

  it('challenges a first message whose Cred is taken away, and goes on with the real one [IW-AUTH-1]', () => {
    const { message, encoding } = capture('libdmclient-xml-authbasic-01-req');
    const { cred: _, ...bare } = message.header;
    const leg = new ServerLeg({
      opening: { ...message, header: bare },
      encoding,
      respURI: 'https://gateway.example/dm',
      maxMessages: 20,
    });
    const judge: Judge = ({ cred }) =>
      cred
        ? { ok: true, status: 212, scheme: 'basic' }
        : { ok: false, status: 401, challenge: { scheme: 'basic' }, detail: 'none given' };
    const { result, sent } = play(
      leg.open(),
      script({ ...message, header: { ...message.header, msgId: '2' } }),
      judge,
    );
    expect(result).toMatchObject({ kind: 'open', sessionAlert: '1201' });
    expect(statuses(sent[0]).map(({ code }) => code)).toEqual(['401', '401', '401']);
    const { sent: next } = play(leg.run([get('./DevInfo/DevId')]), script());
    expect(next[0]?.header).toMatchObject({ sessionId: '1', msgId: '2' });
  });
});

import { describe, expect, it } from 'vitest';
import type { AlertCommand, Command, Status, SyncMLMessage } from '../../../src/dm1/message.ts';
import { deliverAlert } from '../../../src/interworking/delivery.ts';
import {
  alertAtReport,
  completedAlert,
  reportOfAlert,
  reportOfLegacyAlert,
} from '../../../src/interworking/reports.ts';
import type { BackendEvent } from '../../../src/interworking/script.ts';
import { loadPacks, SHIPPED_PACKS } from '../../../src/mo/pack/files.ts';
import { toyContext } from '../sessions/toySession.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const AWAITED = [
  { id: '1', correlator: 'one', uri: './FUMO/fw/Download', clientUri: `${FUMO}//Download` },
  { id: '2', correlator: 'two', uri: './FUMO/fw/Update', clientUri: `${FUMO}/fw/Update` },
  {
    id: '3',
    correlator: 'three',
    uri: './SCOMO/A%2FB/Install',
    clientUri: 'urn:oma:mo:oma-scomo:1.0/s/Install',
  },
];
const DOWNLOAD = 'org.openmobilealliance.dm.firmwareupdate.download';
const UPDATE = 'Reversed-Domain-Name: org.openmobilealliance.dm.firmwareupdate.update';
const USER_REQUEST = 'org.openmobilealliance.dm.firmwareupdate.userrequest';

function legacy(source: string | undefined, type: string, correlator?: string, code = '1226'): AlertCommand {
  return {
    kind: 'Alert',
    cmdId: '1',
    code,
    ...(correlator !== undefined && { correlator }),
    items: [{ ...(source !== undefined && { source: { uri: source } }), meta: { type } }],
  };
}

describe('an alert of a legacy device', () => {
  it.each<[string, AlertCommand, string | undefined]>([
    ['by its Correlator, whatever node it names', legacy('./Elsewhere', 'x', ' two '), '2'],
    ['by none when its Correlator is not ours', legacy('./FUMO/fw/Update', UPDATE, 'other'), undefined],
    ['by the node', legacy('./FUMO/fw/Update', 'x'), '2'],
    ['by the node in another spelling', legacy('/SCOMO/A%2FB/Install/', 'x'), '3'],
    ['by the operation below the object that it names', legacy('./FUMO/fw', UPDATE), '2'],
    ['by the oldest below the object that it names', legacy('./FUMO/fw', 'x'), '1'],
    ['by the node, even if the type names another', legacy('./FUMO/fw/Update', DOWNLOAD), '2'],
    ['not when it asks for something', legacy('./FUMO/fw', USER_REQUEST), undefined],
    ['not from the root of the tree', legacy('.', 'x'), undefined],
    ['not without a node', legacy(undefined, UPDATE), undefined],
    ['not from a node below', legacy('./FUMO/fw/Update/x', UPDATE), undefined],
    ['not as a client event', legacy('./FUMO/fw/Update', UPDATE, 'two', '1224'), undefined],
  ])('is known %s [IW-EXEC-2]', (_how, alert, id) => {
    expect(reportOfLegacyAlert(AWAITED, alert)?.id).toBe(id);
  });
});

describe('an alert of a 2.0 client', () => {
  it.each([
    [`${FUMO}/fw/Update`, '2'],
    [`${FUMO}//Update`, '2'],
    [`${FUMO}/any/Download`, '1'],
    [`${FUMO}/other/Update`, undefined],
    [`${FUMO}/fw`, undefined],
    ['junk', undefined],
  ])('from %s is known by its node [IW-WR-3]', (SourceURI, id) => {
    expect(reportOfAlert(AWAITED, { AlertType: 'x', SourceURI })?.id).toBe(id);
    expect(reportOfAlert(AWAITED, { AlertType: USER_REQUEST, SourceURI })).toBeUndefined();
  });

  it("at the report's URL is the one from the node, else the first [IW-WR-3]", () => {
    const report = AWAITED[1]!;
    const other = { AlertType: 'x' };
    expect(alertAtReport([other, completedAlert(`${FUMO}/fw/Update`, 200)], report)).toBe(1);
    expect(alertAtReport([other, other], report)).toBe(0);
    expect(alertAtReport([], report)).toBe(-1);
  });
});

describe('a delivery to a legacy server', () => {
  /** The server's answer: these codes for the header and for what is called Alert and is no opening. */
  function answer(message: SyncMLMessage, header: number, alert: number | undefined): BackendEvent {
    const status = (cmdRef: string, cmd: string, code: number): Omit<Status, 'cmdId'> => ({
      kind: 'Status',
      msgRef: message.header.msgId,
      cmdRef,
      cmd,
      targetRefs: [],
      sourceRefs: [],
      code: String(code),
      items: [],
    });
    const statuses = message.body.flatMap((element) => {
      if (element.kind === 'Status') return [];
      const event = element.kind === 'Alert' && element.code === '1226';
      const code = event ? alert : 200;
      return code === undefined ? [] : [status((element as Command).cmdId, element.kind, code)];
    });
    const body = [status('0', 'SyncHdr', header), ...statuses].map((each, i) => ({
      ...each,
      cmdId: String(i + 1),
    }));
    const { header: asked } = message;
    return {
      kind: 'dm1',
      at: 1,
      message: { header: { ...asked, source: asked.target, target: asked.source }, body, final: true },
    };
  }

  it.each<[string, number, number | undefined, object]>([
    ['200', 200, 200, { kind: 'delivered' }],
    ['202', 200, 202, { kind: 'delivered' }],
    ['412', 200, 412, { kind: 'refused', detail: 'The legacy server answered the alert with 412.' }],
    ['500', 200, 500, { kind: 'failed', detail: 'The legacy server did not accept the alert.' }],
    ['nothing, and ends', 200, undefined, { kind: 'delivered' }],
    [
      '403 to the header',
      403,
      200,
      { kind: 'failed', detail: 'The legacy server answered 403 to the header.' },
    ],
  ])('that says %s [IW-ALERT-6]', (_what, header, alert, outcome) => {
    const context = toyContext({ protocol: 'dm2', package1: {} }, 'D', 1);
    const script = deliverAlert(
      {
        ...context,
        mappings: loadPacks([SHIPPED_PACKS]),
        backend: { ...context.backend, protocol: 'dm1', maxMsgSize: 10_000 },
      },
      { protocol: 'dm2', alert: { AlertType: 'urn:x' }, correlator: 'c' },
    );
    let step = script.next();
    for (let n = 0; n < 20 && !step.done; n += 1) {
      const effect = step.value;
      if (effect.kind !== 'backend.exchange' || effect.send.protocol !== 'dm1') {
        step = script.next({ at: 1 });
        continue;
      }
      step = script.next(answer(effect.send.message, header, alert));
    }
    expect(step).toMatchObject({ done: true, value: outcome });
  });

  it('is refused where both sides have become DM 1.x [IW-ALERT-6]', () => {
    const context = toyContext({ protocol: 'dm2', package1: {} }, 'D', 1);
    const script = deliverAlert(
      { ...context, mappings: loadPacks([SHIPPED_PACKS]), backend: { ...context.backend, protocol: 'dm1' } },
      { protocol: 'dm1', alert: legacy('./FUMO/fw', UPDATE) },
    );
    expect(script.next()).toMatchObject({ done: true, value: { kind: 'refused' } });
  });
});

import { expect, it } from 'vitest';
import { answerForKept, keepBack } from '../../src/dm1/keepBack.ts';
import type { Command, ItemCommand, Status, SyncMLMessage } from '../../src/dm1/message.ts';

const header = {
  verDTD: '1.2',
  verProto: 'DM/1.2',
  sessionId: '1',
  msgId: '7',
  target: { uri: 'd' },
  source: { uri: 's' },
};
const command = (kind: ItemCommand['kind'], cmdId: string, uri: string): ItemCommand => ({
  kind,
  cmdId,
  items: [{ target: { uri } }],
});
const GET = (cmdId: string) => command('Get', cmdId, './DevInfo/DevId');
const status = (cmdId: string, cmdRef: string, cmd: string, code: string): Status => ({
  kind: 'Status',
  cmdId,
  msgRef: '7',
  cmdRef,
  cmd,
  targetRefs: [],
  sourceRefs: [],
  code,
  items: [],
});
const message = (...body: SyncMLMessage['body']): SyncMLMessage => ({ header, body, final: true });
const allows = ({ items }: ItemCommand) => items.every(({ target }) => target?.uri !== './no');
const atomic: Command = {
  kind: 'Atomic',
  cmdId: '3',
  commands: [
    command('Add', '4', './yes'),
    {
      kind: 'Sequence',
      cmdId: '5',
      commands: [command('Delete', '6', './no'), command('Get', '7', './yes')],
    },
    { kind: 'Alert', cmdId: '8', code: '1100', items: [] },
  ],
};

it('a message in which all is allowed is the very same [IW-REL-1]', () => {
  const given = message(command('Get', '1', './yes'));
  expect(keepBack(given, allows)).toEqual({ message: given, kept: [] });
  expect(keepBack(given, allows).message).toBe(given);
  expect(answerForKept(given, [])).toBe(given);
});

it('what is not allowed gives way to a harmless Get of its number, and is answered in its own name [IW-REL-1]', () => {
  const sequence: Command = {
    kind: 'Sequence',
    cmdId: '1',
    commands: [command('Exec', '2', './no'), atomic, command('Copy', '9', './yes')],
  };
  const { message: sent, kept } = keepBack(message(sequence, command('Replace', '10', './no')), allows);
  expect(sent.body).toEqual([
    { ...sequence, commands: [GET('2'), GET('3'), command('Copy', '9', './yes')] },
    GET('10'),
  ]);
  const said = message(
    status('1', '1', 'Sequence', '200'),
    status('2', '2', 'Get', '200'),
    { kind: 'Results', cmdId: '3', msgRef: '7', cmdRef: '2', items: [{ data: 'IMEI:1' }] },
    status('4', '3', 'Get', '200'),
    status('5', '9', 'Copy', '406'),
    status('6', '10', 'Get', '200'),
    // Of another message, which had that number for something else.
    { ...status('7', '10', 'Get', '200'), msgRef: '6' },
  );
  const told = answerForKept(said, kept).body as Status[];
  expect(told.map(({ cmdRef, cmd, code }) => `${cmdRef} ${cmd} ${code}`)).toEqual([
    '1 Sequence 200',
    '2 Exec 425',
    '3 Atomic 507',
    '4 Add 215',
    '5 Sequence 215',
    '6 Delete 425',
    '7 Get 215',
    '8 Alert 215',
    '9 Copy 406',
    '10 Replace 425',
    '10 Get 200',
  ]);
  const ids = told.map(({ cmdId }) => cmdId);
  expect(new Set(ids).size).toBe(ids.length);
});

it('a server that has to prove itself first hears that, challenge included [IW-REL-1] [IW-AUTH-2]', () => {
  const { kept } = keepBack(message(command('Exec', '2', './no')), allows);
  const chal = { type: 'syncml:auth-md5', nextNonce: new Uint8Array([1]) };
  const told = answerForKept(message({ ...status('2', '2', 'Get', '407'), chal }), kept);
  expect(told.body).toEqual([{ ...status('2', '2', 'Exec', '407'), chal }]);
});

it('a message that only a chunk kept from being the last is the last without it [IW-REL-1]', () => {
  const chunk: ItemCommand = {
    kind: 'Add',
    cmdId: '1',
    items: [{ target: { uri: './no' }, data: 'x', moreData: true }],
  };
  const open = { ...message(chunk), final: false };
  expect(keepBack(open, allows).message).toEqual(message(GET('1')));
  const split = { ...message(command('Add', '1', './no')), final: false };
  expect(keepBack(split, allows).message.final).toBe(false);
});

import { describe, expect, it } from 'vitest';
import { nextMsgId, placeOfCommands, placeOfStatus } from '../../../src/dm2/dialects/index.ts';

const session = { dialect: 'draft-text-1', deviceId: 'IMEI:1', msgId: 5, answered: 4 } as const;

describe('the place of a status report', () => {
  it.each([
    ['of the open commands is next', { msgId: 5 }, 'next'],
    ['of those before is a repetition [IW-SES-4]', { msgId: 4 }, 'repeated'],
  ])('%s', (_, report, place) => {
    expect(placeOfStatus(session, { ...session, ...report })).toBe(place);
  });

  it.each([
    ['a MsgID never sent', { ...session, msgId: 6 }, 'wrong-msgid', 'malformed'],
    ['a MsgID long answered', { ...session, msgId: 3 }, 'wrong-msgid', 'malformed'],
    ['no MsgID', { dialect: 'draft-text-1', deviceId: 'IMEI:1' }, 'wrong-msgid', 'malformed'],
    ['another dialect', { ...session, dialect: 'approved' }, 'mixed-dialects', 'media-type'],
    ['another identity', { ...session, deviceId: 'IMEI:2' }, 'other-device', 'forbidden'],
  ] as const)('is none with %s, which is an error to answer', (_, report, error, code) => {
    expect(placeOfStatus(session, report)).toMatchObject({ error, code });
  });

  it('needs no MsgID where commands bear none, and refuses one', () => {
    const unnumbered = { dialect: 'draft-text-2', deviceId: 'IMEI:1' } as const;
    expect(placeOfStatus(unnumbered, unnumbered)).toBe('next');
    expect(placeOfStatus(unnumbered, { ...unnumbered, msgId: 0 })).toMatchObject({ error: 'wrong-msgid' });
  });
});

describe('the place of a command document', () => {
  it('follows its number, wherever the first one began', () => {
    const first = { dialect: 'draft-text-1', deviceId: 'IMEI:1' } as const;
    expect(placeOfCommands(first, { dialect: 'draft-text-1', msgId: 9 })).toBe('next');
    expect(placeOfCommands(session, { dialect: 'draft-text-1', msgId: 6 })).toBe('next');
    expect(placeOfCommands(session, { dialect: 'draft-text-1', msgId: 5 })).toBe('repeated');
    expect(placeOfCommands(session, { dialect: 'draft-text-1' })).toBe('next');
    expect(placeOfCommands(session, { dialect: 'draft-text-1', msgId: 8 })).toMatchObject({
      error: 'wrong-msgid',
    });
    expect(placeOfCommands(session, { dialect: 'draft-text-3', msgId: 6 })).toMatchObject({
      error: 'mixed-dialects',
    });
  });

  it('is numbered from 0 by ones', () => {
    expect([nextMsgId(undefined), nextMsgId(0), nextMsgId(7)]).toEqual([0, 1, 8]);
  });
});

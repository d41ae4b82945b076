import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEVICE_LIMITS,
  readUiAlert,
  UI_ALERT_CODE,
  type UiAlert,
  writeUiAlert,
} from '../../../src/interworking/interaction/alert.ts';
import {
  effectOf,
  readAnswer,
  statusOfAnswer,
  type UserAnswer,
} from '../../../src/interworking/interaction/answers.ts';
import { checkEntry } from '../../../src/interworking/interaction/entry.ts';
import {
  formatUiOptions,
  INPUT_TYPES,
  type InputType,
  parseUiOptions,
} from '../../../src/interworking/interaction/options.ts';

const items = (...data: string[]) => data.map((each) => ({ data: each }));
const read = (code: string, ...data: string[]) => readUiAlert({ code, items: items(...data) });
const alertOf = (code: string, ...data: string[]): UiAlert => {
  const reading = read(code, ...data);
  if (!reading.ok) throw new Error(reading.detail);
  return reading.alert;
};

describe('the options string', () => {
  it.each([
    ['', {}],
    ['MINDT=10&MAXDT=20', { minSeconds: 10, maxSeconds: 20 }],
    [' mindt = 10 ; maxdt=20 ', { minSeconds: 10, maxSeconds: 20 }],
    [
      'DR=John+Doe&MAXLEN=30&IT=A&ET=P',
      { defaultResponse: 'John Doe', maxLength: 30, inputType: 'A', echo: 'P' },
    ],
    ['MINDT=10&amp;DR=a%26b', { minSeconds: 10, defaultResponse: 'a&b' }],
    ['DR=100%&IT=n', { defaultResponse: '100%', inputType: 'N' }],
    ['MINDT=0&MAXDT=-1&MAXLEN=x&IT=Q&ET=&FOO=1&&=&DR', {}],
    ['MAXDT=5&MAXDT=9', { maxSeconds: 5 }],
    ['MAXDT=99999999999', {}],
  ])('%j is read with every tolerance [IW-UI-1]', (text, expected) => {
    expect(parseUiOptions(text)).toEqual(expected);
  });

  it('is read back as written, and never throws [IW-UI-1]', () => {
    const number = fc.integer({ min: 1, max: 2_147_483_647 });
    const options = fc.record(
      {
        minSeconds: number,
        maxSeconds: number,
        maxLength: number,
        defaultResponse: fc.string({ unit: 'grapheme' }),
        inputType: fc.constantFrom(...INPUT_TYPES.filter((type) => type !== 'A')),
        echo: fc.constant('P' as const),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(options, (each) => {
        expect(parseUiOptions(formatUiOptions(each))).toEqual(each);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseUiOptions(text)));
  });
});

describe('a UI alert', () => {
  it('is refused with 412 when Items are missing, with 416 when there are too many choices [IW-UI-1]', () => {
    expect(read('1100')).toMatchObject({ ok: false, code: 412 });
    expect(read('1101', '')).toMatchObject({ ok: false, code: 412 });
    expect(read('1103', '', 'Title')).toMatchObject({ ok: false, code: 412 });
    expect(read('1104', '', 'Title', ...Array.from({ length: 501 }, String))).toMatchObject({ code: 416 });
    expect(read('1105', '', 'x')).toMatchObject({ code: 406 });
  });

  it('loses a default response that fits nothing, and what is too long, with a note [IW-UI-1]', () => {
    expect(read('1103', 'DR=4', 'T', 'a', 'b', 'c')).toMatchObject({
      ok: true,
      notes: [expect.stringMatching(/fits nothing/)],
    });
    expect(alertOf('1104', 'DR=3-1', 'T', 'a', 'b', 'c')).toMatchObject({ preset: [1, 3] });
    expect(alertOf('1104', 'DR=0-1', 'T', 'a', 'b')).not.toHaveProperty('preset');
    expect(alertOf('1101', 'DR=0', 'x')).toMatchObject({ preset: false });
    const long = read('1100', '', 'x'.repeat(9000));
    expect(long).toMatchObject({ ok: true, notes: [expect.stringMatching(/cut to 8000/)] });
    expect(alertOf('1102', 'MAXLEN=3&DR=abcdef', 'x')).toMatchObject({ preset: 'abc', maxLength: 3 });
  });

  it('is read back as written for a device [IW-UI-3]', () => {
    const alerts: UiAlert[] = [
      { kind: 'display', text: 'a', minSeconds: 3 },
      { kind: 'confirm', text: 'b', preset: true, maxSeconds: 9 },
      { kind: 'input', text: 'c', inputType: 'D', echo: 'P', maxLength: 8, preset: '24122026' },
      { kind: 'single', text: 'd', choices: ['x & y', 'z'], preset: 2 },
      { kind: 'multiple', text: 'e', choices: ['x', 'y', 'z'], preset: [1, 3] },
    ];
    for (const alert of alerts) {
      const { command, notes } = writeUiAlert(alert);
      expect(notes).toEqual([]);
      expect(command.code).toBe(UI_ALERT_CODE[alert.kind]);
      expect(readUiAlert(command)).toEqual({ ok: true, alert, notes: [] });
    }
  });

  it('is cut to what devices show, and says so [IW-UI-3]', () => {
    const choices = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(100, '.'));
    const { command, notes } = writeUiAlert({ kind: 'single', text: '😀'.repeat(1001), choices });
    expect(command.items).toHaveLength(2 + DEVICE_LIMITS.choices);
    expect(Array.from(String(command.items[1]!.data))).toHaveLength(DEVICE_LIMITS.text);
    expect(notes.length).toBeGreaterThan(2);
  });
});

describe('an answer', () => {
  const ask = alertOf('1102', 'DR=x&MAXDT=5', 't');
  const late = (asked: boolean, seen = false): UserAnswer => ({ kind: 'timed-out', asked, seen });
  const codes = (alert: UiAlert, answer: UserAnswer) => {
    const { code, items: given } = statusOfAnswer(alert, answer);
    return [code, ...given.map(({ data }) => data)];
  };

  it('becomes the Status of the legacy alert [IW-UI-2]', () => {
    expect(codes(ask, { kind: 'accepted' })).toEqual([200]);
    expect(codes(ask, { kind: 'rejected' })).toEqual([304]);
    expect(codes(ask, { kind: 'cancelled' })).toEqual([214]);
    expect(codes(ask, { kind: 'entered', text: 'a' })).toEqual([200, 'a']);
    expect(codes(ask, { kind: 'chosen', numbers: [2, 3] })).toEqual([200, '2', '3']);
  });

  it('that nobody gave is 408, or at MAXDT the default response [IW-UI-2]', () => {
    expect(codes(ask, late(true))).toEqual([200, 'x']);
    expect(codes(ask, late(false))).toEqual([408]);
    expect(codes(alertOf('1102', '', 't'), late(true))).toEqual([408]);
    expect(codes(alertOf('1101', 'DR=1', 't'), late(true))).toEqual([200]);
    expect(codes(alertOf('1101', 'DR=0', 't'), late(true))).toEqual([304]);
    expect(codes(alertOf('1103', 'DR=2', 't', 'a', 'b'), late(true))).toEqual([200, '2']);
    expect(codes(alertOf('1104', 'DR=1-2', 't', 'a', 'b'), late(true))).toEqual([200, '1', '2']);
    expect(codes(alertOf('1100', 'DR=1', 't'), late(true, true))).toEqual([200]);
    expect(codes(alertOf('1100', '', 't'), late(true, false))).toEqual([408]);
  });

  it('decides what is skipped: "No" its Sequence, cancel and silence the message [IW-UI-2]', () => {
    expect(effectOf(304)).toEqual({ skipsSiblings: true, skipsMessage: false });
    for (const code of [214, 408])
      expect(effectOf(code)).toEqual({ skipsSiblings: true, skipsMessage: true });
    for (const code of [200, 406, 412, 416])
      expect(effectOf(code)).toEqual({ skipsSiblings: false, skipsMessage: false });
  });

  it('of a device is read back, also when it makes no sense [IW-UI-3]', () => {
    const single = alertOf('1103', '', 't', 'a', 'b');
    const multiple = alertOf('1104', '', 't', 'a', 'b');
    const answer = (alert: UiAlert, code: number, ...data: string[]) =>
      readAnswer(alert, { code, statusItems: items(...data) });
    expect(answer(single, 200, ' 2 ')).toEqual({ kind: 'chosen', numbers: [2] });
    expect(answer(single, 200, '3')).toEqual({ kind: 'not-shown', code: 500 });
    expect(answer(single, 200)).toEqual({ kind: 'not-shown', code: 500 });
    expect(answer(multiple, 200, '2', '1')).toEqual({ kind: 'chosen', numbers: [1, 2] });
    expect(answer(multiple, 200, '1-2')).toEqual({ kind: 'chosen', numbers: [1, 2] });
    expect(answer(multiple, 200)).toEqual({ kind: 'chosen', numbers: [] });
    expect(answer(multiple, 406)).toEqual({ kind: 'not-shown', code: 406 });
    expect(answer(ask, 408)).toMatchObject({ kind: 'timed-out' });
  });
});

describe('an entry', () => {
  const check = (inputType: InputType, text: string, maxLength?: number) => {
    const entry = checkEntry(
      { kind: 'input', text: '', inputType, echo: 'T', ...(maxLength && { maxLength }) },
      text,
    );
    return entry.ok ? entry.text : entry.problem;
  };

  it.each<[InputType, string, string]>([
    ['A', ' any thing ', ' any thing '],
    ['A', '', ''],
    ['N', ' -3,5 ', '-3.5'],
    ['N', '1e5', 'N'],
    ['N', '', 'empty'],
    ['D', '2026-11-21', '21112026'],
    ['D', '21.11.2026', '21112026'],
    ['D', '29022024', '29022024'],
    ['D', '29022023', 'D'],
    ['T', '07:30', '073000'],
    ['T', '073015', '073015'],
    ['T', '24:00', 'T'],
    ['P', '+49 (30) 123-4', '+49301234'],
    ['P', '12+3', 'P'],
    ['I', '192.0.2.010', '192.0.2.10'],
    ['I', '256.1.1.1', 'I'],
  ])('of type %s, %j, is %s [IW-UI-1]', (type, text, expected) => {
    expect(check(type, text)).toBe(expected);
  });

  it('is no longer than MAXLEN [IW-UI-1]', () => {
    expect(check('A', '😀😀', 2)).toBe('😀😀');
    expect(check('A', 'abc', 2)).toBe('too-long');
    expect(check('N', '123', 2)).toBe('too-long');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCommand, parseCommand } from '../../src/dm2/codec.ts';
import type { Dm2Command } from '../../src/dm2/packages.ts';

const S = 'https://dr.example/new';
const C = 'urn:oma:mo:oma-fumo:1.0//Update';
const M = 'urn:oma:mo:oma-mms:1.3';

const COMMANDS: readonly (readonly [readonly string[], Dm2Command])[] = [
  [['HGET', S], { verb: 'HGET', serverUri: S }],
  [['HGET', S, C], { verb: 'HGET', serverUri: S, clientUri: C }],
  [['HPUT', S, C], { verb: 'HPUT', serverUri: S, clientUris: [C] }],
  [['HPOST', S, C, M], { verb: 'HPOST', serverUri: S, clientUris: [C, M] }],
  [['GET', C, M], { verb: 'GET', clientUris: [C, M] }],
  [['DELETE', C], { verb: 'DELETE', clientUri: C }],
  [['EXEC', C], { verb: 'EXEC', clientUri: C }],
  [['EXEC', C, S], { verb: 'EXEC', clientUri: C, serverUri: S }],
  [['SHOW', S], { verb: 'SHOW', serverUri: S }],
  [['CONT', S], { verb: 'CONT', serverUri: S }],
  [['END'], { verb: 'END' }],
  [['DEFAULT', M, S], { verb: 'DEFAULT', moid: M, serverUri: S }],
  [['SUB', S, C], { verb: 'SUB', serverUri: S, clientUri: C }],
  [['UNSUB', C], { verb: 'UNSUB', clientUri: C }],
];

describe('commands of Package#2', () => {
  it.each(COMMANDS)('reads and writes %j [20§3]', (raw, command) => {
    expect(parseCommand(raw)).toEqual(command);
    expect(formatCommand(command)).toEqual(raw);
  });

  it('takes verbs in any case and blanks around parameters', () => {
    expect(parseCommand(['get', ` ${C} `])).toEqual({ verb: 'GET', clientUris: [C] });
    expect(parseCommand([' End '])).toEqual({ verb: 'END' });
  });

  it('tells the parameters of DEFAULT and SUB by their scheme [20§15 Q8]', () => {
    expect(parseCommand(['DEFAULT', S, M])).toEqual({ verb: 'DEFAULT', moid: M, serverUri: S });
    expect(parseCommand(['SUB', C, 'HTTP://dr.example/'])).toEqual({
      verb: 'SUB',
      serverUri: 'HTTP://dr.example/',
      clientUri: C,
    });
  });

  it('counts empty last parameters as absent', () => {
    expect(parseCommand(['EXEC', C, ''])).toEqual({ verb: 'EXEC', clientUri: C });
    expect(parseCommand(['END', ' '])).toEqual({ verb: 'END' });
  });

  it.each([
    ['HGET'],
    ['HGET', S, C, C],
    ['HPUT', S],
    ['HPOST'],
    ['GET'],
    ['DELETE'],
    ['DELETE', C, C],
    ['EXEC', C, S, S],
    ['EXEC', ''],
    ['SHOW'],
    ['SHOW', S, S],
    ['CONT', S, S],
    ['END', 'now'],
    ['DEFAULT', M],
    ['DEFAULT', M, S, S],
    ['SUB', S],
    ['UNSUB'],
    ['GET', C, '', C],
  ])('refuses %j %j %j %j: parameters missing, empty or left over', (...raw) => {
    const given = raw.filter((parameter) => parameter !== undefined);
    expect(parseCommand(given)).toEqual({
      error: 'bad-command',
      detail: expect.stringContaining(`${raw[0]} takes`),
    });
  });

  it.each(['PUT', 'POST', 'INCLUDE', 'GETT', '', 'constructor', '__proto__'])(
    'answers that %j is not implemented [IW-STAT-1]',
    (verb) => {
      expect(parseCommand([verb, S])).toMatchObject({ error: 'not-implemented' });
    },
  );

  it('reads everything where an early dialect names no ClientURI [20§1.2 C9]', () => {
    expect(parseCommand(['GET'], { everything: true })).toEqual({ verb: 'GET', clientUris: [] });
    expect(parseCommand(['HPUT', S], { everything: true })).toEqual({
      verb: 'HPUT',
      serverUri: S,
      clientUris: [],
    });
    expect(parseCommand(['HPUT'], { everything: true })).toMatchObject({ error: 'bad-command' });
    expect(parseCommand(['EXEC'], { everything: true })).toMatchObject({ error: 'bad-command' });
  });

  it('never throws and repeats no more of a long verb than helps', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (raw) => {
        const read = parseCommand(raw);
        expect('verb' in read || 'error' in read).toBe(true);
        if ('verb' in read) expect(parseCommand(formatCommand(read))).toEqual(read);
      }),
    );
    const long = parseCommand(['X'.repeat(100_000)]);
    expect('detail' in long && long.detail.length).toBeLessThan(120);
  });
});

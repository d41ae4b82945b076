import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_LIMITS, readJson } from '../../src/dm2/json.ts';
import { isExact, LexicalNumber, parseStrictly } from '../../src/dm2/jsonParser.ts';
import { DragomanError } from '../../src/support/errors.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function refusal(run: () => unknown): DragomanError {
  try {
    run();
  } catch (error) {
    if (error instanceof DragomanError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function attempt(text: string): unknown {
  try {
    return readJson(bytes(text));
  } catch (error) {
    return error;
  }
}

/** `JSON.parse`, or undefined; no JSON document is undefined. */
function engine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe('reading JSON', () => {
  it('reads every document as the engine does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(readJson(bytes(text), JSON_LIMITS, 'exact')).toEqual(engine(text));
        expect(parseStrictly(text, 'exact')).toEqual(engine(text));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses every damaged document that the engine refuses, with its place [IW-SES-1]', () => {
    const damage = fc.tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom(
        '',
        '"',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '\\',
        '0',
        '-',
        '.',
        'e',
        't',
        '\u0001',
        ' ',
        '\n',
      ),
    );
    fc.assert(
      fc.property(damage, ([text, where, inserted]) => {
        const at = where % (text.length + 1);
        const damaged = text.slice(0, at) + inserted + text.slice(at + (where % 2));
        const expected = engine(damaged);
        if (expected === undefined) {
          expect(refusal(() => readJson(bytes(damaged))).detail).toMatch(/at character \d+/);
        } else {
          const outcome = attempt(damaged);
          if (outcome instanceof DragomanError) expect(outcome.detail).toContain('stands twice');
          else if (!/\d[eE]|[\d.]{16}/.test(damaged)) expect(outcome).toEqual(expected);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['{"sc":200,"sc":500}', 'the member "sc" stands twice, at character 10'],
    ['{"a":{"b":1,"c":2,"b":3}}', '"b" stands twice, at character 18'],
    ['{"a":1,"\\u0061":2}', '"a" stands twice'],
    ['{"__proto__":1,"__proto__":2}', '"__proto__" stands twice'],
    ['[{"a":1},{"a":1,"a":1}]', 'at character 16'],
  ])(
    'refuses the repeated member of %s, whose last one JSON.parse would keep [20§15 Q29]',
    (text, detail) => {
      const error = refusal(() => readJson(bytes(text)));
      expect(error.code).toBe('malformed');
      expect(error.detail).toContain(detail);
    },
  );

  it('refuses exactly the documents in which an object has a member twice [20§15 Q29]', () => {
    type Doc = string | Doc[] | { members: [string, Doc][] };
    const name = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', '1', '');
    const { doc } = fc.letrec<{ doc: Doc }>((tie) => ({
      doc: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"x:{"', 'null', '1.0', '{}'),
        fc.array(tie('doc'), { maxLength: 3 }),
        fc.record({ members: fc.array(fc.tuple(name, tie('doc')), { maxLength: 4 }) }),
      ),
    }));
    const write = (d: Doc): string => {
      if (typeof d === 'string') return d;
      if (Array.isArray(d)) return `[${d.map(write).join()}]`;
      return `{${d.members.map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join()}}`;
    };
    const twice = (d: Doc): boolean => {
      if (typeof d === 'string') return false;
      if (Array.isArray(d)) return d.some(twice);
      const names = d.members.map(([key]) => key);
      return new Set(names).size < names.length || d.members.some(([, value]) => twice(value));
    };
    fc.assert(
      fc.property(doc, (d) => {
        const outcome = attempt(write(d));
        expect(outcome instanceof DragomanError).toBe(twice(d));
        if (!twice(d)) expect(outcome).toEqual(JSON.parse(write(d)));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes one name in several objects', () => {
    expect(readJson(bytes('[{"a":1},{"a":{"a":2}}]'))).toEqual([{ a: 1 }, { a: { a: 2 } }]);
  });

  it('keeps a member named __proto__ as data', () => {
    for (const number of ['1', '1.0']) {
      const read = readJson(bytes(`{"__proto__":{"x":${number}}}`)) as object;
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
      expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value).toEqual({ x: 1 });
    }
  });

  it.each([
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['a half surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['Latin-1', [0x22, 0xe4, 0x22]],
  ])('refuses %s: UTF-8 is strict', (_, octets) => {
    expect(refusal(() => readJson(Uint8Array.from(octets)))).toMatchObject({ code: 'malformed' });
  });

  it('skips a byte order mark and reads views into larger buffers', () => {
    expect(readJson(bytes('\ufeff{"a":"€"}'))).toEqual({ a: '€' });
    expect(readJson(bytes('xx{"a":1}yy').subarray(2, 9))).toEqual({ a: 1 });
  });

  it('refuses one megabyte of opening brackets at the limit of depth', () => {
    for (const bracket of ['[', '{"a":', '[{"a":']) {
      const error = refusal(() => readJson(bytes(bracket.repeat(Math.floor(1_000_000 / bracket.length)))));
      expect(error).toMatchObject({ code: 'too-large', detail: expect.stringContaining('deeper than 64') });
    }
  });

  it('takes nesting up to the limit and not one level more', () => {
    const nested = (levels: number) => bytes('['.repeat(levels) + ']'.repeat(levels));
    expect(readJson(nested(64))).toBeDefined();
    expect(refusal(() => readJson(nested(65))).code).toBe('too-large');
    expect(refusal(() => readJson(bytes(`[1.0,${'['.repeat(70)}`))).code).toBe('too-large');
  });

  it('does not count brackets inside strings', () => {
    const text = JSON.stringify(['['.repeat(1000), '\\"[{:,'.repeat(100)]);
    expect(readJson(bytes(text))).toEqual(JSON.parse(text));
  });

  it('refuses more bytes or members than the limits', () => {
    const small = { bytes: 20, depth: 4, members: 3 };
    expect(refusal(() => readJson(bytes(' '.repeat(21)), small))).toMatchObject({ code: 'too-large' });
    expect(readJson(bytes('[1,2,3,4]'), small)).toEqual([1, 2, 3, 4]);
    expect(readJson(bytes('[1,2,3,4]'.padEnd(20)), small)).toEqual([1, 2, 3, 4]);
    expect(refusal(() => readJson(bytes('[1,2,3,4,5]'), small))).toMatchObject({ code: 'too-large' });
    expect(
      refusal(() => readJson(bytes('{"a":1.0,"b":1,"c":1,"d":1}'), { ...small, bytes: 99 })),
    ).toMatchObject({
      code: 'too-large',
    });
  });

  it.each([
    '',
    ' ',
    'nul',
    '{"a":1,}',
    '[1,]',
    "{'a':1}",
    '[01]',
    '[+1]',
    '[1.]',
    '[NaN]',
    '{"a"}',
    '"\t"',
    '[1] 2',
    '“a”',
  ])('refuses %j [IW-SES-1]', (text) => {
    expect(refusal(() => readJson(bytes(text)))).toMatchObject({
      code: 'malformed',
      detail: expect.stringMatching(/at character \d+/),
    });
  });

  it.each([
    ['1.50', 1.5],
    ['2e2', 200],
    ['-0', -0],
    ['100000000000000000000', 100000000000000000000],
    ['1e400', '1e400'],
    ['12345678901234567890', '12345678901234567890'],
    ['0.1234567890123456789', '0.1234567890123456789'],
  ])(
    'reads the number %s in a package as %j: never a value that is not the one sent [IW-VAL-2]',
    (text, value) => {
      expect(readJson(bytes(`{"a":${text}}`))).toEqual({ a: value });
    },
  );

  it('keeps the letters of numbers that a double would write otherwise [IW-VAL-2]', () => {
    expect(readJson(bytes('[1, 1.50, 1e400, 7, 0.10, 9.0, -0]'), JSON_LIMITS, 'lexical')).toEqual([
      1,
      new LexicalNumber('1.50'),
      new LexicalNumber('1e400'),
      7,
      new LexicalNumber('0.10'),
      new LexicalNumber('9.0'),
      new LexicalNumber('-0'),
    ]);
  });

  it('tells exact doubles from approximations', () => {
    expect(isExact('1.0', 1)).toBe(true);
    expect(isExact('-0.0', 0)).toBe(true);
    expect(isExact('1000000000000000000000', 1e21)).toBe(true);
    expect(isExact('1.0000000000000000001', 1)).toBe(false);
    expect(isExact('1e-400', 0)).toBe(false);
    expect(isExact('-1.50', -1.5)).toBe(true);
    expect(isExact('-1.50', 1.5)).toBe(false);
    expect(isExact('0.10', 0.1)).toBe(true);
    expect(isExact('120', 120)).toBe(true);
    expect(isExact('120', 12)).toBe(false);
  });
});

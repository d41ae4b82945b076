import { describe, expect, it } from 'vitest';
import { fromJson, type JsonLeaf, toJson } from '../../src/dm2/values.ts';
import type { Format } from '../../src/mo/format.ts';

const octets = (...bytes: number[]) => Uint8Array.from(bytes);

describe('a value in JSON', () => {
  it.each<readonly [string | Uint8Array | undefined, Format | undefined, JsonLeaf, JsonLeaf]>([
    ['text', 'chr', 'text', 'text'],
    ['12', 'chr', '12', '12'],
    ['12', undefined, '12', '12'],
    ['<a/>', 'xml', '<a/>', '<a/>'],
    ['20261121', 'date', '20261121', '20261121'],
    ['101112', 'time', '101112', '101112'],
    ['12', 'int', '12', 12],
    ['-7', 'int', '-7', -7],
    ['007', 'int', '007', '007'],
    ['+5', 'int', '+5', '+5'],
    ['-0', 'int', '-0', '-0'],
    ['', 'int', '', ''],
    ['12345678901234567890', 'int', '12345678901234567890', '12345678901234567890'],
    ['1.5', 'float', '1.5', 1.5],
    ['1.50', 'float', '1.50', '1.50'],
    ['1e400', 'float', '1e400', '1e400'],
    ['NaN', 'float', 'NaN', 'NaN'],
    ['true', 'bool', 'true', true],
    ['False', 'bool', 'false', false],
    ['1', 'bool', '1', '1'],
    ['', 'null', '', ''],
    [undefined, 'chr', '', ''],
    [octets(0, 255, 16), 'bin', 'AP8Q', 'AP8Q'],
    [octets(), 'b64', '', ''],
    [octets(0x68, 0x69), 'chr', 'hi', 'hi'],
  ])('%j of format %s is %j, typed %j [IW-VAL-1]', (value, format, text, typed) => {
    expect(toJson(value, format, 'string')).toBe(text);
    expect(toJson(value, format, 'typed')).toBe(typed);
  });

  it('writes the view of a larger buffer only [IW-VAL-3]', () => {
    expect(toJson(octets(1, 2, 3, 4).subarray(1, 3), 'bin', 'string')).toBe('AgM=');
  });
});

describe('JSON as a value', () => {
  it.each<readonly [JsonLeaf, Format, string]>([
    ['text', 'chr', 'text'],
    [12, 'chr', '12'],
    [true, 'chr', 'true'],
    [null, 'chr', ''],
    ['tab\tand\nline', 'xml', 'tab\tand\nline'],
    ['12', 'int', '12'],
    [' -7 ', 'int', '-7'],
    ['007', 'int', '007'],
    [-2147483648, 'int', '-2147483648'],
    ['2147483647', 'int', '2147483647'],
    [1e3, 'int', '1000'],
    [' 1.50 ', 'float', '1.50'],
    [1.5, 'float', '1.5'],
    [3, 'float', '3'],
    ['-INF', 'float', '-INF'],
    ['True', 'bool', 'true'],
    ['FALSE', 'bool', 'false'],
    [false, 'bool', 'false'],
    ['2026-11-21', 'date', '2026-11-21'],
    ['20240229', 'date', '20240229'],
    [' 2026-11-01 ', 'date', '2026-11-01'],
    [' 10:11:12 ', 'time', '10:11:12'],
    ['10:11:12', 'time', '10:11:12'],
    ['101112Z', 'time', '101112Z'],
    ['10:11', 'time', '10:11'],
    ['10:11:12.5+01:00', 'time', '10:11:12.5+01:00'],
    ['2026-11-21T10:11:12Z', 'time', '2026-11-21T10:11:12Z'],
    ['', 'null', ''],
    [null, 'null', ''],
  ])('%j can be a %s [IW-VAL-2]', (leaf, format, value) => {
    expect(fromJson(leaf, format)).toEqual({ format, value });
  });

  it.each<readonly [JsonLeaf, string, Uint8Array]>([
    ['AP8Q', 'bin', octets(0, 255, 16)],
    ['AgM=', 'b64', octets(2, 3)],
    ['AP\r\n8Q', 'b64', octets(0, 255, 16)],
    ['', 'bin', octets()],
    [null, 'b64', octets()],
  ])('%j can be the bytes of a %s [IW-VAL-3]', (leaf, format, value) => {
    expect(fromJson(leaf, format as Format)).toEqual({ format, value });
  });

  it.each<readonly [JsonLeaf, Format]>([
    ['twelve', 'int'],
    ['1.0', 'int'],
    ['', 'int'],
    ['0x10', 'int'],
    [1.5, 'int'],
    [2147483648, 'int'],
    ['-2147483649', 'int'],
    [true, 'int'],
    [null, 'int'],
    [Number.POSITIVE_INFINITY, 'int'],
    ['1,5', 'float'],
    ['', 'float'],
    ['1e400', 'float'],
    [false, 'float'],
    ['yes', 'bool'],
    [1, 'bool'],
    [null, 'bool'],
    ['2026-02-29', 'date'],
    ['2026-1121', 'date'],
    ['2026-13-01', 'date'],
    ['2026-00-01', 'date'],
    ['2026-11-00', 'date'],
    ['2026-11-31', 'date'],
    ['1900-02-29', 'date'],
    [20261121, 'date'],
    ['25:00:00', 'time'],
    ['10:60:00', 'time'],
    ['10:1112', 'time'],
    ['24:00:01', 'time'],
    ['TT', 'time'],
    ['noonT10:11:12', 'time'],
    ['A', 'bin'],
    ['A===', 'bin'],
    ['AP-_', 'b64'],
    [5, 'bin'],
    ['x', 'null'],
    [0, 'null'],
    ['', 'node'],
    ['nul\0', 'chr'],
    ['bell\x07', 'xml'],
    ['\ufffe', 'chr'],
    ['half \ud83d', 'chr'],
  ])('%j cannot be a %s [IW-VAL-2] [IW-VAL-4]', (leaf, format) => {
    expect(fromJson(leaf, format)).toEqual({ error: 'bad-value', detail: expect.any(String) });
  });

  it.each<readonly [JsonLeaf, string | undefined, Format, string]>([
    [12, undefined, 'int', '12'],
    [-2147483648, undefined, 'int', '-2147483648'],
    [2147483648, undefined, 'float', '2147483648'],
    [1.5, undefined, 'float', '1.5'],
    [1.5, '1.50', 'float', '1.50'],
    [21, '21.0', 'float', '21.0'],
    [true, undefined, 'bool', 'true'],
    [null, undefined, 'null', ''],
    ['12', undefined, 'chr', '12'],
  ])('%j (written %j) implies %s where nothing else is known [IW-VAL-2]', (leaf, lexical, format, value) => {
    expect(fromJson(leaf, undefined, lexical)).toEqual({ format, value });
  });

  it('goes by the letters of a number, not by the double [IW-VAL-2]', () => {
    const number = (lexical: string, format: Format) => fromJson(Number(lexical), format, lexical);
    expect(number('12345678901234567890', 'chr')).toEqual({ format: 'chr', value: '12345678901234567890' });
    expect(number('5.0', 'int')).toEqual({ format: 'int', value: '5' });
    for (const lexical of ['12345678901234567890', '1e400', '1.0000000000000000001']) {
      expect(number(lexical, 'int')).toMatchObject({ error: 'bad-value' });
    }
    expect(number('1e400', 'float')).toMatchObject({ error: 'bad-value' });
    expect(number('0.1234567890123456789', 'float')).toEqual({
      format: 'float',
      value: '0.1234567890123456789',
    });
  });

  it('never repeats the value it refuses: it may be a secret', () => {
    expect(JSON.stringify(fromJson('hunter2', 'int'))).not.toContain('hunter2');
  });
});

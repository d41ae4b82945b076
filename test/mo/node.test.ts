import { describe, expect, it } from 'vitest';
import { FORMATS, isBinary, parseFormat } from '../../src/mo/format.ts';
import { childNamed, descendant, isInterior, type MoNode, sameValue, walk } from '../../src/mo/node.ts';

const tree: MoNode = {
  name: 'r',
  children: [
    { name: 'a', children: [{ name: 'b', value: '1' }] },
    { name: 'c', value: '' },
  ],
};

describe('formats', () => {
  it('are read in any case and with blanks around them [IW-VAL-1]', () => {
    for (const format of FORMATS) expect(parseFormat(` ${format.toUpperCase()}\n`)).toBe(format);
    for (const odd of [undefined, '', 'text', 'chr,int', 'toString'])
      expect(parseFormat(odd)).toBeUndefined();
  });

  it('tell bytes from text [IW-VAL-3]', () => {
    expect(FORMATS.filter(isBinary)).toEqual(['b64', 'bin']);
    expect(isBinary(undefined)).toBe(false);
  });
});

describe('nodes', () => {
  it('are found by path and walked parents first [IW-GET-1]', () => {
    expect(descendant(tree, [])).toBe(tree);
    expect(descendant(tree, ['a', 'b'])?.value).toBe('1');
    expect(descendant(tree, ['a', 'x', 'y'])).toBeUndefined();
    expect(childNamed(tree, 'b')).toBeUndefined();
    expect(Array.from(walk(tree), ({ path }) => path.join('/'))).toEqual(['', 'a', 'a/b', 'c']);
  });

  it('are interior by having children, even none', () => {
    expect(isInterior({ name: 'x', children: [] })).toBe(true);
    expect(isInterior({ name: 'x' })).toBe(false);
    expect(isInterior({ name: 'x', value: '' })).toBe(false);
  });

  it('have the same value when text or bytes are equal, never across both [IW-HGET-2]', () => {
    expect(sameValue('a', 'a')).toBe(true);
    expect(sameValue(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(sameValue(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(sameValue(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
    expect(sameValue('a', Uint8Array.of(97))).toBe(false);
    expect(sameValue('', undefined)).toBe(false);
    expect(sameValue(undefined, undefined)).toBe(true);
  });
});

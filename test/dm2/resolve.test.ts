import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientUri } from '../../src/dm2/clientUri.ts';
import {
  type NodeAnswer,
  type NodeQuery,
  type Resolution,
  type ResolveOptions,
  resolve,
} from '../../src/dm2/resolve.ts';
import { at, type Device, devices, search, tails, uriOf } from './bruteForce.ts';

function answer(device: Device, { miid, path, want }: NodeQuery): NodeAnswer {
  const node = at(device, miid, path);
  if (node === undefined) return { exists: false };
  if (want === 'children' && typeof node === 'object') return { exists: true, children: Object.keys(node) };
  if (want === 'value' && typeof node === 'string') return { exists: true, value: node };
  return { exists: true };
}

/** Runs a resolver against a device; `asked` lists each batch as `want miid/path`. */
function run(device: Device, tail: string | ClientUri, options?: ResolveOptions) {
  const script = resolve(typeof tail === 'string' ? uriOf(tail) : tail, Object.keys(device), options);
  const asked: string[][] = [];
  let step = script.next();
  while (!step.done) {
    asked.push(step.value.map(({ miid, path, want }) => [want, [miid, ...path].join('/')].join(' ')));
    step = script.next(step.value.map((query) => answer(device, query)));
  }
  return { asked, result: step.value, found: names(step.value) };
}

function names(resolution: Resolution): string[] | string {
  return resolution.kind === 'resolved'
    ? resolution.targets.map(({ miid, path }) => [miid, ...path].join('/'))
    : resolution.kind;
}

/** The tree of the worked examples (20§4.3). */
const DEVICE: Device = {
  left: {
    ID: 'GPS',
    Setting: '0xA1',
    Data: { '1': { Date: '12.1', Value: 'a' }, '2': { Date: '12.2', Value: 'b' } },
  },
  right: {
    ID: 'Temperature',
    Setting: '0xB2',
    Data: { '1': { Date: '12.1', Value: 'c' }, '2': { Value: 'd' } },
  },
};

describe('the worked examples of the address scheme', () => {
  it.each<readonly [number, string, string[] | string]>([
    [1, '/left/', ['left']],
    [2, '//', 'ambiguous'],
    [3, '/(x)/?nv=(x)/ID:Temperature', ['right']],
    [3, '/(x)/ID?nv=(x)/ID:Temperature', ['right/ID']],
    [4, '/(x)/Data/1/Value?nv=(x)/ID:GPS', ['left/Data/1/Value']],
    [5, '/right/Data/(x)/Value?nv=(x)/Date:12.1', ['right/Data/1/Value']],
    [6, '/(x)/Data/(y)/Value?nv=(x)/ID:GPS&nv=(y)/Date:12.2', ['left/Data/2/Value']],
    [7, '/*/Setting', ['left/Setting', 'right/Setting']],
    [8, '/(x)/Data/*/Value?nv=(x)/ID:GPS', ['left/Data/1/Value', 'left/Data/2/Value']],
    [9, '/(x)/Data/*/Value?nv=(x)/ID:GPS&nv=(x)/Setting:0xB2', 'none'],
    [
      10,
      '/*/Data/*/Value',
      ['left/Data/1/Value', 'left/Data/2/Value', 'right/Data/1/Value', 'right/Data/2/Value'],
    ],
  ])('example %i: %s gives %j [IW-ADDR-1]', (_, tail, found) => {
    for (const verify of ['always', 'wildcard'] as const)
      expect(run(DEVICE, tail, { verify }).found).toEqual(found);
  });
});

describe('resolving', () => {
  it('takes an empty MIID for the only instance and refuses it for none [IW-ADDR-1]', () => {
    expect(run({ one: {} }, '//').found).toEqual(['one']);
    expect(run({}, '//').found).toBe('none');
    expect(run({ one: {} }, '/two/').found).toBe('none');
    expect(run({}, '/*/').found).toBe('none');
  });

  it('refuses a variable that fits several nodes [IW-ADDR-1]', () => {
    const twins = { a: { ID: '1', L: { x: { K: 'k' }, y: { K: 'k' } } }, b: { ID: '1', L: {} } };
    expect(run(twins, '/(i)/L?nv=(i)/ID:1').found).toBe('ambiguous');
    expect(run(twins, '/a/L/(i)?nv=(i)/K:k').found).toBe('ambiguous');
    expect(run(twins, '/a/L/(i)?nv=(i)/K:q').found).toBe('none');
  });

  it('matches a variable behind a wildcard below each parent by itself', () => {
    expect(run(DEVICE, '/*/Data/(y)/Value?nv=(y)/Date:12.1').found).toEqual([
      'left/Data/1/Value',
      'right/Data/1/Value',
    ]);
    expect(run(DEVICE, '/*/Data/(y)/Value?nv=(y)/Date:12.2').found).toEqual(['left/Data/2/Value']);
  });

  it('leaves out places behind a wildcard where the named node is missing', () => {
    expect(run(DEVICE, '/*/Data/*/Date').found).toEqual([
      'left/Data/1/Date',
      'left/Data/2/Date',
      'right/Data/1/Date',
    ]);
    expect(run(DEVICE, '/*/Nothing').found).toBe('none');
  });

  it('leaves it to the use of a single named target whether it exists, unless asked', () => {
    expect(run(DEVICE, '/left/New').found).toEqual(['left/New']);
    expect(run(DEVICE, '/left/New', { verify: 'always' }).found).toBe('none');
    expect(run(DEVICE, '/*/New', { verify: 'never' }).found).toEqual(['left/New', 'right/New']);
  });
});

describe('reading no more nodes than it must', () => {
  it.each<readonly [string, string[][]]>([
    ['/left/', []],
    ['/left/Data/1/Value', []],
    ['//', []],
    ['/gone/Data/*/Value', []],
    ['/*/', []],
    ['/(x)/Data/1/Value?nv=(x)/ID:GPS', [['value left/ID', 'value right/ID']]],
    [
      '/(x)/?nv=(x)/ID:GPS&nv=(x)/Setting:0xB2',
      [['value left/ID', 'value right/ID'], ['value left/Setting']],
    ],
    [
      '/right/Data/(y)/Value?nv=(y)/Date:12.1',
      [['children right/Data'], ['value right/Data/1/Date', 'value right/Data/2/Date']],
    ],
    ['/left/Data/*', [['children left/Data']]],
    ['/*/Setting', [['exists left/Setting', 'exists right/Setting']]],
    ['/(x)/?nv=(x)/ID:GPS&nv=(x)/ID:GPS', [['value left/ID', 'value right/ID']]],
    ['/(x)/?nv=(x)/ID:GPS&nv=(x)/ID:Temperature', []],
    [
      '/*/Data/(y)/Date?nv=(y)/Date:12.2',
      [
        ['children left/Data', 'children right/Data'],
        [
          'value left/Data/1/Date',
          'value left/Data/2/Date',
          'value right/Data/1/Date',
          'value right/Data/2/Date',
        ],
      ],
    ],
    ['/left/ID/*', [['children left/ID']]],
  ])('asks for %s only %j [IW-ADDR-2]', (tail, asked) => {
    expect(run(DEVICE, tail).asked).toEqual(asked);
  });

  it('never asks the same twice and stops at the limit of nodes [IW-ADDR-2]', () => {
    const wide: Device = {
      a: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`n${i}`, { K: `${i}` }])),
    };
    expect(run(wide, '//(x)?nv=(x)/K:7', { nodes: 51 }).found).toEqual(['a/n7']);
    expect(() => run(wide, '//(x)?nv=(x)/K:7', { nodes: 50 })).toThrow(/more than 50 nodes/);
  });
});

describe('the resolver and a search through the whole tree', () => {
  it('agree on every address [IW-ADDR-1]', () => {
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(devices, tails, (device, tail) => {
        const { found, result, asked } = run(device, tail, { verify: 'always' });
        expect(Array.isArray(found) ? found.sort() : found).toEqual(search(device, uriOf(tail)));
        const queries = asked.flat();
        expect(new Set(queries).size).toBe(queries.length);
        expect(asked.every((batch) => batch.length > 0)).toBe(true);
        kinds.set(result.kind, (kinds.get(result.kind) ?? 0) + 1);
      }),
      { numRuns: 5000 },
    );
    for (const kind of ['resolved', 'none', 'ambiguous']) expect(kinds.get(kind)).toBeGreaterThan(100);
  });
});

import fc from 'fast-check';
import type { TndsNode } from '../../../src/dm1/tnds/node.ts';

const name = fc.string({
  minLength: 1,
  maxLength: 6,
  unit: fc.constantFrom('a', 'B', '1', '.', '-', '/', '%', ' ', 'ü', '&', '<', ':'),
});
const text = fc.string({
  maxLength: 12,
  unit: fc.constantFrom('a', ' ', '&', '<', ']', '>', '\n', '\r', '"', '€', '😀'),
});
const extras = fc.record(
  {
    acl: fc.constantFrom('Get=*', 'Add=a&Get=b+c', ''),
    title: text,
    tstamp: fc.constantFrom('20010711T163817Z', 'soon'),
    verNo: fc.integer({ min: 0, max: 65535 }).map(String),
  },
  { requiredKeys: [] },
);

const leaf: fc.Arbitrary<TndsNode> = fc.oneof(
  fc
    .tuple(
      name,
      extras,
      fc.constantFrom('chr' as const, 'int' as const, 'bool' as const, 'xml' as const),
      text,
    )
    .map(([n, more, format, value]) => ({ name: n, ...more, format, type: 'text/plain', value })),
  fc.tuple(name, extras, fc.uint8Array({ maxLength: 20 })).map(([n, more, bytes]) => ({
    name: n,
    ...more,
    format: 'b64' as const,
    type: 'application/x',
    value: Uint8Array.from(bytes),
  })),
  name.map((n) => ({ name: n, format: 'null' as const, type: 'text/plain' })),
);

const { node: any } = fc.letrec<{ node: TndsNode; interior: TndsNode }>((tie) => ({
  node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('interior')),
  interior: fc
    .tuple(
      name,
      extras,
      fc.option(fc.constantFrom('urn:oma:mo:x:1.0', 'com.example/1.0/X'), { nil: undefined }),
      fc.uniqueArray(tie('node'), { maxLength: 4, selector: (each) => each.name }),
    )
    .map(([n, more, type, children]) => ({
      name: n,
      ...more,
      format: 'node' as const,
      ...(type !== undefined && { type }),
      children,
    })),
}));

/** A tree as a document can tell it in full. */
export const tndsTree: fc.Arbitrary<TndsNode> = any;

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACL_COMMANDS, type Acl, formatAcl, parseAcl } from '../../../src/dm1/acl/acl.ts';
import { allows, effectiveAcl, permits, ROOT_ACL } from '../../../src/dm1/acl/rights.ts';
import { DragomanError } from '../../../src/support/errors.ts';

const id = fc.oneof(
  fc.constant('*'),
  fc.string({
    minLength: 1,
    maxLength: 12,
    unit: fc.constantFrom('a', 'Z', '0', '.', '-', ':', '/', 'ü', '['),
  }),
);
const acl: fc.Arbitrary<Acl> = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom(...ACL_COMMANDS), fc.uniqueArray(id, { minLength: 1, maxLength: 4 })),
    {
      minLength: 1,
      selector: ([command]) => command,
    },
  )
  .map((entries) => new Map(entries));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DragomanError) return error.code;
  }
  return 'none';
}

describe('ACL grammar', () => {
  it('reads the example of the specification and writes it again [1x§7.6]', () => {
    const text = 'Add=srvA&Delete=srvA&Get=*&Replace=srvA+srvB';
    const read = parseAcl('Add=srvA&Delete=srvA&Replace=srvA+srvB&Get=*');
    expect(read?.get('Replace')).toStrictEqual(['srvA', 'srvB']);
    expect(formatAcl(read)).toBe(text);
  });

  it('tolerates blanks around separators, as samples have them [1x§7.6]', () => {
    expect(formatAcl(parseAcl(' Add = srvA + srvB &Get=*\n'))).toBe('Add=srvA+srvB&Get=*');
  });

  it('reads an empty ACL as none of its own [1x§7.6]', () => {
    expect(parseAcl('')).toBeUndefined();
    expect(parseAcl('  ')).toBeUndefined();
    expect(formatAcl(undefined)).toBe('');
  });

  it('is the identity from ACL to text and back', () => {
    fc.assert(
      fc.property(acl, (value) => {
        const back = parseAcl(formatAcl(value));
        expect(new Map(back)).toStrictEqual(new Map(value));
      }),
    );
  });

  it.each([
    ['Add', 'no "="'],
    ['Add=', 'server identifier'],
    ['add=srv', 'begins with none of'],
    ['Copy=srv', 'begins with none of'],
    ['Add=a&Add=b', 'a second time'],
    ['Add=a+', 'server identifier'],
    ['Add=a b', 'server identifier'],
    ['Add=a=b', 'server identifier'],
    ['Add=a&&Get=*', 'no "="'],
    ['Get=*x', 'server identifier'],
    ['Get=a\u0000', 'server identifier'],
  ])('refuses %j [1x§7.6]', (text, reason) => {
    expect(() => parseAcl(text)).toThrow(reason);
    expect(codeOf(() => parseAcl(text))).toBe('malformed');
  });

  it('bounds its length', () => {
    expect(codeOf(() => parseAcl(`Get=${'a'.repeat(20_000)}`))).toBe('too-large');
  });

  it('never fails in another way, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('=', '&', '+', '*', ' ', 'A', 'd', 'Get', 'é', '\n') }),
        (text) => {
          expect(['none', 'malformed']).toContain(codeOf(() => parseAcl(text)));
        },
      ),
    );
  });
});

describe('rights', () => {
  const root = parseAcl('Add=*&Get=*');
  const own = parseAcl('Get=srvB');

  it('inherits the nearest ACL as a whole and nothing command by command [1x§7.6]', () => {
    expect(allows([root, undefined, undefined], 'srvA', 'Add')).toBe(true);
    expect(allows([root, own, undefined], 'srvB', 'Get')).toBe(true);
    expect(allows([root, own, undefined], 'srvB', 'Add')).toBe(false);
    expect(allows([root, own], 'srvA', 'Get')).toBe(false);
  });

  it('gives the root an ACL even where none is told [1x§7.6]', () => {
    expect(effectiveAcl([])).toBe(ROOT_ACL);
    expect(allows([undefined], 'any', 'Get')).toBe(true);
    expect(allows([undefined], 'any', 'Replace')).toBe(false);
  });

  it('asks Add of the parent and all else of the node [1x§7.6]', () => {
    const chain = [parseAcl('Add=srvA'), parseAcl('Delete=srvA&Replace=srvA')];
    expect(permits(chain, 'srvA', 'Add')).toBe(true);
    expect(permits(chain, 'srvA', 'Delete')).toBe(true);
    expect(permits(chain, 'srvA', 'Rename')).toBe(true);
    expect(permits(chain, 'srvA', 'Get')).toBe(false);
    expect(permits(chain, 'srvA', 'Exec')).toBe(false);
  });

  it('changes the ACL of a leaf by the parent only, of an interior node by either [1x§7.6]', () => {
    const byNode = [root, parseAcl('Replace=srvA')];
    expect(permits(byNode, 'srvA', 'ChangeAcl', 'interior')).toBe(true);
    expect(permits(byNode, 'srvA', 'ChangeAcl', 'leaf')).toBe(false);
    const byParent = [parseAcl('Replace=srvA'), parseAcl('Get=*')];
    expect(permits(byParent, 'srvA', 'ChangeAcl', 'leaf')).toBe(true);
    expect(permits(byParent, 'srvA', 'ChangeAcl', 'interior')).toBe(true);
    expect(permits(byParent, 'srvB', 'ChangeAcl', 'interior')).toBe(false);
  });

  it('decides by one ACL alone, the last that is there', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(acl, { nil: undefined }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...ACL_COMMANDS),
        fc.constantFrom('a', 'Z', 'other'),
        (chain, command, server) => {
          const last = chain.filter((each) => each !== undefined).at(-1) ?? ROOT_ACL;
          const ids = last.get(command) ?? [];
          expect(allows(chain, server, command)).toBe(ids.includes('*') || ids.includes(server));
        },
      ),
    );
  });
});

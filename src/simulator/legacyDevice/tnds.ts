import { plainValue, type Value } from '../../mo/node.ts';
import { readable, type SimNode } from '../tree.ts';

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'));

const textOf = (given: Value) => {
  const value = plainValue(given);
  return typeof value === 'string' ? escaped(value) : Buffer.from(value).toString('base64');
};

/**
 * A subtree as nested TNDS (1x§11). `without` names properties left out (`?list=TNDS-Format`); when
 * `only` is given nothing else is written.
 */
export function writeTnds(node: SimNode, without: ReadonlySet<string>, only?: ReadonlySet<string>): string {
  const wanted = (property: string) => (only ? only.has(property) : !without.has(property));
  const write = (at: SimNode): string => {
    const type = at.children
      ? `<DDFName>${escaped(at.type ?? '')}</DDFName>`
      : `<MIME>${escaped(at.type ?? 'text/plain')}</MIME>`;
    const properties =
      (wanted('ACL') && at.acl ? `<ACL>${escaped(at.acl)}</ACL>` : '') +
      (wanted('Format') ? `<Format><${at.format}/></Format>` : '') +
      (wanted('Type') ? `<Type>${type}</Type>` : '');
    const content = at.children
      ? [...at.children.values()].filter(readable).map(write).join('')
      : wanted('Value')
        ? `<Value>${textOf(at.value ?? '')}</Value>`
        : '';
    return `<Node><NodeName>${escaped(at.name)}</NodeName><RTProperties>${properties}</RTProperties>${content}</Node>`;
  };
  return `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>${write(node)}</MgmtTree>`;
}

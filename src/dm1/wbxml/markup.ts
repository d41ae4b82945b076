import { DMDDF_NAMESPACE, END, METINF_NAMESPACE, NAME_OF, UNKNOWN } from '../tables/pages.ts';
import { isNCName } from '../xml/characters.ts';
import { escapeText } from '../xml/escape.ts';

const OPEN = NAME_OF.map((name) => `<${name}>`);
const CLOSE = NAME_OF.map((name) => `</${name}>`);
const EMPTY = NAME_OF.map((name) => `<${name}/>`);
const NAMESPACES = ['SYNCML:SYNCML1.2', METINF_NAMESPACE, DMDDF_NAMESPACE];

/** What of the WBXML cursor it takes to write markup; the cursor itself calls in here. */
interface MarkupCursor {
  /** Text met between elements. */
  stray: string;
  name(): string;
  next(): number;
  fail(detail: string): never;
}

/**
 * The element that the cursor has just entered, as XML. A namespace is declared where the page differs
 * from `page`, the enclosing one (1x§12.2); -1 declares it in any case.
 */
export function elementMarkup(
  cursor: MarkupCursor,
  id: number,
  page: number,
  rootNamespace?: string,
): string {
  if (id === UNKNOWN) {
    const name = cursor.name();
    if (!isNCName(name)) cursor.fail('a literal element name is no XML name');
    return `<${name}>${childMarkup(cursor, page)}</${name}>`;
  }
  const own = id >> 6;
  const content = childMarkup(cursor, own);
  if (own === page) return content === '' ? EMPTY[id]! : OPEN[id]! + content + CLOSE[id]!;
  const namespace = rootNamespace ?? NAMESPACES[own];
  const start = `<${NAME_OF[id]} xmlns="${namespace}"`;
  return content === '' ? `${start}/>` : `${start}>${content}${CLOSE[id]}`;
}

/** Everything up to the end of the element that the cursor is in, as XML. */
function childMarkup(cursor: MarkupCursor, page: number): string {
  let out = '';
  for (;;) {
    cursor.stray = '';
    const id = cursor.next();
    if (cursor.stray !== '') out += escapeText(cursor.stray);
    if (id === END) return out;
    out += elementMarkup(cursor, id, page);
  }
}

/** Markup that stands inline in a Data element (a TNDS on page 2), with the text before it. */
export function inlineMarkup(cursor: MarkupCursor, text: string): string {
  return escapeText(text) + childMarkup(cursor, -1);
}

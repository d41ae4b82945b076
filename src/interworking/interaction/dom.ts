import { type DefaultTreeAdapterTypes, defaultTreeAdapter, html, parse, type TreeAdapter } from 'parse5';
import { DragomanError } from '../../support/errors.ts';

export type Element = DefaultTreeAdapterTypes.Element;
export type Node = DefaultTreeAdapterTypes.ChildNode;
export type Document = DefaultTreeAdapterTypes.Document;

type Tree = TreeAdapter<DefaultTreeAdapterTypes.DefaultTreeAdapterMap>;

/** Longest page that is read, in characters; one that asks a user a few questions has a tenth of it. */
const LONGEST_PAGE = 512 * 1024;
const MOST_ELEMENTS = 10_000;
/** Nesting beyond is as good as none: what stands deeper is not looked at. */
const DEEPEST = 400;

/**
 * Parses a page as a browser without script does (`noscript` content counts). Throws `too-large` for a
 * page that is too long or, which formatting elements multiply, has too many elements.
 */
export function parsePage(text: string): Document {
  if (text.length > LONGEST_PAGE) throw tooLarge(`longer than ${LONGEST_PAGE} characters`);
  let elements = 0;
  const bounded: Tree = {
    ...defaultTreeAdapter,
    createElement(name, namespace, attrs) {
      elements += 1;
      if (elements > MOST_ELEMENTS) throw tooLarge(`made of more than ${MOST_ELEMENTS} elements`);
      return defaultTreeAdapter.createElement(name, namespace, attrs);
    },
  };
  return parse(text, { scriptingEnabled: false, treeAdapter: bounded });
}

function tooLarge(how: string): DragomanError {
  return new DragomanError('too-large', `The page is ${how}.`);
}

export function isElement(node: Node | Document): node is Element {
  return 'tagName' in node;
}

export function isText(node: Node): node is DefaultTreeAdapterTypes.TextNode {
  return node.nodeName === '#text';
}

export function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((each) => each.name === name)?.value;
}

export function has(element: Element, name: string): boolean {
  return attribute(element, name) !== undefined;
}

/** An HTML element of this name; one of SVG or MathML is none. */
export function isHtml(node: Node | Document, ...names: readonly string[]): node is Element {
  return isElement(node) && node.namespaceURI === html.NS.HTML && names.includes(node.tagName);
}

/** Elements below `root` in document order, each with those above it, outermost first. */
export function* elementsOf(
  root: Document | Element,
): Generator<{ readonly element: Element; readonly above: readonly Element[] }> {
  const above: Element[] = [];
  const visit = function* (
    node: Document | Element,
  ): Generator<{ readonly element: Element; readonly above: readonly Element[] }> {
    for (const child of node.childNodes) {
      if (!isElement(child)) continue;
      yield { element: child, above: [...above] };
      if (above.length >= DEEPEST || isHtml(child, 'template')) continue;
      above.push(child);
      yield* visit(child);
      above.pop();
    }
  };
  yield* visit(root);
}

/** Elements whose content is never text for a user. */
const SILENT: ReadonlySet<string> = new Set([
  'head',
  'script',
  'style',
  'template',
  'title',
  'svg',
  'math',
  'iframe',
  'object',
  'audio',
  'video',
  'canvas',
  'datalist',
  'select',
  'textarea',
  'progress',
  'meter',
]);

const BLOCKS: ReadonlySet<string> = new Set(
  `address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure
  footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol optgroup option p pre search section
  summary table tbody tfoot thead tr ul`.split(/\s+/),
);

/** Does not stand before a user's eyes, as far as markup tells. */
export function isHidden(element: Element): boolean {
  if (has(element, 'hidden')) return true;
  const style = attribute(element, 'style');
  return style !== undefined && /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(style);
}

/** The text that a user reads in `root`, a line for each block; elements in `without` are left out whole. */
export function visibleText(root: Document | Element, without?: ReadonlySet<Element>): string {
  const parts: string[] = [];
  const visit = (node: Node | Document, depth: number): void => {
    if ('value' in node && isText(node)) {
      parts.push(node.value.replace(/[ \t\n\f\r]+/g, ' '));
      return;
    }
    if (!('childNodes' in node) || depth > DEEPEST) return;
    if (isElement(node)) {
      if (SILENT.has(node.tagName) || isHidden(node) || without?.has(node)) return;
      if (node.tagName === 'img') parts.push(` ${attribute(node, 'alt') ?? ''} `);
    }
    const name = isElement(node) ? node.tagName : '';
    const edge = BLOCKS.has(name) ? '\n' : name === 'td' || name === 'th' ? ' ' : '';
    parts.push(edge);
    if (name === 'li') parts.push('- ');
    for (const child of node.childNodes) visit(child, depth + 1);
    parts.push(edge);
  };
  visit(root, 0);
  return parts
    .join('')
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, ' ').trim())
    .filter((line) => line !== '' && line !== '-')
    .join('\n');
}

/** The same on one line. */
export function lineOf(root: Document | Element, without?: ReadonlySet<Element>): string {
  return visibleText(root, without).replaceAll('\n', ' ');
}

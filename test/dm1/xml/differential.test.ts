import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/dm1/codec.ts';
import { END } from '../../../src/dm1/tables/pages.ts';
import { XmlCursor } from '../../../src/dm1/xml/cursor.ts';
import { DragomanError } from '../../../src/support/errors.ts';

interface Tree {
  readonly name: string;
  readonly uri: string;
  readonly children: Tree[];
  text: string;
}

/** What saxes makes of the document, and whether it holds what we refuse on purpose. */
function oracle(xml: string): { tree?: Tree; refusedByUs: boolean } {
  const top: Tree = { name: '', uri: '', children: [], text: '' };
  const stack = [top];
  let refusedByUs = false;
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('processinginstruction', () => {
    refusedByUs = true;
  });
  parser.on('doctype', (doctype) => {
    if (doctype.includes('[') || !/^\s*[A-Za-z]+(\s+(SYSTEM|PUBLIC)\s.*)?\s*$/s.test(doctype))
      refusedByUs = true;
  });
  parser.on('opentag', (tag) => {
    const node: Tree = { name: tag.local, uri: tag.uri, children: [], text: '' };
    stack.at(-1)!.children.push(node);
    stack.push(node);
  });
  parser.on('closetag', () => {
    stack.pop();
  });
  const text = (value: string) => {
    stack.at(-1)!.text += value;
  };
  parser.on('text', text);
  parser.on('cdata', text);
  try {
    parser.write(xml).close();
    return { tree: top.children[0]!, refusedByUs };
  } catch {
    return { refusedByUs };
  }
}

/** Walks our reader along the oracle's tree: leaves by `text`, the rest by `next`. */
function walk(cursor: XmlCursor, tree: Tree): void {
  expect(cursor.name()).toBe(tree.name);
  expect(cursor.namespace()).toBe(tree.uri.trim());
  if (tree.children.length === 0) {
    expect(cursor.text()).toBe(tree.text);
    return;
  }
  let stray = '';
  for (const child of tree.children) {
    cursor.stray = '';
    expect(cursor.next()).not.toBe(END);
    stray += cursor.stray;
    walk(cursor, child);
  }
  cursor.stray = '';
  expect(cursor.next()).toBe(END);
  // Between elements only white space may differ.
  expect((stray + cursor.stray).replace(/\s+/g, '')).toBe(tree.text.replace(/\s+/g, ''));
}

function compare(xml: string): void {
  const { tree, refusedByUs } = oracle(xml);
  const cursor = new XmlCursor(xml, 0, DEFAULT_LIMITS);
  if (tree === undefined || refusedByUs) {
    expect(() => {
      cursor.root();
      cursor.skip();
      cursor.finish();
    }, JSON.stringify(xml)).toThrow(DragomanError);
    return;
  }
  cursor.root();
  walk(cursor, tree);
  cursor.finish();
}

const names = ['SyncML', 'SyncHdr', 'Meta', 'Type', 'Data', 'x', 'a.b-c', 'é', 'm:Type', 'q:odd'];
const attributes = [
  '',
  '',
  ' xmlns="syncml:metinf"',
  " xmlns='SYNCML:SYNCML1.2'",
  ' xmlns:m="syncml:metinf"',
  ' xmlns:q="urn:q" q:a="1"',
  ' a="1" b=\'<\'',
  ' a="&amp;&#65;" b="&lt;"',
  ' a="1" a="2"',
  ' xml:lang="en"',
  ' xmlns=""',
  ' xmlns:m="syncml:metinf" xmlns:n="syncml:metinf" m:a="1" n:a="2"',
  ' msft:originalerror="0x80"',
  ' a="x\ty\nz" ',
];
const goodTexts = [
  '',
  ' ',
  'plain',
  '&lt;&gt;&amp;',
  '&#65;&#x1F600;',
  ']]',
  '<![CDATA[<raw/>&]]>',
  '<!-- c -->',
  'a\r\nb\rc',
  'é😀',
];
const goodAttributes = [
  '',
  '',
  ' xmlns="syncml:metinf"',
  " xmlns='SYNCML:SYNCML1.2'",
  ' a="&amp;&#65;"',
  ' xml:lang="en"',
  ' xmlns:m="urn:m" m:a="1"',
  ' xmlns=""',
];
const texts = [
  '',
  ' ',
  'plain',
  '&lt;&gt;&amp;&quot;&apos;',
  '&#65;&#x1F600;',
  '&#0;',
  '&#xD800;',
  '&nbsp;',
  '&',
  ']]>',
  ']]',
  '<![CDATA[<raw/>&]]>',
  '<![CDATA[a]]b]]>',
  '<!-- c -->',
  '<!-- a -- b -->',
  '<?pi x?>',
  'a\r\nb\rc',
  '\u0000',
  '\u0007',
  '\ufffe',
  'é😀',
  '\u0085',
];

const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .record({
      name: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...names.slice(0, 8)) },
        fc.constantFrom(...names),
      ),
      attribute: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...goodAttributes) },
        fc.constantFrom(...attributes),
      ),
      content: fc.array(
        fc.oneof(
          { weight: 9, arbitrary: fc.constantFrom(...goodTexts) },
          { weight: 1, arbitrary: fc.constantFrom(...texts) },
          { weight: 5, arbitrary: tie('element') },
        ),
        {
          maxLength: 4,
        },
      ),
      self: fc.boolean(),
    })
    .map(({ name, attribute, content, self }) =>
      self && content.length === 0
        ? `<${name}${attribute}/>`
        : `<${name}${attribute}>${content.join('')}</${name}>`,
    ),
}));

const prologs = [
  '',
  '<?xml version="1.0" encoding="UTF-8"?>',
  "<?xml version='1.0'?>\n",
  '<?xml version="1.0" standalone="yes"?>',
  '<?xml encoding="UTF-8"?>',
  "<!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'http://example.com/x.dtd'>\n",
  '<!DOCTYPE SyncML SYSTEM "http://example.com/x.dtd">',
  '<!DOCTYPE SyncML [<!ENTITY a "b">]>',
  '<!-- head -->',
  '<?pi?>',
];

const document = fc
  .tuple(fc.constantFrom(...prologs), element, fc.constantFrom('', '', '\n', '<!-- tail -->', 'x', '<y/>'))
  .map((parts) => parts.join(''));

/** A document with a few places damaged. */
const mutated = fc
  .tuple(
    fc.oneof(document, fc.constant(SAMPLE())),
    fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('cut', 'put', 'set'),
        fc.constantFrom(...'<>/&;"\'= :!?-[]xm#\0\n0'),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([xml, changes]) =>
    changes.reduce((text, [where, what, character]) => {
      const at = Math.floor(where * text.length);
      return text.slice(0, at) + (what === 'cut' ? '' : character) + text.slice(what === 'put' ? at : at + 1);
    }, xml),
  );

function SAMPLE(): string {
  return `<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><Meta><Type xmlns="syncml:metinf">b64</Type></Meta></SyncHdr><SyncBody><Add><Data><![CDATA[<x/>]]>&lt;&#65;</Data></Add><!-- c --><Final/></SyncBody></SyncML>`;
}

describe('XML reader beside saxes', () => {
  it('accepts and refuses the same generated documents and reads equal trees', () => {
    fc.assert(fc.property(document, compare), { numRuns: 6000 });
  });

  it('accepts and refuses the same damaged documents and reads equal trees', () => {
    fc.assert(fc.property(mutated, compare), { numRuns: 12_000 });
  });
});

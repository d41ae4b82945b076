import { DragomanError } from '../../support/errors.ts';
import { isNCName, isSpace } from './characters.ts';
import { lineAndColumn } from './position.ts';

const COMMON_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const S = '[ \\t\\r\\n]';
const DECLARATION = new RegExp(
  `<\\?xml${S}+version${S}*=${S}*(?:"1\\.[0-9]+"|'1\\.[0-9]+')` +
    `(?:${S}+encoding${S}*=${S}*(?:"[A-Za-z][-A-Za-z0-9._]*"|'[A-Za-z][-A-Za-z0-9._]*'))?` +
    `(?:${S}+standalone${S}*=${S}*(?:"(?:yes|no)"|'(?:yes|no)'))?${S}*\\?>`,
  'y',
);
const PUBID = "-'()+,./:=?;!*#@$_%a-zA-Z0-9 \\r\\n";
const LITERAL = `(?:"[^"]*"|'[^']*')`;
const DOCTYPE = new RegExp(
  `<!DOCTYPE${S}+([^${'\\s<>\\[\\]\\"\'&'}]+)` +
    `(?:${S}+SYSTEM${S}+${LITERAL}|${S}+PUBLIC${S}+(?:"[${PUBID}]*"|'[${PUBID.replace("'", '')}]*')${S}+${LITERAL})?${S}*>`,
  'y',
);

/**
 * Position of the root element's `<`. An external DOCTYPE is read over and never fetched; an internal
 * subset, and any processing instruction but the XML declaration, is refused.
 */
export function readProlog(s: string, start: number): number {
  let p = start;
  let doctype = false;
  if (s.startsWith(COMMON_DECLARATION, p)) {
    p += COMMON_DECLARATION.length;
  } else if (s.startsWith('<?xml', p) && isSpace(s.charCodeAt(p + 5))) {
    DECLARATION.lastIndex = p;
    const match = DECLARATION.exec(s);
    if (match === null) throw malformed(s, p, 'the XML declaration is not well-formed');
    p += match[0].length;
  }
  for (;;) {
    while (isSpace(s.charCodeAt(p))) p++;
    if (p >= s.length) throw malformed(s, p, 'the document has no root element');
    if (s.startsWith('<!--', p)) {
      const end = s.indexOf('--', p + 4);
      if (end < 0 || s[end + 2] !== '>') throw malformed(s, p, 'a comment does not end, or holds "--"');
      if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(s.slice(p, end))) {
        throw malformed(s, p, 'a comment holds a character that is not allowed');
      }
      p = end + 3;
    } else if (s.startsWith('<!DOCTYPE', p)) {
      DOCTYPE.lastIndex = p;
      const match = DOCTYPE.exec(s);
      // A Name may hold colons anywhere, which a name with namespaces may not.
      const named = match !== null && isNCName(match[1]!.replaceAll(':', '_'));
      if (doctype || !named || /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(match[0])) {
        throw malformed(
          s,
          p,
          'the DOCTYPE is not accepted; internal subsets and entity declarations never are',
        );
      }
      doctype = true;
      p += match[0].length;
    } else if (s.startsWith('<?', p)) {
      throw malformed(s, p, 'processing instructions are not accepted');
    } else if (s[p] === '<') {
      return p;
    } else {
      throw malformed(s, p, 'the document does not begin with an element');
    }
  }
}

function malformed(s: string, position: number, detail: string): DragomanError {
  return new DragomanError('malformed', `${lineAndColumn(s, position)}: ${detail}.`);
}

import { DragomanError } from '../../support/errors.ts';
import { lineAndColumn } from '../xml/position.ts';

/**
 * The document with its DOCTYPE and the processing instructions of its prolog blanked out, so that
 * positions stay. Published descriptions carry `[<?oma-dm-ddf-ver supported-versions="1.2"?>]` as internal
 * subset; instructions and comments are all that one may hold here, no declaration of anything.
 *
 * @throws DragomanError `malformed` with line:column
 */
export function withoutDoctype(text: string, start: number): string {
  let out = '';
  let p = start;
  let kept = 0;
  const drop = (to: number): void => {
    out += text.slice(kept, p) + text.slice(p, to).replace(/[^\r\n]/g, ' ');
    kept = to;
    p = to;
  };
  for (;;) {
    while (/\s/.test(text.charAt(p))) p++;
    if (text.startsWith('<!--', p)) p = endOf(text, p, '-->');
    else if (/^<\?xml\s/.test(text.slice(p, p + 6))) p = endOf(text, p, '?>');
    else if (text.startsWith('<?', p)) drop(endOf(text, p, '?>'));
    else if (text.startsWith('<!DOCTYPE', p)) drop(doctypeEnd(text, p));
    else return out + text.slice(kept);
  }
}

function doctypeEnd(text: string, start: number): number {
  let p = start + 9;
  for (;;) {
    const c = text.charAt(p);
    if (c === '"' || c === "'") p = endOf(text, p + 1, c);
    else if (c === '[') p = subsetEnd(text, p + 1);
    else if (c === '>') return p + 1;
    else if (c === '' || c === '<') throw malformed(text, p, 'the DOCTYPE does not end');
    else p++;
  }
}

function subsetEnd(text: string, start: number): number {
  let p = start;
  for (;;) {
    while (/\s/.test(text.charAt(p))) p++;
    if (text.startsWith('<?', p)) p = endOf(text, p, '?>');
    else if (text.startsWith('<!--', p)) p = endOf(text, p, '-->');
    else if (text.charAt(p) === ']') return p + 1;
    else throw malformed(text, p, 'the DOCTYPE declares something; entities and the like are not accepted');
  }
}

function endOf(text: string, start: number, end: string): number {
  const at = text.indexOf(end, start);
  if (at < 0) throw malformed(text, start, `"${end}" is missing`);
  return at + end.length;
}

function malformed(text: string, position: number, reason: string): DragomanError {
  return new DragomanError('malformed', `${lineAndColumn(text, position)}: ${reason}.`);
}

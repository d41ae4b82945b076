import { DragomanError } from '../../support/errors.ts';
import { hasForbidden } from './characters.ts';

const SPECIAL = /[&<>\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/;
const MARKUP = /[&<>\r]/g;

/**
 * Text as XML character data. CR is written as a reference because a reader would turn it into LF.
 * What XML cannot carry at all is refused (IW-VAL-4): a backend's value must not be changed silently.
 */
export function escapeText(text: string): string {
  if (!SPECIAL.test(text)) return text;
  if (hasForbidden(text)) {
    throw new DragomanError(
      'bad-value',
      'The text holds a control character or half a surrogate pair, which XML cannot carry; send such values as binary.',
    );
  }
  return text.replace(MARKUP, (c) =>
    c === '&' ? '&amp;' : c === '<' ? '&lt;' : c === '>' ? '&gt;' : '&#13;',
  );
}

/** Markup that is safe to send: everything inserted by {@link html} is escaped, unless it is markup itself. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Insert = Markup | string | number | false | undefined | readonly Insert[];

/** Template for markup; inserted text is escaped, `false` and `undefined` insert nothing. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  let text = parts[0] ?? '';
  inserts.forEach((insert, at) => {
    text += written(insert) + (parts[at + 1] ?? '');
  });
  return new Markup(text);
}

function written(insert: Insert): string {
  if (insert === false || insert === undefined) return '';
  if (insert instanceof Markup) return insert.text;
  if (typeof insert === 'object') return insert.map(written).join('');
  return escaped(String(insert));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also takes out controls, and the marks that turn the direction of text around. */
function escaped(text: string): string {
  return text
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}

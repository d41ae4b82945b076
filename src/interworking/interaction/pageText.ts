export type PageContent =
  | { readonly kind: 'html' | 'text'; readonly text: string }
  /** Nothing that a browser without plug-ins would show as a page of text. */
  | { readonly kind: 'other'; readonly type: string };

/** Bytes at the start of a page in which it may name its charset. */
const PRESCAN = 1024;

/** Reads a fetched page: what it is by its Content-Type, else by its first character; its charset as browsers find it. */
export function readPageContent(body: Uint8Array, contentType: string | undefined): PageContent {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim());
  const name = type.toLowerCase();
  const charset = parameters
    .map((parameter) => /^charset\s*=\s*["']?([^"']+)/i.exec(parameter)?.[1])
    .find((each) => each !== undefined);
  const html = name === 'text/html' || name === 'application/xhtml+xml';
  if (html || name === 'text/plain')
    return { kind: html ? 'html' : 'text', text: decode(body, charset, html) };
  if (name !== '') return { kind: 'other', type: name };
  const text = decode(body, charset, true);
  if (/^\ufeff?\s*</.test(text)) return { kind: 'html', text };
  return /[\0-\x08\x0e-\x1f]/.test(text) ? { kind: 'other', type: 'unknown' } : { kind: 'text', text };
}

function decode(body: Uint8Array, charset: string | undefined, html: boolean): string {
  const named = markOf(body) ?? charset ?? (html ? metaCharset(body) : undefined);
  if (named !== undefined) {
    try {
      return new TextDecoder(named.trim()).decode(body);
    } catch {
      // A charset that nobody knows is as good as none.
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return new TextDecoder('windows-1252').decode(body);
  }
}

function markOf(body: Uint8Array): string | undefined {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return 'utf-8';
  if (body[0] === 0xfe && body[1] === 0xff) return 'utf-16be';
  return body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : undefined;
}

function metaCharset(body: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(body.subarray(0, PRESCAN));
  const name = /<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]+)/i.exec(start)?.[1];
  // A page that can be read as ASCII so far is none of UTF-16, whatever it says.
  return name !== undefined && /^utf-?16/i.test(name) ? 'utf-8' : name;
}

import { ERRORS } from '../../support/errors.ts';
import { type Cookie, cookieHeader, storeCookies } from '../interaction/cookies.ts';
import { type PageContent, readPageContent } from '../interaction/pageText.ts';
import type { Submission } from '../interaction/submission.ts';
import type { Script, TransferEvent } from '../script.ts';
import type { Session } from '../session.ts';

export type Loaded =
  | { readonly kind: 'page'; readonly url: string; readonly content: PageContent }
  /** The dialogue was led to its end, or there is nothing more to show. */
  | { readonly kind: 'over' }
  | { readonly kind: 'failed'; readonly sc: number; readonly detail: string };

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches the pages of one dialogue on the device's behalf: keeps its cookies, follows redirects (every hop
 * is a transfer of its own, so the outbound guard sees it), knows where the dialogue ends.
 */
export class Browser {
  readonly #s: Session;
  /** The `Close` and `Continue` URLs of the draft dialect (20§5): loading one ends the dialogue. */
  readonly #ends: ReadonlySet<string>;
  #cookies: readonly Cookie[] = [];
  #page: string | undefined;

  constructor(s: Session, url: string) {
    this.#s = s;
    const { searchParams } = new URL(url);
    const ends = [...searchParams].flatMap(([name, value]) =>
      /^(?:close|continue)$/i.test(name) && URL.canParse(value, url) ? [comparable(new URL(value, url))] : [],
    );
    this.#ends = new Set(ends);
  }

  *load(request: Submission): Script<Loaded> {
    let { method, url, body }: Submission = request;
    for (let hops = 0; ; hops += 1) {
      const event = yield* this.#s.perform({
        kind: 'transfer',
        transfer: {
          method,
          url,
          headers: this.#headers(method, url, body?.type),
          follow: false,
          ...(body && { body: body.bytes }),
        },
      });
      if (event.kind === 'failed') return this.#failed(event, url);
      this.#cookies = storeCookies(this.#cookies, event.headers['set-cookie'], url, this.#s.now);
      const over = this.#ends.has(comparable(new URL(url)));
      const location = event.headers['location'];
      if (over || !REDIRECTS.has(event.status) || location === undefined) {
        return over ? { kind: 'over' } : this.#arrived(event, url);
      }
      if (hops === MOST_REDIRECTS) return failed(500, `${url} redirects more than ${MOST_REDIRECTS} times.`);
      const next = redirected(location, url);
      if (next === undefined) return failed(500, `${url} redirects to what is no web address.`);
      if (event.status === 303 || (event.status < 303 && method === 'POST')) {
        method = 'GET';
        body = undefined;
      }
      url = next;
    }
  }

  #arrived(event: Extract<TransferEvent, { kind: 'response' }>, url: string): Loaded {
    const first = this.#page === undefined;
    // A form that is refused comes back as a page that says why; what is refused at once is not shown.
    if (event.status >= 400 && (first || event.body.length === 0)) {
      const sc = Math.min(event.status, 500);
      return failed(sc, `${new URL(url).origin} answered ${event.status}.`);
    }
    if (event.body.length === 0) return { kind: 'over' };
    this.#page = url;
    return { kind: 'page', url, content: readPageContent(event.body, event.headers['content-type']) };
  }

  #failed({ code, detail }: Extract<TransferEvent, { kind: 'failed' }>, url: string): Loaded {
    // The device can still be told where the page is (IW-UI-4).
    if (code === 'too-large') return { kind: 'page', url, content: { kind: 'other', type: 'too large' } };
    const { fault, dm2 } = ERRORS[code];
    return failed(fault === 'backend' ? 500 : dm2, detail);
  }

  #headers(method: string, url: string, type: string | undefined): Record<string, string> {
    const { Lang } = this.#s.devInfo;
    const cookie = cookieHeader(this.#cookies, url);
    const from = this.#page === undefined ? undefined : new URL(this.#page);
    const same = from?.origin === new URL(url).origin;
    return {
      accept: 'text/html, application/xhtml+xml, text/plain;q=0.8, */*;q=0.1',
      ...(Lang !== undefined &&
        /^[A-Za-z0-9_-]{1,35}$/.test(Lang) && { 'accept-language': Lang.replace('_', '-') }),
      ...(cookie !== undefined && { cookie }),
      ...(from && { referer: same ? withoutHash(from) : `${from.origin}/` }),
      ...(from && method === 'POST' && { origin: from.origin }),
      ...(type !== undefined && { 'content-type': type }),
    };
  }
}

function failed(sc: number, detail: string): Loaded {
  return { kind: 'failed', sc, detail };
}

function redirected(location: string, from: string): string | undefined {
  if (!URL.canParse(location, from)) return undefined;
  const to = new URL(location, from);
  const secure = new URL(from).protocol === 'https:';
  if (to.protocol !== 'https:' && (secure || to.protocol !== 'http:')) return undefined;
  return withoutHash(to);
}

function withoutHash(url: URL): string {
  const plain = new URL(url);
  plain.hash = '';
  return plain.href;
}

/** A GET form puts its fields behind the address, which stays the same place. */
function comparable({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

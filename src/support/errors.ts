/**
 * The one catalogue of errors. Every failure that a peer, an operator or a log sees has a row here:
 * a stable code, whose fault it is, and the status to answer with in each protocol.
 */
export interface ErrorRow {
  /** Whether the peer's input or our own side is to blame. */
  readonly fault: 'peer' | 'backend' | 'operator' | 'ours';
  readonly http: number;
  /** SyncML status (1x§6). */
  readonly dm1: number;
  /** Status item `sc` (20§8). */
  readonly dm2: number;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
  readonly summary: string;
}

export const ERRORS = {
  'media-type': {
    fault: 'peer',
    http: 415,
    dm1: 415,
    dm2: 415,
    retry: false,
    summary: 'The Content-Type is none that this port speaks.',
  },
  malformed: {
    fault: 'peer',
    http: 400,
    dm1: 400,
    dm2: 400,
    retry: false,
    summary: 'The message cannot be read.',
  },
  'too-large': {
    fault: 'peer',
    http: 413,
    dm1: 413,
    dm2: 413,
    retry: false,
    summary: 'The message is larger than the limit.',
  },
  'not-found': {
    fault: 'peer',
    http: 404,
    dm1: 404,
    dm2: 404,
    retry: false,
    summary: 'The address names nothing.',
  },
  exists: {
    fault: 'peer',
    http: 409,
    dm1: 418,
    dm2: 409,
    retry: false,
    summary: 'Something of that name is there already, or is no longer in the state for this.',
  },
  'bad-address': {
    fault: 'peer',
    http: 400,
    dm1: 400,
    dm2: 400,
    retry: false,
    summary: 'The address does not parse.',
  },
  'bad-value': {
    fault: 'peer',
    http: 400,
    dm1: 415,
    dm2: 415,
    retry: false,
    summary: 'The value cannot have that format.',
  },
  'bad-command': {
    fault: 'peer',
    http: 400,
    dm1: 400,
    dm2: 400,
    retry: false,
    summary: 'The command or its parameters are malformed.',
  },
  'not-implemented': {
    fault: 'peer',
    http: 501,
    dm1: 406,
    dm2: 501,
    retry: false,
    summary: 'The command is not supported.',
  },
  unauthenticated: {
    fault: 'peer',
    http: 401,
    dm1: 401,
    dm2: 401,
    retry: true,
    summary: 'Credentials are missing or wrong.',
  },
  forbidden: {
    fault: 'peer',
    http: 403,
    dm1: 403,
    dm2: 403,
    retry: false,
    summary: 'The identity may not do this.',
  },
  overload: {
    fault: 'ours',
    http: 503,
    dm1: 503,
    dm2: 503,
    retry: true,
    summary: 'Too many sessions; new ones are refused for a while.',
  },
  'too-many': {
    fault: 'peer',
    http: 429,
    dm1: 503,
    dm2: 503,
    retry: true,
    summary: 'The device sends more requests than limits.requestsPerDevice allows.',
  },
  'outbound-refused': {
    fault: 'operator',
    http: 403,
    dm1: 403,
    dm2: 403,
    retry: false,
    summary: 'The outbound guard does not allow that URL.',
  },
  'backend-failed': {
    fault: 'backend',
    http: 502,
    dm1: 500,
    dm2: 500,
    retry: true,
    summary: 'The backend could not be reached or answered junk.',
  },
  'backend-refused': {
    fault: 'backend',
    http: 502,
    dm1: 500,
    dm2: 500,
    retry: false,
    summary: 'The backend refused the message for what it is; the same one will be refused again.',
  },
  configuration: {
    fault: 'operator',
    http: 500,
    dm1: 500,
    dm2: 500,
    retry: false,
    summary: 'The configuration is wrong.',
  },
  mapping: {
    fault: 'operator',
    http: 500,
    dm1: 500,
    dm2: 500,
    retry: false,
    summary: 'A mapping pack is wrong.',
  },
  diverged: {
    fault: 'ours',
    http: 500,
    dm1: 500,
    dm2: 500,
    retry: true,
    summary: 'A replayed session did not repeat itself.',
  },
  internal: {
    fault: 'ours',
    http: 500,
    dm1: 500,
    dm2: 500,
    retry: true,
    summary: 'An error of this program.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** What went wrong (`code`), where and what to do about it (`detail`, one sentence or two, no secrets). */
export class DragomanError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown }) {
    super(`${code}: ${detail}`, options);
    this.name = 'DragomanError';
    this.code = code;
    this.detail = detail;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }
}

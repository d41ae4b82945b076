import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { DragomanError, ERRORS, type ErrorCode } from '../support/errors.ts';

/** An error as the REST API answers it (RFC 9457). `code` is the catalogue's, see docs/errors.md. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path that was asked for. */
  readonly instance: string;
  readonly code: string;
  readonly retry: boolean;
  /** Id of the request, as logged. */
  readonly requestId?: string;
}

/** Seconds after which an overloaded or stopping gateway asks to be tried again. */
export const RETRY_AFTER_SECONDS = 10;

/** What any thrown value amounts to; the text of an unexpected one stays in the log. */
export function asDragomanError(error: unknown): DragomanError {
  if (error instanceof DragomanError) return error;
  const status = statusOf(error);
  if (status === 413)
    return new DragomanError('too-large', 'The body is larger than the limit.', { cause: error });
  if (status === 415) {
    return new DragomanError('media-type', 'The charset or encoding of the body is not supported.', {
      cause: error,
    });
  }
  if (status !== undefined && status >= 400 && status < 500) {
    const reason = error instanceof Error ? error.message : 'unreadable';
    return new DragomanError('malformed', `The request cannot be read: ${reason}.`, { cause: error });
  }
  return new DragomanError('internal', 'Something went wrong here; the log has it under the request id.', {
    cause: error,
  });
}

/** `body-parser` and the router put an HTTP status on what they throw. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}

function problemOf(error: DragomanError, instance: string, status = error.row.http): Problem {
  return {
    type: `urn:dragoman:error:${error.code}`,
    title: ERRORS[error.code as ErrorCode].summary,
    status,
    detail: error.detail,
    instance,
    code: error.code,
    retry: error.row.retry,
  };
}

function sendProblem(response: Response, problem: Problem): void {
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="dragoman"');
  if (problem.status === 503) response.setHeader('Retry-After', String(RETRY_AFTER_SECONDS));
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** The last route: nothing here has that path. */
export const noSuchRoute: RequestHandler = (request) => {
  throw new DragomanError(
    'not-found',
    `There is nothing at ${request.path}. GET /openapi.json lists what there is.`,
  );
};

/** Answers 405 with `Allow`, for a path that exists under other methods. */
export function allowOnly(...methods: string[]): RequestHandler {
  return (request, response) => {
    response.setHeader('Allow', methods.join(', '));
    const problem = problemOf(
      new DragomanError(
        'bad-command',
        `${request.path} takes ${methods.join(' and ')}, not ${request.method}.`,
      ),
      request.originalUrl,
      405,
    );
    sendProblem(response, { ...problem, title: STATUS_CODES[405] ?? '' });
  };
}

/** Turns whatever a handler threw into a problem document and a log line. */
export function answerProblems(log: (error: DragomanError, response: Response) => void): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    const error = asDragomanError(thrown);
    log(error, response);
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const id = response.getHeader('X-Request-Id');
    const problem = problemOf(error, request.originalUrl);
    sendProblem(response, typeof id === 'string' ? { ...problem, requestId: id } : problem);
  };
}

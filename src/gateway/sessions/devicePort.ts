import { hash } from 'node:crypto';
import { DragomanError, ERRORS, type ErrorCode } from '../../support/errors.ts';
import { readPostedUrl } from '../reports/reportUrl.ts';
import { type Dialect, detectDialect, headerIdentity } from './dialects.ts';
import { answerWithStatus, opens } from './dm1Answers.ts';
import type { Answer, Incoming } from './incoming.ts';
import type { AuthenticateDm2, Dm2Wire, SessionLog, SessionMetrics, Wire } from './ports.ts';
import { DM1_TYPES } from './replies.ts';
import type { DeviceRequest, DeviceResponse } from './request.ts';
import type { SessionRunner } from './runner.ts';

export type { DeviceRequest, DeviceResponse } from './request.ts';

export interface DevicePortOptions {
  readonly runner: Pick<SessionRunner, 'deliver'>;
  readonly wire: Wire;
  readonly authenticateDm2: AuthenticateDm2;
  /** Absolute URL of the device port, the RespURI of answers that no session gives. */
  readonly deviceUrl: string;
  readonly limits: { readonly messageBytes: number };
  readonly metrics: SessionMetrics;
  readonly log: SessionLog;
  readonly now?: () => number;
}

/** Longest device id that is taken; real ones have about twenty characters. */
const LONGEST_ID = 256;
const LONGEST_URL = 2048;
/** Seconds after which a device that was put off may come again. */
const RETRY_AFTER = '10';

/** An answer that no session gives. */
class Declined extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, reason: string, headers: Readonly<Record<string, string>> = {}) {
    super(reason);
    this.status = status;
    this.headers = headers;
  }
}

/** Takes every message of every device: tells what it is, whose it is, and answers in its own terms. */
export class DevicePort {
  readonly #options: DevicePortOptions;
  readonly #now: () => number;

  constructor(options: DevicePortOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Never rejects: no message goes unanswered. */
  async handle(request: DeviceRequest): Promise<DeviceResponse> {
    const began = performance.now();
    const line: Record<string, unknown> = { bytesIn: request.body.length };
    let response: DeviceResponse;
    try {
      response = await this.#handle(request, line);
    } catch (error) {
      response = this.#decline(error, line);
    }
    line['status'] = response.status;
    line['bytesOut'] = response.body.length;
    line['ms'] = Math.round((performance.now() - began) * 1000) / 1000;
    this.#options.log.info(line, 'device message');
    const dialect = String(line['dialect'] ?? 'unknown');
    this.#options.metrics.message(dialect, 'out', String(line['result']));
    return response;
  }

  async #handle(request: DeviceRequest, line: Record<string, unknown>): Promise<DeviceResponse> {
    const { messageBytes } = this.#options.limits;
    const dialect = detectDialect(request.headers);
    if (dialect.protocol === undefined) throw new DragomanError('media-type', dialect.reason);
    line['dialect'] = dialect.protocol === 'dm1' ? `dm1 ${dialect.form}` : `dm2 ${dialect.dialect}`;
    if (request.body.length > messageBytes) {
      throw new DragomanError('too-large', `The message is larger than ${messageBytes} bytes.`);
    }
    return dialect.protocol === 'dm1'
      ? this.#dm1(request, dialect.form, line)
      : this.#dm2(request, dialect, line);
  }

  async #dm1(
    request: DeviceRequest,
    form: 'xml' | 'wbxml',
    line: Record<string, unknown>,
  ): Promise<DeviceResponse> {
    const { wire } = this.#options;
    const { message, encoding, credRange, stripped } = wire.readDm1(request.body, form);
    const { sessionId, msgId, source } = message.header;
    const deviceId = checkedId(source.uri);
    line['device'] = deviceId;
    line['msgId'] = msgId;
    this.#options.metrics.message(String(line['dialect']), 'in', 'ok');
    const answer = await this.#options.runner.deliver({
      protocol: 'dm1',
      deviceId,
      key: `dm1:${deviceId.length}:${deviceId}:${sessionId}`,
      at: this.#now(),
      mark: { hash: digest(request.body), msgId },
      stored: credRange ? wire.maskDm1(request.body, credRange) : request.body,
      encoding,
      dialect: 'syncml',
      ...(stripped && { stripped }),
      opens: opens(message),
      opening: { protocol: 'dm1', message, encoding },
      event: { kind: 'dm1', message },
      request,
    });
    note(line, answer);
    if (answer.kind === 'reply') return ok(answer.reply.type, answer.reply.body, answer.reply.headers);
    if (answer.kind === 'refused' && answer.code === 'overload') throw overload(answer.detail);
    const reply = answerWithStatus(message, dm1Code(answer), this.#options.deviceUrl);
    return ok(DM1_TYPES[form], wire.writeDm1(reply, encoding));
  }

  async #dm2(
    request: DeviceRequest,
    dialect: Extract<Dialect, { protocol: 'dm2' }>,
    line: Record<string, unknown>,
  ): Promise<DeviceResponse> {
    const wire = this.#options.wire.dm2[dialect.dialect];
    if (!wire) {
      throw new DragomanError('media-type', 'Early drafts of DM 2.0 are not enabled on this port.');
    }
    const identity = headerIdentity(request.headers);
    if (identity === undefined) {
      throw new DragomanError('malformed', 'One identity is needed in OMADM-DevID (or X-OMADMDevID).');
    }
    const deviceId = checkedId(identity);
    line['device'] = deviceId;
    const verdict = await this.#options.authenticateDm2(request, deviceId);
    if (!verdict.ok) throw new Declined(verdict.status, verdict.detail, verdict.headers);
    const { shown, reportToken } = readPostedUrl((request.url ?? '').slice(0, LONGEST_URL));
    const read = readDm2(request.body, dialect, wire, reportToken);
    this.#options.metrics.message(String(line['dialect']), 'in', 'ok');
    const answer = await this.#options.runner.deliver({
      protocol: 'dm2',
      deviceId,
      key: `dm2:${deviceId.length}:${deviceId}:${shown}`,
      at: this.#now(),
      mark: { hash: digest(request.body) },
      stored: request.body,
      dialect: dialect.dialect,
      ...read,
      request,
    });
    note(line, answer);
    switch (answer.kind) {
      case 'reply':
        return ok(answer.reply.type, answer.reply.body, answer.reply.headers);
      case 'no-session':
      case 'out-of-order':
        // A client gives up for good at a 5xx; END lets it come again (20§15 Q26).
        return ok(wire.requestType, wire.writePackage2({ CMD: [['END']] }));
      case 'refused':
        if (answer.code === 'overload') throw overload(answer.detail);
        throw new DragomanError(answer.code, answer.detail);
      case 'lost':
        throw new DragomanError(answer.code, 'The session is lost; begin a new one.');
    }
  }

  #decline(error: unknown, line: Record<string, unknown>): DeviceResponse {
    if (error instanceof Declined) {
      line['result'] ??= error.status === 503 ? 'overload' : 'unauthenticated';
      return text(error.status, error.message, error.headers);
    }
    if (error instanceof DragomanError) {
      line['result'] = error.code;
      const { http, fault } = error.row;
      const reason = fault === 'peer' ? error.detail : error.row.summary;
      return text(http, reason);
    }
    line['result'] = 'internal';
    this.#options.log.error({ device: line['device'], error }, 'A message could not be handled.');
    return text(500, ERRORS.internal.summary);
  }
}

/** Package#1 opens a session, Package#3 never does; where the type does not say, `Status` does. */
function readDm2(
  body: Uint8Array,
  dialect: Extract<Dialect, { protocol: 'dm2' }>,
  wire: Dm2Wire,
  reportToken: string | undefined,
): Pick<Incoming, 'opens' | 'opening' | 'event'> {
  const which = dialect.package ?? (Buffer.from(body).includes('"Status"') ? 3 : 1);
  return which === 1
    ? {
        opens: 'always',
        opening: {
          protocol: 'dm2',
          package1: wire.readPackage1(body),
          ...(reportToken !== undefined && { reportToken }),
        },
      }
    : { opens: 'never', event: { kind: 'package3', package3: wire.readPackage3(body) } };
}

/** The SyncML status for a message that was not handled (1x§2.6). */
function dm1Code(answer: Exclude<Answer, { kind: 'reply' }>): number {
  switch (answer.kind) {
    case 'out-of-order':
      return 400;
    case 'no-session':
      return 500;
    case 'refused':
    case 'lost':
      return ERRORS[answer.code].dm1;
  }
}

function note(line: Record<string, unknown>, answer: Answer): void {
  if (answer.kind !== 'refused' && answer.kind !== 'no-session') line['session'] = answer.session;
  line['result'] = resultOf(answer);
}

function resultOf(answer: Answer): ErrorCode | 'ok' | 'repeated' | 'no-session' | 'out-of-order' {
  switch (answer.kind) {
    case 'reply':
      return answer.repeated ? 'repeated' : 'ok';
    case 'refused':
    case 'lost':
      return answer.code;
    default:
      return answer.kind;
  }
}

function checkedId(id: string): string {
  if (id === '' || id.length > LONGEST_ID || /\p{Cc}/u.test(id)) {
    throw new DragomanError('malformed', `A device id has 1 to ${LONGEST_ID} characters and no controls.`);
  }
  return id;
}

function digest(body: Uint8Array): string {
  return hash('sha1', body, 'base64');
}

function overload(reason: string): Declined {
  return new Declined(503, reason, { 'retry-after': RETRY_AFTER });
}

function ok(type: string, body: Uint8Array, extra?: Readonly<Record<string, string>>): DeviceResponse {
  return respond(200, type, body, extra);
}

function text(status: number, reason: string, extra?: Readonly<Record<string, string>>): DeviceResponse {
  return respond(status, 'text/plain; charset=utf-8', Buffer.from(`${reason}\n`), extra);
}

function respond(
  status: number,
  type: string,
  body: Uint8Array,
  extra?: Readonly<Record<string, string>>,
): DeviceResponse {
  const headers = {
    'content-type': type,
    'content-length': String(body.length),
    'cache-control': 'no-store',
    ...extra,
  };
  return { status, headers, body };
}

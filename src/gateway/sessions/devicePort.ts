import { hash } from 'node:crypto';
import { HMAC_HEADER } from '../../dm1/auth/hmacHeader.ts';
import { answerWithStatus } from '../../dm1/session/answerWithStatus.ts';
import { DM1_TYPES } from '../../dm1/tables/mediaTypes.ts';
import {
  CLIENT_TYPES,
  type Detected,
  type DialectName,
  detectDialect,
  deviceIdOf,
  IDENTITY_HEADERS,
  nextMsgId,
} from '../../dm2/dialects/index.ts';
import { chooseType } from '../../dm2/mediaTypes.ts';
import { respUri, ticketOf } from '../../interworking/respUri.ts';
import { DragomanError, ERRORS, type ErrorCode } from '../../support/errors.ts';
import { type PostedUrl, readPostedUrl } from '../reports/reportUrl.ts';
import { opens } from './dm1Openings.ts';
import { type Answer, dm2Opening, type Incoming } from './incoming.ts';
import type { Reply } from './liveSession.ts';
import type { AuthenticateDm2, SessionLog, SessionMetrics, Wire } from './ports.ts';
import type { DeviceRequest, DeviceResponse } from './request.ts';
import type { SessionRunner } from './runner.ts';

export type { DeviceRequest, DeviceResponse } from './request.ts';

export interface DevicePortOptions {
  readonly runner: Pick<SessionRunner, 'deliver'>;
  readonly wire: Wire;
  readonly authenticateDm2: AuthenticateDm2;
  /** What the operator says of a device whose headers leave its dialect open; absent: nothing. */
  readonly dialectOf?: (deviceId: string) => DialectName | undefined;
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
  readonly result: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    result: string,
    status: number,
    reason: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(reason);
    this.result = result;
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
    const detected = this.#detect(request.headers);
    line['dialect'] = detected.protocol === 'dm1' ? `dm1 ${detected.form}` : `dm2 ${detected.dialect}`;
    if (request.body.length > messageBytes) {
      throw new DragomanError('too-large', `The message is larger than ${messageBytes} bytes.`);
    }
    return detected.protocol === 'dm1'
      ? this.#dm1(request, detected.form, line)
      : this.#dm2(request, detected, line);
  }

  #detect(headers: DeviceRequest['headers']): Exclude<Detected, { error: unknown }> {
    const { dialectOf } = this.#options;
    const id = IDENTITY_HEADERS.map((name) => headers[name]?.trim()).find(Boolean);
    const detected = detectDialect(headers, id === undefined ? undefined : dialectOf?.(id));
    if (!('error' in detected)) return detected;
    if (detected.error === 'contradictory') throw new DragomanError('malformed', detected.detail);
    // RFC 9110, 15.5.16: what would be taken instead.
    throw new Declined('media-type', 415, detected.detail, { accept: CLIENT_TYPES.join(', ') });
  }

  async #dm1(
    request: DeviceRequest,
    form: 'xml' | 'wbxml',
    line: Record<string, unknown>,
  ): Promise<DeviceResponse> {
    const { wire } = this.#options;
    const { message, encoding, credRanges, stripped } = wire.readDm1(request.body, form);
    const { sessionId, msgId, source } = message.header;
    const deviceId = checkedId(source.uri);
    const mac = request.headers[HMAC_HEADER];
    line['device'] = deviceId;
    line['msgId'] = msgId;
    this.#options.metrics.message(String(line['dialect']), 'in', 'ok');
    const answer = await this.#options.runner.deliver({
      protocol: 'dm1',
      deviceId,
      key: `dm1:${deviceId.length}:${deviceId}:${sessionId}`,
      at: this.#now(),
      mark: { hash: digest(request.body, `${request.url ?? ''} ${mac ?? ''}`), msgId },
      stored: credRanges.length > 0 ? wire.maskDm1(request.body, credRanges) : request.body,
      encoding,
      dialect: 'syncml',
      ...(stripped && { stripped }),
      opens: opens(message, message.header.cred !== undefined || mac !== undefined),
      opening: { protocol: 'dm1', message, encoding, ...agentOf(request) },
      event: { kind: 'dm1', message },
      request,
    });
    note(line, answer);
    if (answer.kind === 'reply') return given(answer.reply);
    if (answer.kind === 'refused' && answer.code === 'overload') throw overload(answer.detail);
    const challenge = answer.kind === 'unproven' ? answer.verdict.challenge : undefined;
    // A device keeps the RespURI that it was given last: what it came with is no secret to it.
    const ticket = ticketOf(request.url);
    const respURI = respUri({ deviceUrl: this.#options.deviceUrl, ...(ticket !== undefined && { ticket }) });
    const reply = answerWithStatus(message, dm1Code(answer), respURI, { challenge });
    return ok(DM1_TYPES[form], wire.writeDm1(reply, encoding));
  }

  async #dm2(
    request: DeviceRequest,
    detected: Extract<Detected, { protocol: 'dm2' }>,
    line: Record<string, unknown>,
  ): Promise<DeviceResponse> {
    const dialect = this.#options.wire.dm2[detected.dialect];
    const deviceId = checkedId(deviceIdOf(request.headers));
    line['device'] = deviceId;
    const verdict = await this.#options.authenticateDm2(request, deviceId);
    if (!verdict.ok) throw new Declined('unauthenticated', verdict.status, verdict.detail, verdict.headers);
    const { commands } = dialect.mediaTypes;
    if (chooseType(request.headers['accept'], [commands]) === undefined) {
      throw new Declined('not-acceptable', 406, `Commands are ${commands}, which Accept leaves out.`);
    }
    const { shown, ...marks } = readPostedUrl((request.url ?? '').slice(0, LONGEST_URL));
    const read = this.#readDm2(request, detected, marks);
    this.#options.metrics.message(String(line['dialect']), 'in', 'ok');
    const msgId = read.event?.kind === 'package3' ? read.event.msgId : undefined;
    if (msgId !== undefined) line['msgId'] = String(msgId);
    const answer = await this.#options.runner.deliver({
      protocol: 'dm2',
      deviceId,
      key: `dm2:${deviceId.length}:${deviceId}:${shown}`,
      at: this.#now(),
      mark: {
        hash: digest(request.body, request.url),
        ...(msgId !== undefined && { msgId: String(msgId) }),
      },
      stored: request.body,
      dialect: dialect.name,
      ...read,
      request,
    });
    note(line, answer);
    switch (answer.kind) {
      case 'reply':
        return given(answer.reply);
      case 'no-session': {
        // A client gives up for good at a 5xx; END lets it come again (20§15 Q26).
        const number = dialect.capabilities.commandsCarryMsgId ? nextMsgId(msgId) : undefined;
        const end = dialect.writePackage2({ CMD: [['END']] }, number);
        return ok(commands, end.body);
      }
      case 'out-of-order':
        throw new DragomanError(
          'malformed',
          `The report for MsgID ${msgId} was had, and it was another one.`,
        );
      case 'refused':
        if (answer.code === 'overload') throw overload(answer.detail);
        throw new DragomanError(answer.code, answer.detail);
      case 'unproven':
        throw new DragomanError('internal', 'A 2.0 client was judged twice.');
      case 'lost':
        throw new DragomanError(answer.code, 'The session is lost; begin a new one.');
    }
  }

  /** A first message opens a session, a status report never does; where the type does not say, `Status` does. */
  #readDm2(
    { headers, body }: DeviceRequest,
    { dialect: name, package: kind }: Extract<Detected, { protocol: 'dm2' }>,
    marks: Omit<PostedUrl, 'shown'>,
  ): Pick<Incoming, 'opens' | 'opening' | 'event' | 'contentType' | 'tolerated'> {
    const { dm2, dm2Limits: limits } = this.#options.wire;
    const dialect = dm2[name];
    const message = { headers, body };
    if ((kind ?? (Buffer.from(body).includes('"Status"') ? 'status' : 'opening')) === 'opening') {
      const { tolerated, ...opening } = dialect.readOpening(message, limits);
      return { opens: 'always', opening: dm2Opening(name, opening, marks), ...remarks(tolerated) };
    }
    const { package3, msgId, tolerated } = dialect.readStatus(message, { limits });
    const contentType = headers['content-type'];
    return {
      opens: 'never',
      event: { kind: 'package3', package3, ...(msgId !== undefined && { msgId }) },
      ...(dialect.capabilities.dataInStatus === 'multipart' && contentType !== undefined && { contentType }),
      ...remarks(tolerated),
    };
  }

  #decline(error: unknown, line: Record<string, unknown>): DeviceResponse {
    if (error instanceof Declined) {
      line['result'] ??= error.result;
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

function remarks(tolerated: readonly string[]): { readonly tolerated?: readonly string[] } {
  return tolerated.length === 0 ? {} : { tolerated };
}

const LONGEST_AGENT = 200;

function agentOf({ headers }: DeviceRequest): { readonly agent?: string } {
  const agent = headers['user-agent']?.slice(0, LONGEST_AGENT);
  return agent === undefined ? {} : { agent };
}

/** The SyncML status for a message that was not handled (1x§2.6). */
function dm1Code(answer: Exclude<Answer, { kind: 'reply' }>): number {
  switch (answer.kind) {
    case 'unproven':
      return answer.verdict.status;
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
  if ('session' in answer) line['session'] = answer.session;
  if (answer.kind === 'unproven') line['detail'] = answer.verdict.detail;
  line['result'] = resultOf(answer);
}

type Result = ErrorCode | 'ok' | 'repeated' | 'unauthenticated' | 'no-session' | 'out-of-order';

function resultOf(answer: Answer): Result {
  switch (answer.kind) {
    case 'reply':
      return answer.repeated ? 'repeated' : 'ok';
    case 'refused':
    case 'lost':
      return answer.code;
    case 'unproven':
      return 'unauthenticated';
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

/**
 * Of the bytes and of what belongs to them: the URL that they came to, which CONT or RespURI may have
 * changed, and their HMAC. Who knows the bytes alone repeats nothing.
 */
function digest(body: Uint8Array, beside = ''): string {
  return hash('sha1', Buffer.concat([Buffer.from(`${beside}\n`), body]), 'base64');
}

function overload(reason: string): Declined {
  return new Declined('overload', 503, reason, { 'retry-after': RETRY_AFTER });
}

function given({ status = 200, type, body, headers }: Reply): DeviceResponse {
  return respond(status, type, body, headers);
}

function ok(type: string, body: Uint8Array): DeviceResponse {
  return respond(200, type, body);
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

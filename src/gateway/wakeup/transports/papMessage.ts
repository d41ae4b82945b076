import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { contentType } from '../../../dm1/bootstrap/security.ts';
import { DragomanError } from '../../../support/errors.ts';
import { applicationOf, type Push } from './transport.ts';

const DECLARATION =
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">\n';

/** A push submission: control entity and content entity (WAP-247 Push Access Protocol, 8 and 9.2). */
export interface PapSubmission {
  /** With its boundary. */
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * @param address of the device, as push messages write it: `WAPPUSH=+4912/TYPE=PLMN@ppg.example`
 */
export function papSubmission(push: Push, address: string): PapSubmission {
  const boundary = boundaryFor(push);
  const application = applicationOf(push);
  const type =
    push.protection === undefined ? push.contentType : contentType(push.contentType, push.protection);
  const head = [
    `--${boundary}`,
    'Content-Type: application/xml; charset=UTF-8',
    '',
    controlEntity(push, address),
    `--${boundary}`,
    `Content-Type: ${type}`,
    ...(application === undefined ? [] : [`X-Wap-Application-Id: ${application}`]),
    `Content-Length: ${push.body.length}`,
    'Content-Transfer-Encoding: binary',
    '',
    '',
  ];
  return {
    contentType: `multipart/related; boundary="${boundary}"; type="application/xml"`,
    body: Buffer.concat([Buffer.from(head.join('\r\n')), push.body, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}

/** The push-message, valid by the DTD of PAP 2.1. */
export function controlEntity({ id, expiresAt }: Pick<Push, 'id' | 'expiresAt'>, address: string): string {
  // A UTC time without fractions is all that the DTD's Datetime knows.
  const before = new Date(expiresAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return (
    `${DECLARATION}<pap product-name="Dragoman">` +
    `<push-message push-id=${quoted(id)} deliver-before-timestamp=${quoted(before)}>` +
    `<address address-value=${quoted(address)}/>` +
    '<quality-of-service priority="high" delivery-method="unconfirmed"/>' +
    '</push-message></pap>\n'
  );
}

function quoted(text: string): string {
  return `"${text.replace(/[&<>"\t\n\r]/g, (char) => `&#${char.charCodeAt(0)};`)}"`;
}

/** None of the content: a delimiter inside binary data would cut it short. */
function boundaryFor({ id, body }: Push): string {
  const content = Buffer.from(body);
  for (let n = 0; ; n += 1) {
    const boundary = `dragoman.${id}.${n}`;
    if (!content.includes(boundary)) return boundary;
  }
}

/** What a push proxy gateway says to a submission: a code of 1000 to 5999 and perhaps why. */
export interface PapResult {
  readonly code: number;
  readonly text?: string;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
});
const LONGEST_TEXT = 200;

/**
 * Reads the answer of a push proxy gateway: push-response/response-result, or badmessage-response.
 *
 * @throws DragomanError `backend-failed` for what is none
 */
export function readPapResponse(body: Uint8Array): PapResult {
  const xml = Buffer.from(body).toString('utf8');
  const none = () => new DragomanError('backend-failed', 'The push proxy gateway answered no PAP document.');
  if (/<!ENTITY/.test(xml) || XMLValidator.validate(xml) !== true) throw none();
  const { pap } = parser.parse(xml) as { pap?: Record<string, unknown> };
  const response = pap?.['push-response'];
  const result = isRecord(response) ? response['response-result'] : pap?.['badmessage-response'];
  const code = isRecord(result) ? result['code'] : undefined;
  if (!isRecord(result) || typeof code !== 'string' || !/^[1-5]\d{3}$/.test(code)) throw none();
  const text = result['desc'];
  return {
    code: Number(code),
    ...(typeof text === 'string' && { text: text.replace(/\s+/g, ' ').slice(0, LONGEST_TEXT) }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

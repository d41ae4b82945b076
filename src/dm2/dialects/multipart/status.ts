import { DragomanError } from '../../../support/errors.ts';
import { essence, isSerialization } from '../../mediaTypes.ts';
import type { SerializationItem, StatusItem } from '../../packages.ts';
import type {
  ReadLimits,
  ReadStatusOptions,
  StatusReport,
  Tolerated,
  WireMessage,
  WrittenMessage,
} from '../dialect.ts';
import type { IdentityHeader } from '../identity.ts';
import { clientHeaders, lostAlerts, TEXT_TYPES } from '../text/message.ts';
import { readStatusLines, type StatusGrammar, statusData, writeStatusLines } from '../text/status.ts';
import { readTnds20, type Tnds20Style, writeTnds20 } from '../tnds20/document.ts';
import { isMultipart, type Part, readMultipart, writeMultipart } from './multipart.ts';

/** `Content-ID` of the part with the data of the status in that line, counted from 1. */
const CONTENT_ID = /^<status-(\d{1,6})>$/;

/**
 * A status report whose data follows as further parts (20§1.1). The draft does not say which part goes
 * with which status: ours say so by Content-ID; without it they are taken in order, for the read
 * commands answered, or, where those are not known, for the successes that report no location.
 */
export function readMultipartStatus(
  { headers, body }: WireMessage,
  grammar: StatusGrammar,
  limits: ReadLimits,
  { commands }: ReadStatusOptions,
): StatusReport & Tolerated {
  const contentType = headers['content-type'];
  const parts: Part[] =
    contentType !== undefined && isMultipart(contentType)
      ? readMultipart(body, contentType, limits)
      : [{ headers: {}, body }];
  const [report, ...data] = parts;
  if (report === undefined) throw new DragomanError('malformed', 'The multipart body has no parts.');
  const type = report.headers['content-type'];
  if (type !== undefined && essence(type) !== TEXT_TYPES.status) {
    throw new DragomanError('malformed', `The first part must be ${TEXT_TYPES.status}.`);
  }
  const { items, msgId, tolerated } = readStatusLines(report.body, grammar, limits);
  const status = [...items];
  const open = status
    .map((item, at) => ({ item, at }))
    .filter(({ item, at }) => item.sc < 300 && takesData(item, commands?.[at]?.verb))
    .map(({ at }) => at);
  for (const part of data) {
    const at = placeOf(part, open);
    const item = at === undefined ? undefined : status[at];
    if (at === undefined || item === undefined || item.MO !== undefined) {
      throw new DragomanError('malformed', 'A part of the report belongs to none of its statuses.');
    }
    status[at] = { ...item, MO: readPart(part, limits) };
  }
  return {
    package3: { Status: status },
    ...(msgId === undefined ? {} : { msgId }),
    tolerated: [...tolerated],
  };
}

function takesData(item: StatusItem, verb: string | undefined): boolean {
  return verb === undefined ? item.URI === undefined : verb === 'GET';
}

/** Index of the status that the part belongs to; taken from `open`. */
function placeOf({ headers }: Part, open: number[]): number | undefined {
  const number = CONTENT_ID.exec(headers['content-id'] ?? '')?.[1];
  if (number === undefined) return open.shift();
  const at = Number(number) - 1;
  const there = open.indexOf(at);
  if (there >= 0) open.splice(there, 1);
  return at;
}

function readPart({ headers, body }: Part, limits: ReadLimits): SerializationItem[] {
  const type = headers['content-type'];
  if (type !== undefined && essence(type) !== TEXT_TYPES.document && !isSerialization(type)) {
    throw new DragomanError('malformed', `Data within a report is ${TEXT_TYPES.document}.`);
  }
  return statusData(readTnds20(body, limits));
}

export function writeMultipartStatus(
  { package3, msgId }: StatusReport,
  grammar: StatusGrammar,
  style: Tnds20Style,
  identityHeader: IdentityHeader,
  deviceId: string,
): WrittenMessage {
  const lines = writeStatusLines(
    { items: package3.Status, ...(msgId === undefined ? {} : { msgId }) },
    grammar,
  );
  const lost = [...lines.lost, ...lostAlerts(package3.Alert)];
  const parts: Part[] = [];
  package3.Status.forEach(({ MO }, at) => {
    if (MO === undefined) return;
    const written = writeTnds20({ items: MO }, style);
    lost.push(...written.lost);
    parts.push({
      headers: { 'content-type': TEXT_TYPES.document, 'content-id': `<status-${at + 1}>` },
      body: written.body,
    });
  });
  if (parts.length === 0) {
    return { headers: clientHeaders(TEXT_TYPES.status, identityHeader, deviceId), body: lines.body, lost };
  }
  const { contentType, body } = writeMultipart([
    { headers: { 'content-type': TEXT_TYPES.status }, body: lines.body },
    ...parts,
  ]);
  return { headers: clientHeaders(contentType, identityHeader, deviceId), body, lost };
}

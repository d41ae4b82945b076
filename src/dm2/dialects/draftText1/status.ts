import type { Dialect } from '../dialect.ts';
import { clientHeaders, lostAlerts, lostData, TEXT_TYPES } from '../text/message.ts';
import { lineStatusReader, type StatusGrammar, writeStatusLines } from '../text/status.ts';
import { IDENTITY_HEADER } from './capabilities.ts';

/**
 * The example of a status report is 15 octets long by its own length line: the blank behind the code
 * and the last CR LF count, so both are written.
 *
 * The draft leaves the number of "Optional Feature Not Supported" open; that is the text of 406 in 1.x,
 * which the approved protocol uses otherwise (20§8).
 */
const GRAMMAR: StatusGrammar = Object.freeze({
  jsonData: false,
  blankBehindCode: true,
  codes: Object.freeze([
    { approved: 501, wire: 406, read: true },
    { approved: 406, wire: 415, read: false },
  ]),
});

export const status: Pick<Dialect, 'readStatus' | 'writeStatus'> = {
  readStatus: lineStatusReader(GRAMMAR),
  writeStatus: ({ package3, msgId }, deviceId) => {
    const { body, lost } = writeStatusLines(
      { items: package3.Status, ...(msgId === undefined ? {} : { msgId }) },
      GRAMMAR,
    );
    return {
      headers: clientHeaders(TEXT_TYPES.status, IDENTITY_HEADER, deviceId),
      body,
      lost: [...lost, ...package3.Status.flatMap(({ MO }) => lostData(MO)), ...lostAlerts(package3.Alert)],
    };
  },
};

import type { Dialect } from '../dialect.ts';
import { clientHeaders, lostAlerts, TEXT_TYPES } from '../text/message.ts';
import { lineStatusReader, type StatusGrammar, writeStatusLines } from '../text/status.ts';
import { fromTnds20 } from '../tnds20/document.ts';
import { writePairs } from '../tnds20/pairs.ts';
import { IDENTITY_HEADER, STYLE } from './capabilities.ts';

/** The draft puts the JSON object "in the status report"; ours stands behind the code, in its line. */
const GRAMMAR: StatusGrammar = Object.freeze({ jsonData: true, blankBehindCode: false, codes: [] });

export const status: Pick<Dialect, 'readStatus' | 'writeStatus'> = {
  readStatus: lineStatusReader(GRAMMAR),
  writeStatus: ({ package3, msgId }, deviceId) => {
    const notes: string[] = [];
    const { body, lost } = writeStatusLines(
      { items: package3.Status, ...(msgId === undefined ? {} : { msgId }) },
      GRAMMAR,
      ({ MO }) => {
        if (MO === undefined) return undefined;
        const document = fromTnds20({ items: MO }, STYLE);
        notes.push(...document.lost);
        return writePairs(document.json);
      },
    );
    return {
      headers: clientHeaders(TEXT_TYPES.status, IDENTITY_HEADER, deviceId),
      body,
      lost: [...lost, ...notes, ...lostAlerts(package3.Alert)],
    };
  },
};

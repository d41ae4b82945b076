import type { Dialect } from '../dialect.ts';
import { READ_LIMITS } from '../limits.ts';
import { readMultipartStatus, writeMultipartStatus } from '../multipart/status.ts';
import type { StatusGrammar } from '../text/status.ts';
import { IDENTITY_HEADER, STYLE } from './capabilities.ts';

const GRAMMAR: StatusGrammar = Object.freeze({ jsonData: false, blankBehindCode: false, codes: [] });

export const status: Pick<Dialect, 'readStatus' | 'writeStatus'> = {
  readStatus: (message, options = {}) =>
    readMultipartStatus(message, GRAMMAR, options.limits ?? READ_LIMITS, options),
  writeStatus: (report, deviceId) => writeMultipartStatus(report, GRAMMAR, STYLE, IDENTITY_HEADER, deviceId),
};

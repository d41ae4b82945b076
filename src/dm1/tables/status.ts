/** Status codes of SyncML and their part in DM 1.x (1x§6). */
export interface StatusRow {
  readonly code: number;
  readonly meaning: string;
  /** `used`: DM rules mention it; `plausible`: seen or possible; `sync`: data synchronisation only. */
  readonly dm: 'used' | 'plausible' | 'sync';
}

type Brief = readonly [code: number, dm: 'D' | 'd' | '-', meaning: string];

const ROWS: readonly Brief[] = [
  [101, 'd', 'in progress'],
  [200, 'D', 'OK; user said yes'],
  [201, '-', 'item added'],
  [202, 'D', 'accepted for processing'],
  [203, '-', 'non-authoritative response'],
  [204, 'd', 'no content'],
  [205, '-', 'reset content'],
  [206, '-', 'partial content'],
  [207, '-', 'conflict resolved with merge'],
  [208, '-', 'conflict resolved, client wins'],
  [209, '-', 'conflict resolved with duplicate'],
  [210, '-', 'deleted without archive'],
  [211, '-', 'item not deleted'],
  [212, 'D', 'authentication accepted for the session'],
  [213, 'D', 'chunked item accepted and buffered'],
  [214, 'D', 'operation cancelled by the user'],
  [215, 'D', 'not executed'],
  [216, 'D', 'atomic roll back OK'],
  [300, '-', 'multiple choices'],
  [301, '-', 'moved permanently'],
  [302, '-', 'found'],
  [303, '-', 'see other'],
  [304, 'D', 'not modified; user said no'],
  [305, '-', 'use proxy'],
  [400, 'D', 'bad request'],
  [401, 'D', 'invalid credentials'],
  [402, '-', 'payment required'],
  [403, 'D', 'forbidden'],
  [404, 'D', 'not found'],
  [405, 'D', 'command not allowed'],
  [406, 'D', 'optional feature not supported'],
  [407, 'D', 'missing credentials'],
  [408, 'D', 'request timeout'],
  [409, 'd', 'conflict'],
  [410, '-', 'gone'],
  [411, 'd', 'size required'],
  [412, 'D', 'incomplete command'],
  [413, 'D', 'request entity too large'],
  [414, 'D', 'URI too long'],
  [415, 'D', 'unsupported media type or format'],
  [416, 'D', 'requested size too big'],
  [417, 'd', 'retry later'],
  [418, 'D', 'already exists'],
  [419, '-', 'conflict resolved with server data'],
  [420, 'D', 'device full'],
  [421, '-', 'unknown search grammar'],
  [422, '-', 'bad CGI script'],
  [423, '-', 'soft-delete conflict'],
  [424, 'D', 'size mismatch'],
  [425, 'D', 'permission denied'],
  [426, 'd', 'partial item not accepted'],
  [427, '-', 'item not empty'],
  [428, '-', 'move failed'],
  [500, 'D', 'command failed'],
  [501, 'd', 'command not implemented'],
  [502, 'd', 'bad gateway'],
  [503, 'd', 'service unavailable'],
  [504, 'd', 'gateway timeout'],
  [505, 'D', 'DTD version not supported'],
  [506, 'd', 'processing error'],
  [507, 'D', 'atomic failed'],
  [508, '-', 'refresh required'],
  [509, '-', 'reserved'],
  [510, 'D', 'data store failure'],
  [511, 'd', 'server failure'],
  [512, '-', 'synchronization failed'],
  [513, 'D', 'protocol version not supported'],
  [514, '-', 'operation cancelled'],
  [516, 'D', 'atomic roll back failed'],
  [517, 'D', 'atomic response too large to fit'],
];

const DM = { D: 'used', d: 'plausible', '-': 'sync' } as const;

export const STATUS_CODES: ReadonlyMap<number, StatusRow> = new Map(
  ROWS.map(([code, dm, meaning]) => [code, Object.freeze({ code, meaning, dm: DM[dm] })]),
);

/** Codes that say that nothing more of the command is to come and that it was done (1x§6 class rule). */
export function isSuccess(code: number): boolean {
  return code >= 200 && code < 300 && code !== 214 && code !== 215 && code !== 216;
}

/** The peer wants credentials first. */
export function isAuthStatus(code: number): boolean {
  return code === 401 || code === 407;
}

/**
 * Reads a Status/Data. Real clients put vendor result codes here: 1200-1299 mean done (1x§5.3, §16.1),
 * higher ones failed; what is no number, or `0` from a device that wants credentials first, is 0.
 */
export function parseStatusCode(data: string): number {
  const text = data.trim();
  if (!/^\d{1,4}$/.test(text)) return 0;
  const code = Number(text);
  if (code >= 1200 && code < 1300) return 200;
  if (code >= 600) return 500;
  return code < 100 ? 0 : code;
}

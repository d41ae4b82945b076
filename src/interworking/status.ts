import { isSuccess } from '../dm1/tables/status.ts';

/** Status crosswalks between the generations, as tables (IW-STAT-1, IW-STAT-2). */

const same = (...codes: number[]): [number, number][] => codes.map((code) => [code, code]);
const to = (sc: number, ...codes: number[]): [number, number][] => codes.map((code) => [code, sc]);

/** DM 1.x status of a legacy device to the `sc` of a Status item (IW-STAT-1). */
const TO_DM2: ReadonlyMap<number, number> = new Map([
  ...to(200, 200, 201, 212, 213, 217),
  ...same(202, 204, 304),
  ...to(403, 214, 215, 425),
  ...to(401, 401, 407),
  ...same(404, 405, 408, 413, 414, 415),
  ...to(400, 400, 412),
  ...to(501, 406),
  ...to(500, 216, 418, 420, 424),
]);

/** `sc` of a DM 2.0 client to the Status of a legacy command (IW-STAT-2). */
const TO_DM1: ReadonlyMap<number, number> = new Map([
  ...same(200, 202),
  // The value is there, empty (204) or as cached (304): the legacy server gets it with a plain 200.
  ...to(200, 204, 304),
  ...to(425, 401, 403),
  ...same(400, 404, 405, 408, 413, 414, 415),
  ...to(415, 406),
  ...to(406, 501),
]);

/** Client and originator errors that 1.x itself defines (1x§6). */
const DM1_DEFINES: ReadonlySet<number> = new Set([
  400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 420, 424,
  425, 426,
]);

export function statusToDm2(code: number): number {
  const row = TO_DM2.get(code);
  if (row !== undefined) return row;
  if (code >= 400 && code < 500) return code;
  // LAWMO clients answer Exec with their result code, 1200 and up (1x§5.3).
  if (code >= 1200 && code < 1300) return 200;
  return code >= 200 && code < 300 ? 200 : 500;
}

export function statusToDm1(sc: number): number {
  const row = TO_DM1.get(sc);
  if (row !== undefined) return row;
  if (sc >= 400 && sc < 500) return DM1_DEFINES.has(sc) ? sc : 500;
  return sc >= 200 && sc < 300 ? 200 : 500;
}

/** Whether a DM 1.x status says that the command was done: 214 to 216 are no successes though they begin with 2. */
export function succeeded(code: number): boolean {
  return isSuccess(code);
}

/** Alert codes of DM 1.x (1x§4.1): what an Alert's Data says. */
export interface AlertCodeRow {
  readonly code: string;
  readonly name: string;
  /** Who may send it. */
  readonly from: 'server' | 'client' | 'both';
  /** What a session does with it. */
  readonly role: 'ui' | 'opening' | 'next-message' | 'abort' | 'event' | 'object-error';
}

export const ALERT_CODES: readonly AlertCodeRow[] = Object.freeze([
  { code: '1100', name: 'DISPLAY', from: 'server', role: 'ui' },
  { code: '1101', name: 'CONFIRM OR REJECT', from: 'server', role: 'ui' },
  { code: '1102', name: 'TEXT INPUT', from: 'server', role: 'ui' },
  { code: '1103', name: 'SINGLE CHOICE', from: 'server', role: 'ui' },
  { code: '1104', name: 'MULTIPLE CHOICE', from: 'server', role: 'ui' },
  { code: '1200', name: 'SERVER-INITIATED MGMT', from: 'client', role: 'opening' },
  { code: '1201', name: 'CLIENT-INITIATED MGMT', from: 'client', role: 'opening' },
  { code: '1222', name: 'NEXT MESSAGE', from: 'both', role: 'next-message' },
  { code: '1223', name: 'SESSION ABORT', from: 'both', role: 'abort' },
  { code: '1224', name: 'CLIENT EVENT', from: 'client', role: 'event' },
  { code: '1225', name: 'NO END OF DATA', from: 'both', role: 'object-error' },
  { code: '1226', name: 'GENERIC ALERT', from: 'client', role: 'event' },
] satisfies AlertCodeRow[]);

const byCode = new Map(ALERT_CODES.map((row) => [row.code, row]));

/** The row of an alert code, blanks around it tolerated; `undefined` for reserved and DS codes. */
export function alertRow(code: string): AlertCodeRow | undefined {
  return byCode.get(code.trim());
}

/** 1100-1104: asks the user something. */
export function isUiAlert(code: string): boolean {
  return alertRow(code)?.role === 'ui';
}

import { CLIENT_CHECKS } from './clientChecks.ts';
import { type ClientTrialOptions, tryClient } from './clientTrial.ts';
import { type ConformanceReport, judge } from './report.ts';
import { SERVER_CHECKS } from './serverChecks.ts';
import { type ServerTrialOptions, tryServer } from './serverTrial.ts';

/** The 26 items of a DM 2.0 server, tried as one of its clients (20§13). */
export async function serverConformance(options: ServerTrialOptions): Promise<ConformanceReport> {
  return judge('server', await tryServer(options), SERVER_CHECKS);
}

/** The 26 items of a DM 2.0 client, tried as one of its servers (20§13). */
export async function clientConformance(options: ClientTrialOptions): Promise<ConformanceReport> {
  return judge('client', await tryClient(options), CLIENT_CHECKS);
}

export type { ClientTrialOptions } from './clientTrial.ts';
export { FEATURES, type Role, scrItems } from './features.ts';
export { asJson, asJunit, asMarkdown, asText, summary } from './formats.ts';
export { DragomanOperator } from './operator.ts';
export type { ConformanceReport } from './report.ts';
export type { ServerTrialOptions } from './serverTrial.ts';

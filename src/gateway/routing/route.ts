import { matchesGlob } from '../../support/glob.ts';

/** The backend that serves a device which no route names. */
export const DEFAULT_BACKEND = 'console';

/** Globs (`*`, `?`); an absent member matches every device. */
export interface RouteMatch {
  readonly protocol?: 'dm1' | 'dm2';
  readonly deviceId?: string;
  readonly man?: string;
  readonly mod?: string;
  readonly fwv?: string;
}

export interface Route {
  readonly match: RouteMatch;
  readonly backend: string;
}

/** What is known of a device when its session is routed; a glob never matches an unknown member. */
export interface RouteSubject {
  readonly protocol: 'dm1' | 'dm2';
  readonly deviceId: string;
  readonly man?: string;
  readonly mod?: string;
  readonly fwv?: string;
}

const GLOBBED = ['deviceId', 'man', 'mod', 'fwv'] as const;

/** Name of the backend for this device: the first route that matches, else the built-in one. */
export function route(routes: readonly Route[], subject: RouteSubject): string {
  return routes.find(({ match }) => applies(match, subject))?.backend ?? DEFAULT_BACKEND;
}

function applies(match: RouteMatch, subject: RouteSubject): boolean {
  if (match.protocol !== undefined && match.protocol !== subject.protocol) return false;
  for (const name of GLOBBED) {
    const glob = match[name];
    if (glob === undefined) continue;
    const known = subject[name];
    if (known === undefined || !matchesGlob(glob, known)) return false;
  }
  return true;
}

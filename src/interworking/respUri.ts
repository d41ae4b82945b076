import type { SessionContext } from './context.ts';

const TICKET = /[?&]session=([A-Za-z0-9_-]{22})(?=$|[&#])/;

/**
 * Where a legacy device sends its next message. After 212 it proves itself no more (1x§9.4), so the URL
 * holds what nobody else can know; a device that proves each message needs none.
 */
export function respUri({ deviceUrl, ticket }: Pick<SessionContext, 'deviceUrl' | 'ticket'>): string {
  if (ticket === undefined) return deviceUrl;
  return `${deviceUrl}${deviceUrl.includes('?') ? '&' : '?'}session=${ticket}`;
}

/** The ticket in a URL that a device posted to, wherever in its query. */
export function ticketOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : TICKET.exec(url)?.[1];
}

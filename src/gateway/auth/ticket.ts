import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionContext } from '../../interworking/context.ts';
import { ticketOf } from '../../interworking/respUri.ts';

const TICKET_BYTES = 16;

/** What tells the messages of one session from those of a stranger after 212 (1x§9.4): 22 characters. */
export function newTicket(): string {
  return randomBytes(TICKET_BYTES).toString('base64url');
}

/** Whether a URL that was posted to bears the ticket of this session; its time tells nothing about where it differs. */
export function holdsTicket({ ticket }: Pick<SessionContext, 'ticket'>, url: string | undefined): boolean {
  const given = ticketOf(url);
  if (ticket === undefined || given === undefined) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(ticket));
}

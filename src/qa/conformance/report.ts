import type { LoggedMessage } from '../../simulator/eventLog.ts';
import { type Role, type ScrItem, scrItems } from './features.ts';

export type Verdict = 'pass' | 'fail' | 'not supported';

/** What was found about one feature, and the messages that show it. */
export interface Finding {
  readonly verdict: Verdict;
  readonly detail: string;
  readonly exchange: readonly LoggedMessage[];
}

/** A look at the evidence of one trial; pure. */
export type Check<Evidence> = (evidence: Evidence) => Finding;

export interface ItemResult extends Finding {
  readonly item: ScrItem;
  /** False: the item hangs on an optional one that the peer does not have. */
  readonly asked: boolean;
}

export interface ConformanceReport {
  readonly role: Role;
  readonly items: readonly ItemResult[];
  /** Every mandatory item that is asked passed, and no optional one failed. */
  readonly conforms: boolean;
}

export function pass(detail: string, ...exchange: readonly (LoggedMessage | undefined)[]): Finding {
  return { verdict: 'pass', detail, exchange: present(exchange) };
}

export function fail(detail: string, ...exchange: readonly (LoggedMessage | undefined)[]): Finding {
  return { verdict: 'fail', detail, exchange: present(exchange) };
}

export function unsupported(detail: string, ...exchange: readonly (LoggedMessage | undefined)[]): Finding {
  return { verdict: 'not supported', detail, exchange: present(exchange) };
}

function present(exchange: readonly (LoggedMessage | undefined)[]): LoggedMessage[] {
  return exchange.filter((message) => message !== undefined);
}

/** Walks the items of a role over the evidence; `checks` has one for every feature number. */
export function judge<Evidence>(
  role: Role,
  evidence: Evidence,
  checks: Readonly<Record<number, Check<Evidence>>>,
): ConformanceReport {
  const items: ItemResult[] = [];
  for (const item of scrItems(role)) {
    const needed = items.find(({ item: { id } }) => id === item.needs);
    const asked = needed === undefined || needed.verdict !== 'not supported';
    const check = checks[item.feature.number];
    if (!check) throw new TypeError(`No check looks at ${item.id}`);
    const finding = asked ? check(evidence) : unsupported(`not asked without ${item.needs}`);
    items.push({ item, asked, ...finding });
  }
  return { role, items, conforms: items.every(inOrder) };
}

function inOrder({ item, asked, verdict }: ItemResult): boolean {
  return verdict === 'pass' || (verdict === 'not supported' && !(item.mandatory && asked));
}

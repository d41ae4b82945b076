import type { Item, Meta, Results, Status } from '../message.ts';
import { isAuthStatus, isSuccess, parseStatusCode } from '../tables/status.ts';
import type { CommandAnswer, PlannedCommand } from './planned.ts';

interface Verdict {
  readonly code: number;
  /** Item URIs it speaks of; none: the whole command. */
  readonly refs: readonly string[];
}

/** A path as far as peers agree on it: without leading `./` or `/` and trailing `/` (1x§16.1). */
export function comparableUri(uri: string): string {
  const trimmed = uri.trim().replace(/^\.?\//, '');
  return trimmed.length > 1 && trimmed.endsWith('/') ? trimmed.slice(0, -1) : trimmed;
}

/** The URI that an Item is known by: its Target, else its Source. */
export function itemUri(item: Item): string {
  return item.target?.uri ?? item.source?.uri ?? '';
}

/** A command that was sent and what came back for it so far. */
export class Pending {
  readonly command: PlannedCommand;
  readonly #verdicts: Verdict[] = [];
  readonly #results: Item[] = [];
  readonly #statusItems: Item[] = [];
  readonly #uris: readonly string[];
  /** Said to be in progress (101), which is no final answer (1x§2.6). */
  #inProgress = false;
  #group: number | undefined;

  constructor(command: PlannedCommand) {
    this.command = command;
    this.#uris = command.items.map((item) => comparableUri(itemUri(item)));
  }

  get answered(): boolean {
    return this.#verdicts.length > 0;
  }

  /** Only told to authenticate first, or told nothing: to be sent again once we did (1x§9.4 rule 7). */
  get refusedForAuth(): boolean {
    return this.#verdicts.every(({ code }) => code === 0 || isAuthStatus(code));
  }

  addresses(uri: string): boolean {
    return this.#uris.includes(comparableUri(uri));
  }

  /** Takes note of what was said to its group as a whole. */
  inGroupOf(code: number): void {
    this.#group = code;
  }

  /** Takes a Status; returns what was odd about it. */
  accept(status: Status): string | undefined {
    const code = parseStatusCode(status.code);
    if (code > 0 && code < 200) {
      this.#inProgress = true;
      return `Status ${code} is no final answer`;
    }
    const named = status.items.filter((item) => item.data === undefined).map(itemUri);
    const refs = [...status.targetRefs, ...status.sourceRefs];
    const places = (refs.length > 0 ? refs : named)
      .map(comparableUri)
      .filter((uri) => this.#uris.includes(uri));
    this.#verdicts.push({ code, refs: this.#uris.length > 1 ? places : [] });
    for (const item of status.items)
      if (item.data !== undefined || !this.addresses(itemUri(item))) this.#statusItems.push(item);
    return String(code) === status.code.trim() ? undefined : `Status "${status.code}" read as ${code || 500}`;
  }

  /** Gives a code to a command whose own Status is missing but implied by that of its group. */
  imply(code: number): void {
    if (!this.answered) this.#verdicts.push({ code, refs: [] });
  }

  take(results: Results, items: readonly Item[]): void {
    const fallback = results.sourceRef ?? results.targetRef ?? this.command.items[0]?.target?.uri ?? '';
    for (const item of items) this.#results.push(completeResult(item, results.meta, fallback));
  }

  /** Forgets all answers, because the command is sent again. */
  reset(): void {
    this.#verdicts.length = 0;
    this.#results.length = 0;
    this.#statusItems.length = 0;
    this.#inProgress = false;
    this.#group = undefined;
  }

  answer(): CommandAnswer {
    const failure = this.#verdicts.find(({ code }) => !isSuccess(code));
    const code = (failure ?? this.#verdicts[0])?.code ?? this.#implied();
    return {
      code: code === undefined || code === 0 ? 500 : code,
      items: this.command.items.map((item, at) => ({ uri: itemUri(item), code: this.#itemCode(at) })),
      results: this.#results,
      statusItems: this.#statusItems,
      answered: code !== undefined,
      ...(this.#group !== undefined && { group: this.#group }),
    };
  }

  /** Without a Status, Results still say that a Get was done, and 101 that a command was accepted. */
  #implied(): number | undefined {
    if (this.#results.length > 0) return 200;
    return this.#inProgress ? 202 : undefined;
  }

  #itemCode(at: number): number {
    const uri = this.#uris[at] ?? '';
    const own = this.#verdicts.filter(({ refs }) => refs.includes(uri));
    const said = own.length > 0 ? own : this.#verdicts.filter(({ refs }) => refs.length === 0);
    const code = (said.find(({ code }) => !isSuccess(code)) ?? said[0])?.code;
    if (code !== undefined) return code || 500;
    return this.#results.some((item) => comparableUri(itemUri(item)) === uri) ? 200 : 500;
  }
}

/** Results/Meta is inherited by its Items; an Item without address is that of the request (1x§1.4, §3.2). */
function completeResult(item: Item, meta: Meta | undefined, fallback: string): Item {
  const source = item.source ?? item.target ?? { uri: fallback };
  if (item.source && !meta) return item;
  return { ...item, source, ...((meta || item.meta) && { meta: { ...meta, ...item.meta } }) };
}

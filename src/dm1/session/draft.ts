import { measure, measureEnvelope } from '../codec.ts';
import type { BodyElement, Encoding, SyncHdr, SyncMLMessage } from '../message.ts';
import { storedElementBytes } from '../storedData.ts';
import type { Sizing } from './planned.ts';

/** Room for a Cred where nobody says how much it takes. */
const CRED_BYTES = 360;

/** Makes an element once its CmdID is known. */
export type Maker<E extends BodyElement = BodyElement> = (cmdId: string) => E;

/** A message being composed under the peer's MaxMsgSize (1x§1.3): elements are added while they fit. */
export class Draft {
  readonly header: SyncHdr;
  readonly #body: BodyElement[] = [];
  readonly #sizing: Sizing;
  readonly #encoding: Encoding;
  #room: number;
  #free = 0;
  #lastId = 0;

  /** `presents`: a Cred is added after the message was composed. */
  constructor(
    header: SyncHdr,
    sizing: Sizing,
    encoding: Encoding,
    limit: number | undefined,
    presents: boolean,
  ) {
    this.header = header;
    this.#sizing = sizing;
    this.#encoding = encoding;
    this.#room =
      limit === undefined
        ? Number.POSITIVE_INFINITY
        : limit -
          (sizing.measureEnvelope?.(header) ?? measureEnvelope({ header, final: true }, encoding)) -
          (presents ? (sizing.credBytes ?? CRED_BYTES) : 0);
  }

  get room(): number {
    return this.#room;
  }

  /** Takes the present room as that of a message without content. */
  markFree(): void {
    this.#free = this.#room;
  }

  /** Whether a message without content could. */
  couldHold(element: BodyElement): boolean {
    return this.measure(element) <= this.#free;
  }

  /** More than half of what an empty message could hold. */
  get mostlyFree(): boolean {
    return this.#room * 2 > this.#free;
  }

  get length(): number {
    return this.#body.length;
  }

  /** The next CmdID; each call uses one up (1x§1.4: unique, never 0). */
  id(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }

  measure(element: BodyElement): number {
    if (this.#room === Number.POSITIVE_INFINITY) return 0;
    return this.#sizing.measure?.(element) ?? measure(element, this.#encoding);
  }

  /** Adds whether or not it fits: for what no message may lack. */
  add<E extends BodyElement>(make: Maker<E>): E {
    const element = make(this.id());
    this.#room -= this.measure(element);
    this.#body.push(element);
    return element;
  }

  /** Adds if `keep` bytes stay free behind it; else leaves the draft as it was. */
  tryAdd<E extends BodyElement>(make: Maker<E>, keep = 0): E | undefined {
    const element = make(String(this.#lastId + 1));
    // What is too large for memory is never one message, whatever the peer would take.
    if (this.#room === Number.POSITIVE_INFINITY && storedElementBytes(element) > 0) return undefined;
    const size = this.measure(element);
    if (size + keep > this.#room) return undefined;
    this.#lastId += 1;
    this.#room -= size;
    this.#body.push(element);
    return element;
  }

  /** Adds an element that was built and measured elsewhere with ids from `id()`. */
  put(element: BodyElement, size: number): void {
    this.#room -= size;
    this.#body.push(element);
  }

  message(final: boolean): SyncMLMessage {
    return { header: this.header, body: this.#body, final };
  }
}

/** One HTTP body that a simulated peer sent or received. */
export interface LoggedMessage {
  readonly direction: 'sent' | 'received';
  readonly bytes: Uint8Array;
  /** The bytes as text, or a hexadecimal dump of binary ones. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly contentType: string;
  readonly url: string;
  /** HTTP status, for answers. */
  readonly status?: number;
  /** HTTP method, for requests. */
  readonly method?: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is known of a message beside its body and type. */
export type MessageFrame = Pick<LoggedMessage, 'status' | 'method' | 'headers'>;

export type OnMessage = (message: LoggedMessage) => void;

/** Every message of a peer, in order, and who wants to hear of them. */
export class EventLog {
  readonly messages: LoggedMessage[] = [];
  readonly #onMessage: OnMessage | undefined;
  readonly #keep: boolean;

  /** `keep: false` remembers nothing: for load tests. */
  constructor(onMessage?: OnMessage, keep = true) {
    this.#onMessage = onMessage;
    this.#keep = keep;
  }

  add(
    direction: LoggedMessage['direction'],
    bytes: Uint8Array,
    contentType: string,
    url: string,
    frame: MessageFrame,
  ): void {
    if (!this.#keep && !this.#onMessage) return;
    const message: LoggedMessage = {
      direction,
      bytes,
      text: /wbxml|octet|^image/.test(contentType)
        ? Buffer.from(bytes).toString('hex')
        : Buffer.from(bytes).toString('utf8'),
      at: Date.now(),
      contentType,
      url,
      ...frame,
    };
    if (this.#keep) this.messages.push(message);
    this.#onMessage?.(message);
  }
}

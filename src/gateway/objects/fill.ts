import type { BodyElement, Item, SyncMLMessage } from '../../dm1/message.ts';
import type { Package3 } from '../../dm2/packages.ts';
import { type Content, contentParts, withStored } from '../../interworking/content.ts';
import type { BackendRequest } from '../../interworking/script.ts';
import { MARK_START, parseStoredMark, type StoredBytes } from '../../mo/stored.ts';

export type ReadStored = (stored: StoredBytes) => Promise<Uint8Array>;

export function holdsStored({ body }: SyncMLMessage): true | undefined {
  const holds = body.some((element) => 'items' in element && element.items.some(({ stored }) => stored));
  return holds || undefined;
}

/** The message with the bytes that its Items only name: what goes out. */
export async function fillStored(message: SyncMLMessage, read: ReadStored): Promise<SyncMLMessage> {
  const body: BodyElement[] = [];
  for (const element of message.body) {
    if (!('items' in element)) {
      body.push(element);
      continue;
    }
    const items: Item[] = [];
    for (const item of element.items) {
      const { stored, ...rest } = item;
      if (!stored) {
        items.push(item);
        continue;
      }
      const bytes = await read(stored);
      const data = stored.text ? Buffer.from(bytes).toString('base64') : bytes;
      items.push({ ...rest, data });
    }
    body.push({ ...element, items });
  }
  return { ...message, body };
}

/** A request to a backend with all bytes in it that the script only named. */
export async function fillRequest(send: BackendRequest, read: ReadStored): Promise<BackendRequest> {
  if (send.protocol === 'dm1') {
    return holdsStored(send.message) ? { ...send, message: await fillStored(send.message, read) } : send;
  }
  if (!('package3' in send) || !send.package3.Status.some(({ MO }) => MO)) return send;
  const text = JSON.stringify(send.package3);
  if (!text.includes(MARK_START)) return send;
  let filled = '';
  for await (const piece of pieces(withStored(Buffer.from(text, 'utf8')), read)) filled += piece;
  return { ...send, package3: JSON.parse(filled) as Package3 };
}

async function* pieces(content: Content, read: ReadStored): AsyncGenerator<string> {
  for (const part of contentParts(content)) {
    if (part instanceof Uint8Array) yield Buffer.from(part).toString('utf8');
    else yield Buffer.from(await read(part.stored)).toString('base64');
  }
}

/** The converse of what the codec does with stored Data: a journaled message names it by its mark. */
export function recallStored(message: SyncMLMessage): SyncMLMessage {
  const recall = (item: Item): Item => {
    const { data, ...rest } = item;
    const text = typeof data === 'string' ? data : data && Buffer.from(data).toString('utf8');
    const stored = text === undefined ? undefined : parseStoredMark(text);
    return stored ? { ...rest, stored } : item;
  };
  const body = message.body.map(
    (element): BodyElement =>
      'items' in element ? { ...element, items: element.items.map(recall) } : element,
  );
  return { ...message, body };
}

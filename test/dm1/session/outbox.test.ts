import { expect, it } from 'vitest';
import { defaultEncoding, encodeMessage, measure } from '../../../src/dm1/codec.ts';
import type { BodyElement, Item, SyncHdr } from '../../../src/dm1/message.ts';
import { Draft } from '../../../src/dm1/session/draft.ts';
import { fillParts, type Part } from '../../../src/dm1/session/outbox.ts';

const HEADER: SyncHdr = {
  verDTD: '1.2',
  verProto: 'DM/1.2',
  sessionId: '1',
  msgId: '1',
  target: { uri: 'a' },
  source: { uri: 'b' },
};

/** Sends one Results of many Items in messages of `limit` bytes; counts the Items that were measured on the way. */
function send(form: 'xml' | 'wbxml', count: number, limit: number) {
  const encoding = defaultEncoding(form, '1.2');
  const items = Array.from({ length: count }, (_, i): Item => ({ source: { uri: `./A/${i}` }, data: 'x' }));
  const part: Part = {
    items,
    make: (cmdId, some): BodyElement => ({ kind: 'Results', cmdId, msgRef: '1', cmdRef: '1', items: some }),
  };
  const queue = [part];
  let measured = 0;
  const sent: string[] = [];
  let largest = 0;
  while (queue.length > 0) {
    const sizing = {
      measure: (element: BodyElement) => {
        if (element.kind === 'Results') measured += element.items.length;
        return measure(element, encoding);
      },
    };
    const draft = new Draft(HEADER, sizing, encoding, limit, false);
    draft.markFree();
    const options = { keep: 0, maxObjSize: undefined, note: () => {} };
    for (const { element } of fillParts(draft, queue, options)) {
      if (element.kind === 'Results') sent.push(...element.items.map(({ source }) => source?.uri ?? ''));
    }
    largest = Math.max(largest, encodeMessage(draft.message(queue.length === 0), encoding).length);
  }
  expect(sent).toEqual(items.map(({ source }) => source?.uri));
  expect(largest).toBeLessThanOrEqual(limit);
  return measured;
}

it.each(['xml', 'wbxml'] as const)('a long list of Results costs each message the same, in %s', (form) => {
  const few = send(form, 500, 2000);
  const many = send(form, 4000, 2000);
  expect(few).toBeGreaterThan(500);
  expect(many / few).toBeLessThan(9);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, defaultEncoding, encodeMessage } from '../../src/dm1/codec.ts';
import type { Item, Meta, SyncMLMessage } from '../../src/dm1/message.ts';
import { type OpenChunks, transcoded } from '../../src/dm1/transcode.ts';

const header = {
  verDTD: '1.2',
  verProto: 'DM/1.2',
  sessionId: '1',
  msgId: '1',
  target: { uri: 'd' },
  source: { uri: 's' },
};
const message = (kind: 'Add' | 'Results', item: Item, meta?: Meta): SyncMLMessage => ({
  header,
  body: [
    { kind: 'Alert', cmdId: '1', code: '1222', items: [] },
    { kind, cmdId: '2', items: [item], ...(meta && { meta }) },
  ],
  final: item.moreData !== true,
});

/** As it arrives at a peer of the other encoding, the codecs of both in between. */
function across(sent: SyncMLMessage, to: 'xml' | 'wbxml', open?: OpenChunks) {
  const from = to === 'xml' ? 'wbxml' : 'xml';
  const came = decodeMessage(encodeMessage(sent, defaultEncoding(from, '1.2')), from).message;
  const { message: written, open: left } = transcoded(came, to, open);
  const bytes = encodeMessage(written, defaultEncoding(to, '1.2'));
  return { arrived: decodeMessage(bytes, to).message, open: left };
}

function itemOf({ body }: SyncMLMessage): Item {
  const [, command] = body;
  return (command as { items: readonly Item[] }).items[0]!;
}

/** Pieces of at least one byte each. */
const pieces = fc
  .tuple(
    fc.uint8Array({ minLength: 2, maxLength: 40 }),
    fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
  )
  .map(([bytes, cuts]) => cut(bytes, cuts));

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [...new Set([0, ...cuts.filter((at) => at < bytes.length), bytes.length])];
  edges.sort((a, b) => a - b);
  return edges.slice(1).map((end, i) => bytes.slice(edges[i], end));
}

/** Chunks of one object as WBXML brings them and as they come out of XML. */
function chunksAcross(kind: 'Add' | 'Results', parts: readonly Uint8Array[], meta: Meta): Item[] {
  let open: OpenChunks | undefined;
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  return parts.map((data, i) => {
    const last = i === parts.length - 1;
    const item: Item = {
      [kind === 'Add' ? 'target' : 'source']: { uri: './x' },
      meta: { ...meta, ...(i === 0 && { size }) },
      data,
      ...(!last && { moreData: true }),
    };
    const one = across(message(kind, item), 'xml', open);
    expect(one.arrived.final).toBe(last);
    open = one.open;
    if (last) expect(open).toBeUndefined();
    return itemOf(one.arrived);
  });
}

describe('a large object that changes its encoding', () => {
  it.each(['Add', 'Results'] as const)(
    'keeps its bytes, chunk by chunk, as base64 of the size that is announced: %s [IW-REL-1] [IW-VAL-3]',
    (kind) => {
      fc.assert(
        fc.property(pieces, (parts) => {
          fc.pre(parts.length > 1);
          const items = chunksAcross(kind, parts, { format: 'bin', type: 'image/png' });
          const text = items.map(({ data }) => data).join('');
          expect(Buffer.from(text, 'base64')).toEqual(Buffer.concat(parts));
          expect(items[0]!.meta).toMatchObject({ format: 'b64', type: 'image/png', size: text.length });
          for (const { meta } of items.slice(1)) expect(meta?.size).toBeUndefined();
        }),
      );
    },
  );

  it('keeps its characters, wherever a text was cut [IW-REL-1] [IW-VAL-4]', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '<', 'é', '€', '😀'), minLength: 2, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 6 }),
        (text, cuts) => {
          const items = chunksAcross('Add', cut(Buffer.from(text), cuts), {
            format: 'chr',
            type: 'text/plain',
          });
          expect(items.map(({ data }) => data ?? '').join('')).toBe(text);
          expect(items[0]!.meta).toEqual({
            format: 'chr',
            type: 'text/plain',
            size: Buffer.byteLength(text),
          });
        },
      ),
    );
  });

  it('that is broken off leaves nothing to the next one [IW-REL-1]', () => {
    const first = { target: { uri: './x' }, meta: { format: 'bin', size: 9 }, data: Buffer.from('abcd') };
    const { open } = across(message('Add', { ...first, moreData: true }), 'xml');
    expect(open?.waiting).toBe(Buffer.from('d').toString('base64'));
    const whole = { target: { uri: './y' }, meta: { format: 'bin' }, data: Buffer.from('xyz') };
    expect(itemOf(across(message('Add', whole), 'xml', open).arrived).data).toBe(
      Buffer.from('xyz').toString('base64'),
    );
    const anew = { ...first, meta: { format: 'bin', size: 3 }, data: Buffer.from('xyz') };
    expect(itemOf(across(message('Add', anew), 'xml', open).arrived).data).toBe(
      Buffer.from('xyz').toString('base64'),
    );
  });
});

it.each([
  ['in the Item', { format: 'bin', type: 'image/png' }, undefined],
  ['of the command', undefined, { format: 'bin', type: 'image/png' }],
])(
  'base64 under Format bin %s is called so in WBXML, where bin means raw bytes [IW-REL-1]',
  (_, own, all) => {
    const item = { target: { uri: './x' }, data: 'AAEC', ...(own && { meta: own }) };
    const { arrived } = across(message('Add', item, all), 'wbxml');
    expect(itemOf(arrived)).toMatchObject({ meta: { format: 'b64', type: 'image/png' }, data: 'AAEC' });
  },
);

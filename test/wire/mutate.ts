/** Numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Random = () => number;
type Mutation = (bytes: Buffer, random: Random) => Buffer;

const upTo = (random: Random, n: number) => Math.floor(random() * n);

/** Pieces that parsers stumble over. */
const SNIPPETS: readonly Buffer[] = [
  '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
  '&b;',
  '<![CDATA[',
  ']]>',
  '<!--',
  '<?xml version="1.0" encoding="utf-16"?>',
  '&#0;',
  '&#x110000;',
  '\u0000',
  '\ufeff',
  '99999999999999999999',
  '-1',
  'NaN',
  '1e999',
  '[[[[[[[[',
  '{"__proto__":{"x":1}}',
  '\\ud800',
  '"CMD"',
  'null',
  '<Item>',
  '</SyncBody>',
  '<Final/>',
  '<MoreData/>',
].map((text) => Buffer.from(text));
const BYTES: readonly number[] = [
  0x00, 0x01, 0x02, 0x03, 0x43, 0x80, 0x83, 0x84, 0xc3, 0xff, 0x22, 0x3c, 0x7b, 0x5b,
];

const splice = (bytes: Buffer, at: number, remove: number, insert: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);

const MUTATIONS: readonly Mutation[] = [
  function flipBits(bytes, random) {
    const out = Buffer.from(bytes);
    for (let n = 1 + upTo(random, 4); n > 0; n -= 1) {
      const at = upTo(random, out.length);
      out[at] = (out[at] ?? 0) ^ (1 << upTo(random, 8));
    }
    return out;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, upTo(random, bytes.length));
  },
  function insertSnippet(bytes, random) {
    return splice(bytes, upTo(random, bytes.length), 0, SNIPPETS[upTo(random, SNIPPETS.length)] as Buffer);
  },
  function insertBytes(bytes, random) {
    const bad = Array.from({ length: 1 + upTo(random, 6) }, () => BYTES[upTo(random, BYTES.length)] ?? 0);
    return splice(bytes, upTo(random, bytes.length), upTo(random, 3), Buffer.from(bad));
  },
  function duplicate(bytes, random) {
    const from = upTo(random, bytes.length);
    const piece = bytes.subarray(from, from + 1 + upTo(random, 200));
    const times = 1 + upTo(random, 5);
    return splice(bytes, from, 0, Buffer.concat(Array.from({ length: times }, () => piece)));
  },
  function swap(bytes, random) {
    const [a = 0, b = 0, c = 0] = [0, 0, 0].map(() => upTo(random, bytes.length)).sort((x, y) => x - y);
    return Buffer.concat([
      bytes.subarray(0, a),
      bytes.subarray(b, c),
      bytes.subarray(a, b),
      bytes.subarray(c),
    ]);
  },
  function drop(bytes, random) {
    return splice(bytes, upTo(random, bytes.length), 1 + upTo(random, 60), Buffer.alloc(0));
  },
  function blowUpNumber(bytes, random) {
    const numbers = [...bytes.toString('latin1').matchAll(/\d+/g)];
    const found = numbers[upTo(random, numbers.length)];
    if (!found) return bytes.subarray(1);
    const grown =
      ['0', '4294967296', '9'.repeat(1 + upTo(random, 400)), '-5', '0x1F', ''][upTo(random, 6)] ?? '';
    return splice(bytes, found.index, found[0].length, Buffer.from(grown));
  },
  function nest(bytes, random) {
    const depth = 1 + upTo(random, 400);
    const [open, close] = [
      ['[', ']'],
      ['{"a":', '}'],
      ['<Sequence>', '</Sequence>'],
      ['<Item>', '</Item>'],
    ][upTo(random, 4)] as [string, string];
    const at = upTo(random, bytes.length);
    return splice(
      bytes,
      at,
      0,
      Buffer.from(open.repeat(depth) + (random() < 0.5 ? close.repeat(depth) : '')),
    );
  },
  function setByte(bytes, random) {
    const out = Buffer.from(bytes);
    out[upTo(random, out.length)] = BYTES[upTo(random, BYTES.length)] ?? 0;
    return out;
  },
];

/** One to three mutations of a message. */
export function mutate(message: Uint8Array, random: Random): Buffer {
  let bytes = Buffer.from(message);
  for (let n = 1 + upTo(random, 3); n > 0 && bytes.length > 0; n -= 1) {
    bytes = Buffer.from(MUTATIONS[upTo(random, MUTATIONS.length)]?.(bytes, random) ?? bytes);
  }
  return bytes;
}

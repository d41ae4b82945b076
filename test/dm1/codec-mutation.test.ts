import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { DragomanError } from '../../src/support/errors.ts';
import { syncMLMessage, wbxmlEncoding } from './arbitrary.ts';
import { captures } from './captures.ts';

/** A small generator, so that a failure names the seed that repeats it. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SPICE = Buffer.from('<>/&;"\'![]-?x:\0\x01\x03\x04\x40\x43\x83\xc3\xff\x7f', 'latin1');

/** Some bytes changed, doubled, moved or cut. */
function damage(source: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(source);
  for (let i = 1 + random(4); i > 0 && bytes.length > 0; i--) {
    const at = random(bytes.length);
    const to = Math.min(bytes.length, at + 1 + random(24));
    switch (random(6)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = SPICE[random(SPICE.length)]!;
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          SPICE.subarray(random(9), 9 + random(9)),
          bytes.subarray(at),
        ]);
        break;
      default:
        bytes[at] = bytes[at]! ^ (1 << random(8));
    }
  }
  return bytes;
}

/** Whether the work succeeds; nothing but our own refusal may come out of it. */
function survives(work: () => void, label: string): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof DragomanError)) throw new Error(label, { cause: error });
    expect(['malformed', 'too-large'], `${label}: ${error.message}`).toContain(error.code);
    return false;
  }
}

/** Reads hostile bytes; whatever is accepted must be writable again. */
function survive(bytes: Uint8Array, form: 'xml' | 'wbxml', label: string): boolean {
  survives(() => {
    if (form === 'wbxml') wbxmlToXml(bytes);
    else xmlToWbxml(bytes);
  }, label);
  return survives(() => {
    const { message, encoding } = decodeMessage(bytes, form);
    encodeMessage(message, encoding);
  }, label);
}

describe('damaged messages', () => {
  it('never brings out anything but a refusal, in bounded time', () => {
    const sources = [
      ...captures(),
      ...fc
        .sample(fc.tuple(syncMLMessage, wbxmlEncoding), { numRuns: 60, seed: 1 })
        .flatMap(([message, wbxml]) => [
          {
            form: 'xml' as const,
            body: encodeMessage(message, { form: 'xml', namespace: 'SYNCML:SYNCML1.2' }),
          },
          { form: 'wbxml' as const, body: encodeMessage(message, wbxml) },
        ]),
    ];
    let accepted = 0;
    const rounds = 20_000;
    for (let seed = 0; seed < rounds; seed++) {
      const random = generator(seed);
      const { body, form } = sources[random(sources.length)]!;
      if (survive(damage(body, random), form, `seed ${seed}`)) accepted++;
    }
    // Damage inside a value is no damage to the message: both outcomes have to occur.
    expect(accepted).toBeGreaterThan(rounds / 50);
    expect(accepted).toBeLessThan(rounds * 0.9);
  });

  it('never brings out anything but a refusal from plain noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom('xml', 'wbxml'), (bytes, form) => {
        survive(bytes, form, 'noise');
        if (form === 'wbxml')
          survive(Buffer.concat([Buffer.from('02a4016a006d6c', 'hex'), bytes]), form, 'noise');
      }),
      { numRuns: 2000 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { RequestRate } from '../../../src/gateway/auth/requestRate.ts';

describe('RequestRate', () => {
  it('allows a burst, then an even flow, for each device by itself', () => {
    let now = 0;
    const rate = new RequestRate(60, () => now);
    for (let i = 0; i < 60; i += 1) expect(rate.take('D')).toBe(0);
    expect(rate.take('D')).toBe(1000);
    expect(rate.take('E')).toBe(0);
    now = 1000;
    expect(rate.take('D')).toBe(0);
    expect(rate.take('D')).toBe(1000);
    now = 10_000_000;
    for (let i = 0; i < 60; i += 1) expect(rate.take('D')).toBe(0);
    expect(rate.take('D')).toBeGreaterThan(0);
  });
});

import { describe, expect, it } from 'vitest';
import { DeviceOrder } from '../../../src/gateway/sessions/deviceOrder.ts';

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

describe('the order of a device', () => {
  it('keeps the work of one device apart and in order, also past a failure [IW-SES-5]', async () => {
    const order = new DeviceOrder();
    const seen: string[] = [];
    const work = (name: string) => async () => {
      seen.push(`+${name}`);
      await pause();
      seen.push(`-${name}`);
      if (name === 'b') throw new Error(name);
    };
    const all = await Promise.allSettled(['a', 'b', 'c'].map((n) => order.inOrder('D', work(n))));
    expect(seen).toEqual(['+a', '-a', '+b', '-b', '+c', '-c']);
    expect(all.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(order.isBusy('D')).toBe(false);
  });

  it('refuses what would wait behind too much, and only that', async () => {
    const order = new DeviceOrder();
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const taken = Array.from({ length: 16 }, () => order.inOrder('D', () => gate));
    expect(order.inOrder('D', () => gate)).toBeUndefined();
    expect(order.inOrder('E', async () => 'other')).toBeDefined();
    open();
    await Promise.all(taken);
    await order.idle();
    expect(await order.inOrder('D', async () => 'again')).toBe('again');
  });

  it('never refuses a device whose next work overlaps the last one, for however long', async () => {
    const order = new DeviceOrder();
    let last = order.inOrder('D', pause);
    for (let n = 0; n < 100; n += 1) {
      const next = order.inOrder('D', pause);
      expect(next).toBeDefined();
      await last;
      last = next;
    }
    await last;
  });
});

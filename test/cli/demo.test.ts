import { describe, expect, it } from 'vitest';
import { sideBySide, wrap } from '../../src/cli/demo/columns.ts';
import { dragoman } from './captured.ts';

describe('dragoman demo', () => {
  it('takes three devices of both generations through one scenario as expected', async () => {
    const { code, out } = await dragoman(['demo', '--once']);
    expect(out).toContain('every step came out as expected');
    expect(code).toBe(0);
    expect(out.match(/✓/g)).toHaveLength(18);
    expect(out).not.toContain('✗');
    expect(out).not.toContain('\u001b');
    for (const sign of ['"CMD"', '<SyncBody>', 'note [IW-']) expect(out).toContain(sign);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(400);
  });

  it('leaves the admin API up until it is ended', async () => {
    let devices = 0;
    const { code } = await dragoman(['demo', '--brief'], {
      ended: async (text) => {
        const [, token, url] = /Bearer (\S+)' (\S+)/.exec(text) ?? [];
        const answer = await fetch(url ?? '', { headers: { Authorization: `Bearer ${token}` } });
        devices = ((await answer.json()) as { devices: unknown[] }).devices.length;
      },
    });
    expect(devices).toBe(3);
    expect(code).toBe(0);
  });
});

describe('columns', () => {
  it('stand beside each other, no line wider than asked', () => {
    const lines = sideBySide(['short', 'a '.repeat(60)], ['x'.repeat(100)], 60);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(lines[0]).toMatch(/^short +│ x+$/);
  });

  it('lose nothing when they wrap', () => {
    const text = `    ${'word '.repeat(40)}${'y'.repeat(90)}`;
    const lines = wrap(text, 40);
    expect(
      lines
        .map((line) => line.trim())
        .join('')
        .replaceAll(' ', ''),
    ).toBe(text.replaceAll(' ', ''));
  });
});

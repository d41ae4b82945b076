import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { describeDuration, hours, minutes, seconds } from '../../src/support/durations.ts';
import { newId, newSecret, secretDigest } from '../../src/support/ids.ts';
import { createLogger, logDestination } from '../../src/support/log.ts';

describe('createLogger', () => {
  it('writes no secret, however deep it stands', () => {
    let text = '';
    const destination = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    const log = createLogger({ level: 'info', destination });
    log.info(
      { password: 'p1', device: 'D', request: { authorization: 'p2', headers: { cookie: 'p3' } } },
      'hello',
    );
    expect(text).toContain('"device":"D"');
    expect(text).toContain('"level":"info"');
    expect(text).not.toMatch(/p1|p2|p3/);
  });

  it('is silent below its level', () => {
    let lines = 0;
    const destination = new Writable({
      write(_chunk, _encoding, done) {
        lines += 1;
        done();
      },
    });
    createLogger({ level: 'warn', destination }).info('nothing');
    expect(lines).toBe(0);
  });
});

describe('logDestination', () => {
  it('keeps lines for a moment to write them together, and loses none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-log-'));
    try {
      const dest = join(folder, 'log');
      const destination = logDestination({ dest });
      const log = createLogger({ level: 'info', destination });
      const lines = () => readFileSync(dest, 'utf8').split('\n').length - 1;
      await expect.poll(() => readFileSync(dest, 'utf8')).toBe('');
      log.info('first');
      expect(lines()).toBe(0);
      await expect.poll(lines).toBe(1);
      for (let i = 0; i < 1000; i++) log.info({ i }, 'many');
      await expect.poll(lines).toBe(1001);
      log.info('before the end');
      log.fatal('the end');
      expect(lines()).toBe(1003);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('durations', () => {
  it('carry their unit', () => {
    expect([seconds(2), minutes(2), hours(2)]).toEqual([2000, 120_000, 7_200_000]);
    expect(describeDuration(90_061_000)).toBe('1 d 1 h 1 min 1 s');
    expect(describeDuration(250)).toBe('250 ms');
  });
});

describe('ids', () => {
  it('hold enough randomness and never repeat', () => {
    expect(newSecret()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(newId('job')).toMatch(/^job_[A-Za-z0-9_-]{22}$/);
    expect(new Set(Array.from({ length: 1000 }, newSecret)).size).toBe(1000);
    expect(secretDigest('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = `${root}dist/cli/main.js`;
const prepare = `${root}.ci/prepare.mjs`;

beforeAll(() => {
  execFileSync(process.execPath, [prepare, 'build'], { stdio: 'ignore' });
});

describe('the built program', () => {
  it('runs as a command', () => {
    const { status, stdout } = spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(spawnSync(process.execPath, [main, 'nonsense']).status).toBe(2);
  });

  it('serves over a SIGHUP until SIGTERM and then ends with exit code 0', async () => {
    const flags = [
      '--listen-devices',
      '127.0.0.1:0',
      '--listen-admin',
      '127.0.0.1:0',
      '--store',
      'sqlite::memory:',
    ];
    const child = spawn(process.execPath, [main, 'serve', ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const ready = new Promise<string>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        const admin = /admin {4}(\S+)/.exec(out)?.[1];
        if (admin !== undefined) resolve(admin);
      });
    });
    const admin = await ready;
    // Read certificates again, where there are any; it is no reason to end.
    child.kill('SIGHUP');
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });
});

describe('prepare.mjs', () => {
  it('does nothing when all is there', () => {
    const built = () => statSync(new URL('../../dist/cli/main.js', import.meta.url)).mtimeMs;
    const before = built();
    const { status, stderr } = spawnSync(process.execPath, [prepare, 'build'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(built()).toBe(before);
  });

  it('says what it can do', () => {
    const { status, stderr } = spawnSync(process.execPath, [prepare, 'everything'], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('build|test|bench');
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DeviceRequest } from '../../../src/gateway/sessions/devicePort.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { dm1Request, dm2Request, statusBody } from './toySession.ts';

const LOADER = join(import.meta.dirname, '../../store/typescript.mjs');
const SERVER = join(import.meta.dirname, 'mortalServer.ts');

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(url: string, worldFile: string, at: number): Promise<Server> {
  const child = spawn(process.execPath, ['--import', LOADER, SERVER, url, worldFile, String(at)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

async function send(server: Server, { headers, body }: DeviceRequest): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}/dm`, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: Uint8Array.from(body),
    });
    return `${response.status} ${Buffer.from(await response.arrayBuffer()).toString('latin1')}`;
  } catch {
    return undefined;
  }
}

const SESSIONS: Record<string, (id: string) => DeviceRequest[]> = {
  'DM 1.x': (id) => [
    dm1Request(id, { cred: 'x' }),
    dm1Request(id, { msgId: '2', body: statusBody('1') }),
    dm1Request(id, { msgId: '3', body: statusBody('2') }),
  ],
  'DM 2.0': (id) => [
    dm2Request(id, 'initiation', {}),
    dm2Request(id, 'response', { Status: [{ sc: 200 }] }),
    dm2Request(id, 'response', { Status: [{ sc: 202 }] }),
  ],
};

/** Boundaries at which the process kills itself; the first life of a session passes about thirty. */
const DEATHS = [5, 11, 20];

onEveryEngine('kill -9', (newUrl) => {
  it.each(Object.keys(SESSIONS))(
    'in the middle of a %s session is not noticed by the device',
    async (name) => {
      const url = await newUrl();
      const worldFile = join(tmpdir(), `dragoman-world-${process.pid}-${Date.now()}`);
      writeFileSync(worldFile, '');
      let server = await start(url, worldFile, 0);
      try {
        const whole: (string | undefined)[] = [];
        for (const message of SESSIONS[name]!('D00')) whole.push(await send(server, message));
        expect(whole.every((answer) => answer?.startsWith('200'))).toBe(true);
        const acts = new Set(readFileSync(worldFile, 'utf8').split('\n'));
        for (const at of DEATHS) {
          server.child.kill('SIGKILL');
          await once(server.child, 'exit');
          writeFileSync(worldFile, '');
          const id = `D${String(at).padStart(2, '0')}`;
          server = await start(url, worldFile, at);
          const { child } = server;
          const answers: (string | undefined)[] = [];
          for (const message of SESSIONS[name]!(id)) {
            let answer = await send(server, message);
            if (answer === undefined) {
              server = await start(url, worldFile, 0);
              answer = await send(server, message);
            }
            answers.push(answer?.replaceAll(/opened \S+ \d+/g, 'opened'));
          }
          expect(child.signalCode).toBe('SIGKILL');
          expect(answers).toEqual(
            whole.map((a) => a?.replaceAll(/opened \S+ \d+/g, 'opened').replaceAll('D00', id)),
          );
          const after = readFileSync(worldFile, 'utf8')
            .replaceAll(id, 'D00')
            .replaceAll(/"opened D00 \d+/g, '"opened');
          const before = [...acts].join('\n').replaceAll(/"opened D00 \d+/g, '"opened');
          expect(new Set(after.split('\n'))).toEqual(new Set(before.split('\n')));
        }
      } finally {
        server.child.kill('SIGKILL');
        rmSync(worldFile, { force: true });
      }
    },
    120_000,
  );
});

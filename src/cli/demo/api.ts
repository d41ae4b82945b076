import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { DragomanError } from '../../support/errors.ts';

export interface JobResult {
  readonly state: string;
  readonly Status: readonly { readonly sc: number }[];
  readonly detail?: string;
}

export interface TraceLine {
  readonly kind: string;
  readonly rule?: string;
  readonly text?: string;
}

/** The REST API as any operator's script would use it. */
export class Api {
  readonly #origin: string;
  readonly #token: string;

  constructor(origin: string, token: string) {
    this.#origin = origin;
    this.#token = token;
  }

  async call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const answer = await request(this.#origin + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: unknown = await answer.body.json();
    if (answer.statusCode < 300) return json as T;
    throw new DragomanError(
      'internal',
      `${method} ${path} answered ${answer.statusCode}: ${JSON.stringify(json)}`,
    );
  }

  async queue(deviceId: string, commands: unknown): Promise<string> {
    const path = `/api/devices/${encodeURIComponent(deviceId)}/commands`;
    return (await this.call<{ job: string }>('POST', path, { CMD: commands })).job;
  }

  /** The job once it is over, or as it is after two seconds. */
  async result(job: string): Promise<JobResult> {
    for (let tries = 0; ; tries += 1) {
      const result = await this.call<JobResult>('GET', `/api/jobs/${job}`);
      if (result.state === 'done' || result.state === 'failed' || tries === 20) return result;
      await wait(100);
    }
  }

  /** The trace of the device's newest session. */
  async lastTrace(deviceId: string): Promise<readonly TraceLine[]> {
    const query = `device=${encodeURIComponent(deviceId)}&limit=1`;
    const { sessions } = await this.call<{ sessions: readonly { id: string }[] }>(
      'GET',
      `/api/sessions?${query}`,
    );
    const [session] = sessions;
    if (!session) return [];
    return (await this.call<{ trace: readonly TraceLine[] }>('GET', `/api/sessions/${session.id}`)).trace;
  }

  async alerts(deviceId: string): Promise<readonly { alert: { AlertType: string } }[]> {
    const path = `/api/devices/${encodeURIComponent(deviceId)}/alerts`;
    return (await this.call<{ alerts: readonly { alert: { AlertType: string } }[] }>('GET', path)).alerts;
  }
}

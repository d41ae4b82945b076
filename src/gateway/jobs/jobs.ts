import { type CommandError, parseCommand } from '../../dm2/codec.ts';
import type { Dm2Command, Package2, RawCommand, StatusItem } from '../../dm2/packages.ts';
import { isDeviceUrl } from '../../interworking/deviceUrl.ts';
import type { JobRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { newId } from '../../support/ids.ts';
import type { JobReport, JobReports } from '../reports/jobReports.ts';

/** A package of commands for one device, kept until the device has answered it. */
export interface Job {
  readonly id: string;
  readonly deviceId: string;
  /**
   * `queued`: waits for a session; `sent`: the device has it; `done`: the device answered every command
   * (each Status item is its own final word); `failed`: it will not be answered, `detail` says why.
   */
  readonly state: 'queued' | 'sent' | 'done' | 'failed';
  readonly commands: readonly RawCommand[];
  readonly status: readonly StatusItem[];
  readonly detail?: string;
  /** Of its EXECs that the device answered 202 to: the results that came later (IW-EXEC-2). */
  readonly reports?: readonly JobReport[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface JobQueueOptions {
  /** Absolute URL of the device port: CONT may name it, with a query of its own (IW-SES-9). */
  readonly deviceUrl?: string;
  readonly jobsPerDevice?: number;
  readonly reports?: JobReports;
  readonly now?: Clock;
}

/** The session that asks. */
export interface JobSession {
  readonly id: string;
  /**
   * Place of the request in the session's journal. When the process dies before it has noted the answer,
   * the same request comes again under the same step and gets the same answer.
   */
  readonly step?: number;
}

const sentAt = (step: number) => `sent at step ${step}`;

const MOST_COMMANDS = 1000;
const LONGEST_COMMANDS = 1_048_576;
const UNKNOWN_OUTCOME =
  'unknown outcome: the session ended before the device answered; it may have executed the commands';

/** The jobs of the built-in backend: one queue for each device, in order of arrival, in the store. */
export class JobQueue {
  readonly #store: Store;
  readonly #now: Clock;
  readonly #most: number;
  readonly #reports: JobReports | undefined;
  readonly #deviceUrl: string | undefined;
  readonly #next: (deviceId: string) => Promise<JobRow[]>;
  readonly #sent: (deviceId: string) => Promise<JobRow[]>;

  constructor(store: Store, options: JobQueueOptions = {}) {
    this.#store = store;
    this.#now = options.now ?? systemClock;
    this.#reports = options.reports;
    this.#deviceUrl = options.deviceUrl;
    this.#most = options.jobsPerDevice ?? 1000;
    const inState = (state: 'queued' | 'sent') =>
      store.prepare<[string], JobRow>((slot) =>
        store.db
          .selectFrom('jobs')
          .selectAll()
          .where('device_id', '=', slot<string>(0))
          .where('state', '=', state)
          .orderBy('seq')
          .limit(1)
          .compile(),
      );
    this.#next = inState('queued');
    this.#sent = inState('sent');
  }

  /**
   * Queues the commands of a Package#2. END is left out: the gateway ends sessions itself. Throws
   * `bad-command` with the index of the command, or `overload` when too many jobs wait.
   */
  async enqueue(deviceId: string, package2: unknown): Promise<Job> {
    const commands = checkCommands(package2, this.#deviceUrl);
    const waiting = await this.#store.db
      .selectFrom('jobs')
      .select((eb) => eb.fn.countAll().as('n'))
      .where('device_id', '=', deviceId)
      .where('state', '=', 'queued')
      .executeTakeFirstOrThrow();
    if (Number(waiting.n) >= this.#most) {
      throw new DragomanError('overload', `${this.#most} jobs wait for this device already.`);
    }
    const at = this.#now();
    const row = await this.#store.db
      .insertInto('jobs')
      .values({
        id: newId('job'),
        device_id: deviceId,
        state: 'queued',
        commands: JSON.stringify(commands),
        created_at: at,
        updated_at: at,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return toJob(row);
  }

  async get(id: string): Promise<Job | undefined> {
    const row = await this.#store.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
    return row && (await this.#withReports([toJob(row)]))[0];
  }

  /** Jobs of a device, newest first. */
  async list(deviceId: string, limit = 100): Promise<readonly Job[]> {
    const rows = await this.#store.db
      .selectFrom('jobs')
      .selectAll()
      .where('device_id', '=', deviceId)
      .orderBy('seq', 'desc')
      .limit(Math.min(Math.max(limit, 1), 1000))
      .execute();
    return this.#withReports(rows.map(toJob));
  }

  async #withReports(jobs: readonly Job[]): Promise<readonly Job[]> {
    const found = await this.#reports?.of(jobs.map(({ id }) => id));
    if (!found || found.size === 0) return jobs;
    return jobs.map((job) => {
      const reports = found.get(job.id);
      return reports ? { ...job, reports } : job;
    });
  }

  /** Whether a job waits for the device. */
  async pending(deviceId: string): Promise<boolean> {
    return (await this.#next(deviceId)).length > 0;
  }

  /** Withdraws a job that has not been sent; resolves to whether that was so. */
  async cancel(id: string): Promise<boolean> {
    const result = await this.#store.db
      .updateTable('jobs')
      .set({ state: 'failed', detail: 'withdrawn', updated_at: this.#now() })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /**
   * A session begins. A job that an earlier session had sent is failed, not repeated: nobody knows what
   * the device executed of it, and nothing may be executed twice (IW-SES-4). The same session asking
   * again, as after a crash before the answer was noted, gets the same job.
   */
  async open(deviceId: string, session: JobSession): Promise<Package2> {
    const [sent] = await this.#sent(deviceId);
    if (sent?.session_id === session.id) return { CMD: JSON.parse(sent.commands) };
    if (sent) await this.#failSent(deviceId);
    return this.#send(deviceId, session);
  }

  /**
   * The device's answer to what this session was sent last; resolves to what comes next. `left`: nothing
   * does, for the device is not there any more; what waits is for its next session.
   */
  async report(
    deviceId: string,
    session: JobSession,
    status: readonly StatusItem[],
    left = false,
  ): Promise<Package2> {
    const [sent] = await this.#sent(deviceId);
    if (sent?.session_id === session.id) {
      if (session.step !== undefined && sent.detail === sentAt(session.step)) {
        return { CMD: JSON.parse(sent.commands) };
      }
      await this.#finish(sent, status);
    }
    return left ? END_ALONE : this.#send(deviceId, session);
  }

  /** A session is over: what it had sent and the device has not answered will not be answered. */
  async sessionEnded(deviceId: string, sessionId: string): Promise<void> {
    const [sent] = await this.#sent(deviceId);
    if (sent?.session_id === sessionId) await this.#failSent(deviceId);
  }

  /** Forgets finished jobs that were last touched before `before`; resolves to how many. */
  async prune(before: number): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('jobs')
      .where('state', 'in', ['done', 'failed'])
      .where('updated_at', '<', before)
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  async #send(deviceId: string, { id, step }: JobSession): Promise<Package2> {
    const detail = step === undefined ? null : sentAt(step);
    for (;;) {
      const [next] = await this.#next(deviceId);
      if (!next) return END_ALONE;
      const result = await this.#store.db
        .updateTable('jobs')
        .set({ state: 'sent', session_id: id, detail, updated_at: this.#now() })
        .where('id', '=', next.id)
        .where('state', '=', 'queued')
        .executeTakeFirst();
      // Withdrawn, or taken by another node, between the two statements: look again.
      if (result.numUpdatedRows > 0n) return { CMD: JSON.parse(next.commands) };
    }
  }

  async #finish(job: JobRow, status: readonly StatusItem[]): Promise<void> {
    const expected = (JSON.parse(job.commands) as RawCommand[]).length;
    const complete = status.length === expected;
    // First: performed again after a crash, both find the job as it was.
    if (complete) await this.#reports?.await(job, status);
    await this.#store.db
      .updateTable('jobs')
      .set({
        state: complete ? 'done' : 'failed',
        status: JSON.stringify(status),
        detail: complete ? null : `the answer has ${status.length} Status items for ${expected} commands`,
        updated_at: this.#now(),
      })
      .where('id', '=', job.id)
      .where('state', '=', 'sent')
      .execute();
  }

  async #failSent(deviceId: string): Promise<void> {
    await this.#store.db
      .updateTable('jobs')
      .set({ state: 'failed', detail: UNKNOWN_OUTCOME, updated_at: this.#now() })
      .where('device_id', '=', deviceId)
      .where('state', '=', 'sent')
      .execute();
  }
}

/** What ends a session; never beside other commands (IW-SES-8). */
export const END_ALONE: Package2 = Object.freeze({ CMD: Object.freeze([Object.freeze(['END'])]) });

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    deviceId: row.device_id,
    state: row.state,
    commands: JSON.parse(row.commands),
    status: row.status === null ? [] : JSON.parse(row.status),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    ...(row.detail === null ? {} : { detail: row.detail }),
  };
}

function checkCommands(package2: unknown, deviceUrl: string | undefined): readonly RawCommand[] {
  const given: unknown =
    typeof package2 === 'object' && package2 !== null && 'CMD' in package2 ? package2.CMD : undefined;
  if (!Array.isArray(given)) {
    throw new DragomanError('bad-command', 'The body is no Package#2: it has no array "CMD".');
  }
  if (given.length > MOST_COMMANDS) {
    throw new DragomanError(
      'bad-command',
      `CMD holds more than ${MOST_COMMANDS} commands; make several jobs.`,
    );
  }
  const commands: RawCommand[] = [];
  for (const [index, entry] of given.entries()) {
    const raw = checkEntry(entry, index, deviceUrl);
    if (raw) commands.push(raw);
  }
  if (commands.length === 0) throw new DragomanError('bad-command', 'CMD holds no command to execute.');
  if (JSON.stringify(commands).length > LONGEST_COMMANDS) {
    throw new DragomanError('too-large', `CMD is larger than ${LONGEST_COMMANDS} characters.`);
  }
  return commands;
}

/** The command, or `undefined` for END. */
function checkEntry(entry: unknown, index: number, deviceUrl: string | undefined): RawCommand | undefined {
  const isCommand = Array.isArray(entry) && entry.length > 0 && entry.every((p) => typeof p === 'string');
  if (!isCommand) {
    throw new DragomanError('bad-command', `CMD[${index}]: must be an array of strings, the verb first.`);
  }
  const raw = entry as readonly string[];
  const parsed: Dm2Command | CommandError = parseCommand(raw);
  if ('error' in parsed) throw new DragomanError(parsed.error, `CMD[${index}]: ${parsed.detail}`);
  const stays =
    parsed.verb !== 'CONT' || (deviceUrl !== undefined && isDeviceUrl(deviceUrl, parsed.serverUri));
  if (!stays) {
    throw new DragomanError(
      'bad-command',
      `CMD[${index}]: CONT would take the session away from the gateway; only another URL of the device port may be named.`,
    );
  }
  return parsed.verb === 'END' ? undefined : raw;
}

import { randomUUID } from 'node:crypto';
import type { Engine, Statement } from './engine.ts';
import { CONFIDENTIAL, packEntries, unpackEntries } from './journalRow.ts';
import type { JournalEntry, JournalRow, SessionPatch, SessionRow } from './schema.ts';

/** What one session wants stored: its row when it opens, changes to the row, entries of its journal. */
export interface SessionWrite {
  readonly id: string;
  readonly open?: SessionRow;
  /** Earlier sessions of the same device, which take no more messages from now on (IW-SES-3). */
  readonly replaces?: readonly string[];
  readonly patch?: SessionPatch;
  /** In order, the first one right behind what the journal has. */
  readonly entries: readonly JournalEntry[];
  /**
   * Its addresses in the Data Repository that stop working, for the client has answered for them: those that
   * were used, or all.
   */
  readonly places?: 'used' | 'all';
  /** The session is over: what a user typed unseen, kept for its replay alone, goes. */
  readonly forget?: true;
  /** Rows of its journal in other words, each in the place of the one that it was made of. */
  readonly rewrites?: readonly JournalRow[];
  /** Changes to other tables that become durable with these entries, or not at all. */
  readonly also?: readonly Statement[];
}

/** An id that sorts by the time of the session's opening; the rest is random. */
export function newSessionId(at: number): string {
  return `${timePrefix(at)}-${randomUUID().slice(0, 18)}`;
}

/** Ids of sessions that were opened before `at` sort before it. */
function timePrefix(at: number): string {
  return Math.max(0, Math.floor(at)).toString(36).padStart(9, '0');
}

const SESSION_COLUMNS = [
  'id',
  'key',
  'device_id',
  'protocol',
  'backend',
  'state',
  'opened_at',
  'updated_at',
  'deadline',
  'ending',
  'detail',
  'node',
] as const satisfies readonly (keyof SessionRow)[];

const JOURNAL_COLUMNS = 'session_id, seq, entries, bodies';

/**
 * Sessions and journals through hand-written, prepared statements: they run for every device message.
 * Entries whose place in the journal is taken are refused, which is how two nodes that drive the same
 * session find out about each other: both begin where the last row ends.
 */
export class SessionStore {
  readonly #engine: Engine;
  readonly #mark: (n: number) => string;
  readonly #insertSession: string;
  readonly #insertEntry: string;

  /** Whether several nodes can use this store at once. */
  readonly shared: boolean;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.shared = engine.name !== 'sqlite';
    this.#mark = engine.name === 'sqlite' ? () => '?' : (n) => `$${n}`;
    this.#insertSession = `insert into sessions (${SESSION_COLUMNS.join(', ')}) values (${SESSION_COLUMNS.map(
      (_, i) => this.#mark(i + 1),
    ).join(', ')})`;
    this.#insertEntry =
      engine.name === 'sqlite'
        ? `insert into journal (${JOURNAL_COLUMNS}) values (?, ?, ?, ?)`
        : `insert into journal (${JOURNAL_COLUMNS}) select * from unnest($1::text[], $2::int[], $3::text[], $4::bytea[])`;
  }

  /**
   * Stores all writes in one transaction. When that fails each is tried alone, so one session's conflict
   * is not another's. Resolves when durable, to the error of each write that was refused.
   */
  async commit(writes: readonly SessionWrite[]): Promise<readonly (unknown | undefined)[]> {
    try {
      await this.#engine.batch(this.#statements(writes));
      return writes.map(() => undefined);
    } catch (error) {
      if (writes.length === 1) return [error];
    }
    const outcome: unknown[] = [];
    for (const write of writes) {
      outcome.push(await this.#engine.batch(this.#statements([write])).then(none, (error: unknown) => error));
    }
    return outcome;
  }

  async byId(id: string): Promise<SessionRow | undefined> {
    const [row] = await this.#engine.query<SessionRow>({
      sql: `select * from sessions where id = ${this.#mark(1)}`,
      params: [id],
    });
    return row;
  }

  /** The sessions of a device that nothing has replaced yet: one at most, but for a race of two nodes. */
  keyedOf(deviceId: string): Promise<SessionRow[]> {
    return this.#engine.query<SessionRow>({
      sql: `select * from sessions where device_id = ${this.#mark(1)} and key > ''`,
      params: [deviceId],
    });
  }

  /** The journal of a session in order. */
  async entries(id: string): Promise<JournalEntry[]> {
    return (await this.rows(id)).flatMap(unpackEntries);
  }

  /** The same as it is stored. */
  rows(id: string): Promise<JournalRow[]> {
    return this.#engine.query<JournalRow>({
      sql: `select ${JOURNAL_COLUMNS} from journal where session_id = ${this.#mark(1)} order by seq`,
      params: [id],
    });
  }

  /** Sessions whose deadline has passed, oldest first. */
  overdue(now: number, limit: number): Promise<SessionRow[]> {
    return this.#engine.query<SessionRow>({
      sql: `select * from sessions where state = 'live' and deadline <= ${this.#mark(1)} order by deadline limit ${this.#mark(2)}`,
      params: [now, limit],
    });
  }

  /** Takes an overdue session over; false when another node was faster. */
  async claim(row: SessionRow, node: string, deadline: number): Promise<boolean> {
    const changed = await this.#engine.change({
      sql: `update sessions set node = ${this.#mark(1)}, deadline = ${this.#mark(2)} where id = ${this.#mark(3)} and deadline = ${this.#mark(4)} and state = 'live'`,
      params: [node, deadline, row.id, row.deadline],
    });
    return changed === 1;
  }

  /** How many sessions are live, over all nodes. */
  async countLive(): Promise<number> {
    const [row] = await this.#engine.query<{ n: number }>({
      sql: `select count(*) as n from sessions where state = 'live'`,
      params: [],
    });
    return row?.n ?? 0;
  }

  /** Deletes ended sessions and their journals that were last touched before `before`; resolves to how many. */
  async purge(before: number): Promise<number> {
    // No session was touched before it was opened: the ids bound what is looked at.
    const old = `id < ${this.#mark(1)} and state <> 'live' and updated_at < ${this.#mark(2)}`;
    const params = [timePrefix(before), before];
    await this.#engine.change({
      sql: `delete from journal where session_id in (select id from sessions where ${old})`,
      params,
    });
    return this.#engine.change({ sql: `delete from sessions where ${old}`, params });
  }

  #statements(writes: readonly SessionWrite[]): Statement[] {
    const statements: Statement[] = [];
    // Keys are given up before they are taken: a replaced session frees the one its successor needs.
    for (const { id, open, patch, replaces } of writes) {
      for (const earlier of replaces ?? []) {
        statements.push({
          sql: `update sessions set key = null where id = ${this.#mark(1)}`,
          params: [earlier],
        });
      }
      if (patch && !open) statements.push(this.#update(id, patch));
    }
    for (const { open, patch } of writes) {
      if (!open) continue;
      const row = patch ? { ...open, ...patch } : open;
      statements.push({ sql: this.#insertSession, params: SESSION_COLUMNS.map((c) => row[c]) });
    }
    statements.push(...this.#inserts(writes.flatMap(({ entries }) => packEntries(entries))));
    for (const { id, places, forget, rewrites, also } of writes) {
      if (also) statements.push(...also);
      if (places) statements.push(this.#closing(id, places));
      if (rewrites) statements.push(...rewrites.map((row) => this.#rewriting(row)));
      if (forget) statements.push(...this.#forgetting(id));
    }
    return statements;
  }

  /** Uploads stay for the session to collect; documents on offer have served. */
  #closing(id: string, places: 'used' | 'all'): Statement {
    const which = places === 'used' ? `state = 'taken'` : `state <> 'closed'`;
    return {
      sql: `update repository set state = 'closed', body = case direction when 'offer' then null else body end, content = case direction when 'offer' then null else content end where session_id = ${this.#mark(1)} and ${which}`,
      params: [id],
    };
  }

  #inserts(rows: readonly JournalRow[]): Statement[] {
    const sql = this.#insertEntry;
    if (this.#engine.name === 'sqlite') {
      return rows.map(({ session_id, seq, entries, bodies }) => ({
        sql,
        params: [session_id, seq, entries, bodies],
      }));
    }
    if (rows.length === 0) return [];
    const params = [
      rows.map((row) => row.session_id),
      rows.map((row) => row.seq),
      rows.map((row) => row.entries),
      rows.map(({ bodies }) => bodies && Buffer.from(bodies.buffer, bodies.byteOffset, bodies.byteLength)),
    ];
    return [{ sql, params }];
  }

  #rewriting({ session_id, seq, entries, bodies }: JournalRow): Statement {
    const bytes = bodies && Buffer.from(bodies.buffer, bodies.byteOffset, bodies.byteLength);
    return {
      sql: `update journal set entries = ${this.#mark(1)}, bodies = ${this.#mark(2)} where session_id = ${this.#mark(3)} and seq = ${this.#mark(4)}`,
      params: [entries, bytes, session_id, seq],
    };
  }

  /** What was typed stands in the journal, and where the page left it. */
  #forgetting(id: string): Statement[] {
    return [
      `update journal set bodies = null where session_id = ${this.#mark(1)} and entries like '${CONFIDENTIAL} %'`,
      `update interactions set answer = null where session_id = ${this.#mark(1)}`,
    ].map((sql) => ({ sql, params: [id] }));
  }

  #update(id: string, patch: SessionPatch): Statement {
    const columns = SESSION_COLUMNS.filter((c) => c !== 'id' && patch[c] !== undefined);
    return {
      sql: `update sessions set ${columns.map((c, i) => `${c} = ${this.#mark(i + 1)}`).join(', ')} where id = ${this.#mark(columns.length + 1)}`,
      params: [...columns.map((c) => (c === 'id' ? id : patch[c])), id],
    };
  }
}

function none(): undefined {}

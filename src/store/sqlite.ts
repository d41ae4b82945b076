import SqliteConnection, { type Database as Connection, type Statement as Prepared } from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Engine, Statement } from './engine.ts';
import { Lock } from './lock.ts';

/** Distinct statement texts kept prepared; the gateway uses some dozens. */
const PREPARED = 512;

/**
 * SQLite through one connection. Kysely's own driver prepares every statement anew and cannot share its
 * connection; this one keeps statements and lets the hot paths run between two Kysely queries, never
 * inside a Kysely transaction.
 */
export class SqliteEngine implements Engine {
  readonly name = 'sqlite';
  readonly #connection: Connection;
  readonly #prepared = new Map<string, Prepared>();
  readonly #lock = new Lock();

  constructor(path: string) {
    this.#connection = new SqliteConnection(path, { timeout: 10_000 });
    this.#connection.pragma('journal_mode = WAL');
    this.#connection.pragma('synchronous = NORMAL');
    this.#connection.pragma('foreign_keys = ON');
    // A page that many commits change is copied back once; the log stays below about 32 MB.
    this.#connection.pragma('wal_autocheckpoint = 8000');
    this.#connection.pragma('cache_size = -32000');
  }

  get dialect(): Dialect {
    const driver = new SqliteDriver(this.#connection, this.#lock, (sql) => this.#prepare(sql));
    return {
      createAdapter: (): DialectAdapter => new TransactionalSqliteAdapter(),
      createDriver: (): Driver => driver,
      createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new SqliteIntrospector(db),
      createQueryCompiler: (): QueryCompiler => new SqliteQueryCompiler(),
    };
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    return this.#exclusive(() => {
      const prepared = this.#prepare(statement.sql);
      if (prepared.reader) return prepared.all(...statement.params) as Row[];
      prepared.run(...statement.params);
      return [];
    });
  }

  async change(statement: Statement): Promise<number> {
    return this.#exclusive(() => this.#prepare(statement.sql).run(...statement.params).changes);
  }

  async batch(statements: readonly Statement[]): Promise<void> {
    return this.#exclusive(() => {
      const [only] = statements;
      if (only && statements.length === 1) {
        this.#prepare(only.sql).run(...only.params);
        return;
      }
      this.#prepare('begin immediate').run();
      try {
        for (const { sql, params } of statements) this.#prepare(sql).run(...params);
        this.#prepare('commit').run();
      } catch (error) {
        if (this.#connection.inTransaction) this.#prepare('rollback').run();
        throw error;
      }
    });
  }

  async #exclusive<R>(work: () => R): Promise<R> {
    const wait = this.#lock.enter();
    if (wait) await wait;
    try {
      return work();
    } finally {
      this.#lock.leave();
    }
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#prepared.get(sql);
    if (!prepared) {
      // Texts built with a varying number of parameters must not grow the map without bound.
      if (this.#prepared.size >= PREPARED) this.#prepared.clear();
      prepared = this.#connection.prepare(sql);
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }
}

/** Migrations of two processes on one file queue behind `begin immediate`, so they must run in a transaction. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #connection: Connection;
  readonly #lock: Lock;
  readonly #session: DatabaseConnection;

  constructor(connection: Connection, lock: Lock, prepare: (sql: string) => Prepared) {
    this.#connection = connection;
    this.#lock = lock;
    this.#session = new SqliteSession(prepare);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const wait = this.#lock.enter();
    if (wait) await wait;
    return this.#session;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#connection.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(): Promise<void> {
    this.#lock.leave();
  }

  async destroy(): Promise<void> {
    this.#connection.close();
  }
}

class SqliteSession implements DatabaseConnection {
  readonly #prepare: (sql: string) => Prepared;

  constructor(prepare: (sql: string) => Prepared) {
    this.#prepare = prepare;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const prepared = this.#prepare(query.sql);
    if (prepared.reader) return { rows: prepared.all(...query.parameters) as R[] };
    const { changes, lastInsertRowid } = prepared.run(...query.parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    for (const row of this.#prepare(query.sql).iterate(...query.parameters)) yield { rows: [row as R] };
  }
}

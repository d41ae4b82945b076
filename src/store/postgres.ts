import { createHash } from 'node:crypto';
import { type Dialect, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Engine, Statement } from './engine.ts';

const INT8 = 20;

/** PostgreSQL through a pool; what several nodes share. */
export class PostgresEngine implements Engine {
  readonly name = 'postgres';
  readonly dialect: Dialect;
  readonly #pool: pg.Pool;
  readonly #names = new Map<string, string>();

  constructor(url: string) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: 10,
      types: {
        // Times and counts fit a double; text would make every comparison a trap.
        getTypeParser: (oid: number, format?: 'text' | 'binary') =>
          oid === INT8 ? Number : pg.types.getTypeParser(oid, format ?? 'text'),
      } as pg.CustomTypesConfig,
    });
    // An idle connection that the server closes is replaced at its next use.
    this.#pool.on('error', () => {});
    this.dialect = new PostgresDialect({ pool: this.#pool });
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    const result = await this.#pool.query(this.#named(statement));
    return result.rows as Row[];
  }

  async change(statement: Statement): Promise<number> {
    const result = await this.#pool.query(this.#named(statement));
    return result.rowCount ?? 0;
  }

  async batch(statements: readonly Statement[]): Promise<void> {
    const [only] = statements;
    if (only && statements.length === 1) {
      await this.#pool.query(this.#named(only));
      return;
    }
    const client = await this.#pool.connect();
    let broken = false;
    try {
      await client.query('begin');
      for (const statement of statements) await client.query(this.#named(statement));
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** A name makes the server keep the plan; it must be short and the same for the same text. */
  #named(statement: Statement): pg.QueryConfig {
    let name = this.#names.get(statement.sql);
    if (name === undefined) {
      name = `q${createHash('sha256').update(statement.sql).digest('hex').slice(0, 32)}`;
      this.#names.set(statement.sql, name);
    }
    return { name, text: statement.sql, values: [...statement.params] };
  }
}

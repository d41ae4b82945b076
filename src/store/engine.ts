import type { Dialect } from 'kysely';

export type EngineName = 'sqlite' | 'postgres';

/** SQL text in the engine's own parameter style, and the values of its parameters. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** Has a change become durable together with what a session writes next, or not at all. */
export type Also = (change: Statement) => void;

/**
 * What both databases do for the hot paths, beside the Kysely instance that shares their connections.
 * A statement text is prepared once per connection and kept.
 */
export interface Engine {
  readonly name: EngineName;
  readonly dialect: Dialect;
  /** One statement in a transaction of its own; rows where it returns any. */
  query<Row>(statement: Statement): Promise<Row[]>;
  /** One statement in a transaction of its own; resolves to the number of rows that it changed. */
  change(statement: Statement): Promise<number>;
  /** All statements in one transaction, or none of them. */
  batch(statements: readonly Statement[]): Promise<void>;
}

/**
 * Delegation access control (20§10.3): rights are per backend and MO instance, and hold for all its nodes.
 * `read` is GET, HPUT, HPOST and SUB; `write` HGET, DELETE and DEFAULT; `execute` EXEC; `delegate` giving
 * others rights.
 */
export const RIGHTS = ['read', 'write', 'execute', 'delegate'] as const;
export type Right = (typeof RIGHTS)[number];

/** What a backend may do with the instances whose ids both globs match. */
export interface AccessRule {
  readonly moid: string;
  readonly miid: string;
  readonly rights: readonly Right[];
}

/** A backend that may not do everything. */
export interface BackendAccess {
  /** The first that fits an instance counts; none: no right. */
  readonly rules: readonly AccessRule[];
  /** Whom ACLs of legacy devices mean by it. */
  readonly serverIds: readonly string[];
}

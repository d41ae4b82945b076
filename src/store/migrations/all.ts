import type { Migration, MigrationProvider } from 'kysely';
import type { EngineName } from '../engine.ts';
import { initial } from './0001-initial.ts';
import { outbox } from './0002-outbox.ts';
import { interactions } from './0003-interactions.ts';
import { kept } from './0004-kept.ts';
import { notifications } from './0005-notifications.ts';
import { journal } from './0006-journal.ts';
import { objects } from './0007-objects.ts';

/** Every migration in order; names are never changed once released. */
export function migrations(engine: EngineName): MigrationProvider {
  const all: Record<string, Migration> = {
    '0001-initial': initial(engine),
    '0002-outbox': outbox(engine),
    '0003-interactions': interactions(engine),
    '0004-kept': kept(),
    '0005-notifications': notifications(engine),
    '0006-journal': journal(engine),
    '0007-objects': objects(engine),
  };
  return { getMigrations: async () => all };
}

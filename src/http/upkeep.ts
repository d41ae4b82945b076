import type { Config } from '../gateway/config/config.ts';
import type { SessionRunner } from '../gateway/sessions/runner.ts';
import type { Wakeups } from '../gateway/wakeup/wakeups.ts';
import type { Store } from '../store/store.ts';
import { hours, minutes, seconds } from '../support/durations.ts';
import type { Logger } from '../support/log.ts';
import type { Records } from './records.ts';

export interface Kept {
  readonly runner: Pick<SessionRunner, 'sweep'>;
  readonly store: Store;
  readonly records: Records;
  readonly wakeups: Wakeups;
  readonly log: Logger;
}

/** What happens without any message: silent devices are given up, old records forgotten. */
export function startUpkeep(
  { limits }: Config,
  { runner, store, records, wakeups, log }: Kept,
): NodeJS.Timeout[] {
  const { jobs, alerts, deliveries, reports, repository, objects, interactions } = records;
  const every = (ms: number, what: string, work: () => Promise<unknown>) => {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => log.error({ error }, `${what} failed`))
        .finally(() => {
          busy = false;
        });
    }, ms);
    return timer.unref();
  };
  return [
    every(Math.min(seconds(5), seconds(limits.sessionSeconds) / 4), 'sweep', () => runner.sweep()),
    every(minutes(1), 'pruning of the repository', () => repository.prune()),
    every(minutes(5), 'pruning of objects', () =>
      objects.prune(Date.now() - seconds(limits.repositorySeconds)),
    ),
    every(minutes(5), 'pruning of pages', () => interactions.prune()),
    every(minutes(10), 'pruning', async () => {
      const before = Date.now() - hours(limits.traceHours);
      await store.sessions.purge(before);
      await jobs.prune(before);
      await alerts.prune(before);
      await deliveries.prune(before);
      await reports.prune(before);
      await wakeups.prune(before);
    }),
  ];
}

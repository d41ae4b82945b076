import { Router } from 'express';
import type { Job, JobQueue } from '../../gateway/jobs/jobs.ts';
import { DragomanError } from '../../support/errors.ts';
import { allowOnly } from '../problem.ts';

/** `/api/jobs/{job}`. */
export function jobRoutes(jobs: JobQueue): Router {
  const router = Router();
  const known = async (id: string): Promise<Job> => {
    const job = await jobs.get(id);
    if (job) return job;
    throw new DragomanError(
      'not-found',
      `There is no job ${JSON.stringify(id)}; finished ones are kept for limits.traceHours.`,
    );
  };
  router
    .route('/api/jobs/:job')
    .get(async (request, response) => {
      response.json(jobView(await known(request.params.job)));
    })
    .delete(async (request, response) => {
      const job = await known(request.params.job);
      if (!(await jobs.cancel(job.id))) {
        throw new DragomanError(
          'exists',
          `The job is ${(await known(job.id)).state}; only a queued one can be withdrawn.`,
        );
      }
      response.status(204).end();
    })
    .all(allowOnly('GET', 'DELETE'));
  return router;
}

/** A job as the API shows it, with the member names of the protocol where it has them. */
export function jobView({
  id,
  deviceId,
  state,
  commands,
  status,
  detail,
  reports,
  createdAt,
  updatedAt,
}: Job): object {
  return {
    id,
    device: deviceId,
    state,
    CMD: commands,
    Status: status,
    ...(detail === undefined ? {} : { detail }),
    ...(reports === undefined ? {} : { reports }),
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}

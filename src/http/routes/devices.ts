import { Router } from 'express';
import type { JobQueue } from '../../gateway/jobs/jobs.ts';
import type { DeviceRecord } from '../../gateway/registry/device.ts';
import { importDevices } from '../../gateway/registry/importCsv.ts';
import type { Registration } from '../../gateway/registry/registration.ts';
import type { Registry } from '../../gateway/registry/registry.ts';
import type { Notifier } from '../../gateway/wakeup/notifier.ts';
import type { Delegation } from '../../interworking/kept.ts';
import { formatTreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import { allowOnly } from '../problem.ts';
import { checkBody, choiceQuery, jsonBody, pageLimit, takesOnly, textQuery } from '../validate.ts';
import { jobView } from './jobs.ts';

export interface DeviceRoutes {
  readonly registry: Registry;
  readonly jobs: JobQueue;
  readonly notifier: Notifier;
  readonly jobsNotify: boolean;
  readonly bodyBytes: number;
  readonly importBytes: number;
}

/** `/api/devices` and what hangs below one device but its alerts. */
export function deviceRoutes(parts: DeviceRoutes): Router {
  const { registry, jobs, notifier, bodyBytes, importBytes } = parts;
  const router = Router();
  const known = async (id: string): Promise<DeviceRecord> => {
    const device = await registry.get(id);
    if (!device) {
      throw new DragomanError(
        'not-found',
        `There is no device ${JSON.stringify(id)}. POST it to /api/devices first.`,
      );
    }
    return device;
  };

  /** A job for a device that cannot be woken is refused where its request asks for that, else it waits. */
  const wake = async (
    deviceId: string,
    jobId: string,
    asked: boolean,
  ): Promise<{ notification?: string }> => {
    try {
      return { notification: (await notifier.forJob(deviceId, jobId)).id };
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      if (!asked) return {};
      await jobs.cancel(jobId);
      throw error;
    }
  };

  router
    .route('/api/devices')
    .get(async (request, response) => {
      const after = textQuery(request, 'after');
      const idPrefix = textQuery(request, 'prefix');
      const protocol = choiceQuery(request, 'protocol', ['dm1', 'dm2']);
      const { devices, next } = await registry.list({
        limit: pageLimit(request),
        ...(after === undefined ? {} : { after }),
        filter: {
          ...(idPrefix === undefined ? {} : { idPrefix }),
          ...(protocol === undefined ? {} : { protocol }),
        },
      });
      response.json({ devices: devices.map(deviceView), next });
    })
    .post(jsonBody(bodyBytes), async (request, response) => {
      const registration = checkBody<Registration>('NewDevice', request.body, 'bad-value');
      if (await registry.get(registration.id)) {
        throw new DragomanError(
          'exists',
          `There is a device ${JSON.stringify(registration.id)} already. PUT /api/devices/{id} changes its credentials.`,
        );
      }
      await registry.register(registration);
      response
        .status(201)
        .location(`/api/devices/${encodeURIComponent(registration.id)}`)
        .json(deviceView(await known(registration.id)));
    })
    .all(allowOnly('GET', 'POST'));

  router
    .route('/api/devices/import')
    .post(takesOnly('text/csv'), async (request, response) => {
      const chunks = limited(request.setEncoding('utf8'), importBytes);
      const result = await importDevices(registry, chunks).catch(blamePeer);
      response.json(result);
    })
    .all(allowOnly('POST'));

  router
    .route('/api/devices/:id')
    .get(async (request, response) => {
      response.json(deviceView(await known(request.params.id)));
    })
    .put(jsonBody(bodyBytes), async (request, response) => {
      const { id } = request.params;
      const credentials = checkBody<Omit<Registration, 'id'>>('Credentials', request.body, 'bad-value');
      const added = await registry.register({ ...credentials, id });
      response.status(added ? 201 : 200).json(deviceView(await known(id)));
    })
    .delete(async (request, response) => {
      const { id } = request.params;
      if (!(await registry.remove(id))) await known(id);
      response.status(204).end();
    })
    .all(allowOnly('GET', 'PUT', 'DELETE'));

  router
    .route('/api/devices/:id/commands')
    .post(jsonBody(bodyBytes), async (request, response) => {
      const device = await known(request.params.id);
      const body = checkBody<{ notify?: boolean }>('Commands', request.body, 'bad-command');
      const { notify = parts.jobsNotify, ...package2 } = body;
      const job = await jobs.enqueue(device.id, package2);
      const woken = notify ? await wake(device.id, job.id, body.notify === true) : {};
      response
        .status(202)
        .location(`/api/jobs/${job.id}`)
        .json({ job: job.id, ...woken });
    })
    .all(allowOnly('POST'));

  router
    .route('/api/devices/:id/jobs')
    .get(async (request, response) => {
      const device = await known(request.params.id);
      const list = await jobs.list(device.id, pageLimit(request));
      response.json({ jobs: list.map(jobView) });
    })
    .all(allowOnly('GET'));

  return router;
}

/** What the API shows of a device: never a hash or a secret. */
function deviceView(device: DeviceRecord): object {
  const {
    account,
    serverAccount,
    notify,
    bootstrappedAt,
    mounts,
    firstSeen,
    lastSeen,
    failedAt: _,
    validators: __,
    kept: { defaults, subscriptions, delegations },
    ...rest
  } = device;
  return {
    ...rest,
    mounts: mounts.map((mount) => ({ ...mount, root: formatTreePath(mount.root) })),
    ...(defaults && { defaults }),
    ...(subscriptions && { subscriptions }),
    ...(delegations && { delegations: Object.entries(delegations).map(delegationView) }),
    ...(account ? { username: account.username } : {}),
    ...(serverAccount ? { serverUsername: serverAccount.username } : {}),
    ...(notify.via === undefined ? {} : { notifyVia: notify.via }),
    ...(notify.address === undefined ? {} : { notifyAddress: notify.address }),
    ...(notify.serverId === undefined ? {} : { notifyServerId: notify.serverId }),
    ...(bootstrappedAt === undefined ? {} : { bootstrappedAt: new Date(bootstrappedAt).toISOString() }),
    ...(firstSeen === undefined ? {} : { firstSeen: new Date(firstSeen).toISOString() }),
    ...(lastSeen === undefined ? {} : { lastSeen: new Date(lastSeen).toISOString() }),
  };
}

function delegationView([key, { owner, rights, acl }]: [string, Delegation]): object {
  const [moid, miid] = JSON.parse(key) as [string, string];
  return {
    moid,
    miid,
    ...(owner !== undefined && { owner }),
    ...(rights && { rights }),
    ...(acl && { acl }),
  };
}

/** A header that is wrong is the configuration's fault in a file of the operator, here it is the body's. */
function blamePeer(error: unknown): never {
  if (!(error instanceof DragomanError) || error.code !== 'configuration') throw error;
  throw new DragomanError('bad-value', error.detail, { cause: error });
}

async function* limited(chunks: AsyncIterable<string>, limit: number): AsyncGenerator<string> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) {
      throw new DragomanError(
        'too-large',
        `The file is larger than ${limit} bytes. Import it in parts, or with \`dragoman devices import\`.`,
      );
    }
    yield chunk;
  }
}

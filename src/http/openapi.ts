import { ANSWERS, type AnswerName, BODIES, type BodyName, type Schema } from './schemas.ts';

type Method = 'get' | 'post' | 'put' | 'delete';

/** One operation of the REST API; `test/http` holds this list against the routes that answer. */
export interface Operation {
  readonly method: Method;
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly query?: readonly Parameter[];
  readonly body?: { readonly type: string; readonly schema?: BodyName; readonly binary?: readonly string[] };
  /** Status of success and what comes with it. */
  readonly answers: Readonly<Record<number, AnswerName | 'none' | 'text'>>;
  /** Statuses of failure, beside 401 and 500. */
  readonly problems?: readonly number[];
  readonly open?: true;
}

interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
}

const LIMIT: Parameter = {
  name: 'limit',
  description: 'Most entries of a page.',
  schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
};
const query = (name: string, description: string, more: Schema = {}): Parameter => ({
  name,
  description,
  schema: { type: 'string', ...more },
});

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/devices',
    id: 'listDevices',
    summary: 'Devices by identifier, page by page',
    query: [
      LIMIT,
      query('after', '`next` of the page before.'),
      query('prefix', 'Only identifiers that start so.'),
      query('protocol', 'Only devices that spoke this generation last.', { enum: ['dm1', 'dm2'] }),
    ],
    answers: { 200: 'DevicePage' },
    problems: [400],
  },
  {
    method: 'post',
    path: '/api/devices',
    id: 'addDevice',
    summary: 'Register a device',
    body: { type: 'application/json', schema: 'NewDevice' },
    answers: { 201: 'Device' },
    problems: [400, 409, 413, 415],
  },
  {
    method: 'post',
    path: '/api/devices/import',
    id: 'importDevices',
    summary: 'Register devices from CSV with a header row: id,username,password,…',
    body: { type: 'text/csv' },
    answers: { 200: 'ImportResult' },
    problems: [413, 415],
  },
  {
    method: 'get',
    path: '/api/devices/{id}',
    id: 'getDevice',
    summary: 'One device',
    answers: { 200: 'Device' },
    problems: [404],
  },
  {
    method: 'put',
    path: '/api/devices/{id}',
    id: 'putDevice',
    summary: 'Register a device or give a known one new credentials; what is not given stays',
    body: { type: 'application/json', schema: 'Credentials' },
    answers: { 200: 'Device', 201: 'Device' },
    problems: [400, 413, 415],
  },
  {
    method: 'delete',
    path: '/api/devices/{id}',
    id: 'deleteDevice',
    summary: 'Forget a device',
    answers: { 204: 'none' },
    problems: [404],
  },
  {
    method: 'post',
    path: '/api/devices/{id}/commands',
    id: 'queueCommands',
    summary: "Queue a package of commands for the device's next session with the built-in backend",
    body: { type: 'application/json', schema: 'Commands' },
    answers: { 202: 'JobAccepted' },
    problems: [400, 404, 413, 415, 503],
  },
  {
    method: 'get',
    path: '/api/devices/{id}/jobs',
    id: 'listJobs',
    summary: 'Jobs of a device, newest first',
    query: [LIMIT],
    answers: { 200: 'JobList' },
    problems: [400, 404],
  },
  {
    method: 'get',
    path: '/api/devices/{id}/alerts',
    id: 'listAlerts',
    summary: 'Alerts that the device sent to the built-in backend, newest first, in DM 2.0 terms',
    query: [LIMIT],
    answers: { 200: 'AlertList' },
    problems: [400, 404],
  },
  {
    method: 'get',
    path: '/api/jobs/{job}',
    id: 'getJob',
    summary: 'State and result of a job',
    answers: { 200: 'Job' },
    problems: [404],
  },
  {
    method: 'delete',
    path: '/api/jobs/{job}',
    id: 'withdrawJob',
    summary: 'Withdraw a job that has not been sent',
    answers: { 204: 'none' },
    problems: [404, 409],
  },
  {
    method: 'post',
    path: '/api/devices/{id}/notify',
    id: 'notifyDevice',
    summary: "Wake a device up, or have a server's own Package#0 turned into what the device understands",
    body: {
      type: 'application/json',
      schema: 'Notify',
      binary: ['application/vnd.syncml.notification', 'application/octet-stream'],
    },
    answers: { 202: 'Notification' },
    problems: [400, 403, 404, 413, 415, 501, 503],
  },
  {
    method: 'post',
    path: '/api/devices/{id}/bootstrap',
    id: 'bootstrapDevice',
    summary: 'Give a device an account for this gateway, with new credentials',
    body: { type: 'application/json', schema: 'Bootstrap' },
    answers: { 201: 'Bootstrapped' },
    problems: [400, 403, 413, 415, 502],
  },
  {
    method: 'get',
    path: '/api/devices/{id}/notifications',
    id: 'listNotifications',
    summary: 'Notifications of a device, newest first',
    query: [LIMIT],
    answers: { 200: 'NotificationList' },
    problems: [400, 404],
  },
  {
    method: 'get',
    path: '/api/notifications/{notification}',
    id: 'getNotification',
    summary: 'State of a notification, and the session that answered it',
    answers: { 200: 'Notification' },
    problems: [404],
  },
  {
    method: 'delete',
    path: '/api/notifications/{notification}',
    id: 'withdrawNotification',
    summary: 'Send no further copy of a notification',
    answers: { 204: 'none' },
    problems: [404, 409],
  },
  {
    method: 'get',
    path: '/api/outbox',
    id: 'listOutbox',
    summary: 'Alerts on their way to their backends and reports to ServerURIs, newest first, page by page',
    query: [
      LIMIT,
      query('before', '`next` of the page before.'),
      query('device', 'Only alerts of this device.'),
      query('state', '`dead`: given up or refused, with the reason.', {
        enum: ['waiting', 'delivered', 'dead'],
      }),
    ],
    answers: { 200: 'OutboxPage' },
    problems: [400],
  },
  {
    method: 'get',
    path: '/api/outbox/{alert}',
    id: 'getOutboxAlert',
    summary: 'One alert on its way',
    answers: { 200: 'OutboxAlert' },
    problems: [404],
  },
  {
    method: 'delete',
    path: '/api/outbox/{alert}',
    id: 'discardAlert',
    summary: 'Throw a dead letter away',
    answers: { 204: 'none' },
    problems: [404, 409],
  },
  {
    method: 'post',
    path: '/api/outbox/{alert}/retry',
    id: 'retryAlert',
    summary: 'Try a dead letter again',
    answers: { 202: 'OutboxAlert' },
    problems: [404, 409],
  },
  {
    method: 'get',
    path: '/api/sessions',
    id: 'listSessions',
    summary: 'Sessions, newest first, page by page',
    query: [
      LIMIT,
      query('before', '`next` of the page before.'),
      query('device', 'Only sessions of this device.'),
      query('state', 'Only sessions in this state.', { enum: ['live', 'done', 'failed'] }),
    ],
    answers: { 200: 'SessionPage' },
    problems: [400],
  },
  {
    method: 'get',
    path: '/api/sessions/{id}',
    id: 'getSession',
    summary: 'The trace of a session; `Accept: text/plain` gives it as people read it',
    answers: { 200: 'Trace' },
    problems: [404],
  },
  {
    method: 'get',
    path: '/api/backends',
    id: 'listBackends',
    summary: 'The configured management servers',
    answers: { 200: 'BackendList' },
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'metrics',
    summary: 'Metrics in the text format of Prometheus',
    answers: { 200: 'text' },
  },
  {
    method: 'get',
    path: '/livez',
    id: 'livez',
    summary: 'The process runs',
    answers: { 200: 'Health' },
    open: true,
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'readyz',
    summary: 'The gateway takes sessions',
    answers: { 200: 'Health', 503: 'Health' },
    open: true,
  },
];

/** The OpenAPI 3.1 document; `/openapi.json` itself is the one route that it leaves out. */
export function openApi(version: string): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    const methods = paths[operation.path] ?? {};
    methods[operation.method] = describe(operation);
    paths[operation.path] = methods;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Dragoman',
      version,
      description: 'Interworking gateway between OMA DM 1.x and 2.0: devices, jobs, sessions.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The admin token.' } },
      schemas: { ...BODIES, ...ANSWERS },
      responses: {
        Problem: {
          description: 'What went wrong and what to do',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function describe({
  id,
  summary,
  path,
  query: queries = [],
  body,
  answers,
  problems = [],
  open,
}: Operation): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const refusals = open ? [] : [...problems, 401, 500];
  return {
    operationId: id,
    summary,
    ...(open ? { security: [] } : {}),
    parameters: [...inPath, ...queries.map((parameter) => ({ ...parameter, in: 'query', required: false }))],
    ...(body ? { requestBody: { required: true, content: bodyContent(body) } } : {}),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, name]) => [status, answer(name, id)])),
      ...Object.fromEntries(refusals.map((status) => [status, { $ref: '#/components/responses/Problem' }])),
    },
  };
}

function bodyContent({ type, schema, binary = [] }: NonNullable<Operation['body']>): object {
  return {
    [type]: { schema: bodySchema(schema) },
    ...Object.fromEntries(binary.map((each) => [each, { schema: { type: 'string', format: 'binary' } }])),
  };
}

function bodySchema(name: BodyName | undefined): Schema {
  return name === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${name}` };
}

function answer(name: AnswerName | 'none' | 'text', id: string): object {
  if (name === 'none') return { description: 'Done' };
  if (name === 'text')
    return { description: 'Text', content: { 'text/plain': { schema: { type: 'string' } } } };
  const json = { schema: { $ref: `#/components/schemas/${name}` } };
  const text = { schema: { type: 'string' } };
  return {
    description: name,
    content: { 'application/json': json, ...(id === 'getSession' ? { 'text/plain': text } : {}) },
  };
}

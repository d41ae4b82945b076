import { DIALECT_NAMES } from '../../dm2/dialects/index.ts';
import { RIGHTS } from '../../interworking/access/model.ts';
import { LOG_LEVELS } from '../../support/log.ts';
import { choice, group, HOST_PORT, HTTP_URL, type KeySchema, MB, text, whole } from './keySchema.ts';
import { NOTIFICATIONS, TRANSPORT_SCHEMAS } from './notificationSchema.ts';

export type { KeySchema } from './keySchema.ts';

/*
 * The configuration's schema is the source of validation, of defaults, of environment variable names and of
 * docs/configuration.md.
 */
const VALUES = choice(
  ['string', 'typed'],
  'How values of legacy nodes look in JSON: always text, or as JSON numbers and booleans where nothing is lost.',
);
const GET_MEMBER = text('Member of a Status item that carries the data of a GET.', { default: 'MO' });
const auth = (types: readonly string[]): KeySchema =>
  group('How the gateway authenticates itself to this backend.', {
    type: choice(types, 'Scheme.', 'none'),
    username: text('Account name.'),
    password: text('Password, or the token of `bearer`.'),
    perDevice: {
      type: 'boolean',
      default: false,
      description:
        "Present each device's own account instead of this one (md5 and hmac: they need no clear password).",
    },
  });
const CLIENT_TLS = group(
  'The certificate that the gateway shows to this backend, at its configured origin only.',
  {
    cert: text('PEM file with the certificate chain.'),
    key: text('PEM file with the private key.'),
  },
  ['cert', 'key'],
);
const BACKEND_URL = text('Where sessions with this backend start.', { pattern: HTTP_URL });

const ACCESS: KeySchema = {
  type: 'array',
  description:
    'What this backend may do with which objects; absent: everything. The first rule that fits an instance counts, none means no right.',
  items: group(
    'A rule.',
    {
      moid: text('Glob on the MOID, `urn:` included.'),
      miid: text('Glob on the instance; every one when absent.'),
      rights: {
        type: 'array',
        description:
          '`read` is GET, HPUT, HPOST and SUB; `write` HGET, DELETE and DEFAULT; `execute` EXEC; `delegate` giving other backends rights.',
        items: choice(RIGHTS, 'Right.'),
      },
    },
    ['moid', 'rights'],
  ),
};

/** One schema per `protocol` of a backend. */
export const BACKEND_SCHEMAS = {
  dm2: group(
    'A DM 2.0 server.',
    {
      protocol: choice(['dm2'], 'Generation of the backend.'),
      url: BACKEND_URL,
      dialect: choice(DIALECT_NAMES, 'Dialect of DM 2.0 that this server speaks.', 'approved'),
      serverId: text('Identifier of the server, as ACL subject.', { default: 'dms' }),
      auth: auth(['none', 'basic', 'bearer', 'digest']),
      tls: CLIENT_TLS,
      access: ACCESS,
      values: VALUES,
      getMember: GET_MEMBER,
      transfers: choice(
        ['direct', 'gateway'],
        'Who carries documents between ServerURIs of this backend and DM 2.0 devices: these themselves, or the gateway within `outbound.allow`, while devices meet one-time URLs.',
        'direct',
      ),
    },
    ['protocol', 'url'],
  ),
  dm1: group(
    'A DM 1.x server.',
    {
      protocol: choice(['dm1'], 'Generation of the backend.'),
      url: BACKEND_URL,
      version: choice(['1.1', '1.2', '1.3'], 'Version of DM 1.x spoken to it.', '1.2'),
      encoding: choice(
        ['xml', 'wbxml'],
        "Encoding of messages to the server. Absent: a relayed DM 1.x device's own, and XML for DM 2.0 devices.",
      ),
      serverId: text('Identifier of the server.', { default: 'legacy' }),
      auth: auth(['none', 'basic', 'md5', 'hmac']),
      tls: CLIENT_TLS,
      maxMsgSize: whole(65_536, 2048, 16 * MB, 'Largest message that the server may send, in bytes.'),
      access: ACCESS,
      values: VALUES,
    },
    ['protocol', 'url'],
  ),
  builtin: group(
    'The built-in backend: queued commands of the REST API and the console.',
    {
      protocol: choice(['builtin'], 'Generation of the backend.'),
      access: ACCESS,
      values: VALUES,
      getMember: GET_MEMBER,
    },
    ['protocol'],
  ),
} as const;

export type BackendProtocol = keyof typeof BACKEND_SCHEMAS;

/** Everything but the inside of a backend, which depends on its protocol. */
export const CONFIG_SCHEMA = group('Configuration of the gateway.', {
  listen: group('Where the gateway listens.', {
    devices: text('Address of the device port; every dialect comes here.', {
      pattern: HOST_PORT,
      default: '127.0.0.1:8080',
    }),
    admin: text('Address of the REST API, the console, metrics and health.', {
      pattern: HOST_PORT,
      default: '127.0.0.1:8081',
    }),
    tls: group(
      'TLS for the device port.',
      {
        cert: text('PEM file with the certificate chain.'),
        key: text('PEM file with the private key.'),
        clientCa: text('PEM file with the authorities of client certificates.'),
        crl: text('PEM file with the revocation lists of these authorities, one of each.'),
        minVersion: choice(
          ['1.1', '1.2', '1.3'],
          'Lowest version of TLS. `1.1` is for old devices only: it also allows ciphers and digests that are broken.',
          '1.2',
        ),
      },
      ['cert', 'key'],
    ),
  }),
  publicUrl: text('How devices reach the device port; derived from `listen.devices` when absent.', {
    pattern: HTTP_URL,
  }),
  serverId: text('How the gateway names itself to legacy devices.', { default: 'dragoman' }),
  admin: group('Access to the admin port.', {
    token: text('Bearer token; generated and printed once when neither this nor `tokenFile` is given.', {
      minLength: 8,
    }),
    tokenFile: text('File that holds the bearer token.'),
  }),
  store: text('Database: `sqlite:FILE` or `postgres://user@host/db`.', {
    pattern: '^(sqlite:.+|postgres(ql)?://.+)$',
    default: 'sqlite:data/dragoman.db',
  }),
  backends: {
    type: 'object',
    description: 'Management servers by name; `console`, the built-in one, is always there.',
    propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
    additionalProperties: { type: 'object', description: 'A backend.' },
    default: {},
  },
  routes: {
    type: 'array',
    description:
      'Which device goes to which backend; the first match wins, no match is the built-in backend.',
    default: [],
    items: group(
      'A route.',
      {
        match: group('Globs; what is absent matches every device.', {
          protocol: choice(['dm1', 'dm2'], 'Generation of the device.'),
          deviceId: text('Glob on the device identifier.'),
          man: text('Glob on the manufacturer.'),
          mod: text('Glob on the model.'),
          fwv: text('Glob on the firmware version.'),
        }),
        backend: text('Name of a backend.'),
      },
      ['backend'],
    ),
  },
  dialects: {
    type: 'array',
    description:
      'Dialects of DM 2.0 clients whose headers leave it open: `draft-json` is taken for `approved`, `draft-text-3` for `draft-text-2` where nothing here says otherwise. The first match wins.',
    default: [],
    items: group(
      'What some clients speak.',
      {
        deviceId: text('Glob on the device identifier.'),
        dialect: choice(['approved', 'draft-json', 'draft-text-2', 'draft-text-3'], 'Dialect of DM 2.0.'),
      },
      ['deviceId', 'dialect'],
    ),
  },
  deviceAuth: group('How devices must authenticate, by generation.', {
    dm1: choice(
      ['none', 'basic', 'md5', 'hmac', 'mtls'],
      'Scheme for DM 1.x devices; `mtls` needs `listen.tls.clientCa`.',
      'md5',
    ),
    dm2: choice(
      ['none', 'basic', 'digest', 'mtls'],
      'Scheme for DM 2.0 clients; `mtls` needs `listen.tls.clientCa`.',
      'basic',
    ),
  }),
  unknownDevice: choice(
    [401, 404],
    'Where devices must authenticate and one has no credential on file: 401 treats it as one with a wrong password, 404 refuses it at once (DM 2.0 clients get HTTP 403 then).',
    401,
  ),
  devices: text('CSV file of devices to import at start: `id,username,password`.'),
  mappings: {
    type: 'array',
    description:
      'Folders of mapping packs, later ones over earlier ones; the packs that ship with the gateway come first.',
    default: [],
    items: text('Folder.'),
  },
  values: choice(['string', 'typed'], 'Default of `values` for every backend.', 'string'),
  outbound: group('What URLs named by devices and backends may be fetched.', {
    allow: {
      type: 'array',
      description:
        'Globs on `host` or `host:port`. Private addresses are reached only where the host is spelt out.',
      default: [],
      items: text('Pattern.'),
    },
    ca: text('PEM file with authorities of servers that are trusted beside the public ones.'),
  }),
  notifications: NOTIFICATIONS,
  log: group('Logging.', { level: choice(LOG_LEVELS, 'Lowest level that is written.', 'info') }),
  limits: group('Limits; each protects the gateway from a peer.', {
    sessions: whole(10_000, 1, 1_000_000, 'Sessions open at a time; further ones get 503.'),
    messageBytes: whole(MB, 4096, 256 * MB, 'Largest message from a device or backend, in bytes.'),
    messages: whole(10_000, 2, 1_000_000, 'Messages that one session may exchange with its device.'),
    sessionSeconds: whole(300, 1, 86_400, 'Longest wait for the next message of a session.'),
    requestSeconds: whole(30, 1, 3600, 'Longest time that a device may take to send one request.'),
    // A large object in small messages is thousands of requests, as fast as the network lets them be.
    requestsPerDevice: whole(
      6000,
      1,
      1_000_000,
      'Requests of one device in one minute; further ones get 429.',
    ),
    interactionSeconds: whole(600, 1, 86_400, 'Longest wait for an answer of the user.'),
    execReportHours: whole(168, 1, 8760, 'Longest wait for the report of an asynchronous EXEC.'),
    alertHours: whole(168, 1, 8760, 'How long the delivery of an accepted alert is tried.'),
    notificationHours: whole(24, 1, 8760, 'How long a notification is tried and its answer awaited.'),
    repositorySeconds: whole(900, 1, 86_400, 'Life of a one-time Data Repository URL.'),
    backendSeconds: whole(30, 1, 3600, 'Longest wait for the answer of a backend.'),
    transferBytes: whole(
      64 * MB,
      1024,
      2047 * MB,
      'Largest document fetched from a URL that a peer named, in bytes.',
    ),
    transferSeconds: whole(60, 1, 3600, 'Longest time for one such transfer, redirects included.'),
    objectBytes: whole(
      64 * MB,
      1024,
      2047 * MB,
      'Largest value of one node, in bytes; a text has 4 MB at most.',
    ),
    nodes: whole(20_000, 1, 10_000_000, 'Nodes that one command may read, write or list.'),
    depth: whole(32, 1, 256, 'Depth of a management tree or document.'),
    jobsPerDevice: whole(1000, 1, 1_000_000, 'Jobs that may wait for one device; further ones are refused.'),
    cachedDevices: whole(20_000, 1, 10_000_000, 'Device records kept in memory.'),
    traceHours: whole(168, 1, 87_600, 'How long finished sessions, their traces and finished jobs are kept.'),
  }),
});

/** The whole schema as one document, for editors and documentation. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Dragoman configuration',
    ...CONFIG_SCHEMA,
    properties: {
      ...CONFIG_SCHEMA.properties,
      backends: {
        ...CONFIG_SCHEMA.properties?.['backends'],
        additionalProperties: { oneOf: Object.values(BACKEND_SCHEMAS) },
      },
      notifications: {
        ...NOTIFICATIONS,
        properties: {
          ...NOTIFICATIONS.properties,
          transports: {
            ...NOTIFICATIONS.properties?.['transports'],
            additionalProperties: { oneOf: Object.values(TRANSPORT_SCHEMAS) },
          },
        },
      },
    },
  };
}

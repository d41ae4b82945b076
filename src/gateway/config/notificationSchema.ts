import { choice, group, HTTP_URL, type KeySchema, text, whole } from './keySchema.ts';

const SERVICE_URL = text('Where notifications are POSTed.', { pattern: HTTP_URL });
const AUTH = group('How the gateway authenticates itself there.', {
  type: choice(['none', 'basic', 'bearer', 'digest'], 'Scheme.', 'none'),
  username: text('Account name.'),
  password: text('Password, or the token of `bearer`.'),
});

/** One schema per `type` of a transport (IW-NOT-1). */
export const TRANSPORT_SCHEMAS = {
  webhook: group(
    'An HTTP service that takes notifications to devices.',
    {
      type: choice(['webhook'], 'Kind of transport.'),
      url: SERVICE_URL,
      body: choice(
        ['json', 'binary'],
        'What is POSTed: JSON with the notification in base64 and what is known of it, or its bytes.',
        'json',
      ),
      auth: AUTH,
    },
    ['type', 'url'],
  ),
  pap: group(
    'A push proxy gateway (WAP Push Access Protocol).',
    {
      type: choice(['pap'], 'Kind of transport.'),
      url: SERVICE_URL,
      address: text(
        'Address of a device in push messages: `{address}` is its `notifyAddress`, `{host}` the host of `url`.',
        { default: 'WAPPUSH={address}/TYPE=PLMN@{host}' },
      ),
      auth: AUTH,
    },
    ['type', 'url'],
  ),
  udp: group(
    'Datagrams to the device itself.',
    {
      type: choice(['udp'], 'Kind of transport.'),
      port: whole(2948, 1, 65_535, 'Port of devices whose address names none.'),
      framing: choice(
        ['raw', 'wsp'],
        'What a datagram holds: the notification alone, or a WAP push of it as port 2948 awaits it.',
        'raw',
      ),
      networks: {
        type: 'array',
        description:
          'Private networks that devices are in, as `10.20.0.0/16`; other addresses must be public.',
        default: [],
        items: text('Network, as `10.20.0.0/16`.', { pattern: '^[0-9A-Fa-f.:]+/[0-9]{1,3}$' }),
      },
    },
    ['type'],
  ),
} as const satisfies Record<string, KeySchema>;

export const NOTIFICATIONS: KeySchema = group('Notifications that wake devices up.', {
  via: text('Name of the transport for devices without one of their own.'),
  transports: {
    type: 'object',
    description: 'Transports of notifications by name.',
    propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
    additionalProperties: { type: 'object', description: 'A transport.' },
    default: {},
  },
  jobs: {
    type: 'boolean',
    default: false,
    description: 'Whether a queued job wakes its device, where its request does not say.',
  },
  repeats: whole(2, 0, 20, 'How often a notification is sent again while no session answers it.'),
  repeatSeconds: whole(300, 1, 86_400, 'Wait before the first repeat; it doubles with each.'),
});

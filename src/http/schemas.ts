import { SECS } from '../dm1/bootstrap/security.ts';
import { BOOTSTRAP_FORMS } from '../interworking/bootstrap/document.ts';
import { CONNECTIONS, NOTIFICATION_FORMS, UI_MODES } from '../interworking/notification/wakeRequest.ts';

/** JSON Schemas (2020-12) of the REST API: what request bodies are checked with and `/openapi.json` shows. */
export type Schema = Readonly<Record<string, unknown>>;

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[]): Schema => ({
  type: 'object',
  properties,
  required,
});
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const list = (items: Schema, description?: string): Schema => ({
  type: 'array',
  items,
  ...(description === undefined ? {} : { description }),
});
const mapOf = (type: string, description: string): Schema => ({
  type: 'object',
  additionalProperties: { type },
  description,
});
const time = (description: string): Schema => text(description, { format: 'date-time' });
const DEVICE_ID = text('Device identifier, as the device names itself.', { minLength: 1, maxLength: 255 });

const CREDENTIALS: Readonly<Record<string, Schema>> = {
  username: text('Account that the device presents.', { minLength: 1, maxLength: 255 }),
  password: text('Its password; only hashes are kept.', { maxLength: 1024 }),
  auth: text('Scheme for this device instead of the configured one.', {
    enum: ['none', 'basic', 'md5', 'digest'],
  }),
  serverUsername: text('Account that the gateway presents to the device.', { minLength: 1, maxLength: 255 }),
  serverPassword: text('Its password.', { maxLength: 1024 }),
  serverAuth: text('How it is presented; `basic` keeps the password readable.', {
    enum: ['md5', 'basic', 'hmac'],
  }),
  notifyVia: text('Transport of notifications to it, by its name in the configuration.', {
    minLength: 1,
    maxLength: 64,
  }),
  notifyAddress: text('Its address, as that transport needs it.', { minLength: 1, maxLength: 1024 }),
  notifyServerId: text('Server identifier of the account that it has for the gateway.', {
    minLength: 1,
    maxLength: 255,
  }),
  notifySecret: text('Base64 of Auth/Noti/Secret; kept readable, as its digests need it.', {
    minLength: 1,
    maxLength: 1024,
  }),
  notifyData: text('Base64 of Auth/Noti/Data.', { minLength: 1, maxLength: 1024 }),
};

/** Bodies that are checked before anything is done with them. */
export const BODIES = {
  NewDevice: {
    type: 'object',
    properties: { id: DEVICE_ID, ...CREDENTIALS },
    required: ['id'],
    additionalProperties: false,
  },
  Credentials: { type: 'object', properties: CREDENTIALS, required: [], additionalProperties: false },
  Commands: {
    type: 'object',
    description: 'A Package#2 of DM 2.0: each command is an array of its verb and parameters.',
    properties: {
      CMD: {
        type: 'array',
        minItems: 1,
        maxItems: 1000,
        items: { type: 'array', minItems: 1, maxItems: 1000, items: { type: 'string' } },
      },
      notify: { type: 'boolean', description: 'Wake the device up for it.' },
    },
    required: ['CMD'],
    additionalProperties: false,
  },
  Notify: {
    type: 'object',
    description: 'What a notification asks; all of it has a default.',
    properties: {
      form: text("Form of Package#0, where the device's own is not to be taken.", {
        enum: NOTIFICATION_FORMS,
      }),
      uiMode: text('How much the user shall notice.', { enum: UI_MODES }),
      initiator: text('Who wants the session.', { enum: ['user', 'server'] }),
      connection: text('What the device shall connect by.', { enum: CONNECTIONS }),
      via: text('Transport, by its name in the configuration.', { minLength: 1, maxLength: 64 }),
      address: text('Address of the device there.', { minLength: 1, maxLength: 1024 }),
    },
    required: [],
    additionalProperties: false,
  },
  Bootstrap: {
    type: 'object',
    description: 'What a bootstrap document is to hold; all of it has a default.',
    properties: {
      form: text('Form of the document.', { enum: BOOTSTRAP_FORMS }),
      name: text('What the user sees.', { minLength: 1, maxLength: 255 }),
      username: text('Account that the device shall present.', { minLength: 1, maxLength: 255 }),
      password: text('Its password.', { minLength: 1, maxLength: 1024 }),
      serverPassword: text('Password that the gateway shall present.', { minLength: 1, maxLength: 1024 }),
      init: { type: 'boolean', description: 'CP profile: the device opens a session at once.' },
      key: {
        type: 'object',
        description: 'Protects the document by SEC and MAC.',
        properties: {
          sec: text('Method; it says which of the others are needed.', { enum: SECS }),
          pin: text('PIN that the user types; with USERPINMAC its first half, 5 to 20 digits.', {
            minLength: 1,
            maxLength: 64,
          }),
          imsi: text('IMSI.', { minLength: 6, maxLength: 15 }),
          secret: text('Secret shared with the network.', { minLength: 1, maxLength: 255 }),
        },
        required: ['sec'],
        additionalProperties: false,
      },
      via: text('Transport that carries it to the device.', { minLength: 1, maxLength: 64 }),
      address: text('Address of the device there.', { minLength: 1, maxLength: 1024 }),
    },
    required: [],
    additionalProperties: false,
  },
} as const satisfies Record<string, Schema>;

const STATUS_ITEM = object(
  {
    sc: { type: 'integer', description: 'Status code of DM 2.0.' },
    URI: list({ type: 'string' }),
    MO: list({ type: 'object' }, 'What a GET read.'),
  },
  ['sc'],
);

/** What answers look like. */
export const ANSWERS = {
  Problem: object(
    {
      type: text('Names the kind of problem.', { format: 'uri' }),
      title: text('What that kind means.'),
      status: { type: 'integer' },
      detail: text('What went wrong here and what to do.'),
      instance: text('The path that was asked for.'),
      code: text('Code of the error catalogue (docs/errors.md).'),
      retry: { type: 'boolean', description: 'Whether the same request may succeed later.' },
      requestId: text('Id of the request, as in the log.'),
    },
    ['type', 'title', 'status', 'detail', 'instance', 'code', 'retry'],
  ),
  Device: object(
    {
      id: DEVICE_ID,
      protocol: text('Generation it spoke last.', { enum: ['dm1', 'dm2'] }),
      dialect: text('Message dialect it spoke last.'),
      username: text('Account that it presents.'),
      auth: text('Scheme for this device instead of the configured one.'),
      serverUsername: text('Account that the gateway presents to it.'),
      notifyVia: text('Transport of notifications to it.'),
      notifyAddress: text('Its address there.'),
      notifyServerId: text('Server identifier of the account that it has for the gateway.'),
      bootstrappedAt: time('When it was bootstrapped; absent once a session has followed.'),
      devInfo: mapOf('string', 'DevInfo under its DM 2.0 names.'),
      mounts: list(
        object(
          {
            moid: text('Management object.'),
            miid: text('Instance.'),
            root: text('Root in its tree.'),
            ddf: text('DDF.'),
          },
          ['moid', 'miid', 'root'],
        ),
      ),
      capabilities: mapOf('boolean', 'What it was found to support, or not.'),
      defaults: {
        type: 'object',
        description: 'By MOID: where its configuration is fetched when the device has no instance (DEFAULT).',
        additionalProperties: object({ serverUri: text('URL.'), backend: text('Who said so.') }, [
          'serverUri',
          'backend',
        ]),
      },
      subscriptions: {
        type: 'object',
        description: 'By ClientURI: where changes below it are sent (SUB).',
        additionalProperties: object(
          {
            serverUri: text('URL.'),
            backend: text('Who subscribed.'),
            validator: text('Of the content as last sent.'),
          },
          ['serverUri', 'backend', 'validator'],
        ),
      },
      delegations: list(
        object(
          {
            moid: text('Management object.'),
            miid: text('Instance.'),
            owner: text('Backend that created it, and has sole rights on it.'),
            rights: {
              type: 'object',
              description: 'What the owner gave to other backends.',
              additionalProperties: list({ type: 'string' }),
            },
            acl: text('ACL in force on the device.'),
          },
          ['moid', 'miid'],
        ),
        'Rights on instances beside those of the configuration.',
      ),
      firstSeen: time('First message.'),
      lastSeen: time('Last message, to the minute.'),
      sessionsEnded: { type: 'integer' },
      failures: { type: 'integer', description: 'Failed authentications in a row.' },
    },
    ['id', 'devInfo', 'mounts', 'capabilities', 'sessionsEnded', 'failures'],
  ),
  DevicePage: object(
    { devices: list(ref('Device')), next: text('`after` of the next page; absent on the last.') },
    ['devices'],
  ),
  ImportResult: object(
    {
      imported: { type: 'integer' },
      refused: { type: 'integer' },
      problems: list(
        object({ line: { type: 'integer' }, column: { type: 'string' }, message: { type: 'string' } }, [
          'line',
          'message',
        ]),
        'The first hundred of them.',
      ),
    },
    ['imported', 'refused', 'problems'],
  ),
  JobAccepted: object(
    {
      job: text('Id of the job.'),
      notification: text('Id of the notification that wakes the device up for it.'),
    },
    ['job'],
  ),
  Notification: object(
    {
      id: text('Id of the notification.'),
      device: DEVICE_ID,
      number: { type: 'integer', description: 'NOTIFICATION-ID, or session id of a 1.x device.' },
      askedBy: text('`api`, `job`, or `server:` and a server identifier.'),
      askedNumber: { type: 'integer', description: 'The number that the asking server gave.' },
      form: text('Form of Package#0.', { enum: NOTIFICATION_FORMS }),
      uiMode: text('How much the user shall notice.', { enum: UI_MODES }),
      initiator: text('Who wants the session.', { enum: ['user', 'server'] }),
      connection: text('What the device shall connect by.', { enum: CONNECTIONS }),
      listObjects: { type: 'boolean' },
      devDetail: { type: 'boolean' },
      instances: { type: 'boolean' },
      vendorSpecific: text('Trigger body, base64.'),
      unknownOptions: list({ type: 'integer' }, 'Numbers of options of later versions.'),
      via: text('Transport.'),
      address: text('Address of the device there.'),
      state: text('`sent`: the transport took it and no session has answered yet.', {
        enum: ['waiting', 'sent', 'answered', 'failed', 'expired', 'withdrawn'],
      }),
      attempts: { type: 'integer', description: 'Tries at the transport.' },
      sent: { type: 'integer', description: 'Copies that the transport took.' },
      session: text('The session that answered.'),
      job: text('The job that it is for.'),
      detail: text('Why it was not sent, or not yet.'),
      notes: list(
        object({ rule: text('Interworking rule.'), text: text('What could not cross.') }, ['rule', 'text']),
      ),
      createdAt: time('When it was asked for.'),
      updatedAt: time('Its last change.'),
      nextAt: time('When it is sent next, or given up.'),
      expiresAt: time('When it is given up.'),
    },
    ['id', 'device', 'number', 'askedBy', 'form', 'via', 'state', 'attempts', 'sent', 'notes', 'createdAt'],
  ),
  Bootstrapped: object(
    {
      form: text('Form of the document.', { enum: BOOTSTRAP_FORMS }),
      contentType: text('With SEC and MAC where it is protected.'),
      document: text('The document in base64. It holds the new credentials.'),
      username: text('Account that the device has from now on.'),
      userTypes: text('SEC USERPINMAC: what the user is to type, to be told apart from the document.'),
      notes: list({ type: 'string' }, 'What could not cross.'),
      sent: { type: 'boolean', description: 'Whether a transport took it.' },
    },
    ['form', 'contentType', 'document', 'notes', 'sent'],
  ),
  NotificationList: object({ notifications: list(ref('Notification'), 'Newest first.') }, ['notifications']),
  Job: object(
    {
      id: text('Id of the job.'),
      device: DEVICE_ID,
      state: text('`done`: the device answered every command, see Status.', {
        enum: ['queued', 'sent', 'done', 'failed'],
      }),
      CMD: list(list({ type: 'string' })),
      Status: list(STATUS_ITEM, 'One item per command, in order, once the device has answered.'),
      detail: text('Why it failed.'),
      reports: list(
        object(
          {
            command: { type: 'integer', description: 'Index of the EXEC in CMD.' },
            state: text('Whether its result came.', { enum: ['awaited', 'done', 'missing'] }),
            alert: { type: 'object', description: 'The alert that told it.' },
          },
          ['command', 'state'],
        ),
        'Results of EXECs that the device answered 202 to.',
      ),
      createdAt: time('When it was queued.'),
      updatedAt: time('Its last change.'),
    },
    ['id', 'device', 'state', 'CMD', 'Status', 'createdAt', 'updatedAt'],
  ),
  JobList: object({ jobs: list(ref('Job'), 'Newest first.') }, ['jobs']),
  AlertList: object(
    {
      alerts: list(
        object({ id: text('Id of the alert.'), at: time('When it arrived.'), alert: { type: 'object' } }, [
          'id',
          'at',
          'alert',
        ]),
        'Newest first.',
      ),
    },
    ['alerts'],
  ),
  OutboxAlert: object(
    {
      id: text('Id of the entry.'),
      device: DEVICE_ID,
      backend: text('Backend that gets it.'),
      serverUri: text('Where it goes instead: the ServerURI of an EXEC.'),
      state: text('Its state.', { enum: ['waiting', 'delivered', 'dead'] }),
      attempts: { type: 'integer', description: 'Sessions of its own that were tried.' },
      reason: text('Why it was not delivered, or not yet.'),
      createdAt: time('When the device got its Status.'),
      nextAt: time('Not before then.'),
      settledAt: time('When it was delivered or given up.'),
      protocol: text('Generation in which the alert is told here.', { enum: ['dm1', 'dm2'] }),
      alert: { type: 'object' },
      correlator: text('Of the Exec that it answers.'),
    },
    ['id', 'device', 'backend', 'state', 'attempts', 'createdAt', 'protocol', 'alert'],
  ),
  OutboxPage: object(
    {
      alerts: list(ref('OutboxAlert'), 'Newest first.'),
      next: text('`before` of the next page; absent on the last.'),
    },
    ['alerts'],
  ),
  Session: object(
    {
      id: text('Id of the session.'),
      device: DEVICE_ID,
      protocol: text('Generation of the device.', { enum: ['dm1', 'dm2'] }),
      backend: text('Backend that serves it.'),
      state: text('Its state.', { enum: ['live', 'done', 'failed'] }),
      openedAt: time('First message.'),
      updatedAt: time('Last message.'),
      ending: text('How it ended.'),
      detail: text('More about the ending.'),
    },
    ['id', 'device', 'protocol', 'backend', 'state', 'openedAt', 'updatedAt'],
  ),
  SessionPage: object(
    { sessions: list(ref('Session'), 'Newest first.'), next: text('`before` of the next page.') },
    ['sessions'],
  ),
  Trace: {
    allOf: [
      ref('Session'),
      object(
        {
          trace: list(
            object(
              {
                seq: { type: 'integer' },
                at: time('When.'),
                kind: text('Kind of journal entry.'),
                bytes: { type: 'integer', description: 'Size of the message as it travelled.' },
                xml: text('A SyncML message, also one that travelled as WBXML.'),
                json: { description: 'A DM 2.0 package, or what an effect was asked and gave.' },
                body: text('A DM 2.0 message of an early dialect, as it travelled.'),
                text: text('What a note or a remark says.'),
                rule: text('Interworking rule of a note.'),
              },
              ['seq', 'at', 'kind'],
            ),
          ),
        },
        ['trace'],
      ),
    ],
  },
  BackendList: object(
    {
      backends: list(
        object(
          {
            name: { type: 'string' },
            protocol: text('Generation.', { enum: ['dm1', 'dm2', 'builtin'] }),
            url: text('Where its sessions start.'),
            dialect: { type: 'string' },
            version: { type: 'string' },
            encoding: { type: 'string' },
          },
          ['name', 'protocol'],
        ),
      ),
    },
    ['backends'],
  ),
  Health: object({ status: text('`ok` or why not.'), reasons: list({ type: 'string' }) }, ['status']),
} as const satisfies Record<string, Schema>;

export type BodyName = keyof typeof BODIES;
export type AnswerName = keyof typeof ANSWERS;

import type { ColumnType, Generated, Insertable, Selectable, Updateable } from 'kysely';

/**
 * Tables of the store. JSON stands in text columns, times are milliseconds since 1970, flags are 0 or 1,
 * binary content is raw bytes; both engines hold the same.
 */
export interface Database {
  devices: DevicesTable;
  nonces: NoncesTable;
  sessions: SessionsTable;
  journal: JournalTable;
  repository: RepositoryTable;
  jobs: JobsTable;
  outbox: OutboxTable;
  interactions: InteractionsTable;
  reports: ReportsTable;
  notifications: NotificationsTable;
  objects: ObjectsTable;
}

export interface DevicesTable {
  id: string;
  protocol: 'dm1' | 'dm2' | null;
  /** As last seen: `DM/1.2 xml`, `approved`, … */
  dialect: string | null;
  username: string | null;
  /** `B64(MD5(user:password))`, all that basic and MD5 need. */
  user_hash: string | null;
  /** JSON, digest hashes by algorithm and realm. */
  ha1: string | null;
  /** Scheme that overrides the configured one. */
  auth: string | null;
  dev_info: Generated<string>;
  mounts: Generated<string>;
  capabilities: Generated<string>;
  validators: Generated<string>;
  /** JSON, what backends left for later sessions: defaults, subscriptions, documents. */
  kept: Generated<string>;
  /** JSON, what the gateway presents to this device. */
  server_cred: string | null;
  first_seen: number | null;
  last_seen: number | null;
  sessions_ended: Generated<number>;
  /** Failed authentications in a row. */
  failures: Generated<number>;
  failed_at: number | null;
  /** How the device is notified: transport and address, */
  notify_via: Generated<string | null>;
  notify_address: Generated<string | null>;
  /** the server identifier that its account for the gateway has, */
  notify_server: Generated<string | null>;
  /** and base64 of Secret and Data of Auth/Noti, which SHA-256 over them needs as they are. */
  notify_secret: Generated<string | null>;
  notify_data: Generated<string | null>;
  /** When a bootstrap document was made for it, until its first session after that. */
  bootstrapped_at: Generated<number | null>;
}

/** The current nonce of one party of a device: `device`, `server` or a backend's name. */
export interface NoncesTable {
  device_id: string;
  party: string;
  nonce: Uint8Array;
  used: number;
  updated_at: number;
}

/** Short, as it changes with every session's end; what the session was given stands in its journal. */
export interface SessionsTable {
  /** Sorts by the time of the opening, see `newSessionId`. */
  id: string;
  /**
   * Protocol, device and session id (IW-SES-3), unique; `null` once a later session of the device has
   * taken its place. An ended session keeps it, to answer a repeat of its last message (IW-SES-4).
   */
  key: string | null;
  device_id: string;
  protocol: 'dm1' | 'dm2';
  backend: string;
  state: 'live' | 'done' | 'failed';
  opened_at: number;
  updated_at: number;
  /** When a sweep may take the session for abandoned (IW-SES-11). */
  deadline: number;
  ending: string | null;
  detail: string | null;
  /** The node that drives it, or did last. */
  node: string;
}

/** Append only: what a session was told, in order; a row for what became durable together. */
export interface JournalTable {
  session_id: string;
  /** Place of the first entry. */
  seq: number;
  /** A line for each entry: kind, time, bytes of its body or `-`, meta. */
  entries: string;
  /** The bodies of all entries, one behind the other. */
  bodies: Uint8Array | null;
}

/** One entry of a session's journal. */
export interface JournalEntry {
  readonly session_id: string;
  readonly seq: number;
  readonly kind: string;
  readonly at: number;
  /** JSON. */
  readonly meta: string;
  readonly body: Uint8Array | null;
}

export interface RepositoryTable {
  token_hash: string;
  device_id: string;
  session_id: string | null;
  direction: 'offer' | 'upload';
  content_type: string | null;
  body: Uint8Array | null;
  /** Instead of `body`: JSON of its pieces, some of which are objects. */
  content: string | null;
  state: string;
  created_at: number;
  expires_at: number;
}

export interface JobsTable {
  /** Order of arrival. */
  seq: ColumnType<number, never, never>;
  id: string;
  device_id: string;
  state: 'queued' | 'sent' | 'done' | 'failed';
  commands: string;
  status: string | null;
  created_at: number;
  updated_at: number;
  detail: string | null;
  session_id: string | null;
}

/** Alerts that were accepted and wait for their backend (IW-ALERT-6). */
export interface OutboxTable {
  seq: ColumnType<number, never, never>;
  id: string;
  device_id: string;
  backend: string;
  kind: string;
  payload: string;
  attempts: Generated<number>;
  /** Not before then; while a node delivers it, the end of that node's lease. */
  next_at: number;
  state: 'waiting' | 'done' | 'failed';
  /** Alerts of one device in one lane are delivered in their order. */
  lane: string | null;
  /** The session of the device that delivers it, while that lives. */
  session_id: string | null;
  /** ServerURI that gets it; absent: the backend's own URL. */
  url: string | null;
  report_id: string | null;
  /** Why it was not delivered, or not yet. */
  detail: string | null;
  claimed_by: string | null;
  created_at: number | null;
}

/** Reports of asynchronous EXECs that are awaited, or came (IW-EXEC-2, IW-WR-3). */
export interface ReportsTable {
  id: string;
  device_id: string;
  /** `l2n`: for a ServerURI; `n2l`: for a legacy server's Correlator; `job`: for a job of the built-in backend. */
  direction: 'l2n' | 'n2l' | 'job';
  state: 'pending' | 'done' | 'expired' | 'cancelled';
  correlator: string | null;
  /** SHA-256 of the token in the URL that the device was given. */
  token_hash: string | null;
  /** The executed node, as a legacy address. */
  uri: string;
  /** The executed node, as the 2.0 side names it. */
  client_uri: string;
  server_uri: string | null;
  backend: string;
  session_id: string;
  job_id: string | null;
  /** JSON of the 2.0 alert that reported the end. */
  alert: string | null;
  created_at: number;
  updated_at: number;
  expires_at: number;
}

/** Pieces of values that are too large for memory. */
export interface ObjectsTable {
  object: string;
  /** Offset of the first byte of the piece, and of the first behind it. */
  start: number;
  ends: number;
  /** The session that brought it. */
  session_id: string;
  body: Uint8Array;
  created_at: number;
}

/** Pages on which users answer UI alerts (IW-UI-1). */
export interface InteractionsTable {
  /** SHA-256 of the token in the page's address. */
  token_hash: string;
  device_id: string;
  session_id: string;
  /** JSON of the alert. */
  alert: string;
  lang: string | null;
  state: 'open' | 'answered' | 'expired';
  /** JSON of what the user did. */
  answer: string | null;
  created_at: number;
  /** When the page was first shown. */
  seen_at: number | null;
  expires_at: number;
}

/** Notifications of devices: asked for, sent, answered (IW-NOT-1, -2). */
export interface NotificationsTable {
  id: string;
  device_id: string;
  /** NOTIFICATION-ID or session id towards the device. */
  number: number;
  /** The one that the asker gave; `null` when it gave none. */
  asked_number: number | null;
  /** `api`, `job` or `server:` and a server identifier. */
  asked_by: string;
  /** Names a Package#0, so that a repeat of it is known. */
  source: string | null;
  form: 'trigger' | 'options' | 'bits';
  request: string;
  /** Name of the transport. */
  via: string;
  address: string | null;
  state: 'waiting' | 'sent' | 'answered' | 'failed' | 'expired' | 'withdrawn';
  /** Tries at the transport, and how many of them it took. */
  attempts: Generated<number>;
  sent: Generated<number>;
  /** Not before then; while a node sends it, the end of that node's lease. */
  next_at: number;
  expires_at: number;
  created_at: number;
  updated_at: number;
  session_id: string | null;
  job_id: string | null;
  detail: string | null;
  /** JSON, what could not cross. */
  notes: Generated<string>;
  claimed_by: string | null;
}

export type DeviceRow = Selectable<DevicesTable>;
export type DeviceUpdate = Updateable<DevicesTable>;
export type NewDevice = Insertable<DevicesTable>;
export type SessionRow = Selectable<SessionsTable>;
export type SessionPatch = Omit<Updateable<SessionsTable>, 'id'>;
export type JournalRow = Selectable<JournalTable>;
export type RepositoryRow = Selectable<RepositoryTable>;
export type JobRow = Selectable<JobsTable>;
export type OutboxRow = Selectable<OutboxTable>;
export type NewOutbox = Insertable<OutboxTable>;
export type InteractionRow = Selectable<InteractionsTable>;
export type ReportRow = Selectable<ReportsTable>;
export type NewReport = Insertable<ReportsTable>;
export type NotificationRow = Selectable<NotificationsTable>;
export type NewNotification = Insertable<NotificationsTable>;

import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Members that may hold a secret wherever they stand in a log line; their values are replaced. */
const SECRETS = [
  'authorization',
  'cookie',
  'cred',
  'password',
  'secret',
  'token',
  'nonce',
  'nextNonce',
  'userHash',
  'ha1',
  'x-syncml-hmac',
];

export interface LogOptions {
  readonly level?: LogLevel;
  /** Where lines go; standard output by default. */
  readonly destination?: DestinationStream;
}

/** Bytes of log lines that go out together, and the longest that one waits for others, in milliseconds. */
const LINES_AT_ONCE = 4096;
const LINE_WAITS = 100;

export interface LogDestination extends DestinationStream {
  /** Writes what waits before it returns; pino calls it after a fatal line. */
  flushSync(): void;
}

/**
 * Lines to a file or a file descriptor, several in one write: a write for each line costs a message more
 * than making the line. What waits goes out when the process ends, whatever the reason but SIGKILL.
 */
export function logDestination(to: { readonly dest: string } | { readonly fd: number }): LogDestination {
  const lines = pino.destination({ ...to, sync: false, minLength: LINES_AT_ONCE });
  let waiting = false;
  const flush = () => {
    waiting = false;
    // Given a callback it does not throw where the other end of a pipe is gone.
    lines.flush(() => {});
  };
  return {
    write(line: string) {
      lines.write(line);
      if (waiting) return;
      waiting = true;
      setTimeout(flush, LINE_WAITS).unref();
    },
    flushSync: () => lines.flushSync(),
  };
}

/**
 * The logger of a process: one JSON object per line. The level of a line says who must act (error:
 * the operator, now; warn: the operator, some day; info: nobody, it is the course of business).
 */
export function createLogger(options: LogOptions = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
      censor: '[secret]',
    },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

/** For lines made of known members that hold no secret: looking through them costs more than writing them. */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: [] });
}

/** A logger that writes nothing, for tests and offline commands. */
export const silentLogger: Logger = pino({ level: 'silent' });

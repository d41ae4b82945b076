import { parseCommand } from '../../dm2/command.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import { type Notification, verifyNotification } from '../../dm2/notification/index.ts';
import { type Dm2Command, MEDIA_TYPE, type StatusItem } from '../../dm2/packages.ts';
import type { LoggedMessage } from '../../simulator/eventLog.ts';
import { type Check, type Finding, fail, pass, unsupported } from './report.ts';
import { type ServerEvidence, type Turn, UNKNOWN_ALERT } from './serverTrial.ts';

type Look = Check<ServerEvidence>;
type Verb = Dm2Command['verb'];

/** Clocks of two machines differ. */
const CLOCKS = 300;

/** A command that the server sent, and the Status item that the tester answered. */
interface Sent {
  readonly command: Dm2Command | { readonly problem: string };
  readonly verb: string;
  readonly item: StatusItem | undefined;
  readonly answer: LoggedMessage | undefined;
  readonly next: Turn | undefined;
}

/** What each feature looks like at a server, by its number (20§13). */
export const SERVER_CHECKS: Readonly<Record<number, Look>> = Object.freeze({
  1: packageFlow,
  2: notified((_read, message) => pass('a Package#0 came and was read', message)),
  3: notified((_read, message) => pass('VER is 2', message)),
  4: notified((read, message) => pass(`OC says ${optionCount(read)}, and so many options follow`, message)),
  5: option('SERVER-ID', ({ serverId }) => serverId !== undefined),
  6: option('PREFERRED-CON-TYPE', ({ connectionTypes }) => connectionTypes !== undefined),
  7: option('NOTIFICATION-ID', ({ notificationId }) => notificationId !== undefined),
  8: digest,
  9: timestamp,
  10: option('REQ-MOS', ({ reqMos }) => reqMos),
  11: package1,
  12: package2,
  13: package3,
  14: command('HGET'),
  15: command('HPUT'),
  16: command('HPOST'),
  17: command('DELETE'),
  18: command('EXEC'),
  19: command('GET'),
  20: command('SHOW'),
  21: cont,
  22: end,
  23: command('DEFAULT'),
  24: genericAlert,
  25: synchronous,
  26: asynchronous,
});

function packageFlow({ sessions }: ServerEvidence): Finding {
  const turns = sessions.flat();
  const broken = turns.find(({ problem, answer }) => problem !== undefined || answer === undefined);
  if (broken) return fail(broken.problem ?? 'no answer came', broken.request, broken.answer);
  const whole = sessions.find((session) => session.length > 1 && ends(session.at(-1)));
  if (!whole) return fail('no session went from Package#1 over Package#3 to END', turns[0]?.request);
  return pass('sessions go from Package#1 over Package#3 to END', ...whole.flatMap(exchangeOf));
}

function package1({ sessions }: ServerEvidence): Finding {
  const [first] = sessions[0] ?? [];
  if (!first) return fail('no session was opened');
  const { request, answer, problem } = first;
  if (!first.package2) return fail(problem ?? 'no answer came', request, answer);
  return pass('it is taken, with MOS and alerts, and answered by Package#2', request, answer);
}

function package2({ sessions }: ServerEvidence): Finding {
  for (const turn of sessions.flat()) {
    if (!turn.package2) return fail(turn.problem ?? 'no answer came', turn.request, turn.answer);
    const type = essence(turn.answer?.contentType);
    if (type !== MEDIA_TYPE.package2) return fail(`its Content-Type is ${type ?? 'missing'}`, turn.answer);
  }
  const wrong = sent(sessions).find(({ command: read }) => 'problem' in read);
  if (wrong && 'problem' in wrong.command) return fail(wrong.command.problem, wrong.answer);
  const ordered = sessions.flat().find((turn) => (turn.package2?.CMD.length ?? 0) > 1) ?? sessions[0]?.[0];
  return pass('each is a JSON list of commands with their parameters', ordered?.answer);
}

function package3({ sessions }: ServerEvidence): Finding {
  const turn = sessions.flatMap((session) => session.slice(1))[0];
  if (!turn) return unsupported('none was asked for: the server sent no command but END');
  if (!turn.package2) return fail(turn.problem ?? 'no answer came', turn.request, turn.answer);
  return pass('it is taken and answered by Package#2', turn.request, turn.answer);
}

function command(verb: Verb): Look {
  return ({ sessions }) => {
    const all = sent(sessions).filter((one) => one.verb === verb);
    const [good = all[0]] = all.filter(({ item }) => item !== undefined && item.sc < 400);
    if (!good) return unsupported(`the server sent no ${verb}`);
    const { command: read, item, answer, next } = good;
    if ('problem' in read) return fail(read.problem, answer);
    if (!item) return fail(`the server went no further than ${verb}`, answer);
    if (item.sc >= 400)
      return fail(`${verb} led to ${item.sc}: what it names cannot be used`, answer, next?.request);
    if (!next?.package2) return fail('its Status was not taken', next?.request, next?.answer);
    return pass(`sent, well formed, and its Status ${item.sc} was taken`, answer, next.request, next.answer);
  };
}

function cont({ sessions }: ServerEvidence): Finding {
  const found = sent(sessions).find(({ verb }) => verb === 'CONT');
  if (!found) return unsupported('the server sent no CONT');
  const { command: read, answer, next } = found;
  if ('problem' in read) return fail(read.problem, answer);
  if (!next?.package2)
    return fail('the session did not go on at the new URL', answer, next?.request, next?.answer);
  return pass('sent, and the session went on at the new URL', answer, next.request, next.answer);
}

function end({ sessions }: ServerEvidence): Finding {
  const open = sessions.find((session) => !ends(session.at(-1)));
  if (open) return fail('a session ended without END', ...open.flatMap(exchangeOf));
  const last = sessions[0]?.at(-1);
  if (!last) return fail('no session was opened');
  return pass('every session ends with END', last.request, last.answer);
}

function genericAlert({ sessions }: ServerEvidence): Finding {
  const telling = sessions.flat().filter(({ request }) => request.text.includes(UNKNOWN_ALERT.AlertType));
  const refused = telling.find((turn) => !turn.package2);
  if (refused || telling.length === 0) {
    return fail('a package with an alert of unknown type was not taken', refused?.request, refused?.answer);
  }
  return pass(
    'alerts are taken, one of unknown type is ignored, and none gets a status',
    ...telling.flatMap(exchangeOf),
  );
}

function synchronous({ sessions }: ServerEvidence): Finding {
  const found = sent(sessions).find(
    ({ item, next }) => item !== undefined && item.sc !== 202 && next?.package2,
  );
  if (!found) return unsupported('no command was answered with its final code');
  const exec = sent(sessions).find(
    (one) => !('problem' in one.command) && one.command.verb === 'EXEC' && one.item?.sc === 200,
  );
  const { answer, next } = exec ?? found;
  return pass(
    `the final code of ${(exec ?? found).verb} is taken in Package#3`,
    answer,
    next?.request,
    next?.answer,
  );
}

function asynchronous({ sessions }: ServerEvidence): Finding {
  const found = sent(sessions).find(({ verb, item }) => verb === 'EXEC' && item?.sc === 202);
  if (!found) return unsupported('the server sent no EXEC with ServerURI');
  const { answer, next } = found;
  if (!next?.package2) return fail('the Status 202 was not taken', answer, next?.request, next?.answer);
  const report = sessions.flat().find(({ request }) => request.text.includes('lawmo:1.0:OperationComplete'));
  if (!report) return fail('its report was never due', answer);
  if (!report.package2) return fail('its report was not taken', report.request, report.answer);
  return pass(
    '202 is taken, and later the alert with the result',
    answer,
    next.request,
    report.request,
    report.answer,
  );
}

/** A check of a Package#0 that can be read. */
function notified(
  look: (read: Notification, message: LoggedMessage, evidence: ServerEvidence) => Finding,
): Look {
  return (evidence) => {
    const [first] = evidence.notifications;
    if (!first) {
      return unsupported(evidence.listened ? 'no Package#0 came' : 'nobody listened for Package#0');
    }
    if ('problem' in first.read) return fail(first.read.problem, first.message);
    return look(first.read, first.message, evidence);
  };
}

function option(name: string, has: (read: Notification) => boolean): Look {
  return notified((read, message) =>
    has(read) ? pass(`${name} is there`, message) : unsupported(`${name} is not there`, message),
  );
}

function optionCount(read: Notification): number {
  const { serverId, connectionTypes, notificationId, digest: hash, timestamp: time, reqMos, unknown } = read;
  const known = [serverId, connectionTypes, notificationId, hash, time].filter(
    (value) => value !== undefined,
  );
  return known.length + (reqMos ? 1 : 0) + unknown.length;
}

function digest(evidence: ServerEvidence): Finding {
  return notified(({ digest: hash }, message, { credential }) => {
    if (hash === undefined) return unsupported('SHA256-DIGEST is not there', message);
    if (!credential)
      return unsupported(
        'SHA256-DIGEST is there; without its secret nobody can tell whether it is right',
        message,
      );
    const verdict = verifyNotification(message.bytes, credential);
    return verdict.ok
      ? pass('SHA256-DIGEST is there and right', message)
      : fail('SHA256-DIGEST is wrong', message);
  })(evidence);
}

function timestamp(evidence: ServerEvidence): Finding {
  return notified(({ timestamp: time }, message, { at }) => {
    if (time === undefined) return unsupported('TIMESTAMP is not there', message);
    const near = Math.abs(time - at) <= CLOCKS;
    return near
      ? pass('TIMESTAMP is there and tells the time', message)
      : fail(`TIMESTAMP is ${time}, far from now`, message);
  })(evidence);
}

function sent(sessions: ServerEvidence['sessions']): Sent[] {
  return sessions.flatMap((session) =>
    session.flatMap((turn, index) => {
      const next = session[index + 1];
      const items = next ? statusOf(next.request) : [];
      return (turn.package2?.CMD ?? []).map((raw, place): Sent => {
        const read = parseCommand(raw);
        return {
          command: 'error' in read ? { problem: read.detail } : read,
          verb: (raw[0] ?? '').toUpperCase(),
          item: items[place],
          answer: turn.answer,
          next,
        };
      });
    }),
  );
}

function statusOf({ text }: LoggedMessage): readonly StatusItem[] {
  const { Status = [] } = JSON.parse(text) as { Status?: readonly StatusItem[] };
  return Status;
}

function ends(turn: Turn | undefined): boolean {
  const { CMD } = turn?.package2 ?? {};
  return CMD?.some(([verb]) => verb?.toUpperCase() === 'END') ?? false;
}

function exchangeOf({ request, answer }: Turn): (LoggedMessage | undefined)[] {
  return [request, answer];
}

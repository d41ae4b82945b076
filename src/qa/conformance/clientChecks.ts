import { MEDIA_TYPE, SESSION_ALERT } from '../../dm2/packages.ts';
import type { LoggedMessage } from '../../simulator/eventLog.ts';
import { type ClientEvidence, DOCUMENT_TEXT } from './clientTrial.ts';
import type { NotificationKind } from './notificationKinds.ts';
import type { ProbeName } from './probes.ts';
import { type Check, type Finding, fail, pass, unsupported } from './report.ts';
import { alertsOf, type ClientTurn, type ProbeOutcome } from './turns.ts';

type Look = Check<ClientEvidence>;

/** What each feature looks like at a client, by its number (20§13). */
export const CLIENT_CHECKS: Readonly<Record<number, Look>> = Object.freeze({
  1: packageFlow,
  2: woken((sent, session) => pass('a session answers it', sent, session[0]?.request)),
  3: ignored('other VER', 'a notification of another VER is ignored'),
  4: ignored('OC too large', 'a notification with fewer options than OC says is ignored'),
  5: ignored(
    'other SERVER-ID',
    'SERVER-ID is looked up: a notification of a server without account is ignored',
  ),
  6: woken((sent, session) => pass('PREFERRED-CON-TYPE is read over', sent, session[0]?.request)),
  7: notificationId,
  8: ignored('wrong digest', 'a notification with a wrong digest is ignored', unsupported),
  9: ignored('stale', 'a notification of yesterday is ignored', unsupported),
  10: reqMos,
  11: package1,
  12: package2,
  13: package3,
  14: hget,
  15: upload('HPUT', 'put', 'PUT'),
  16: upload('HPOST', 'post', 'POST'),
  17: remove,
  18: exec,
  19: get,
  20: optional('show', 'SHOW'),
  21: cont,
  22: end,
  23: optional('default', 'DEFAULT'),
  24: genericAlert,
  25: synchronous,
  26: asynchronous,
});

function packageFlow({ sessions }: ClientEvidence): Finding {
  const broken = sessions.flat().find(({ problem }) => problem !== undefined);
  if (broken) return fail(broken.problem ?? '', broken.request);
  const whole = sessions.find((session) => session.length > 1);
  if (!whole) return fail('no session went from Package#1 to Package#3', sessions[0]?.[0]?.request);
  return pass('Package#1, then a Package#3 for each Package#2', ...whole.flatMap(messagesOf));
}

function package1({ sessions, probes }: ClientEvidence): Finding {
  const first = sessions.find(([turn]) => turn?.package1)?.[0];
  if (!first) return fail('no Package#1 came');
  const problem = headerProblem(first.request);
  if (problem !== undefined) return fail(problem, first.request);
  const told = uploadedTo(probes.get('identity'), 'identity');
  const id = first.request.headers?.['omadm-devid'] ?? '';
  if (told === undefined || !told.text.includes(JSON.stringify(id))) {
    return fail('OMADM-DevID is not what DevInfo/DevID says', first.request, told);
  }
  return pass('POSTed with OMADM-DevID, which is that of DevInfo, and Accept', first.request, told);
}

function package2({ probes }: ClientEvidence): Finding {
  return withReply(probes.get('order'), ({ status, transfers }, shown) => {
    const [missing, before, deleted, after] = status.map(({ sc }) => sc);
    const paths = transfers.map(({ url }) => new URL(url).pathname);
    if (paths.join(' ') !== '/missing /upload/before') {
      return fail(`transfers came in the order ${paths.join(', ') || 'none'}`, ...shown);
    }
    const right = missing === 404 && before === 200 && deleted === 200 && (after ?? 0) >= 400;
    return right
      ? pass('its commands are done in order, and one that fails stops no other', ...shown)
      : fail(`its four commands led to ${status.map(({ sc }) => sc).join(', ')}`, ...shown);
  });
}

function package3({ sessions, probes }: ClientEvidence): Finding {
  for (const { request, package3: read } of sessions.flat()) {
    const problem = read && headerProblem(request);
    if (problem !== undefined) return fail(problem, request);
  }
  for (const { commands, status, reply } of probes.values()) {
    if (reply && status.length !== commands.length) {
      return fail(`${status.length} Status items answer ${commands.length} commands`, reply.request);
    }
  }
  const shown = probes.get('write and read');
  if (!shown?.reply) return fail('none came', shown?.question);
  return pass(
    'one Status item for each command, with the headers of Package#1',
    shown.question,
    shown.reply.request,
  );
}

function hget({ probes }: ClientEvidence): Finding {
  return withReply(probes.get('write and read'), (outcome, shown) => {
    const sc = outcome.status[0]?.sc ?? 0;
    if (sc !== 200) return fail(`HGET leads to ${sc}`, ...shown);
    const read = uploadedTo(outcome, 'put') ?? uploadedTo(outcome, 'post');
    return read?.text.includes(DOCUMENT_TEXT)
      ? pass('the document is fetched and stands in the tree', ...shown)
      : fail('what the document says does not stand in the tree', ...shown);
  });
}

function upload(verb: string, name: string, method: string): Look {
  return ({ probes }) =>
    withReply(probes.get('write and read'), (outcome, shown) => {
      const sc = outcome.status[verb === 'HPUT' ? 1 : 2]?.sc ?? 0;
      const sent = uploadedTo(outcome, name);
      if (sc !== 200 || !sent)
        return fail(`${verb} leads to ${sc}${sent ? '' : ', without any transfer'}`, ...shown);
      if (sent.method !== method) return fail(`${verb} sends by ${sent.method}`, sent);
      return sent.text.includes(DOCUMENT_TEXT) && sent.text.includes('MOData')
        ? pass(`the MO serialization is sent by ${method}`, ...shown)
        : fail('what is sent is no serialization of the node', sent);
    });
}

function remove({ probes }: ClientEvidence): Finding {
  return withReply(probes.get('order'), (outcome, shown) => {
    const { sc } = outcome.status[2] ?? {};
    if (sc !== 200) return fail(`DELETE leads to ${sc}`, ...shown);
    return uploadedTo(outcome, 'after')
      ? fail('the node is still there', ...shown)
      : pass('the node is gone', ...shown);
  });
}

function exec({ probes }: ClientEvidence): Finding {
  return withReply(probes.get('exec'), ({ status: [item] }, shown) => {
    const sc = item?.sc ?? 0;
    return sc === 200 || sc === 202
      ? pass(`answered ${sc}`, ...shown)
      : fail(`EXEC leads to ${sc}`, ...shown);
  });
}

function get({ probes }: ClientEvidence): Finding {
  return withReply(probes.get('get'), ({ status: [item], reply }, shown) => {
    if (item?.sc === 501) return unsupported('GET is answered 501', ...shown);
    if (item?.sc !== 200) return fail(`GET leads to ${item?.sc}`, ...shown);
    return reply?.request.text.includes(DOCUMENT_TEXT)
      ? pass('the data stands in Package#3', ...shown)
      : fail('Package#3 says 200 and holds no data', ...shown);
  });
}

/** A command that leaves no more trace than its Status. */
function optional(name: ProbeName, verb: string): Look {
  return ({ probes }) =>
    withReply(probes.get(name), ({ status: [item] }, shown) => {
      if (item?.sc === 200) return pass('answered 200, and the session goes on', ...shown);
      if (item?.sc === 501) return unsupported(`${verb} is answered 501`, ...shown);
      return fail(`${verb} leads to ${item?.sc}`, ...shown);
    });
}

function cont({ probes }: ClientEvidence): Finding {
  return withReply(probes.get('cont'), ({ reply, status: [item] }, shown) => {
    if (item?.sc !== 200) return fail(`CONT leads to ${item?.sc}`, ...shown);
    if (!reply?.request.url.endsWith('/moved')) return fail('Package#3 stays at the old URL', ...shown);
    const after = probes.get('moved')?.reply?.request;
    return after?.url.endsWith('/moved')
      ? pass('Package#3 goes to the new URL from then on', ...shown, after)
      : fail('the next Package#3 goes back to the old URL', ...shown, after);
  });
}

function end({ probes }: ClientEvidence): Finding {
  const outcome = probes.get('end');
  if (!outcome) return fail('no session came as far as END');
  const shown = [outcome.question, ...outcome.transfers];
  if (outcome.reply) return fail('a Package#3 follows END', ...shown, outcome.reply.request);
  return uploadedTo(outcome, 'end')
    ? pass('the command beside it is done, and nothing follows', ...shown)
    : fail('the command beside it is not done', ...shown);
}

function genericAlert({ sessions, reports }: ClientEvidence): Finding {
  const turns = [...sessions, ...reports].flat();
  const wrong = turns.find((turn) =>
    alertsOf(turn).some(({ Data, DataType }) => Data !== undefined && DataType === undefined),
  );
  if (wrong) return fail('an alert has Data without DataType', wrong.request);
  const found = turns.find((turn) => alertsOf(turn).length > 0);
  return found ? pass('alerts come in packages, as they should be', found.request) : fail('no alert came');
}

function synchronous({ probes }: ClientEvidence): Finding {
  return withReply(probes.get('write and read'), ({ status }, shown) =>
    status.every(({ sc }) => sc !== 202)
      ? pass('Package#3 has the final code of each command', ...shown)
      : fail('a command other than EXEC is answered 202', ...shown),
  );
}

function asynchronous({ probes, reports }: ClientEvidence): Finding {
  return withReply(probes.get('exec later'), ({ status: [item] }, shown) => {
    if (item?.sc !== 202) return fail(`EXEC with ServerURI leads to ${item?.sc}`, ...shown);
    const report = reports
      .flat()
      .find((turn) => alertsOf(turn).some(({ SourceURI }) => SourceURI !== undefined));
    return report
      ? pass('202 now, and the result in an alert of a new session at ServerURI', ...shown, report.request)
      : fail('its result never came to ServerURI', ...shown);
  });
}

/** A look at the session that the good notification led to. */
function woken(look: (sent: LoggedMessage, session: readonly ClientTurn[]) => Finding): Look {
  return ({ notifications }) => {
    const good = notifications.get('good');
    if (!good) return unsupported('the client was sent none');
    const [session] = good.sessions;
    return session ? look(good.sent, session) : unsupported('no session answers it', good.sent);
  };
}

/** An optional option is not supported where a client acts on what it should have seen by it. */
function ignored(kind: NotificationKind, what: string, otherwise: typeof fail = fail): Look {
  return ({ notifications }) => {
    const outcome = notifications.get(kind);
    if (!outcome) return unsupported('not asked without a secret that both know');
    const [session] = outcome.sessions;
    if (!session) return pass(what, outcome.sent);
    return otherwise(`it is not so that ${what}`, outcome.sent, session[0]?.request);
  };
}

function notificationId(evidence: ClientEvidence): Finding {
  return woken((sent, [first]) => {
    const alert =
      first && alertsOf(first).find(({ AlertType }) => AlertType === SESSION_ALERT.serverInitiated);
    if (!alert) return fail('Package#1 does not say that the server began', sent, first?.request);
    if (!Object.values(alert.Data ?? {}).some((value) => Number(value) === evidence.notificationId)) {
      return unsupported('Package#1 does not tell the id', sent, first?.request);
    }
    const again = evidence.notifications.get('again');
    return again?.sessions.length === 0
      ? pass(
          'Package#1 tells the id, and the same notification starts no second session',
          sent,
          first?.request,
        )
      : fail('the same notification starts a second session', sent, again?.sessions[0]?.[0]?.request);
  })(evidence);
}

function reqMos(evidence: ClientEvidence): Finding {
  return woken((sent, [first]) =>
    (first?.package1?.MOS ?? []).length > 0
      ? pass('Package#1 lists the objects', sent, first?.request)
      : fail('Package#1 has no MOS', sent, first?.request),
  )(evidence);
}

function withReply(
  outcome: ProbeOutcome | undefined,
  look: (outcome: ProbeOutcome, shown: readonly (LoggedMessage | undefined)[]) => Finding,
): Finding {
  if (!outcome) return fail('no session came so far that it could be asked');
  const { question, transfers, reply } = outcome;
  if (!reply) return fail('no Package#3 came', question, ...transfers);
  return look(outcome, [question, ...transfers, reply.request]);
}

function headerProblem({ headers = {} }: LoggedMessage): string | undefined {
  if (!headers['omadm-devid']) return 'OMADM-DevID is missing';
  return headers['accept']?.includes(MEDIA_TYPE.package2) ? undefined : 'Accept does not name Package#2';
}

function uploadedTo(outcome: ProbeOutcome | undefined, name: string): LoggedMessage | undefined {
  return outcome?.transfers.find(({ url }) => new URL(url).pathname === `/upload/${name}`);
}

function messagesOf({ request, answer }: ClientTurn): (LoggedMessage | undefined)[] {
  return [request, answer];
}

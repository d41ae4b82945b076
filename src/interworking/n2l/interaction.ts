import type { AlertCommand, Command } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import { withShowReturn } from '../../dm2/dialects/index.ts';
import { readUiAlert } from '../interaction/alert.ts';
import { statusOfAnswer } from '../interaction/answers.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
import type { Dm2Device } from './device.ts';

/** Device capability: it answers SHOW with 501. */
const SHOW = 'show';

/**
 * A legacy server's UI alert on a 2.0 client (IW-UI-1, IW-UI-2): SHOW of a page that the gateway hosts; the
 * client's next answer is held until its user, or somebody else with the page, has answered.
 */
export function* runUiAlert(
  s: Session,
  device: Dm2Device,
  command: AlertCommand,
): Script<ServerCommandAnswer> {
  const read = readUiAlert(command);
  if (!read.ok) {
    yield* s.note('IW-UI-1', read.detail);
    return { code: read.code };
  }
  const { alert } = read;
  for (const text of read.notes) yield* s.note('IW-UI-1', `Alert ${command.code}: ${text}`);
  if (s.capability(SHOW) === false) {
    yield* s.note('IW-UI-2', 'The client is known to answer SHOW with 501.');
    return { code: 406 };
  }
  const lang = s.devInfo['Lang'];
  const { url } = yield* s.perform({ kind: 'interaction.open', alert, ...(lang !== undefined && { lang }) });
  const { showNeedsReturnUrl } = device.dialect.capabilities;
  const serverUri = showNeedsReturnUrl ? withShowReturn(url, { kind: 'close', url: `${url}/done` }) : url;
  const [item] = yield* device.run([{ verb: 'SHOW', serverUri }]);
  if (device.gone || !item) return { code: 500 };
  if (item.sc === 501) {
    s.learn(SHOW, false);
    yield* s.note('IW-UI-2', 'The client has no SHOW; this is remembered.');
    return { code: 406 };
  }
  if (item.sc >= 300) return { code: statusToDm1(item.sc) };
  const secret = alert.kind === 'input' && alert.echo === 'P';
  const { answer } = yield* s.perform({ kind: 'interaction.wait', url, ...(secret && { secret }) });
  const { code, items } = statusOfAnswer(alert, answer);
  if (answer.kind === 'timed-out') {
    const when = answer.asked ? 'until MAXDT' : 'as long as the gateway waits';
    yield* s.note('IW-UI-2', `Nobody answered ${when}; Alert ${command.code} is answered ${code}.`);
  }
  return { code, ...(items.length > 0 && { statusItems: items }) };
}

/** What a command and its children get that a user's decision skips (1x§4.5). */
export function skipped(command: Command): ServerCommandAnswer {
  if (command.kind !== 'Sequence' && command.kind !== 'Atomic') return { code: 215 };
  return { code: 215, children: command.commands.map(skipped) };
}

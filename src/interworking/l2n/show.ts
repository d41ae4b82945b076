import type { CommandAnswer } from '../../dm1/session/planned.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { DragomanError } from '../../support/errors.ts';
import { UI_ALERT_CODE, type UiAlert, writeUiAlert } from '../interaction/alert.ts';
import { type DeviceAnswer, readAnswer, type UserAnswer } from '../interaction/answers.ts';
import type { Page } from '../interaction/controls.ts';
import { readForms } from '../interaction/forms.ts';
import { type DialogueStep, type PagePlan, planPage, unusable } from '../interaction/plan.ts';
import { fillForm, missingAnswer, type Submission, submitForm } from '../interaction/submission.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2 } from '../status.ts';
import { expandFor } from '../transfer.ts';
import { Browser, type Loaded } from './browser.ts';
import type { LegacyDevice } from './device.ts';

/** Pages that one SHOW may lead through. */
const MOST_PAGES = 10;
/** How often a question is asked again whose answer the form does not take. */
const MOST_REPEATS = 2;
/** No user answers faster. */
const SHORTEST_WAIT = 20;

/**
 * SHOW on a legacy device (IW-SHOW-1): the page becomes UI alerts, their answers become its submission, and
 * so on until a page asks nothing. 200 once the dialogue could start, whatever the user did then.
 */
export function* runShow(
  s: Session,
  device: LegacyDevice,
  { serverUri }: Extract<Dm2Command, { verb: 'SHOW' }>,
): Script<StatusItem> {
  if (s.capability(capabilityOf({ kind: 'display' })) === false) {
    yield* s.note('IW-SHOW-1', 'The device is known to show nothing to its user.');
    return { sc: 501 };
  }
  const url = yield* expandFor(s, serverUri);
  if (url === undefined || !/^https?:/i.test(url) || !URL.canParse(url)) return { sc: 400 };
  const browser = new Browser(s, url);
  let next: Submission = { method: 'GET', url };
  for (let pages = 1; pages <= MOST_PAGES; pages += 1) {
    const loaded = yield* browser.load(next);
    if (loaded.kind === 'failed') {
      yield* s.note('IW-SHOW-1', `The page was not shown: ${loaded.detail}`);
      return { sc: pages === 1 ? loaded.sc : 200 };
    }
    if (loaded.kind === 'over') return { sc: 200 };
    const { plan, page } = readPage(loaded);
    for (const { rule, text } of plan.notes) yield* s.note(rule, text);
    const asked = yield* hold(s, device, plan);
    if (asked.kind === 'refused' && pages === 1) return { sc: asked.sc };
    if (asked.kind !== 'answered') return { sc: 200 };
    const onward = asked.submission ?? (page?.refresh && { method: 'GET' as const, url: page.refresh.url });
    if (!onward) return { sc: 200 };
    next = onward;
  }
  yield* s.note('IW-UI-3', `The dialogue was ended behind ${MOST_PAGES} pages.`);
  return { sc: 200 };
}

function readPage(loaded: Extract<Loaded, { kind: 'page' }>): {
  readonly plan: PagePlan;
  readonly page?: Page;
} {
  const { url, content } = loaded;
  const nothing = { title: '' };
  switch (content.kind) {
    case 'other':
      return { plan: unusable(nothing, url, `A page of type ${content.type} cannot be shown by an alert.`) };
    case 'text': {
      const text = content.text.trim();
      return { plan: { kind: 'message', alert: { kind: 'display', text: text || url }, notes: [] } };
    }
    case 'html':
      try {
        const page = readForms(content.text, url);
        return { plan: planPage(page, url), page };
      } catch (error) {
        if (!(error instanceof DragomanError)) throw error;
        return { plan: unusable(nothing, url, error.detail) };
      }
  }
}

type Held =
  | { readonly kind: 'answered'; readonly submission?: Submission }
  /** The user cancelled, said no or nothing: nothing is submitted (IW-UI-4). */
  | { readonly kind: 'ended' }
  /** The device could not even begin. */
  | { readonly kind: 'refused'; readonly sc: number };

/** Holds the dialogue of one page. */
function* hold(s: Session, device: LegacyDevice, plan: PagePlan): Script<Held> {
  const steps: readonly DialogueStep[] =
    plan.kind === 'form' ? plan.steps : [{ alert: plan.alert, meaning: { kind: 'read' } }];
  const first = yield* ask(s, device, steps);
  if ('stopped' in first) return first.stopped;
  if (plan.kind === 'message') return { kind: 'answered' };
  const answers = [...first.answers];
  for (let repeats = 0; ; repeats += 1) {
    const filled = fillForm(plan, answers);
    const missing = missingAnswer(plan, filled);
    if (missing === undefined) return { kind: 'answered', submission: submitForm(plan.form, filled) };
    if (repeats === MOST_REPEATS) {
      yield* s.note('IW-UI-3', 'The form does not take the answers, so nothing was submitted.');
      return { kind: 'ended' };
    }
    const again = yield* ask(s, device, [steps[missing]!]);
    if ('stopped' in again) return { kind: 'ended' };
    answers[missing] = again.answers[0]!;
  }
}

/** Asks everything, in a Sequence, so that a cancel ends it on the device (1x§4.5). */
function* ask(
  s: Session,
  device: LegacyDevice,
  steps: readonly DialogueStep[],
): Script<
  { readonly answers: readonly UserAnswer[] } | { readonly stopped: Exclude<Held, { kind: 'answered' }> }
> {
  const lacking = steps.find(({ alert }) => s.capability(capabilityOf(alert)) === false);
  if (lacking) {
    yield* s.note('IW-SHOW-1', `The device is known to have no Alert ${UI_ALERT_CODE[lacking.alert.kind]}.`);
    return { stopped: { kind: 'refused', sc: 501 } };
  }
  const { interactionSeconds } = s.context.limits;
  const maxSeconds =
    interactionSeconds === undefined
      ? undefined
      : Math.max(SHORTEST_WAIT, Math.floor(interactionSeconds / steps.length));
  const commands = [];
  for (const { alert } of steps) {
    const { command, notes } = writeUiAlert({ ...alert, ...(maxSeconds !== undefined && { maxSeconds }) });
    for (const text of notes) yield* s.note('IW-UI-3', text);
    commands.push(command);
  }
  const together = steps.length > 1 && s.capability('sequence') !== false;
  const given: CommandAnswer[] = together ? [...(yield* device.run(commands, 'Sequence'))] : [];
  const answers: UserAnswer[] = [];
  for (const [at, step] of steps.entries()) {
    const raw = given[at] ?? (yield* device.run([commands[at]!]))[0]!;
    const answer = readAnswer(step.alert, raw);
    if (device.ended) return { stopped: at === 0 ? { kind: 'refused', sc: 500 } : { kind: 'ended' } };
    const stopped = yield* judge(s, step, answer, at);
    if (stopped) return { stopped };
    if (answer.kind !== 'not-shown') answers.push(answer);
  }
  return { answers };
}

/** Why the dialogue does not go on, if so. */
function* judge(
  s: Session,
  { alert, meaning }: DialogueStep,
  answer: DeviceAnswer,
  at: number,
): Script<Exclude<Held, { kind: 'answered' }> | undefined> {
  switch (answer.kind) {
    case 'accepted':
    case 'entered':
    case 'chosen':
      return undefined;
    case 'rejected':
      if (meaning.kind === 'buttons') return undefined;
      yield* s.note('IW-UI-4', 'The user said no; nothing was submitted.');
      return { kind: 'ended' };
    case 'cancelled':
      yield* s.note('IW-UI-4', 'The user cancelled; nothing was submitted.');
      return { kind: 'ended' };
    case 'timed-out':
      yield* s.note('IW-UI-4', 'The user did not answer in time; nothing was submitted.');
      return { kind: 'ended' };
    case 'not-shown':
      break;
  }
  const name = `Alert ${UI_ALERT_CODE[alert.kind]}`;
  // Clients exist that say 501 to every command they do not have (1x§16.2).
  const lacking = answer.code === 406 || answer.code === 501;
  if (lacking) {
    s.learn(capabilityOf(alert), false);
    yield* s.note('IW-SHOW-1', `The device has no ${name}; this is remembered.`);
  } else {
    yield* s.note('IW-UI-4', `The device answered ${name} with ${answer.code}; nothing was submitted.`);
  }
  // Accepted to be shown later: the dialogue has begun, but its answer will never be heard.
  if (at > 0 || answer.code === 202) return { kind: 'ended' };
  return { kind: 'refused', sc: lacking ? 501 : statusToDm2(answer.code) };
}

/** Some devices have a few of the five alerts only (1x§4.5). */
function capabilityOf({ kind }: Pick<UiAlert, 'kind'>): string {
  return `alert${UI_ALERT_CODE[kind]}`;
}

import { createHash } from 'node:crypto';
import type { UserAnswer } from './answers.ts';
import type { Control, Form, FormTarget, SubmitControl, TextControl } from './controls.ts';
import { toIsoDate, toIsoTime } from './entry.ts';
import type { DialogueStep, PagePlan } from './plan.ts';

type FormPlan = Extract<PagePlan, { kind: 'form' }>;

/** A request as a browser would send it. */
export interface Submission {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
}

interface Filled {
  readonly texts: ReadonlyMap<number, string>;
  /** Radio buttons and checkboxes that were asked about, and which of them are on. */
  readonly checks: ReadonlyMap<number, boolean>;
  /** Options of selects that were asked about. */
  readonly options: ReadonlyMap<number, ReadonlySet<number>>;
  readonly button: number | undefined;
}

/** Puts the answers, one for each step, into the form. */
export function fillForm(plan: FormPlan, answers: readonly UserAnswer[]): Filled {
  const texts = new Map<number, string>();
  const checks = new Map<number, boolean>();
  const options = new Map<number, Set<number>>();
  let { button } = plan;
  for (const [i, { meaning }] of plan.steps.entries()) {
    const answer = answers[i];
    switch (meaning.kind) {
      case 'read':
        break;
      case 'text':
        if (answer?.kind === 'entered')
          texts.set(meaning.control, typed(plan.form, meaning.control, answer.text));
        break;
      case 'press':
        if (answer?.kind === 'chosen') button = meaning.picks[answer.numbers[0]! - 1]?.control;
        break;
      case 'buttons':
        button = answer?.kind === 'rejected' ? meaning.no : meaning.yes;
        break;
      case 'choice': {
        if (answer?.kind !== 'chosen') break;
        for (const [k, { control, option }] of meaning.picks.entries()) {
          const on = answer.numbers.includes(k + 1);
          if (option === undefined) checks.set(control, on);
          else {
            const chosen = options.get(control) ?? new Set();
            if (on) chosen.add(option);
            options.set(control, chosen);
          }
        }
        break;
      }
    }
  }
  return { texts, checks, options, button };
}

/** A text as the control's type wants it: dates and times come from the device in digits (1x§4.3). */
function typed({ controls }: Form, at: number, text: string): string {
  const control = controls[at];
  if (control?.kind !== 'text') return text;
  if (control.type === 'date') return toIsoDate(text) ?? text;
  if (control.type === 'time') return toIsoTime(text) ?? text;
  return control.type === 'textarea' ? text : text.replace(/[\r\n]+/g, '');
}

/** The first step whose answer a browser would not let pass; `undefined` when the form may go. */
export function missingAnswer(plan: FormPlan, filled: Filled): number | undefined {
  const { controls } = plan.form;
  const pressed = filled.button === undefined ? undefined : controls[filled.button];
  const novalidate = pressed?.kind === 'submit' ? pressed.target?.novalidate : undefined;
  if (novalidate ?? plan.form.novalidate) return undefined;
  const at = plan.steps.findIndex((step) => !passes(step, controls, filled));
  return at < 0 ? undefined : at;
}

function passes({ meaning }: DialogueStep, controls: readonly Control[], filled: Filled): boolean {
  if (meaning.kind === 'text') {
    const control = controls[meaning.control] as TextControl;
    return textPasses(control, filled.texts.get(meaning.control) ?? '');
  }
  if (meaning.kind !== 'choice') return true;
  return meaning.picks.every(({ control: at, option }) => {
    const control = controls[at];
    if (control?.kind === 'checkbox') return !control.required || filled.checks.get(at) === true;
    if (control?.kind === 'select' && option !== undefined)
      return !control.required || (filled.options.get(at)?.size ?? 0) > 0;
    return true;
  });
}

function textPasses({ type, required, maxLength }: TextControl, text: string): boolean {
  if (text === '') return !required;
  if (maxLength !== undefined && text.length > maxLength) return false;
  if (type === 'number' || type === 'range') return /^-?\d+(?:\.\d+)?$/.test(text);
  if (type === 'date') return /^\d{4}-\d\d-\d\d$/.test(text);
  if (type === 'email') return /^[^\s@]+@[^\s@]+$/.test(text);
  return true;
}

/** The submission that a browser makes of the filled form. */
export function submitForm(form: Form, filled: Filled): Submission {
  const button = filled.button === undefined ? undefined : form.controls[filled.button];
  const pressed = button?.kind === 'submit' ? button : undefined;
  const target: FormTarget = { ...form, ...pressed?.target };
  const entries = entriesOf(form, filled, pressed);
  if (target.method !== 'post') {
    const url = new URL(target.action);
    url.search = urlencoded(entries);
    url.hash = '';
    return { method: 'GET', url: url.href };
  }
  const url = new URL(target.action);
  url.hash = '';
  return { method: 'POST', url: url.href, body: bodyOf(target.enctype, entries, url.href) };
}

type Entry = readonly [name: string, value: string];

/** The entry list of HTML: names and values of everything that counts, in document order. */
function entriesOf(form: Form, filled: Filled, pressed: SubmitControl | undefined): Entry[] {
  const entries: Entry[] = [];
  for (const [at, control] of form.controls.entries()) {
    if (control.kind === 'submit') {
      if (control === pressed) entries.push(...pressedEntries(control));
      continue;
    }
    if (control.name === '') continue;
    switch (control.kind) {
      case 'fixed':
        entries.push([control.name, control.value]);
        break;
      case 'text':
        entries.push([control.name, filled.texts.get(at) ?? control.value]);
        break;
      case 'radio':
      case 'checkbox':
        if (filled.checks.get(at) ?? control.checked) entries.push([control.name, control.value]);
        break;
      case 'select': {
        const chosen = filled.options.get(at);
        for (const [i, option] of control.options.entries()) {
          if ((chosen ? chosen.has(i) : option.selected) && !option.disabled)
            entries.push([control.name, option.value]);
        }
        break;
      }
      case 'file':
        break;
    }
  }
  return entries;
}

function pressedEntries({ name, value, image }: SubmitControl): Entry[] {
  if (image) {
    const prefix = name === '' ? '' : `${name}.`;
    return [
      [`${prefix}x`, '0'],
      [`${prefix}y`, '0'],
    ];
  }
  return name === '' ? [] : [[name, value]];
}

function urlencoded(entries: readonly Entry[]): string {
  return new URLSearchParams(
    entries.map(([name, value]): [string, string] => [lines(name), lines(value)]),
  ).toString();
}

/** Line breaks are CRLF in every submission. */
function lines(text: string): string {
  return text.replace(/\r\n?|\n/g, '\r\n');
}

function bodyOf(
  enctype: FormTarget['enctype'],
  entries: readonly Entry[],
  url: string,
): NonNullable<Submission['body']> {
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  switch (enctype) {
    case 'application/x-www-form-urlencoded':
      return { type: enctype, bytes: utf8(urlencoded(entries)) };
    case 'text/plain':
      return { type: enctype, bytes: utf8(entries.map(([n, v]) => `${lines(n)}=${lines(v)}\r\n`).join('')) };
    case 'multipart/form-data': {
      const boundary = boundaryFor(url, entries);
      const parts = entries.map(
        ([name, value]) =>
          `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${lines(value)}\r\n`,
      );
      return {
        type: `${enctype}; boundary=${boundary}`,
        bytes: utf8(`${parts.join('')}--${boundary}--\r\n`),
      };
    }
  }
}

/** Derived from what it parts, so that a replay makes the same; no value can hold the hash of itself. */
function boundaryFor(url: string, entries: readonly Entry[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([url, entries]))
    .digest('hex');
  return `----DragomanFormBoundary${hash.slice(0, 32)}`;
}

function quoted(name: string): string {
  return lines(name).replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}

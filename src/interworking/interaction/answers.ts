import type { Item } from '../../dm1/message.ts';
import type { CommandAnswer } from '../../dm1/session/planned.ts';
import { parseNumbers, textOf, type UiAlert } from './alert.ts';

/** What the user did. */
export type UserAnswer =
  /** OK to a display, Yes to a question. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'entered'; readonly text: string }
  /** Numbers of choices, from 1; none is an answer too (1104). */
  | { readonly kind: 'chosen'; readonly numbers: readonly number[] }
  | { readonly kind: 'cancelled' }
  /**
   * Nobody answered: until MAXDT (`asked`), or until whoever waits gave up before that. `seen`: it stood
   * before the user's eyes.
   */
  | { readonly kind: 'timed-out'; readonly asked: boolean; readonly seen: boolean };

export interface UiStatus {
  readonly code: number;
  readonly items: readonly Item[];
}

/**
 * The Status that tells a legacy server what the user did (1x§4.4, IW-UI-2). When MAXDT passes the default
 * response is the answer where there is one; a text that was on display has been displayed.
 */
export function statusOfAnswer(alert: UiAlert, answer: UserAnswer): UiStatus {
  switch (answer.kind) {
    case 'accepted':
      return status(200);
    case 'rejected':
      return status(304);
    case 'entered':
      return status(200, answer.text);
    case 'chosen':
      return status(200, ...answer.numbers.map(String));
    case 'cancelled':
      return status(214);
    case 'timed-out':
      return answer.asked ? unanswered(alert, answer.seen) : status(408);
  }
}

function unanswered(alert: UiAlert, seen: boolean): UiStatus {
  switch (alert.kind) {
    case 'display':
      return status(seen ? 200 : 408);
    case 'confirm':
      return status(alert.preset === undefined ? 408 : alert.preset ? 200 : 304);
    case 'input':
      return alert.preset === undefined ? status(408) : status(200, alert.preset);
    case 'single':
      return alert.preset === undefined ? status(408) : status(200, String(alert.preset));
    case 'multiple':
      return alert.preset === undefined ? status(408) : status(200, ...alert.preset.map(String));
  }
}

function status(code: number, ...texts: string[]): UiStatus {
  return { code, items: texts.map((data) => ({ data })) };
}

/** What a user's decision does to the commands behind the alert (1x§4.5). */
export interface UiEffect {
  /** Later children of the same Sequence are not executed: 215. */
  readonly skipsSiblings: boolean;
  /** Nothing more of the message is executed: 215. */
  readonly skipsMessage: boolean;
}

/** `No` ends its Sequence only; a cancel, or nobody's answer, which counts as one, ends the message. */
export function effectOf(code: number): UiEffect {
  const cancelled = code === 214 || code === 408;
  return { skipsSiblings: cancelled || code === 304, skipsMessage: cancelled };
}

/** What a legacy device's Status says; `not-shown` keeps the code of one that says nothing about the user. */
export type DeviceAnswer = UserAnswer | { readonly kind: 'not-shown'; readonly code: number };

/** Reads a legacy device's answer to an alert; an answer that does not fit it is none (`not-shown` 500). */
export function readAnswer(
  alert: UiAlert,
  answer: Pick<CommandAnswer, 'code' | 'statusItems'>,
): DeviceAnswer {
  switch (answer.code) {
    case 200:
      return accepted(alert, answer.statusItems.map(textOf));
    case 304:
      return { kind: 'rejected' };
    case 214:
      return { kind: 'cancelled' };
    case 408:
      return { kind: 'timed-out', asked: true, seen: true };
    default:
      return { kind: 'not-shown', code: answer.code };
  }
}

function accepted(alert: UiAlert, texts: readonly string[]): DeviceAnswer {
  switch (alert.kind) {
    case 'display':
    case 'confirm':
      return { kind: 'accepted' };
    case 'input':
      return { kind: 'entered', text: texts[0] ?? '' };
    case 'single': {
      const numbers = parseNumbers(texts.join(' '), alert.choices.length);
      return numbers?.length === 1 ? { kind: 'chosen', numbers } : { kind: 'not-shown', code: 500 };
    }
    case 'multiple': {
      const numbers = parseNumbers(texts.join(' '), alert.choices.length);
      return numbers ? { kind: 'chosen', numbers } : { kind: 'not-shown', code: 500 };
    }
  }
}

import type { UiAlert } from '../../interworking/interaction/alert.ts';
import type { UserAnswer } from '../../interworking/interaction/answers.ts';
import { checkEntry, type EntryProblem } from '../../interworking/interaction/entry.ts';

/** The fields of a submitted page. */
export interface Posted {
  /** Value of the pressed button. */
  readonly action: string;
  readonly text: string;
  readonly choices: readonly string[];
}

export type PostProblem = EntryProblem | 'no-choice';

/** Reads a body of type `application/x-www-form-urlencoded`. */
export function readPosted(body: Uint8Array): Posted {
  const fields = new URLSearchParams(new TextDecoder().decode(body));
  return { action: fields.get('do') ?? '', text: fields.get('text') ?? '', choices: fields.getAll('choice') };
}

/** What the user answered, or why that is none; a page is trusted with nothing. */
export function answerOf(
  alert: UiAlert,
  posted: Posted,
):
  | { readonly ok: true; readonly answer: UserAnswer }
  | { readonly ok: false; readonly problem: PostProblem } {
  if (posted.action === 'cancel') return { ok: true, answer: { kind: 'cancelled' } };
  switch (alert.kind) {
    case 'display':
      return { ok: true, answer: { kind: 'accepted' } };
    case 'confirm':
      if (posted.action === 'yes') return { ok: true, answer: { kind: 'accepted' } };
      return posted.action === 'no'
        ? { ok: true, answer: { kind: 'rejected' } }
        : { ok: false, problem: 'no-choice' };
    case 'input': {
      const entry = checkEntry(alert, posted.text);
      return entry.ok ? { ok: true, answer: { kind: 'entered', text: entry.text } } : entry;
    }
    case 'single':
    case 'multiple': {
      const numbers = posted.choices.map((choice) => (/^\d{1,6}$/.test(choice) ? Number(choice) : 0));
      const inRange = numbers.every((number) => number >= 1 && number <= alert.choices.length);
      const enough = alert.kind === 'multiple' || numbers.length === 1;
      if (!inRange || !enough) return { ok: false, problem: 'no-choice' };
      return { ok: true, answer: { kind: 'chosen', numbers: [...new Set(numbers)].sort((a, b) => a - b) } };
    }
  }
}

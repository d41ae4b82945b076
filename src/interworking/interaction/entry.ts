import type { InputAlert } from './alert.ts';
import type { InputType } from './options.ts';

/** Why a text does not fit an input. */
export type EntryProblem = 'empty' | 'too-long' | InputType;

export type Entry =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: EntryProblem };

/**
 * Checks what a user typed against IT and MAXLEN, and writes it as 1.x wants it (1x§4.3): dates and times
 * may come as a browser's date and time fields write them, `2026-11-21` and `07:30`.
 */
export function checkEntry({ inputType, maxLength }: InputAlert, typed: string): Entry {
  if (inputType === 'A') {
    const text = typed.replace(/\r\n?/g, '\n');
    return maxLength !== undefined && Array.from(text).length > maxLength
      ? { ok: false, problem: 'too-long' }
      : { ok: true, text };
  }
  const trimmed = typed.trim();
  if (trimmed === '') return { ok: false, problem: 'empty' };
  const text = CHECKS[inputType](trimmed);
  if (text === undefined) return { ok: false, problem: inputType };
  // The length of dates, times and addresses is given by their form.
  const counted = inputType === 'N' || inputType === 'P';
  if (counted && maxLength !== undefined && text.length > maxLength)
    return { ok: false, problem: 'too-long' };
  return { ok: true, text };
}

const CHECKS: Record<Exclude<InputType, 'A'>, (text: string) => string | undefined> = {
  N: (text) => (/^[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)$/.test(text) ? text.replace(',', '.') : undefined),
  D: (text) => {
    const iso = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
    const dotted = /^(\d\d)[./ -]?(\d\d)[./ -]?(\d{4})$/.exec(text);
    const [year, month, day] = iso
      ? [iso[1], iso[2], iso[3]]
      : dotted
        ? [dotted[3], dotted[2], dotted[1]]
        : [];
    return isDate(Number(year), Number(month), Number(day)) ? `${day}${month}${year}` : undefined;
  },
  T: (text) => {
    const match = /^(\d\d):?(\d\d)(?::?(\d\d)(?:\.\d{1,3})?)?$/.exec(text);
    if (!match || Number(match[1]) > 23 || Number(match[2]) > 59 || Number(match[3] ?? 0) > 59)
      return undefined;
    return `${match[1]}${match[2]}${match[3] ?? '00'}`;
  },
  P: (text) => {
    const digits = text.replace(/[\s()/.-]/g, '');
    return /^\+?[0-9pws]+$/i.test(digits) ? digits.toLowerCase() : undefined;
  },
  I: (text) => {
    const parts = text.split('.');
    const fits = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
    return fits ? parts.map(Number).join('.') : undefined;
  },
};

function isDate(year: number, month: number, day: number): boolean {
  if (!(month >= 1 && month <= 12 && day >= 1)) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day <= days;
}

/** DDMMYYYY as browsers and forms write a date; `undefined` for what is none. */
export function toIsoDate(text: string): string | undefined {
  const match = /^(\d\d)(\d\d)(\d{4})$/.exec(text.trim());
  return match ? `${match[3]}-${match[2]}-${match[1]}` : undefined;
}

/** hhmmss as browsers and forms write a time, seconds only where they are none of zero. */
export function toIsoTime(text: string): string | undefined {
  const match = /^(\d\d)(\d\d)(\d\d)?$/.exec(text.trim());
  if (!match) return undefined;
  return `${match[1]}:${match[2]}${match[3] && match[3] !== '00' ? `:${match[3]}` : ''}`;
}

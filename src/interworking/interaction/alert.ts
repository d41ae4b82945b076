import type { AlertCommand, Item } from '../../dm1/message.ts';
import type { PlannedAlert } from '../../dm1/session/planned.ts';
import { type EchoType, formatUiOptions, type InputType, parseUiOptions, type UiOptions } from './options.ts';

interface Timed {
  /** What is shown: the text of 1100 to 1102, the title of 1103 and 1104. */
  readonly text: string;
  readonly minSeconds?: number;
  readonly maxSeconds?: number;
}

export interface DisplayAlert extends Timed {
  readonly kind: 'display';
}

export interface ConfirmAlert extends Timed {
  readonly kind: 'confirm';
  /** Which answer stands out, and is given when MAXDT passes. */
  readonly preset?: boolean;
}

export interface InputAlert extends Timed {
  readonly kind: 'input';
  readonly inputType: InputType;
  readonly echo: EchoType;
  readonly maxLength?: number;
  readonly preset?: string;
}

export interface SingleAlert extends Timed {
  readonly kind: 'single';
  readonly choices: readonly string[];
  /** Number of a choice, from 1 (1x§4.2). */
  readonly preset?: number;
}

export interface MultipleAlert extends Timed {
  readonly kind: 'multiple';
  readonly choices: readonly string[];
  /** Numbers of choices, from 1, ascending. */
  readonly preset?: readonly number[];
}

/** A dialogue with the user: Alert 1100 to 1104. */
export type UiAlert = DisplayAlert | ConfirmAlert | InputAlert | SingleAlert | MultipleAlert;

export const UI_ALERT_CODE = {
  display: '1100',
  confirm: '1101',
  input: '1102',
  single: '1103',
  multiple: '1104',
} as const satisfies Record<UiAlert['kind'], string>;

const KINDS: ReadonlyMap<string, UiAlert['kind']> = new Map(
  Object.entries(UI_ALERT_CODE).map(([kind, code]) => [code, kind as UiAlert['kind']]),
);

export function isUiAlert({ code }: Pick<AlertCommand, 'code'>): boolean {
  return KINDS.has(code.trim());
}

/** What may be shown at most; characters are Unicode's, not UTF-16's. */
export interface UiLimits {
  readonly text: number;
  readonly choice: number;
  readonly choices: number;
}

/** A page of the gateway's own can show much; what is longer belongs into no dialogue. */
const PAGE_LIMITS: UiLimits = { text: 8000, choice: 500, choices: 500 };

/** The known clients show about this much and refuse more (1x§4.5). */
export const DEVICE_LIMITS: UiLimits = { text: 1000, choice: 80, choices: 255 };

export type UiReading =
  | { readonly ok: true; readonly alert: UiAlert; readonly notes: readonly string[] }
  /** 412: Items are missing; 416: more choices than can be shown (1x§4.4). */
  | { readonly ok: false; readonly code: 406 | 412 | 416; readonly detail: string };

/** Reads a legacy server's UI alert (1x§4.2); what is out of range is left out or cut, with a note. */
export function readUiAlert(
  alert: Pick<AlertCommand, 'code' | 'items'>,
  limits: UiLimits = PAGE_LIMITS,
): UiReading {
  const kind = KINDS.get(alert.code.trim());
  if (!kind) return { ok: false, code: 406, detail: `Alert ${alert.code} is no user interaction.` };
  const [first, second, ...rest] = alert.items;
  const choosing = kind === 'single' || kind === 'multiple';
  if (!first || !second || (choosing && rest.length === 0)) {
    const needed = choosing ? 'options, title and choices' : 'options and text';
    return { ok: false, code: 412, detail: `Alert ${alert.code} lacks Items: ${needed} are needed.` };
  }
  if (choosing && rest.length > limits.choices) {
    return {
      ok: false,
      code: 416,
      detail: `Alert ${alert.code} has ${rest.length} choices; at most ${limits.choices} can be shown.`,
    };
  }
  const notes: string[] = [];
  if (!choosing && rest.length > 0) notes.push(`${rest.length} Items behind the text were left out.`);
  const options = parseUiOptions(textOf(first));
  const { minSeconds, maxSeconds } = options;
  const timed: Timed = {
    text: cut(textOf(second), limits.text, 'The text', notes),
    ...(minSeconds !== undefined && { minSeconds }),
    ...(maxSeconds !== undefined && { maxSeconds }),
  };
  const choices = choosing
    ? rest.map((item, at) => cut(textOf(item), limits.choice, `Choice ${at + 1}`, notes))
    : [];
  return { ok: true, alert: build(kind, timed, options, choices, notes), notes };
}

function build(
  kind: UiAlert['kind'],
  timed: Timed,
  options: UiOptions,
  choices: readonly string[],
  notes: string[],
): UiAlert {
  const { defaultResponse: dr } = options;
  const ignored = (): void => {
    notes.push(`The default response "${shortened(dr ?? '')}" fits nothing and was left out.`);
  };
  switch (kind) {
    case 'display':
      return { kind, ...timed };
    case 'confirm': {
      const preset = dr?.trim() === '1' ? true : dr?.trim() === '0' ? false : undefined;
      if (dr !== undefined && preset === undefined) ignored();
      return { kind, ...timed, ...(preset !== undefined && { preset }) };
    }
    case 'input': {
      const { inputType = 'A', echo = 'T', maxLength } = options;
      return {
        kind,
        ...timed,
        inputType,
        echo,
        ...(maxLength !== undefined && { maxLength }),
        ...(dr !== undefined && {
          preset: maxLength === undefined ? dr : cut(dr, maxLength, 'The default response', notes),
        }),
      };
    }
    case 'single': {
      const [preset, ...more] = parseNumbers(dr, choices.length) ?? [];
      if (dr !== undefined && (preset === undefined || more.length > 0)) ignored();
      return { kind, ...timed, choices, ...(preset !== undefined && more.length === 0 && { preset }) };
    }
    case 'multiple': {
      const preset = parseNumbers(dr, choices.length);
      if (dr !== undefined && !preset) ignored();
      return { kind, ...timed, choices, ...(preset && { preset }) };
    }
  }
}

/** Numbers of choices joined by `-` (blanks and commas do as well); `undefined` when one is out of range. */
export function parseNumbers(text: string | undefined, choices: number): number[] | undefined {
  if (text === undefined) return undefined;
  const parts = text.split(/[-,;\s]+/).filter((part) => part !== '');
  const numbers = parts.map((part) => (/^\d{1,6}$/.test(part) ? Number(part) : 0));
  if (numbers.some((number) => number < 1 || number > choices)) return undefined;
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The alert for a legacy device, cut to what devices show; tells what was lost. */
export function writeUiAlert(
  alert: UiAlert,
  limits: UiLimits = DEVICE_LIMITS,
): { readonly command: PlannedAlert; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const choices = 'choices' in alert ? alert.choices.slice(0, limits.choices) : [];
  if ('choices' in alert && choices.length < alert.choices.length) {
    notes.push(`${alert.choices.length - choices.length} choices are more than a device shows; left out.`);
  }
  const items: Item[] = [
    { data: formatUiOptions(optionsOf(alert)) },
    { data: cut(alert.text, limits.text, 'The text', notes) },
    ...choices.map((choice, at) => ({ data: cut(choice, limits.choice, `Choice ${at + 1}`, notes) })),
  ];
  return { command: { kind: 'Alert', code: UI_ALERT_CODE[alert.kind], items }, notes };
}

function optionsOf(alert: UiAlert): UiOptions {
  const { minSeconds, maxSeconds } = alert;
  const timed = {
    ...(minSeconds !== undefined && { minSeconds }),
    ...(maxSeconds !== undefined && { maxSeconds }),
  };
  const dr = defaultResponse(alert);
  const preset = dr === undefined ? {} : { defaultResponse: dr };
  if (alert.kind !== 'input') return { ...timed, ...preset };
  const { inputType, echo, maxLength } = alert;
  return { ...timed, ...preset, inputType, echo, ...(maxLength !== undefined && { maxLength }) };
}

function defaultResponse(alert: UiAlert): string | undefined {
  switch (alert.kind) {
    case 'display':
      return undefined;
    case 'confirm':
      return alert.preset === undefined ? undefined : alert.preset ? '1' : '0';
    case 'input':
      return alert.preset;
    case 'single':
      return alert.preset === undefined ? undefined : String(alert.preset);
    case 'multiple':
      return alert.preset === undefined || alert.preset.length === 0 ? undefined : alert.preset.join('-');
  }
}

function cut(text: string, limit: number, what: string, notes: string[]): string {
  if (text.length <= limit) return text;
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  notes.push(`${what} has ${characters.length} characters and was cut to ${limit}.`);
  return limit > 3 ? `${characters.slice(0, limit - 1).join('')}…` : characters.slice(0, limit).join('');
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** Text of an Item; an opaque is read as UTF-8. */
export function textOf(item: Item): string {
  const { data } = item;
  if (data === undefined) return '';
  return typeof data === 'string' ? data : new TextDecoder().decode(data);
}

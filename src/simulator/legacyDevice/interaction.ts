import type { AlertCommand, Item } from '../../dm1/message.ts';

/** A UI alert as the user would see it (1x§4.2, §4.3). */
export interface UiRequest {
  readonly code: '1100' | '1101' | '1102' | '1103' | '1104';
  readonly options: Readonly<Record<string, string>>;
  readonly text: string;
  readonly choices: readonly string[];
}

/** Status of the alert and the answers that go into its Items (1x§4.4). */
export interface UiAnswer {
  readonly status: number;
  readonly items?: readonly string[];
}

const UI_CODES = new Set(['1100', '1101', '1102', '1103', '1104']);

export function isUiAlert(alert: { readonly code: string }): boolean {
  return UI_CODES.has(alert.code);
}

/** Reads the alert; `undefined` when Items are missing (412). */
export function readUiAlert(alert: AlertCommand): UiRequest | undefined {
  const [options, text, ...choices] = alert.items;
  if (!options || !text) return undefined;
  const choosing = alert.code === '1103' || alert.code === '1104';
  if (choosing ? choices.length === 0 : choices.length > 0) return undefined;
  return {
    code: alert.code as UiRequest['code'],
    options: Object.fromEntries(new URLSearchParams(textOf(options))),
    text: textOf(text),
    choices: choices.map(textOf),
  };
}

/** A user who says yes, takes the default or else the first choice, and types `text`. */
export function agreeableUser(request: UiRequest): UiAnswer {
  const preset = request.options['DR'];
  switch (request.code) {
    case '1100':
    case '1101':
      return { status: 200 };
    case '1102':
      return { status: 200, items: [preset ?? 'text'] };
    case '1103':
      return { status: 200, items: [preset ?? '1'] };
    case '1104':
      return { status: 200, items: (preset ?? '1').split('-') };
  }
}

function textOf(item: Item): string {
  const { data } = item;
  return data === undefined ? '' : typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
}

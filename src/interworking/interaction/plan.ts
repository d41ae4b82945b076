import { DEVICE_LIMITS, type DisplayAlert, type InputAlert, type UiAlert } from './alert.ts';
import type { CheckControl, Control, Form, Page, SelectControl, TextControl } from './controls.ts';
import type { InputType } from './options.ts';

/** One thing that can be chosen: a radio button, a checkbox, a button, or an option of a select. */
export interface Choice {
  /** Index among the form's controls. */
  readonly control: number;
  readonly option?: number;
}

/** What the answer to an alert does to the form. */
export type Meaning =
  | { readonly kind: 'read' }
  | { readonly kind: 'text'; readonly control: number }
  | { readonly kind: 'choice'; readonly picks: readonly Choice[] }
  | { readonly kind: 'press'; readonly picks: readonly Choice[] }
  | { readonly kind: 'buttons'; readonly yes: number; readonly no: number };

export interface DialogueStep {
  readonly alert: UiAlert;
  readonly meaning: Meaning;
}

/** What a page becomes on a legacy device (IW-UI-3, IW-UI-4). */
export type PagePlan =
  | { readonly kind: 'message'; readonly alert: DisplayAlert; readonly notes: readonly PlanNote[] }
  | {
      readonly kind: 'form';
      readonly form: Form;
      readonly steps: readonly DialogueStep[];
      /** Index of the button that is pressed when no answer says which. */
      readonly button?: number;
      readonly notes: readonly PlanNote[];
    };

export interface PlanNote {
  readonly rule: 'IW-UI-3' | 'IW-UI-4';
  readonly text: string;
}

/** Plans the dialogue for a page that was found at `url`. */
export function planPage(page: Page, url: string): PagePlan {
  const offered = page.forms.filter((form) => form.controls.some(({ kind }) => kind !== 'fixed'));
  const form = offered.reduce<Form | undefined>(
    (best, each) => (best && rank(best) >= rank(each) ? best : each),
    undefined,
  );
  if (!form) {
    return page.text === '' && page.hasScript
      ? unusable(page, url, 'The page shows nothing without script.')
      : { kind: 'message', alert: { kind: 'display', text: intro(page) || url }, notes: [] };
  }
  const obstacle = obstacleOf(form);
  if (obstacle !== undefined) return unusable(page, url, obstacle);
  const notes: PlanNote[] = [];
  if (offered.length > 1) {
    const text = `The page has ${offered.length} forms; only the one to ${form.action} is asked.`;
    notes.push({ rule: 'IW-UI-3', text });
  }
  return planForm(form, intro(page), notes);
}

/** A page that no alert can carry: its title and where it is (IW-UI-4). */
export function unusable(page: Pick<Page, 'title'>, url: string, why: string): PagePlan {
  const text = [page.title, shown(url)].filter((line) => line !== '').join('\n');
  return { kind: 'message', alert: { kind: 'display', text }, notes: [{ rule: 'IW-UI-4', text: why }] };
}

function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** Sent by POST before asked by GET, and a search before neither. */
function rank({ method, controls }: Form): number {
  const search = controls.some((each) => each.kind === 'text' && each.type === 'search');
  return (method === 'post' ? 2 : 0) + (search ? 0 : 1);
}

function intro({ title, text }: Page): string {
  return title === '' || text.includes(title) ? text : text === '' ? title : `${title}\n${text}`;
}

function obstacleOf({ controls, action, method }: Form): string | undefined {
  const file = controls.find(({ kind }) => kind === 'file');
  if (file && file.kind === 'file') return `The form asks for a file (${file.label}), which no alert can.`;
  if (method === 'dialog') return 'The form belongs to a dialog that script opens.';
  if (!/^https?:/i.test(action)) return 'The form leads to no web address.';
  const buttons = controls.some(({ kind }) => kind === 'submit');
  const texts = controls.filter((each) => each.kind === 'text' && each.type !== 'textarea');
  // Without a button the Enter key submits, if there is just one line to press it in.
  return buttons || texts.length === 1 ? undefined : 'The form has no button that works without script.';
}

function planForm(form: Form, introduction: string, notes: PlanNote[]): PagePlan {
  const steps = fieldSteps(form.controls);
  const pressing = pressSteps(form.controls, steps.length > 0, notes);
  const asked = [...steps, ...pressing.steps];
  return {
    kind: 'form',
    form,
    steps: introduce(asked, introduction),
    ...(pressing.button !== undefined && { button: pressing.button }),
    notes,
  };
}

/** The text of the page goes before the first question, or before all where it is too long for that. */
function introduce(steps: readonly DialogueStep[], text: string): readonly DialogueStep[] {
  const [first, ...rest] = steps;
  const display: DialogueStep = { alert: { kind: 'display', text }, meaning: { kind: 'read' } };
  if (!first) return [display];
  if (text === '') return steps;
  const label = first.alert.text;
  const joined = label === '' || text === label ? text : `${text}\n${label}`;
  if (Array.from(joined).length > DEVICE_LIMITS.text) return [display, ...steps];
  return [{ ...first, alert: { ...first.alert, text: joined } }, ...rest];
}

function fieldSteps(controls: readonly Control[]): DialogueStep[] {
  const steps: DialogueStep[] = [];
  const radios = new Set<string>();
  let boxes: { control: CheckControl; at: number }[] = [];
  const close = (): void => {
    if (boxes.length > 0) steps.push(boxStep(boxes));
    boxes = [];
  };
  for (const [at, control] of controls.entries()) {
    if (control.kind === 'fixed' || control.kind === 'submit') continue;
    if (control.kind === 'checkbox') {
      if (boxes.length > 0 && boxes[0]!.control.group !== control.group) close();
      boxes.push({ control, at });
      continue;
    }
    close();
    if (control.kind === 'text') steps.push(textStep(control, at));
    else if (control.kind === 'select') steps.push(...selectStep(control, at));
    else if (control.kind === 'radio' && !radios.has(control.name)) {
      radios.add(control.name);
      steps.push(radioStep(controls, control));
    }
  }
  close();
  return steps;
}

function radioStep(controls: readonly Control[], first: CheckControl): DialogueStep {
  const members = [...controls.entries()].flatMap(([at, each]) =>
    each.kind === 'radio' && each.name === first.name ? [{ at, control: each }] : [],
  );
  const preset = members.findLastIndex(({ control }) => control.checked) + 1;
  return {
    alert: {
      kind: 'single',
      text: first.group || first.name,
      choices: members.map(({ control }) => control.label || control.value),
      ...(preset > 0 && { preset }),
    },
    meaning: { kind: 'choice', picks: members.map(({ at }) => ({ control: at })) },
  };
}

function boxStep(boxes: readonly { readonly control: CheckControl; readonly at: number }[]): DialogueStep {
  const preset = boxes.flatMap(({ control }, i) => (control.checked ? [i + 1] : []));
  const [{ control: first }] = boxes as [(typeof boxes)[0]];
  const oneName = boxes.length > 1 && boxes.every(({ control }) => control.name === first.name);
  return {
    alert: {
      kind: 'multiple',
      text: first.group || (oneName ? first.name : ''),
      choices: boxes.map(({ control }) => control.label || control.value),
      ...(preset.length > 0 && { preset }),
    },
    meaning: { kind: 'choice', picks: boxes.map(({ at }) => ({ control: at })) },
  };
}

function selectStep(control: SelectControl, at: number): DialogueStep[] {
  // "Please choose" is no choice: the empty first option of a list that must be filled in.
  const placeholder = (option: number): boolean =>
    control.required && !control.multiple && option === 0 && control.options[0]?.value === '';
  const offered = [...control.options.entries()].filter(
    ([option, { disabled }]) => !disabled && !placeholder(option),
  );
  if (offered.length === 0) return [];
  const picks = offered.map(([option]) => ({ control: at, option }));
  const choices = offered.map(([, { label, value }]) => label || value || '-');
  const selected = offered.flatMap(([, option], i) => (option.selected ? [i + 1] : []));
  const meaning: Meaning = { kind: 'choice', picks };
  if (control.multiple) {
    const preset = selected.length > 0 ? { preset: selected } : {};
    return [{ alert: { kind: 'multiple', text: control.label, choices, ...preset }, meaning }];
  }
  const [preset] = selected;
  const single = { kind: 'single' as const, text: control.label, choices };
  return [{ alert: { ...single, ...(preset !== undefined && { preset }) }, meaning }];
}

/** How HTML's input types say what may be typed (1x§4.3). */
const TYPES: Readonly<Record<string, InputType>> = {
  number: 'N',
  range: 'N',
  date: 'D',
  time: 'T',
  tel: 'P',
};

/** Formats of types that 1.x has no input type for, told to the user. */
const HINTS: Readonly<Record<string, string>> = {
  'datetime-local': 'YYYY-MM-DDThh:mm',
  month: 'YYYY-MM',
  week: 'YYYY-Wnn',
  color: '#RRGGBB',
};

/** Types whose `maxlength` HTML heeds. */
const COUNTED = new Set(['text', 'search', 'url', 'tel', 'email', 'password', 'textarea']);

function textStep(control: TextControl, at: number): DialogueStep {
  const { type, label, maxLength } = control;
  const inputType = TYPES[type] ?? 'A';
  const hint = HINTS[type];
  const preset = presetOf(control, inputType);
  const known = type in TYPES || type in HINTS || COUNTED.has(type);
  const counted = (COUNTED.has(type) || !known) && maxLength !== undefined && maxLength > 0;
  const alert: InputAlert = {
    kind: 'input',
    text: hint === undefined ? label : `${label} (${hint})`,
    inputType,
    echo: type === 'password' ? 'P' : 'T',
    ...(counted && { maxLength }),
    ...(preset !== undefined && { preset }),
  };
  return { alert, meaning: { kind: 'text', control: at } };
}

function presetOf({ type, value }: TextControl, inputType: InputType): string | undefined {
  const text = value.trim();
  // A password that a page brings along is sent to nobody's screen.
  if (text === '' || type === 'password') return undefined;
  switch (inputType) {
    case 'N':
      return /^[+-]?\d+(?:\.\d+)?$/.test(text) ? text : undefined;
    case 'D':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? text.split('-').reverse().join('') : undefined;
    case 'T': {
      const match = /^(\d\d):(\d\d)(?::(\d\d))?/.exec(text);
      return match ? `${match[1]}${match[2]}${match[3] ?? '00'}` : undefined;
    }
    case 'P':
      return /^\+?[0-9pws]+$/i.test(text) ? text : undefined;
    default:
      return value;
  }
}

/** What buttons say that give up, go back or say no, in the languages that the gateway speaks. */
const NO =
  /^(?:no|nope|cancel|abort|back|previous|decline|reject|refuse|deny|disagree|later|not now|skip|nein|abbrechen|zurück|ablehnen|später|non|annuler|retour|refuser|plus tard|cancelar|volver|atrás|rechazar|más tarde|否|不|取消|返回|拒绝|不同意|稍后)(?![\p{L}\p{N}])/iu;
const HAN_NO = /^(?:否|不|取消|返回|拒绝|稍后)/u;

function saysNo(label: string): boolean {
  const text = label.replace(/^[^\p{L}\p{N}]+/u, '');
  return NO.test(text) || HAN_NO.test(text);
}

/** Which button is pressed: asked where that is a question of its own. */
function pressSteps(
  controls: readonly Control[],
  hasFields: boolean,
  notes: PlanNote[],
): { readonly steps: readonly DialogueStep[]; readonly button?: number } {
  const all = [...controls.entries()].flatMap(([at, each]) =>
    each.kind === 'submit' ? [{ at, label: each.label }] : [],
  );
  const yes = all.filter(({ label }) => !saysNo(label));
  // Behind fields, "Cancel" is what the device's own cancel is for.
  const buttons = hasFields && yes.length === 1 ? yes : all;
  if (buttons.length < all.length) {
    const left = all.filter((each) => !buttons.includes(each)).map(({ label }) => label);
    notes.push({ rule: 'IW-UI-3', text: `Not offered beside the fields: ${left.join(', ')}.` });
  }
  const [first, second] = buttons;
  if (!first) return { steps: [] };
  if (!second) return { steps: [], button: first.at };
  if (buttons.length > 2) {
    const choices = buttons.map(({ label }) => label || '?');
    const picks = buttons.map(({ at }) => ({ control: at }));
    return { steps: [{ alert: { kind: 'single', text: '', choices }, meaning: { kind: 'press', picks } }] };
  }
  const [accept, reject] = saysNo(first.label) && !saysNo(second.label) ? [second, first] : [first, second];
  return {
    steps: [
      {
        alert: { kind: 'confirm', text: `${accept.label} / ${reject.label}?` },
        meaning: { kind: 'buttons', yes: accept.at, no: reject.at },
      },
    ],
  };
}

import type { CheckControl, Control, FormTarget, Page, SelectOption, SubmitControl } from './controls.ts';
import {
  attribute,
  type Element,
  elementsOf,
  has,
  isElement,
  isHidden,
  isHtml,
  isText,
  lineOf,
  parsePage,
  visibleText,
} from './dom.ts';

/** Controls and options that one page may have. */
const MOST_CONTROLS = 500;
const MOST_OPTIONS = 2000;

const CONTROLS = ['input', 'select', 'textarea', 'button'] as const;

interface Found {
  readonly element: Element;
  readonly above: readonly Element[];
}

/**
 * Reads a page and its forms as a browser without script sees them (IW-UI-3).
 * @param baseUrl where the page was found in the end; relative addresses start there
 * Throws `too-large` for a page beyond all measure.
 */
export function readForms(html: string, baseUrl: string): Page {
  const document = parsePage(html);
  const all = [...elementsOf(document)];
  const base = baseOf(all, baseUrl);
  const labels = new Labels(all);
  const forms = all.filter(({ element }) => isHtml(element, 'form'));
  const ids = new Map(forms.map(({ element }) => [attribute(element, 'id'), element]));
  const owned = new Map<Element, Control[]>(forms.map(({ element }) => [element, []]));
  const inTables = forms.filter(({ above }) => isHtml(above.at(-1) ?? document, ...TABLE_PARTS));
  let controls = 0;
  for (const found of all) {
    const owner = ownerOf(found, ids) ?? tableOwner(found, inTables);
    const list = owner && owned.get(owner);
    if (!list || controls >= MOST_CONTROLS) continue;
    if (isDisabled(found)) {
      labels.of(found);
      continue;
    }
    const control = readControl(found, labels, { base, baseUrl });
    if (!control) continue;
    list.push(control);
    controls += 1;
  }
  const title = all.find(({ element }) => isHtml(element, 'title'))?.element;
  const refresh = refreshOf(all, base);
  return {
    title: title ? rawText(title).replace(/\s+/g, ' ').trim() : '',
    text: visibleText(document, labels.claimed),
    forms: forms.map(({ element }) => ({
      ...targetOf(element, { base, baseUrl }),
      controls: owned.get(element) ?? [],
    })),
    hasScript: all.some(({ element }) => isHtml(element, 'script')),
    ...(refresh && { refresh }),
  };
}

interface Place {
  /** After `base href`. */
  readonly base: string;
  /** Of the page itself. */
  readonly baseUrl: string;
}

function baseOf(all: readonly Found[], baseUrl: string): string {
  const href = all
    .filter(({ element }) => isHtml(element, 'base'))
    .map(({ element }) => attribute(element, 'href'))
    .find((each) => each !== undefined);
  return (href !== undefined && resolve(href, baseUrl)) || baseUrl;
}

function resolve(href: string, base: string): string | undefined {
  const text = href.trim();
  return URL.canParse(text, base) ? new URL(text, base).href : undefined;
}

function refreshOf(all: readonly Found[], base: string): Page['refresh'] {
  for (const { element } of all) {
    if (!isHtml(element, 'meta') || attribute(element, 'http-equiv')?.trim().toLowerCase() !== 'refresh')
      continue;
    const match = /^\s*(\d{1,4})(?:\.\d*)?\s*[;,]?\s*(?:url\s*=\s*)?["']?([^"']*)/i.exec(
      attribute(element, 'content') ?? '',
    );
    const url = match?.[2]?.trim() ? resolve(match[2], base) : undefined;
    if (match && url !== undefined) return { seconds: Number(match[1]), url };
  }
  return undefined;
}

/** The form that a control belongs to: named by `form`, else the one around it. */
function ownerOf(
  { element, above }: Found,
  ids: ReadonlyMap<string | undefined, Element>,
): Element | undefined {
  if (!isHtml(element, ...CONTROLS)) return undefined;
  const named = attribute(element, 'form');
  if (named !== undefined) return ids.get(named);
  return above.findLast((each) => isHtml(each, 'form'));
}

const TABLE_PARTS = ['table', 'thead', 'tbody', 'tfoot', 'tr'] as const;

/**
 * Between the parts of a table the parser closes a form at once, yet the controls behind it in that table
 * are its own: old pages are written so.
 */
function tableOwner({ element, above }: Found, forms: readonly Found[]): Element | undefined {
  if (forms.length === 0 || has(element, 'form') || !isHtml(element, ...CONTROLS)) return undefined;
  return forms.findLast((form) => {
    const table = form.above.findLast((each) => isHtml(each, 'table'));
    return table !== undefined && above.includes(table);
  })?.element;
}

/** Disabled itself or by a fieldset, in whose first legend it does not stand. */
function isDisabled({ element, above }: Found): boolean {
  if (has(element, 'disabled')) return true;
  if (above.some((each) => isHtml(each, 'datalist'))) return true;
  return above.some((fieldset, at) => {
    if (!isHtml(fieldset, 'fieldset') || !has(fieldset, 'disabled')) return false;
    const legend = fieldset.childNodes.find((child) => isHtml(child, 'legend'));
    return legend === undefined || above[at + 1] !== legend;
  });
}

function targetOf(form: Element, place: Place): FormTarget {
  return {
    action: actionOf(attribute(form, 'action'), place),
    method: methodOf(attribute(form, 'method')),
    enctype: enctypeOf(attribute(form, 'enctype')),
    novalidate: has(form, 'novalidate'),
  };
}

/** An empty action is the page itself, whatever `base` says. */
function actionOf(text: string | undefined, { base, baseUrl }: Place): string {
  const href = text?.trim() ?? '';
  return href === '' ? baseUrl : (resolve(href, base) ?? '');
}

function methodOf(text: string | undefined): FormTarget['method'] {
  const name = text?.trim().toLowerCase();
  return name === 'post' || name === 'dialog' ? name : 'get';
}

function enctypeOf(text: string | undefined): FormTarget['enctype'] {
  const name = text?.trim().toLowerCase();
  return name === 'multipart/form-data' || name === 'text/plain' ? name : 'application/x-www-form-urlencoded';
}

function readControl(found: Found, labels: Labels, place: Place): Control | undefined {
  const { element, above } = found;
  const name = attribute(element, 'name') ?? '';
  const unseen = isHidden(element) || above.some(isHidden);
  switch (element.tagName) {
    case 'textarea': {
      const value = rawText(element).replace(/\r\n?/g, '\n');
      if (unseen || has(element, 'readonly')) return { kind: 'fixed', name, value };
      return { kind: 'text', type: 'textarea', name, value, ...common(found, labels), ...lengthOf(element) };
    }
    case 'select':
      return readSelect(found, labels, name, unseen);
    case 'button': {
      const type = attribute(element, 'type')?.trim().toLowerCase();
      labels.claimed.add(element);
      if (unseen || type === 'button' || type === 'reset') return undefined;
      const label =
        lineOf(element) || attribute(element, 'aria-label') || attribute(element, 'value') || name;
      return submit(element, { name, label, value: attribute(element, 'value') ?? '', image: false }, place);
    }
    default:
      return readInput(found, labels, name, unseen, place);
  }
}

function readInput(
  found: Found,
  labels: Labels,
  name: string,
  unseen: boolean,
  place: Place,
): Control | undefined {
  const { element } = found;
  const type = attribute(element, 'type')?.trim().toLowerCase() ?? 'text';
  const value = attribute(element, 'value');
  switch (type) {
    case 'button':
    case 'reset':
      return undefined;
    case 'submit':
      if (unseen) return undefined;
      return submit(
        element,
        { name, label: value ?? 'Submit', value: value ?? 'Submit', image: false },
        place,
      );
    case 'image': {
      if (unseen) return undefined;
      const label = attribute(element, 'alt') || attribute(element, 'title') || value || 'Submit';
      return submit(element, { name, label, value: value ?? '', image: true }, place);
    }
    case 'file':
      return unseen ? undefined : { kind: 'file', name, label: labels.of(found) };
    case 'hidden':
      return { kind: 'fixed', name, value: name.toLowerCase() === '_charset_' ? 'UTF-8' : (value ?? '') };
    case 'radio':
    case 'checkbox': {
      const checked = has(element, 'checked');
      const check: CheckControl = {
        kind: type,
        name,
        group: labels.groupOf(found),
        value: value ?? 'on',
        checked,
        ...common(found, labels),
      };
      if (!unseen) return check;
      return checked ? { kind: 'fixed', name, value: check.value } : undefined;
    }
    default:
      if (unseen || has(element, 'readonly')) return { kind: 'fixed', name, value: value ?? '' };
      return { kind: 'text', type, name, value: value ?? '', ...common(found, labels), ...lengthOf(element) };
  }
}

function common(found: Found, labels: Labels): { label: string; required: boolean } {
  return { label: labels.of(found), required: has(found.element, 'required') };
}

function lengthOf(element: Element): { maxLength?: number } {
  const text = attribute(element, 'maxlength')?.trim() ?? '';
  return /^\d{1,7}$/.test(text) ? { maxLength: Number(text) } : {};
}

function submit(
  element: Element,
  button: Omit<SubmitControl, 'kind' | 'target'>,
  place: Place,
): SubmitControl {
  const action = attribute(element, 'formaction');
  const method = attribute(element, 'formmethod');
  const enctype = attribute(element, 'formenctype');
  const target: Partial<FormTarget> = {
    ...(action !== undefined && { action: actionOf(action, place) }),
    ...(method !== undefined && { method: methodOf(method) }),
    ...(enctype !== undefined && { enctype: enctypeOf(enctype) }),
    ...(has(element, 'formnovalidate') && { novalidate: true }),
  };
  return { kind: 'submit', ...button, ...(Object.keys(target).length > 0 && { target }) };
}

function readSelect(found: Found, labels: Labels, name: string, unseen: boolean): Control | undefined {
  const { element } = found;
  const multiple = has(element, 'multiple');
  const options: SelectOption[] = [];
  for (const { element: option, above } of elementsOf(element)) {
    if (!isHtml(option, 'option') || options.length >= MOST_OPTIONS) continue;
    const group = above.find((each) => isHtml(each, 'optgroup'));
    const own = rawText(option).replace(/\s+/g, ' ').trim();
    const label = attribute(option, 'label') || own;
    const prefix = group && attribute(group, 'label');
    options.push({
      label: prefix ? `${prefix}: ${label}` : label,
      value: attribute(option, 'value') ?? own,
      selected: has(option, 'selected'),
      disabled: has(option, 'disabled') || (group !== undefined && has(group, 'disabled')),
    });
  }
  if (options.length === 0) return undefined;
  const shown = multiple ? options : oneSelected(element, options);
  if (!unseen) return { kind: 'select', name, multiple, options: shown, ...common(found, labels) };
  const kept = shown.find(({ selected, disabled }) => selected && !disabled);
  return kept && { kind: 'fixed', name, value: kept.value };
}

/** Of several selected options the last counts; a drop-down list without any shows its first (HTML's display size 1). */
function oneSelected(element: Element, options: readonly SelectOption[]): readonly SelectOption[] {
  const last = options.findLastIndex((option) => option.selected);
  const dropDown = Number(attribute(element, 'size') ?? '1') <= 1;
  const chosen = last >= 0 ? last : dropDown ? options.findIndex((option) => !option.disabled) : -1;
  return options.map((option, at) => ({ ...option, selected: at === chosen }));
}

function rawText(element: Element): string {
  let text = '';
  for (const child of element.childNodes) {
    if (isText(child)) text += child.value;
    else if (isElement(child) && !isHtml(child, 'script', 'style')) text += rawText(child);
  }
  return text;
}

/** Who names a control; what names one is no text of the page any more. */
class Labels {
  /** Elements that are a label, a legend or a button: the page's text goes on without them. */
  readonly claimed = new Set<Element>();
  readonly #byTarget = new Map<string, Element[]>();
  readonly #byId = new Map<string, Element>();

  constructor(all: readonly Found[]) {
    for (const { element } of all) {
      const id = attribute(element, 'id');
      if (id !== undefined && !this.#byId.has(id)) this.#byId.set(id, element);
      if (!isHtml(element, 'label')) continue;
      const target = attribute(element, 'for');
      if (target === undefined) continue;
      const labels = this.#byTarget.get(target);
      if (labels) labels.push(element);
      else this.#byTarget.set(target, [element]);
    }
  }

  of(found: Found): string {
    const { element, above } = found;
    const around = above.findLast((each) => isHtml(each, 'label'));
    const own = [
      ...(this.#byTarget.get(attribute(element, 'id') ?? '') ?? []),
      ...(around && !has(around, 'for') ? [around] : []),
    ];
    const named = (attribute(element, 'aria-labelledby') ?? '')
      .split(/\s+/)
      .flatMap((id) => this.#byId.get(id) ?? []);
    const labels = named.length > 0 ? named : own;
    for (const label of [...own, ...labels]) this.claimed.add(label);
    const text = labels
      .map((label) => lineOf(label))
      .filter((each) => each !== '')
      .join(' ');
    const label =
      text ||
      attribute(element, 'aria-label')?.trim() ||
      attribute(element, 'title')?.trim() ||
      attribute(element, 'placeholder')?.trim() ||
      attribute(element, 'name')?.trim() ||
      '';
    const checkable = /^(?:radio|checkbox)$/i.test(attribute(element, 'type')?.trim() ?? '');
    // The legend is the question of a choice, but only the place of a text.
    const group = this.groupOf(found);
    return checkable || group === '' || group === label ? label : `${group}: ${label}`;
  }

  groupOf({ above }: Found): string {
    const group = above.findLast(
      (each) => isHtml(each, 'fieldset') || /^(?:radio)?group$/.test(roleOf(each)),
    );
    if (!group) return '';
    const legend = group.childNodes.find((child) => isHtml(child, 'legend'));
    const named = this.#byId.get(attribute(group, 'aria-labelledby') ?? '');
    const name = legend && isElement(legend) ? legend : named;
    if (!name) return attribute(group, 'aria-label')?.trim() ?? '';
    this.claimed.add(name);
    return lineOf(name);
  }
}

function roleOf(element: Element): string {
  return attribute(element, 'role')?.trim().toLowerCase() ?? '';
}

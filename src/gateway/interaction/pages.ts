import type {
  InputAlert,
  MultipleAlert,
  SingleAlert,
  UiAlert,
} from '../../interworking/interaction/alert.ts';
import type { UserAnswer } from '../../interworking/interaction/answers.ts';
import { toIsoDate, toIsoTime } from '../../interworking/interaction/entry.ts';
import { html, Markup } from './markup.ts';
import type { Posted, PostProblem } from './posted.ts';
import { STYLE } from './style.ts';
import { type PageLang, TEXTS } from './texts.ts';

/** What a user sent that could not be taken: it stands in the page again. */
export interface Refused {
  readonly problem: PostProblem;
  readonly posted: Posted;
}

export interface QuestionPage {
  readonly alert: UiAlert;
  readonly lang: PageLang;
  readonly secondsLeft: number;
  readonly refused?: Refused;
}

/** The page on which an alert is answered; it works without script. */
export function questionPage({ alert, lang, secondsLeft, refused }: QuestionPage): string {
  const t = TEXTS[lang];
  const heading = t.headings[alert.kind];
  const problem = refused && t.problems[refused.problem];
  const body = html`<p class="source">${t.source}</p>
<h1>${heading}</h1>
${problem !== undefined && html`<p class="problem" id="problem" role="alert">${t.problem}: ${problem}</p>`}
<form method="post" accept-charset="utf-8" autocomplete="off"${refused ? html` novalidate` : ''}>
${controlOf(alert, lang, refused)}
<div class="buttons">${buttonsOf(alert, lang)}</div>
</form>
${alert.maxSeconds !== undefined && html`<p class="limit">${t.within.replace('{time}', spoken(secondsLeft, lang))}</p>`}`;
  return page(lang, problem === undefined ? heading : `${t.problem} – ${heading}`, body);
}

/** The page after the answer; the text stays, so that it can be read to its end. */
export function donePage(alert: UiAlert, answer: UserAnswer, lang: PageLang): string {
  const t = TEXTS[lang];
  const outcome = answer.kind === 'cancelled' ? t.done.cancelled : t.done.answered;
  return page(
    lang,
    t.done.heading,
    html`<p class="source">${t.source}</p>
<h1>${t.done.heading}</h1>
<p class="text" dir="auto">${alert.text}</p>
<p role="status">${outcome} ${t.closeWindow}</p>`,
  );
}

/** The page at an address that no longer, or never, asks anything: says what to do. */
export function deadEndPage(kind: 'used' | 'expired' | 'unknown', lang: PageLang): string {
  const t = TEXTS[lang];
  const { heading, text } = t[kind];
  return page(
    lang,
    heading,
    html`<p class="source">${t.source}</p>
<h1>${heading}</h1>
<p class="text">${text}</p>`,
  );
}

function page(lang: PageLang, title: string, body: Markup): string {
  return html`<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<title>${title} – ${TEXTS[lang].source}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.text;
}

function controlOf(alert: UiAlert, lang: PageLang, refused: Refused | undefined): Markup {
  switch (alert.kind) {
    case 'display':
    case 'confirm':
      return html`<p class="text" dir="auto">${alert.text}</p>`;
    case 'input':
      return inputOf(alert, lang, refused);
    case 'single':
    case 'multiple':
      return choicesOf(alert, lang, refused);
  }
}

function inputOf(alert: InputAlert, lang: PageLang, refused: Refused | undefined): Markup {
  const t = TEXTS[lang];
  const { inputType, maxLength } = alert;
  const hints = [
    // Fields for dates and times show by themselves what goes into them.
    inputType === 'A' || (alert.echo === 'T' && 'DT'.includes(inputType)) ? '' : t.hints[inputType],
    maxLength !== undefined && 'ANP'.includes(inputType)
      ? t.atMost.replace('{count}', String(maxLength))
      : '',
  ].filter((hint) => hint !== '');
  const described = [hints.length > 0 ? 'hint' : '', refused ? 'problem' : '']
    .filter((id) => id !== '')
    .join(' ');
  const common = html`id="answer" name="text"${described !== '' && html` aria-describedby="${described}"`}${
    refused !== undefined && html` aria-invalid="true"`
  }${inputType !== 'A' && html` required`}`;
  return html`<div class="field">
<label class="question" for="answer" dir="auto">${alert.text}</label>
${hints.length > 0 && html`<p class="hint" id="hint">${hints.join(' ')}</p>`}
${entryOf(alert, common, refused?.posted.text)}
</div>`;
}

/** Longest text that is typed in one line. */
const ONE_LINE = 100;

function entryOf(alert: InputAlert, common: Markup, typed: string | undefined): Markup {
  const { inputType, echo, maxLength, preset = '' } = alert;
  const counted = maxLength !== undefined && 'ANP'.includes(inputType) && html` maxlength="${maxLength}"`;
  if (echo === 'P') {
    // What is not to be seen is not sent along either.
    const digits = inputType !== 'A' && html` inputmode="${inputType === 'P' ? 'tel' : 'decimal'}"`;
    return html`<input type="password" ${common}${counted}${digits} autocomplete="off">`;
  }
  const value = typed ?? preset;
  switch (inputType) {
    case 'A':
      return preset.includes('\n') || (maxLength ?? 0) > ONE_LINE
        ? html`<textarea ${common}${counted} rows="4" dir="auto">
${value}</textarea>`
        : html`<input type="text" ${common}${counted} value="${value}" dir="auto">`;
    case 'N':
      return html`<input type="text" inputmode="decimal" pattern="[+\\-]?[0-9]*[.,]?[0-9]*" ${common}${counted} value="${value}">`;
    case 'D':
      return html`<input type="date" ${common} value="${toIsoDate(value) ?? value}">`;
    case 'T':
      return html`<input type="time" step="1" ${common} value="${toIsoTime(value) ?? value}">`;
    case 'P':
      return html`<input type="tel" pattern="[+]?[0-9pPwWsS ()/.\\-]+" ${common}${counted} value="${value}">`;
    case 'I':
      return html`<input type="text" inputmode="decimal" pattern="[0-9]{1,3}([.][0-9]{1,3}){3}" ${common} value="${value}">`;
  }
}

function choicesOf(alert: SingleAlert | MultipleAlert, lang: PageLang, refused: Refused | undefined): Markup {
  const t = TEXTS[lang];
  const single = alert.kind === 'single';
  const preset = single ? [alert.preset ?? 0] : (alert.preset ?? []);
  const chosen = refused?.posted.choices ?? preset.map(String);
  const described = [single ? '' : 'hint', refused ? 'problem' : ''].filter((id) => id !== '').join(' ');
  const rows = alert.choices.map((choice, at) => {
    const number = String(at + 1);
    return html`<label class="choice"><input type="${single ? 'radio' : 'checkbox'}" name="choice" value="${number}"${
      chosen.includes(number) && html` checked`
    }${single && html` required`}><span dir="auto">${choice || '–'}</span></label>
`;
  });
  return html`<fieldset${described !== '' && html` aria-describedby="${described}"`}>
<legend dir="auto">${alert.text || t.headings[alert.kind]}</legend>
${!single && html`<p class="hint" id="hint">${t.severalChoices}</p>`}
${rows}</fieldset>`;
}

function buttonsOf(alert: UiAlert, lang: PageLang): Markup {
  const t = TEXTS[lang];
  const button = (value: string, label: string, look: string, skips = false): Markup =>
    html`<button type="submit" name="do" value="${value}"${look !== '' && html` class="${look}"`}${
      skips && html` formnovalidate`
    }>${label}</button>`;
  const cancel = button('cancel', t.cancel, 'quiet', true);
  switch (alert.kind) {
    case 'display':
      return html`${button('ok', t.ok, 'main')}${cancel}`;
    case 'confirm': {
      const yes = alert.preset === false ? '' : 'main';
      return html`${button('yes', t.yes, yes)}${button('no', t.no, yes === '' ? 'main' : '')}${cancel}`;
    }
    default:
      return html`${button('ok', t.send, 'main')}${cancel}`;
  }
}

function spoken(seconds: number, lang: PageLang): string {
  const [count, unit] =
    seconds < 90
      ? [seconds, 'second']
      : seconds < 5400
        ? [Math.floor(seconds / 60), 'minute']
        : [Math.floor(seconds / 3600), 'hour'];
  return new Intl.NumberFormat(lang, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}

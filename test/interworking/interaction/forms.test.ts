import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { UserAnswer } from '../../../src/interworking/interaction/answers.ts';
import { readForms } from '../../../src/interworking/interaction/forms.ts';
import { type PagePlan, planPage } from '../../../src/interworking/interaction/plan.ts';
import { fillForm, missingAnswer, submitForm } from '../../../src/interworking/interaction/submission.ts';

const FOLDER = new URL('../../../fixtures/forms/', import.meta.url);
const shapes = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.html'))
  .map((name) => name.slice(0, -'.html'.length));
const URL_ = 'https://dms.example/a/b?c=1';

const plan = (html: string, url = URL_): PagePlan => planPage(readForms(html, url), url);

function form(html: string) {
  const planned = plan(html);
  if (planned.kind !== 'form') throw new Error(`planned as ${planned.alert.text}`);
  return planned;
}

function submit(html: string, ...answers: UserAnswer[]) {
  const planned = form(html);
  const { method, url, body } = submitForm(planned.form, fillForm(planned, answers));
  return { method, url, ...(body && { body: new TextDecoder().decode(body.bytes) }) };
}

describe('pages of real-world shapes', () => {
  it('are at least ten', () => {
    expect(shapes.length).toBeGreaterThanOrEqual(10);
  });

  it.each(shapes)('%s becomes its alerts and its submission [IW-UI-3] [IW-UI-4]', (name) => {
    const html = readFileSync(new URL(`${name}.html`, FOLDER), 'utf8');
    const expected = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
    const planned = plan(html, expected.url);
    expect(planned.kind === 'form' ? planned.steps.map(({ alert }) => alert) : [planned.alert]).toEqual(
      expected.alerts,
    );
    expect(planned.notes.map(({ rule, text }) => `${rule}: ${text}`)).toEqual(expected.notes);
    expect(planned.kind === 'form').toBe('submission' in expected);
    if (planned.kind !== 'form') return;
    const filled = fillForm(planned, expected.answers);
    expect(missingAnswer(planned, filled)).toBeUndefined();
    const { method, url, body } = submitForm(planned.form, filled);
    expect({
      method,
      url,
      ...(body && { type: body.type, body: new TextDecoder().decode(body.bytes) }),
    }).toEqual(expected.submission);
  });
});

describe('a form', () => {
  it('takes labels by for, around, aria and placeholder, in that order of trust [IW-UI-3]', () => {
    const planned = form(
      '<span id=n>By id</span><form><label for=a>For</label><input id=a name=a><label>Around <input name=b></label><input name=c aria-label=Aria><input name=d placeholder=Hint><input name=e><input name=f aria-labelledby=n><button>Go</button></form>',
    );
    expect(planned.steps.map(({ alert }) => alert.text)).toEqual([
      'For',
      'Around',
      'Aria',
      'Hint',
      'e',
      'By id',
    ]);
  });

  it('asks nothing that stands out of sight, but sends it [IW-UI-3]', () => {
    const html =
      '<form method=post><p style="display: none"><input name=pot value=x></p><input name=a><input type=checkbox hidden checked name=h><button>Go</button></form>';
    expect(form(html).steps).toHaveLength(1);
    expect(submit(html, { kind: 'entered', text: '1' }).body).toBe('pot=x&a=1&h=on');
  });

  it('with "No" presses the button that says so, wherever it stands [IW-UI-3]', () => {
    const html =
      '<form method=post><button name=b value=n>Cancel</button><button name=b value=y formaction=/y>OK</button></form>';
    expect(submit(html, { kind: 'rejected' }).body).toBe('b=n');
    expect(submit(html, { kind: 'accepted' })).toEqual({
      method: 'POST',
      url: 'https://dms.example/y',
      body: 'b=y',
    });
  });

  it('is not submitted with a required field empty or a number that is none [IW-UI-3]', () => {
    const html = '<form><input name=a required><input name=n type=number><button>Go</button></form>';
    const missing = (text: string, n: string, page = html) =>
      missingAnswer(
        form(page),
        fillForm(form(page), [
          { kind: 'entered', text },
          { kind: 'entered', text: n },
        ]),
      );
    expect(missing('', '1')).toBe(0);
    expect(missing('x', 'y')).toBe(1);
    expect(missing('x', '')).toBeUndefined();
    expect(missing('', '', html.replace('<form>', '<form novalidate>'))).toBeUndefined();
  });

  it('that needs script or leads elsewhere than the web is told as a text [IW-UI-4]', () => {
    for (const html of [
      '<form><select name=a><option>1</select></form>',
      '<form><input name=a><input name=b></form>',
      '<form action="mailto:x@example.org"><button>Go</button></form>',
      '<form method=dialog><button>Go</button></form>',
    ]) {
      const planned = plan(`<title>T</title>${html}`);
      expect(planned.kind).toBe('message');
      expect(planned.notes).toEqual([expect.objectContaining({ rule: 'IW-UI-4' })]);
    }
  });

  it('puts a text that is too long for a question before it, in an alert of its own [IW-UI-3]', () => {
    const planned = form(
      `<p>${'x'.repeat(1200)}</p><form><label>Name<input name=a></label><button>Go</button></form>`,
    );
    expect(planned.steps.map(({ alert }) => alert.kind)).toEqual(['display', 'input']);
    expect(
      submit(
        `<p>${'x'.repeat(1200)}</p><form><label>Name<input name=a></label><button>Go</button></form>`,
        { kind: 'accepted' },
        { kind: 'entered', text: 'n' },
      ).url,
    ).toBe('https://dms.example/a/b?a=n');
  });

  it('names its parts in a boundary that no replay changes [IW-UI-3]', () => {
    const html = "<form method=post enctype=multipart/form-data><input name='a\"'><button>Go</button></form>";
    const one = submit(html, { kind: 'entered', text: 'x' });
    expect(submit(html, { kind: 'entered', text: 'x' })).toEqual(one);
    expect(one.body).toContain('name="a%22"\r\n\r\nx\r\n');
  });
});

describe('a hostile page', () => {
  it.each([
    ['is too long', `<p>${'x'.repeat(600_000)}`],
    ['has too many elements', '<b>'.repeat(20_000)],
    [
      'multiplies its elements',
      `<p>${Array.from({ length: 400 }, (_, i) => `<b a=${i}>`).join('')}${'<p>x'.repeat(400)}`,
    ],
  ])('that %s is refused at once', (_, html) => {
    expect(() => readForms(html, URL_)).toThrow(/page is/);
  });

  it('may be nested deep, or be no page at all', () => {
    for (const html of [
      '<div>'.repeat(9000),
      '',
      '\0',
      '<form>'.repeat(500),
      '<select>'.repeat(500),
      '<table><form><input>',
    ])
      expect(() => plan(html)).not.toThrow();
  });
});

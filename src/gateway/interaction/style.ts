import { createHash } from 'node:crypto';

/** The one style sheet of the pages, light and dark. */
export const STYLE = `
:root { color-scheme: light dark;
  --page: #eef1f5; --card: #fff; --text: #1b2430; --soft: #526070; --line: #8793a3;
  --accent: #0b57d0; --on-accent: #fff; --choice: #f5f8fc; --bad: #b3261e; --bad-page: #fceeee; }
@media (prefers-color-scheme: dark) { :root {
  --page: #11151a; --card: #1b2128; --text: #e7ebf0; --soft: #a9b4c1; --line: #77838f;
  --accent: #a8c7fa; --on-accent: #062e6f; --choice: #232b34; --bad: #f2b8b5; --bad-page: #3a2123; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; align-items: center; justify-content: center;
  padding: 1.5rem; background: var(--page); color: var(--text);
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { width: 100%; max-width: 34rem; padding: 2rem; border-radius: 1rem; background: var(--card);
  box-shadow: 0 1px 2px rgb(0 0 0 / .12), 0 8px 28px rgb(0 0 0 / .08); overflow-wrap: anywhere; }
.source { margin: 0; color: var(--soft); font-size: .875rem; }
h1 { margin: .25rem 0 1.25rem; font-size: 1.5rem; line-height: 1.25; }
.text, legend, .question { font-size: 1.125rem; white-space: pre-line; }
.text { margin: 0 0 1.5rem; }
legend, .question { display: block; padding: 0; margin: 0 0 .5rem; font-weight: 600; }
fieldset { min-width: 0; margin: 0 0 1.5rem; padding: 0; border: 0; }
.hint { margin: 0 0 .5rem; color: var(--soft); font-size: .9375rem; }
.field { margin: 0 0 1.5rem; }
input:not([type=radio], [type=checkbox]), textarea { width: 100%; min-height: 3rem; padding: .625rem .75rem;
  border: 1px solid var(--line); border-radius: .5rem; background: var(--card); color: inherit; font: inherit; }
textarea { min-height: 6rem; resize: vertical; }
.choice { display: flex; align-items: center; gap: .75rem; min-height: 3rem; margin: 0 0 .5rem; padding: .5rem .875rem;
  border: 1px solid var(--line); border-radius: .5rem; background: var(--choice); cursor: pointer; }
.choice input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--accent); }
.choice:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
button { flex: 1 1 8rem; min-height: 3rem; padding: .5rem 1.25rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: transparent; color: var(--accent); font: inherit; font-weight: 600; cursor: pointer; }
button.main { background: var(--accent); color: var(--on-accent); }
button.quiet { border-color: var(--line); color: var(--text); font-weight: 400; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.choice:focus-within { outline: 3px solid var(--accent); outline-offset: 2px; }
.choice input:focus-visible { outline: none; }
.problem { margin: 0 0 1.25rem; padding: .75rem 1rem; border-left: .25rem solid var(--bad); border-radius: .25rem;
  background: var(--bad-page); color: var(--bad); }
[aria-invalid=true] { border-color: var(--bad) !important; }
.limit { margin: 1.25rem 0 0; color: var(--soft); font-size: .875rem; }
p:last-child { margin-bottom: 0; }
@media (max-width: 30rem) { body { align-items: flex-start; padding: .75rem; } main { padding: 1.25rem; } button { flex-basis: 100%; } }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Nothing but this style sheet and a form to ourselves: no script, no image, no frame. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorsPage } from '../../src/cli/errorsPage.ts';

it('docs/errors.md says what the error catalogue says (npm run docs writes it)', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  expect(page).toBe(errorsPage());
});

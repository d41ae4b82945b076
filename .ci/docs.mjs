/** Writes the generated pages: `node .ci/docs.mjs` after a build. */
import { writeFileSync } from 'node:fs';
import { errorsPage } from '../dist/cli/errorsPage.js';

writeFileSync(new URL('../docs/errors.md', import.meta.url), errorsPage());

/**
 * Lets a child process of a test run TypeScript sources: `node --import ./typescript.mjs FILE.ts`.
 */
import { register } from 'node:module';

register('./typescriptHooks.mjs', import.meta.url);

import { JSON_LIMITS } from '../json.ts';
import type { ReadLimits } from './dialect.ts';

/** Bounds that no honest message meets. */
export const READ_LIMITS: ReadLimits = Object.freeze({
  bytes: 1_048_576,
  lines: 10_000,
  parameters: 1_024,
  parameterLength: 8_192,
  parts: 1_024,
  json: JSON_LIMITS,
});

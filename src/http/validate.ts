import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import express, { type Request, type RequestHandler } from 'express';
import { DragomanError, type ErrorCode } from '../support/errors.ts';
import { BODIES, type BodyName } from './schemas.ts';

const ajv = new Ajv2020({ validateSchema: false, allErrors: false, strict: true });
const compiled = new Map<BodyName, ValidateFunction>();

/** Checks a JSON value against the schema of that name; throws `code` with the place and the reason. */
export function checkBody<T>(name: BodyName, value: unknown, code: ErrorCode): T {
  let check = compiled.get(name);
  if (!check) {
    check = ajv.compile(BODIES[name]);
    compiled.set(name, check);
  }
  if (check(value)) return value as T;
  throw new DragomanError(code, `The body is no ${name}: ${reason(check.errors?.[0])}. See /openapi.json.`);
}

function reason(error: ErrorObject | undefined): string {
  if (!error) return 'it does not fit the schema';
  const where = error.instancePath === '' ? 'it' : error.instancePath.slice(1).replaceAll('/', '.');
  const unknown: unknown = error.params['additionalProperty'];
  if (typeof unknown === 'string') return `${where} has a member "${unknown}" that nothing here knows`;
  const allowed: unknown = error.params['allowedValues'];
  if (Array.isArray(allowed)) return `${where} must be one of ${allowed.join(', ')}`;
  return `${where} ${error.message ?? 'does not fit the schema'}`;
}

/** Parses a JSON body up to `limit` bytes; any other media type is refused. */
export function jsonBody(limit: number): RequestHandler {
  const check = takesOnly('application/json', '+json');
  const parse = express.json({ limit, type: () => true, strict: true });
  return (request, response, next) => {
    check(request, response, () => parse(request, response, next));
  };
}

/** Lets through only these media types (a `+json` suffix counts with `application/json`). */
export function takesOnly(type: string, suffix?: string): RequestHandler {
  return (request, _response, next) => {
    const given = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (given === type || (suffix !== undefined && given.endsWith(suffix))) {
      next();
      return;
    }
    throw new DragomanError(
      'media-type',
      given === ''
        ? `The body has no Content-Type; it must be ${type}.`
        : `The body is ${given}; it must be ${type}.`,
    );
  };
}

/** A query parameter that is text, or absent. Throws `bad-value` when it stands there twice. */
export function textQuery(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new DragomanError('bad-value', `The query parameter ${name} may stand there once.`);
}

/** A query parameter that is one of these words, or absent. */
export function choiceQuery<T extends string>(
  request: Request,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const value = textQuery(request, name);
  const found = allowed.find((word) => word === value);
  if (value !== undefined && found === undefined) {
    throw new DragomanError('bad-value', `The query parameter ${name} must be one of ${allowed.join(', ')}.`);
  }
  return found;
}

/** The query parameter `limit`, 1 to 1000. */
export function pageLimit(request: Request): number {
  const value = textQuery(request, 'limit');
  if (value === undefined) return 100;
  const number = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > 1000) {
    throw new DragomanError('bad-value', 'The query parameter limit must be a number from 1 to 1000.');
  }
  return number;
}

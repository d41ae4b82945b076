import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { DragomanError } from '../support/errors.ts';

/** 192 random bits, URL-safe. */
export function generateToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Compares in constant time, whatever the lengths. */
export function sameSecret(given: string, wanted: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}

const SCHEME = 'Bearer ';

/** Lets through only `Authorization: Bearer <token>`. */
export function requireToken(token: string, refused: () => void): RequestHandler {
  return (request, _response, next) => {
    const header = request.headers.authorization ?? '';
    const given = /^Bearer /i.test(header) ? header.slice(SCHEME.length).trim() : undefined;
    if (given !== undefined && sameSecret(given, token)) {
      next();
      return;
    }
    refused();
    throw new DragomanError(
      'unauthenticated',
      given === undefined
        ? 'Send the admin token: `Authorization: Bearer <token>`.'
        : 'The admin token is wrong. It is admin.token or admin.tokenFile of the configuration, else it was printed at the start.',
    );
  };
}

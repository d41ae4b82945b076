import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestHandler } from 'express';
import type { Config } from '../gateway/config/config.ts';
import { DragomanError } from '../support/errors.ts';

const SHORTEST = 8;

/** The token that is configured, else a new one. Throws `configuration` for a file without one. */
export function adminToken({ admin }: Config): { readonly token: string; readonly generated: boolean } {
  const { token, tokenFile } = admin;
  if (token !== undefined) return { token, generated: false };
  if (tokenFile === undefined) return { token: generateToken(), generated: true };
  return { token: readToken(tokenFile), generated: false };
}

/** 192 random bits, URL-safe. */
function generateToken(): string {
  return randomBytes(24).toString('base64url');
}

function readToken(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new DragomanError('configuration', `admin.tokenFile: ${file} cannot be read.`, { cause });
  }
  if (token.length >= SHORTEST) return token;
  throw new DragomanError(
    'configuration',
    `admin.tokenFile: ${file} holds no token of ${SHORTEST} characters or more.`,
  );
}

/** Compares in constant time, whatever the lengths. */
function sameSecret(given: string, wanted: string): boolean {
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

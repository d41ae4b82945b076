import { Buffer } from 'node:buffer';
import { DragomanError } from '../../../support/errors.ts';
import { readPackage1, readPackage2, readPackage3, writePackage } from '../../codec.ts';
import { type CommandError, formatCommand, parseCommand } from '../../command.ts';
import { readJson } from '../../json.ts';
import { type Dm2Command, MEDIA_TYPE, type RawCommand } from '../../packages.ts';
import { toItems } from '../../serializationItem.ts';
import type { DialectCapabilities } from '../capabilities.ts';
import type { Dialect, ReadLimits } from '../dialect.ts';
import { deviceIdOf } from '../identity.ts';
import { READ_LIMITS } from '../limits.ts';

/** Content types of the JSON dialects (20§1.1); the name of a document is a choice (20§15 Q5). */
export const JSON_TYPES = Object.freeze({
  opening: MEDIA_TYPE.package1,
  commands: MEDIA_TYPE.package2,
  status: MEDIA_TYPE.package3,
  document: MEDIA_TYPE.serialization,
});

const NOTHING: readonly string[] = Object.freeze([]);

function jsonLimits(limits: ReadLimits) {
  return { ...limits.json, bytes: Math.min(limits.json.bytes, limits.bytes) };
}

function clientHeaders(contentType: string, deviceId: string): Record<string, string> {
  return { 'content-type': contentType, accept: JSON_TYPES.commands, 'omadm-devid': deviceId };
}

/** Openings and documents. The first message names objects only; their data is read by commands. */
export const jsonOpening: Pick<Dialect, 'readOpening' | 'writeOpening' | 'readDocument' | 'writeDocument'> = {
  readOpening: ({ headers, body }, limits = READ_LIMITS) => ({
    deviceId: deviceIdOf(headers),
    package1: readPackage1(body, { limits: jsonLimits(limits) }),
    devInfo: {},
    items: [],
    tolerated: NOTHING,
  }),
  writeOpening: ({ deviceId, package1 }) => ({
    headers: clientHeaders(JSON_TYPES.opening, deviceId),
    body: writePackage(package1),
    lost: NOTHING,
  }),
  readDocument: (body, limits = READ_LIMITS) => ({ items: toItems(readJson(body, jsonLimits(limits))) }),
  writeDocument: ({ items, mos }) => ({
    headers: { 'content-type': JSON_TYPES.document },
    body: Buffer.from(JSON.stringify(items), 'utf8'),
    lost: mos === undefined ? NOTHING : ['The list of supported objects has no place in this document.'],
  }),
};

export const jsonStatus: Pick<Dialect, 'readStatus' | 'writeStatus'> = {
  readStatus: ({ body }, { limits = READ_LIMITS } = {}) => ({
    package3: readPackage3(body, { limits: jsonLimits(limits) }),
    tolerated: NOTHING,
  }),
  writeStatus: ({ package3 }, deviceId, options) => ({
    headers: clientHeaders(JSON_TYPES.status, deviceId),
    body: writePackage(package3, options),
    lost: NOTHING,
  }),
};

/** Commands of a JSON dialect, which differ in their number only. */
export function jsonCommands({
  verbs,
}: Pick<DialectCapabilities, 'verbs'>): Pick<
  Dialect,
  'commandOptions' | 'readCommands' | 'readPackage2' | 'writeCommands' | 'writePackage2' | 'refuses'
> {
  const refuses = (command: Dm2Command): CommandError | undefined => {
    if (!verbs.has(command.verb)) {
      return { error: 'not-implemented', detail: `${command.verb} is none of this dialect's commands.` };
    }
    const again = parseCommand(formatCommand(command));
    return 'error' in again ? again : undefined;
  };
  return {
    commandOptions: {},
    readCommands: ({ body }, limits = READ_LIMITS) => {
      const { CMD } = readPackage2(body, { limits: jsonLimits(limits) });
      const commands = CMD.map((raw) => {
        const command = parseCommand(raw);
        return 'error' in command || verbs.has(command.verb)
          ? command
          : ({
              error: 'not-implemented',
              detail: `The command ${command.verb} is none of this dialect.`,
            } as const);
      });
      return {
        commands,
        ends:
          commands.length === 0 || commands.some((command) => 'verb' in command && command.verb === 'END'),
        tolerated: commands.length === 0 ? ['The document holds no command; it counts as END.'] : NOTHING,
      };
    },
    writeCommands: ({ commands }) => {
      for (const command of commands) {
        const refusal = refuses(command);
        if (refusal !== undefined) throw new DragomanError(refusal.error, refusal.detail);
      }
      const said: readonly Dm2Command[] = commands.length === 0 ? [{ verb: 'END' }] : commands;
      return {
        headers: { 'content-type': JSON_TYPES.commands },
        body: writePackage({ CMD: said.map(formatCommand) }),
        lost: NOTHING,
      };
    },
    readPackage2: ({ body }, limits = READ_LIMITS) => {
      const { CMD } = readPackage2(body, { limits: jsonLimits(limits) });
      const foreign = (raw: RawCommand) => {
        const command = parseCommand(raw);
        return !('error' in command) && !verbs.has(command.verb);
      };
      return { package2: { CMD: CMD.map((raw) => (foreign(raw) ? [''] : raw)) }, tolerated: NOTHING };
    },
    writePackage2: (package2) => ({
      headers: { 'content-type': JSON_TYPES.commands },
      body: writePackage(package2),
      lost: NOTHING,
    }),
    refuses,
  };
}

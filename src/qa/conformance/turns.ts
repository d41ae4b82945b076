import { readPackage1, readPackage3 } from '../../dm2/codec.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import {
  type Alert,
  MEDIA_TYPE,
  type Package1,
  type Package3,
  type RawCommand,
  type StatusItem,
} from '../../dm2/packages.ts';
import type { LoggedMessage } from '../../simulator/eventLog.ts';
import { DragomanError } from '../../support/errors.ts';
import type { ProbeName } from './probes.ts';

/** A package of a client, as far as it can be read. */
export interface ReadPackage {
  readonly package1?: Package1;
  readonly package3?: Package3;
  readonly problem?: string;
}

/** A package of a client and what it was asked in the answer. */
export interface ClientTurn extends ReadPackage {
  readonly request: LoggedMessage;
  readonly answer: LoggedMessage | undefined;
  readonly asked: readonly RawCommand[];
  readonly probe?: ProbeName;
}

/** What a probe led to. */
export interface ProbeOutcome {
  readonly commands: readonly RawCommand[];
  /** The Package#2 that asked. */
  readonly question: LoggedMessage | undefined;
  /** The Package#3 that answered; absent where none came. */
  readonly reply?: ClientTurn;
  readonly status: readonly StatusItem[];
  /** Requests for transfers that came between the two. */
  readonly transfers: readonly LoggedMessage[];
}

/** Package#1 or #3, by its Content-Type. */
export function readClientPackage({ method, contentType, bytes }: LoggedMessage): ReadPackage {
  if (method !== 'POST') return { problem: `it came by ${method}, not by POST` };
  try {
    switch (essence(contentType)) {
      case MEDIA_TYPE.package1:
        return { package1: readPackage1(bytes) };
      case MEDIA_TYPE.package3:
        return { package3: readPackage3(bytes) };
      default:
        return { problem: `its Content-Type is ${contentType === '' ? 'missing' : contentType}` };
    }
  } catch (error) {
    return { problem: error instanceof DragomanError ? error.detail : String(error) };
  }
}

/** What became of the probe of `turn`, the `next` one of its session answering it. */
export function outcomeOf(
  turn: ClientTurn,
  next: ClientTurn | undefined,
  messages: readonly LoggedMessage[],
): ProbeOutcome {
  const from = turn.answer ? messages.indexOf(turn.answer) : messages.length;
  const to = next ? messages.indexOf(next.request) : messages.length;
  return {
    commands: turn.asked,
    question: turn.answer,
    ...(next && { reply: next }),
    status: next?.package3?.Status ?? [],
    transfers: messages
      .slice(from + 1, to)
      .filter(
        ({ direction, url }) => direction === 'received' && /\/(document|upload|page|missing)\b/.test(url),
      ),
  };
}

export function alertsOf({ package1, package3 }: ClientTurn): readonly Alert[] {
  return package1?.Alert ?? package3?.Alert ?? [];
}

import { parseCommand } from '../../dm2/codec.ts';
import type { Dm2Command, RawCommand, StatusItem } from '../../dm2/packages.ts';
import { ERRORS } from '../../support/errors.ts';
import { backendDialect } from '../dialects.ts';
import { asksForList, listObjects } from '../listing.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { setDefault } from './defaults.ts';
import type { LegacyDevice } from './device.ts';
import { type DirectCommand, runDirect } from './direct.ts';
import { runHget } from './hget.ts';
import { type ReadCommand, runReads } from './reads.ts';
import { runShow } from './show.ts';
import { subscribe, unsubscribe } from './subscriptions.ts';

/** What Package#2 asked beside commands for the device. */
export interface PackageResult {
  readonly status: readonly StatusItem[];
  /** END was among the commands, or there were none (IW-SES-8). */
  readonly ends: boolean;
  /** Where Package#3 goes from now on (CONT, IW-SES-9). */
  readonly continueAt?: string;
}

/** Commands that may run together, in package order. */
type Step =
  | { readonly kind: 'reads'; readonly commands: ReadCommand[] }
  | { readonly kind: 'direct'; readonly commands: DirectCommand[] }
  | { readonly kind: 'hget'; readonly command: Extract<Dm2Command, { verb: 'HGET' }> }
  | { readonly kind: 'show'; readonly command: Extract<Dm2Command, { verb: 'SHOW' }> }
  | {
      readonly kind: 'kept';
      readonly command: Extract<Dm2Command, { verb: 'DEFAULT' | 'SUB' | 'UNSUB' }>;
    }
  | { readonly kind: 'list'; readonly command: ReadCommand }
  | { readonly kind: 'answer'; readonly item: StatusItem };

/** Runs the commands of one Package#2 on the legacy device, strictly in order (IW-SEQ-1), one Status item each. */
export function* runPackage(
  s: Session,
  device: LegacyDevice,
  raw: readonly RawCommand[],
  accept: string | undefined,
): Script<PackageResult> {
  const steps: Step[] = [];
  let ends = raw.length === 0;
  let continueAt: string | undefined;
  const { commandOptions } = backendDialect(s.context);
  for (const entry of raw) {
    const command = parseCommand(entry, commandOptions);
    if ('error' in command) {
      yield* s.note('20§3', command.detail);
      steps.push({ kind: 'answer', item: { sc: ERRORS[command.error].dm2 } });
      continue;
    }
    switch (command.verb) {
      case 'GET':
      case 'HPUT':
      case 'HPOST': {
        if (asksForList(command)) {
          steps.push({ kind: 'list', command });
          break;
        }
        const last = steps.at(-1);
        if (last?.kind === 'reads') last.commands.push(command);
        else steps.push({ kind: 'reads', commands: [command] });
        break;
      }
      case 'DELETE':
      case 'EXEC': {
        const last = steps.at(-1);
        if (last?.kind === 'direct' && isPlain(command) && last.commands.every(isPlain))
          last.commands.push(command);
        else steps.push({ kind: 'direct', commands: [command] });
        break;
      }
      case 'HGET':
        steps.push({ kind: 'hget', command });
        break;
      case 'SHOW':
        steps.push({ kind: 'show', command });
        break;
      case 'CONT':
        continueAt = command.serverUri;
        steps.push({ kind: 'answer', item: { sc: 200 } });
        break;
      case 'END':
        ends = true;
        break;
      case 'DEFAULT':
      case 'SUB':
      case 'UNSUB':
        steps.push({ kind: 'kept', command });
        break;
    }
  }
  const status: StatusItem[] = [];
  for (const step of steps) status.push(...(yield* runStep(s, device, step, accept)));
  return { status, ends, ...(continueAt !== undefined && { continueAt }) };
}

function* runStep(
  s: Session,
  device: LegacyDevice,
  step: Step,
  accept: string | undefined,
): Script<readonly StatusItem[]> {
  switch (step.kind) {
    case 'answer':
      return [step.item];
    case 'list':
      return [device.ended ? { sc: 500 } : yield* listObjects(s, step.command, accept)];
    case 'reads':
      return device.ended
        ? step.commands.map(() => ({ sc: 500 }))
        : yield* runReads(s, device, step.commands, accept);
    case 'direct':
      return device.ended
        ? step.commands.map(() => ({ sc: 500 }))
        : yield* runDirect(s, device, step.commands);
    case 'hget':
      return [device.ended ? { sc: 500 } : yield* runHget(s, device, step.command)];
    case 'show':
      return [device.ended ? { sc: 500 } : yield* runShow(s, device, step.command)];
    case 'kept':
      return [yield* runKept(s, device, step.command)];
  }
}

/** What the gateway keeps for a device that has no such notion. */
function* runKept(
  s: Session,
  device: LegacyDevice,
  command: Extract<Step, { kind: 'kept' }>['command'],
): Script<StatusItem> {
  switch (command.verb) {
    case 'DEFAULT':
      return yield* setDefault(s, command);
    case 'SUB':
      return device.ended ? { sc: 500 } : yield* subscribe(s, device, command);
    case 'UNSUB':
      return unsubscribe(s, command.clientUri);
  }
}

/** Resolving it reads nothing from the device, so a command before it cannot change what it means. */
function isPlain(command: DirectCommand): boolean {
  return !/[*?]|\/\(/.test(command.clientUri);
}

import type { AlertCommand, Command, Item, ItemCommand, Meta, Status, SyncMLMessage } from '../message.ts';
import { alertRow } from '../tables/alerts.ts';
import { continuesObject } from './largeObject.ts';
import { ObjectReceiver } from './objectReceiver.ts';
import { commandName, isHeaderStatus, type OwedStatus } from './statuses.ts';

/** A server's command, with what its Status has to refer to. */
export interface ReceivedCommand {
  readonly msgId: string;
  readonly command: Command;
}

/** A command that waits for its Status; `auto` when nobody has to execute it. */
export interface Slot extends ReceivedCommand {
  readonly auto?: number;
}

export interface ServerTaken {
  readonly headerStatus?: Status;
  readonly aborted: boolean;
  /** Anything that calls for a next message: a command, an alert. */
  readonly commands: boolean;
  /** Statuses for what we sent, header excepted. */
  readonly statuses: readonly Status[];
  /** The server dropped a large object that we were sending (Alert 1225). */
  readonly objectRefused: boolean;
}

interface OpenObject {
  readonly kind: ItemCommand['kind'];
  readonly meta: Meta | undefined;
  readonly before: readonly Item[];
}

/** What a server's messages ask of a client (client role). */
export class ServerInbox {
  readonly slots: Slot[] = [];
  readonly objects: ObjectReceiver;
  #object: OpenObject | undefined;
  /** A chunk inside a group that was refused. */
  #inGroup: Item | undefined;

  constructor(maxObjectBytes: number) {
    this.objects = new ObjectReceiver(maxObjectBytes, true);
  }

  take(message: SyncMLMessage): ServerTaken {
    let headerStatus: Status | undefined;
    let aborted = false;
    let commands = false;
    let objectRefused = false;
    const statuses: Status[] = [];
    for (const element of message.body) {
      if (element.kind === 'Status') {
        if (isHeaderStatus(element)) headerStatus ??= element;
        else statuses.push(element);
      } else if (element.kind !== 'Results') {
        commands = true;
        const role = element.kind === 'Alert' ? alertRow(element.code)?.role : undefined;
        aborted ||= role === 'abort';
        objectRefused ||= role === 'object-error';
        this.slots.push(...this.#take(message.header.msgId, element));
      }
    }
    return { aborted, commands, statuses, objectRefused, ...(headerStatus && { headerStatus }) };
  }

  #take(msgId: string, command: Command): Slot[] {
    const broken = this.#chunkInGroup(command);
    return broken ? [...refusedGroup(msgId, command, broken)] : [this.#slot(msgId, command)];
  }

  /**
   * The chunk of an object inside a Sequence or Atomic, if there is one: these have to be whole in one
   * message (1x§2.3). The last one looks like a value of its own; it is told by what came before.
   */
  #chunkInGroup(command: Command): Item | undefined {
    if (command.kind !== 'Atomic' && command.kind !== 'Sequence') return undefined;
    const before = this.#inGroup;
    const item = itemsOf(command).find((one) => one.moreData || (before && continuesObject(before, one)));
    this.#inGroup = item?.moreData ? item : undefined;
    return item;
  }

  #slot(msgId: string, command: Command): Slot {
    if (command.cmdId.trim() === '') return { msgId, command, auto: 400 };
    switch (command.kind) {
      case 'Foreign':
        return { msgId, command, auto: 406 };
      case 'Alert':
        return this.#alert(msgId, command);
      case 'Atomic':
      case 'Sequence':
        this.#interrupt();
        return { msgId, command };
      case 'Add':
      case 'Copy':
      case 'Delete':
      case 'Exec':
      case 'Get':
      case 'Replace':
        return this.#items(msgId, command);
    }
  }

  #alert(msgId: string, command: AlertCommand): Slot {
    switch (alertRow(command.code)?.role) {
      case 'ui':
        this.#interrupt();
        return command.items.length < 2 ? { msgId, command, auto: 412 } : { msgId, command };
      case 'next-message':
      case 'abort':
      case 'object-error':
        return { msgId, command, auto: 200 };
      case 'opening':
      case 'event':
      case undefined:
        return { msgId, command, auto: 406 };
    }
  }

  #interrupt(): void {
    if (this.objects.open) this.objects.interrupt();
    this.#object = undefined;
  }

  /** A command whose last Item is a chunk is held back until the object is whole (1x§8). */
  #items(msgId: string, command: ItemCommand): Slot {
    if (command.items.length === 0) return { msgId, command, auto: 412 };
    const first = command.items[0];
    if (
      this.objects.open &&
      (command.kind !== this.#object?.kind || !first || !this.objects.continues(first))
    ) {
      this.#interrupt();
    }
    const object = this.#object;
    const whole: Item[] = [...(object?.before ?? [])];
    for (const item of command.items) {
      const inherits = command.meta && (item.moreData || this.objects.open);
      const received = this.objects.take(
        inherits ? { ...item, meta: { ...command.meta, ...item.meta } } : item,
      );
      if (received.kind === 'whole') whole.push(received.item);
      else {
        this.#object = this.objects.open
          ? { kind: command.kind, meta: object?.meta ?? command.meta, before: whole }
          : undefined;
        return { msgId, command, auto: received.code };
      }
    }
    this.#object = undefined;
    const meta = object?.meta ?? command.meta;
    return { msgId, command: { ...command, items: whole, ...(meta && { meta }) } };
  }
}

function itemsOf(command: Command): readonly Item[] {
  if ('commands' in command) return command.commands.flatMap(itemsOf);
  return 'items' in command ? command.items : [];
}

/** Nothing in it is executed: 412 for the command with the chunk, 507 for an Atomic around it, 215 for the rest. */
function* refusedGroup(msgId: string, command: Command, chunk: Item): Generator<Slot> {
  if (command.kind !== 'Atomic' && command.kind !== 'Sequence') {
    yield { msgId, command, auto: itemsOf(command).includes(chunk) ? 412 : 215 };
    return;
  }
  const auto = !itemsOf(command).includes(chunk) ? 215 : command.kind === 'Atomic' ? 507 : 412;
  yield { msgId, command, auto };
  for (const child of command.commands) yield* refusedGroup(msgId, child, chunk);
}

export function owedFor(slot: ReceivedCommand, code: number): OwedStatus {
  return { msgRef: slot.msgId, cmdRef: slot.command.cmdId, cmd: commandName(slot.command), code };
}

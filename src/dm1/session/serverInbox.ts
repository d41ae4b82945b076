import type { AlertCommand, Command, Item, ItemCommand, Meta, Status, SyncMLMessage } from '../message.ts';
import { alertRow } from '../tables/alerts.ts';
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

  constructor(maxObjectBytes: number) {
    this.objects = new ObjectReceiver(maxObjectBytes, true);
  }

  take(message: SyncMLMessage): ServerTaken {
    let headerStatus: Status | undefined;
    let aborted = false;
    let commands = false;
    const statuses: Status[] = [];
    for (const element of message.body) {
      if (element.kind === 'Status') {
        if (isHeaderStatus(element)) headerStatus ??= element;
        else statuses.push(element);
      } else if (element.kind !== 'Results') {
        commands = true;
        aborted ||= element.kind === 'Alert' && alertRow(element.code)?.role === 'abort';
        this.slots.push(this.#slot(message.header.msgId, element));
      }
    }
    return { aborted, commands, statuses, ...(headerStatus && { headerStatus }) };
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

export function owedFor(slot: ReceivedCommand, code: number): OwedStatus {
  return { msgRef: slot.msgId, cmdRef: slot.command.cmdId, cmd: commandName(slot.command), code };
}

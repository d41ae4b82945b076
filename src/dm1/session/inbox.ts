import type { AlertCommand, Command, Item, ItemCommand, Results, Status, SyncMLMessage } from '../message.ts';
import { alertRow } from '../tables/alerts.ts';
import { ObjectReceiver } from './objectReceiver.ts';
import { comparableUri, itemUri } from './pending.ts';
import type { References } from './references.ts';
import { commandName, isHeaderStatus, type OwedStatus } from './statuses.ts';

export interface InboxOptions {
  /** Status for an alert that has Items; 200 when not given (IW-ALERT-4). */
  readonly judgeAlert?: (alert: AlertCommand) => number;
  readonly note: (text: string) => void;
  /** Largest object that chunked Results may build up, bytes. */
  readonly maxObjectBytes: number;
}

export interface Taken {
  /** The header's Status, when there was one. */
  readonly headerStatus?: Status;
  /** It said anything but header Status and Alert 1222. */
  readonly substance: boolean;
  readonly aborted: boolean;
}

/** What a device's messages said, and which Statuses that calls for (server role). */
export class DeviceInbox {
  readonly owed: OwedStatus[] = [];
  readonly devInfo: Item[] = [];
  readonly alerts: AlertCommand[] = [];
  sessionAlert: '1200' | '1201' | undefined;
  /** The device dropped a large object that we were sending (Alert 1225). */
  objectRefused = false;
  packageOneComplete = false;
  readonly #options: InboxOptions;
  /** Chunked Results on their way. */
  readonly objects: ObjectReceiver;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.objects = new ObjectReceiver(options.maxObjectBytes, false);
  }

  /** Reads a message whose sender is known; `references` is what its Statuses may speak of. */
  take(message: SyncMLMessage, references: References | undefined): Taken {
    let headerStatus: Status | undefined;
    let substance = false;
    let aborted = false;
    for (const element of message.body) {
      if (element.kind === 'Status') {
        if (isHeaderStatus(element)) headerStatus ??= element;
        // What a device says to our own Alert 1222 tells nothing.
        else if (element.cmd?.trim() !== 'Alert' || references?.names(element)) {
          this.#note(
            references ? references.status(element) : `Status for ${element.cmd} before any command`,
          );
          substance = true;
        }
      } else if (element.kind === 'Results') {
        substance = true;
        this.#results(element, message.header.msgId, references);
      } else {
        substance ||= element.kind !== 'Alert' || alertRow(element.code)?.role !== 'next-message';
        aborted ||= element.kind === 'Alert' && alertRow(element.code)?.role === 'abort';
        this.#command(element, message.header.msgId);
      }
    }
    return { substance, aborted, ...(headerStatus && { headerStatus }) };
  }

  #note(text: string | undefined): void {
    if (text !== undefined) this.#options.note(text);
  }

  #owe(command: Command, msgRef: string, code: number): void {
    this.owed.push({ msgRef, cmdRef: command.cmdId, cmd: commandName(command), code });
  }

  #command(command: Command, msgRef: string): void {
    this.#owe(command, msgRef, command.cmdId.trim() === '' ? 400 : this.#execute(command));
    if (command.kind !== 'Atomic' && command.kind !== 'Sequence') return;
    for (const child of command.commands) this.#owe(child, msgRef, 405);
  }

  #execute(command: Command): number {
    switch (command.kind) {
      case 'Alert':
        return this.#alert(command);
      case 'Replace':
        return this.#replace(command);
      case 'Foreign':
        return 406;
      case 'Atomic':
      case 'Sequence':
      case 'Add':
      case 'Copy':
      case 'Delete':
      case 'Exec':
      case 'Get':
        // A device may only originate DevInfo, alerts, Status and Results (1x§2.1).
        return 405;
    }
  }

  #alert(alert: AlertCommand): number {
    const row = alertRow(alert.code);
    switch (row?.role) {
      case 'opening':
        this.sessionAlert ??= row.code === '1200' ? '1200' : '1201';
        return 200;
      case 'event': {
        if (alert.items.length === 0) return 412;
        const code = this.#options.judgeAlert?.(alert) ?? 200;
        this.alerts.push(alert);
        return code;
      }
      case 'object-error':
        this.objectRefused = true;
        return 200;
      case 'next-message':
      case 'abort':
        return 200;
      case 'ui':
      case undefined:
        return 406;
    }
  }

  #replace(command: ItemCommand): number {
    const isDevInfo = (item: Item): boolean => /^DevInfo(\/|$)/i.test(comparableUri(itemUri(item)));
    if (command.items.length === 0) return 412;
    // In the opening anything that the device tells of itself is welcome, later only DevInfo.
    if (this.packageOneComplete && !command.items.every(isDevInfo)) return 405;
    for (const item of command.items) {
      this.devInfo.push(command.meta ? { ...item, meta: { ...command.meta, ...item.meta } } : item);
    }
    return 200;
  }

  #results(results: Results, msgRef: string, references: References | undefined): void {
    const pending = references?.results(results);
    if (!pending) {
      this.#note(`Results for unknown command ${results.cmdRef ?? '(no CmdRef)'} ignored`);
      return;
    }
    const whole: Item[] = [];
    let code = 200;
    for (const item of results.items) {
      const inherits = results.meta && (item.moreData || this.objects.open);
      const received = this.objects.take(
        inherits ? { ...item, meta: { ...results.meta, ...item.meta } } : item,
      );
      if (received.kind === 'status') code = received.code;
      else whole.push(received.item);
    }
    pending.take(results, whole);
    // Results that were taken get no Status (1x§2.3).
    if (code !== 200) this.owed.push({ msgRef, cmdRef: results.cmdId, cmd: 'Results', code });
  }
}

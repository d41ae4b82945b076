import type { Command, ItemCommand, SyncMLMessage } from '../../dm1/message.ts';
import { isItemCommand, type Outgoing } from '../syncml.ts';
import type { SimTree } from '../tree.ts';
import { Executor } from './execute.ts';
import { LargeObject } from './largeObject.ts';
import type { ClientAlert, ExecutedCommand, LegacyDeviceOptions } from './options.ts';

/** What one server message led to. */
export interface Executed {
  readonly out: readonly Outgoing[];
  readonly executed: readonly ExecutedCommand[];
  readonly violations: readonly string[];
}

/** Executes server messages one after another; a large object may span several (1x§8). */
export class Inbound {
  readonly #tree: SimTree;
  readonly #options: LegacyDeviceOptions;
  readonly #onReport: (alert: ClientAlert) => void;
  #object: LargeObject | undefined;

  constructor(tree: SimTree, options: LegacyDeviceOptions, onReport: (alert: ClientAlert) => void) {
    this.#tree = tree;
    this.#options = options;
    this.#onReport = onReport;
  }

  begin(): void {
    this.#object = undefined;
  }

  /** Between the first and the last chunk of an object. */
  get chunking(): boolean {
    return this.#object !== undefined;
  }

  run(message: SyncMLMessage, commands: readonly Command[]): Executed {
    const { encoding = 'xml', missing = [], quirks = {}, serverId, exec, ui } = this.#options;
    const executor = new Executor(
      this.#tree,
      {
        form: encoding,
        missing: new Set(missing),
        quirks,
        onReport: this.#onReport,
        ...(serverId === undefined ? {} : { subject: serverId }),
        ...(exec ? { exec } : {}),
        ...(ui ? { ui } : {}),
      },
      message.header.msgId,
    );
    const violations: string[] = [];
    for (const command of commands) {
      if (isItemCommand(command) && (this.#object || command.items.at(-1)?.moreData)) {
        this.#chunk(command, executor, violations);
      } else {
        executor.run(command);
      }
    }
    return { out: executor.out, executed: executor.executed, violations };
  }

  #chunk(command: ItemCommand, executor: Executor, violations: string[]): void {
    if (this.#object && !this.#object.continues(command)) {
      violations.push(`new command before the last chunk of ${this.#object.uri}`);
      executor.out.push({ kind: 'Alert', code: '1225', items: [{ source: { uri: this.#object.uri } }] });
      this.#object = undefined;
      executor.run(command);
      return;
    }
    if (this.#options.missing?.includes('largeObjects')) {
      executor.answer(command, 413);
      return;
    }
    this.#object ??= new LargeObject(command);
    const object = this.#object;
    if (!object.sized) {
      this.#object = undefined;
      executor.answer(command, 411);
      violations.push(...object.violations);
      return;
    }
    const outcome = object.take(command);
    if (!command.items.at(-1)?.moreData) {
      this.#object = undefined;
      violations.push(...object.violations);
    }
    if (outcome.kind === 'status') executor.answer(command, outcome.code, [], object.uri);
    else executor.run(outcome.command);
  }
}

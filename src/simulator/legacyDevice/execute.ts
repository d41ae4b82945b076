import type { AlertCommand, Command, GroupCommand, Item, ItemCommand } from '../../dm1/message.ts';
import { parseTreePath } from '../../mo/treePath.ts';
import { commandName, itemContent, itemMeta, type Outgoing, type OutStatus } from '../syncml.ts';
import { fromMoNode, type NodeContent, type SimTree } from '../tree.ts';
import { reportOf } from './execReports.ts';
import { agreeableUser, isUiAlert, readUiAlert } from './interaction.ts';
import type {
  ClientAlert,
  ExecHandler,
  ExecutedCommand,
  LegacyCapability,
  LegacyDeviceOptions,
  LegacyQuirks,
} from './options.ts';
import { readUri, splitQuery } from './read.ts';
import { readTnds } from './tndsReader.ts';

type Place = 'body' | 'Sequence' | 'Atomic';

/** Code of one Item of a command; `uri` goes into TargetRef. */
interface ItemOutcome {
  readonly uri?: string;
  readonly code: number;
  readonly results?: readonly Item[];
  readonly statusItems?: readonly Item[];
}

export interface ExecutorSettings {
  readonly form: 'xml' | 'wbxml';
  readonly missing: ReadonlySet<LegacyCapability>;
  readonly quirks: LegacyQuirks;
  readonly subject?: string;
  readonly exec?: ExecHandler;
  readonly ui?: LegacyDeviceOptions['ui'];
  /** Called with the report of every asynchronous Exec. */
  readonly onReport: (alert: ClientAlert) => void;
}

/** Runs the commands of one server message on the tree and collects Statuses and Results in order. */
export class Executor {
  readonly out: Outgoing[] = [];
  readonly executed: ExecutedCommand[] = [];
  readonly #tree: SimTree;
  readonly #settings: ExecutorSettings;
  readonly #msgRef: string;
  /** A dialogue was cancelled: the rest of the message is not processed (1x§4.5). */
  #cancelled = false;

  constructor(tree: SimTree, settings: ExecutorSettings, msgRef: string) {
    this.#tree = tree;
    this.#settings = settings;
    this.#msgRef = msgRef;
  }

  /** Executes one command of the body and returns its final code. */
  run(command: Command, place: Place = 'body'): number {
    if (this.#cancelled) return this.skip(command);
    switch (command.kind) {
      case 'Atomic':
      case 'Sequence':
        return place === 'body' ? this.#group(command) : this.answer(command, 500);
      case 'Alert':
        return this.#alert(command);
      case 'Foreign':
        return this.answer(command, this.#settings.quirks.unsupportedCode ?? 406);
      default:
        return this.#items(command, place);
    }
  }

  /** Answers 215 for a command, and for what it holds. */
  skip(command: Command): number {
    this.answer(command, 215);
    if (command.kind === 'Atomic' || command.kind === 'Sequence') {
      for (const child of command.commands) this.skip(child);
    }
    return 215;
  }

  /** One Status for the whole command. */
  answer(command: Command, code: number, items: readonly Item[] = [], targetRef?: string): number {
    this.out.push(this.#status(command, code, items, targetRef));
    this.executed.push({
      command: commandName(command),
      code,
      ...(targetRef === undefined ? {} : { uri: targetRef }),
    });
    return code;
  }

  #status(command: Command, code: number, items: readonly Item[] = [], targetRef?: string): OutStatus {
    return {
      kind: 'Status',
      msgRef: this.#msgRef,
      cmdRef: command.cmdId,
      cmd: commandName(command),
      targetRefs: targetRef === undefined ? [] : [targetRef],
      sourceRefs: [],
      code: String(code),
      items,
    };
  }

  #items(command: ItemCommand, place: Place): number {
    const { missing, quirks } = this.#settings;
    const feature = { Copy: 'copy', Exec: 'exec', Delete: 'delete' }[command.kind as string];
    if (feature && missing.has(feature as LegacyCapability)) {
      return this.answer(command, quirks.unsupportedCode ?? 406);
    }
    if (place === 'Atomic' && (command.kind === 'Get' || command.kind === 'Exec'))
      return this.answer(command, 500);
    if (command.items.length === 0) return this.answer(command, 412);
    const outcomes = command.items.map((item) => this.#item(command, item));
    const worst = outcomes.find(({ code }) => code >= 300) ?? outcomes[0]!;
    if (outcomes.every(({ code }) => code === worst.code)) {
      this.answer(
        command,
        worst.code,
        outcomes.flatMap(({ statusItems = [] }) => statusItems),
        outcomes.length === 1 ? worst.uri : undefined,
      );
    } else {
      for (const { code, uri, statusItems } of outcomes) this.answer(command, code, statusItems, uri);
    }
    for (const { results } of outcomes) {
      if (results) this.#results(command, results);
    }
    return worst.code;
  }

  /** `?list=Struct` may name many nodes: one Results element each keeps them small enough to pack. */
  #results(command: ItemCommand, items: readonly Item[]): void {
    for (const item of items) {
      const { meta, ...rest } = item;
      this.out.push({
        kind: 'Results',
        msgRef: this.#msgRef,
        cmdRef: command.cmdId,
        ...(meta ? { meta } : {}),
        items: [rest],
      });
    }
  }

  #item(command: ItemCommand, item: Item): ItemOutcome {
    const uri = item.target?.uri;
    if (uri === undefined) return { code: 412 };
    return { uri, ...this.#itemOutcome(command, item, uri) };
  }

  #itemOutcome(command: ItemCommand, item: Item, uri: string): Omit<ItemOutcome, 'uri'> {
    const { subject } = this.#settings;
    if (command.kind === 'Get') return this.#get(uri);
    const [address, query] = splitQuery(uri);
    const path = parseTreePath(address);
    if (!path) return { code: 404 };
    const content = itemContent(itemMeta(command, item), item);
    switch (command.kind) {
      case 'Add':
        if (query !== undefined) return { code: 405 };
        if (isTnds(content.type)) return { code: this.#tnds(path, content, false) };
        return { code: this.#tree.add(path, content, subject) };
      case 'Replace':
        if (query !== undefined) return { code: this.#replaceProperty(path, query, content) };
        if (isTnds(content.type)) return { code: this.#tnds(path, content, true) };
        return { code: this.#tree.replace(path, content, subject) };
      case 'Delete':
        return { code: this.#tree.delete(path, subject) };
      case 'Copy': {
        const from = item.source && parseTreePath(item.source.uri);
        return { code: from ? this.#tree.copy(from, path, subject) : 412 };
      }
      case 'Exec':
        return this.#exec(command, uri, path, String(content.value));
    }
  }

  #get(uri: string): Omit<ItemOutcome, 'uri'> {
    const { form, missing, quirks, subject } = this.#settings;
    const read = readUri(this.#tree, uri, {
      form,
      missing,
      nulTerminated: quirks.nulTerminatedLists ?? false,
      noListAtRoot: quirks.noListAtRoot ?? false,
      ...(subject === undefined ? {} : { subject }),
    });
    return 'items' in read ? { code: 200, results: read.items } : { code: read.code };
  }

  #replaceProperty(path: readonly string[], query: string, content: NodeContent): number {
    const { missing, subject } = this.#settings;
    const node = this.#tree.find(path);
    if (!node) return 404;
    if (!query.startsWith('prop=') || missing.has('prop')) return 406;
    const text = String(content.value ?? '');
    switch (query.slice(5)) {
      case 'Name':
        return this.#tree.rename(path, text, subject);
      case 'ACL':
        node.acl = text;
        return 200;
      case 'Title':
        node.title = text;
        return 200;
      case 'Format':
      case 'Type':
      case 'Size':
      case 'TStamp':
      case 'VerNo':
        return 405;
      default:
        return 406;
    }
  }

  /** A whole subtree, all or nothing (1x§3.2). */
  #tnds(path: readonly string[], content: NodeContent, replace: boolean): number {
    const { missing, quirks } = this.#settings;
    if (missing.has('tnds')) return quirks.tndsCode ?? 415;
    const existing = this.#tree.find(path);
    if (replace ? !existing : existing) return replace ? 404 : 418;
    const subtree = readTnds(String(content.value ?? ''), path.at(-1) ?? '');
    if (!subtree) return 415;
    const permitted = this.#tree.permits(
      replace ? path : path.slice(0, -1),
      replace ? 'Replace' : 'Add',
      this.#settings.subject,
    );
    if (permitted !== 200) return permitted;
    this.#tree.graft(path, fromMoNode({ ...subtree, name: path.at(-1) ?? '.' }));
    return 200;
  }

  #exec(command: ItemCommand, uri: string, path: readonly string[], data: string): Omit<ItemOutcome, 'uri'> {
    const { missing, exec, onReport, subject } = this.#settings;
    if (!this.#tree.find(path)) return { code: 404 };
    const permitted = this.#tree.permits(path, 'Exec', subject);
    if (permitted !== 200) return { code: permitted };
    const correlator = missing.has('correlator') ? undefined : command.correlator;
    const call = { uri, data, ...(correlator === undefined ? {} : { correlator }) };
    const chosen = exec?.(call);
    if (chosen) {
      if (chosen.alert) {
        onReport({ source: uri, ...(correlator === undefined ? {} : { correlator }), ...chosen.alert });
      }
      return { code: chosen.status };
    }
    const report = reportOf(this.#tree, path, uri, correlator);
    if (!report) return { code: 200 };
    onReport(report);
    return { code: 202 };
  }

  #alert(command: AlertCommand): number {
    if (!isUiAlert(command)) {
      return this.answer(command, command.code === '1222' ? 200 : 406);
    }
    const { missing, ui = agreeableUser } = this.#settings;
    if (missing.has('alert')) return this.answer(command, this.#settings.quirks.unsupportedCode ?? 406);
    if (missing.has('ui')) return this.answer(command, 406);
    const request = readUiAlert(command);
    if (!request) return this.answer(command, 412);
    const { status, items = [] } = ui(request);
    if (status === 214) this.#cancelled = true;
    return this.answer(
      command,
      status,
      items.map((data) => ({ data })),
    );
  }

  #group(command: GroupCommand): number {
    const { missing, quirks } = this.#settings;
    const lacking = missing.has(command.kind === 'Atomic' ? 'atomic' : 'sequence');
    if (command.kind === 'Atomic' && quirks.silentAtomic) {
      for (const child of command.commands) this.run(child, 'Sequence');
      return 200;
    }
    if (lacking) {
      this.answer(command, quirks.unsupportedCode ?? 406);
      for (const child of command.commands) this.skip(child);
      return quirks.unsupportedCode ?? 406;
    }
    return command.kind === 'Atomic' ? this.#atomic(command) : this.#sequence(command);
  }

  #sequence(command: GroupCommand): number {
    this.answer(command, 200);
    let stopped = false;
    for (const child of command.commands) {
      if (stopped) {
        this.skip(child);
        continue;
      }
      const code = this.run(child, 'Sequence');
      // "No" to a 1101 stops every client (1x§4.5); other failures only some.
      stopped =
        (child.kind === 'Alert' && code === 304) ||
        (code >= 300 && (this.#settings.quirks.sequenceStops ?? false));
    }
    return 200;
  }

  #atomic(command: GroupCommand): number {
    const before = this.#tree.snapshot();
    const outAt = this.out.length;
    const executedAt = this.executed.length;
    const ran: Command[] = [];
    let failed: Command | undefined;
    for (const child of command.commands) {
      const code = this.run(child, 'Atomic');
      if (code >= 300) {
        failed = child;
        break;
      }
      ran.push(child);
    }
    const kept = this.out.splice(outAt);
    const noted = this.executed.splice(executedAt);
    if (!failed) {
      this.answer(command, 200);
      this.out.push(...kept);
      this.executed.push(...noted);
      return 200;
    }
    const undone = this.#settings.missing.has('rollback') ? 516 : 216;
    if (undone === 216) this.#tree.restore(before);
    this.answer(command, 507);
    for (const child of ran) this.answer(child, undone);
    this.out.push(...kept.filter((element) => 'cmdRef' in element && element.cmdRef === failed.cmdId));
    this.executed.push(...noted.slice(ran.length));
    for (const child of command.commands.slice(ran.length + 1)) this.skip(child);
    return 507;
  }
}

function isTnds(type: string | undefined): boolean {
  return type?.startsWith('application/vnd.syncml.dmtnds+') ?? false;
}

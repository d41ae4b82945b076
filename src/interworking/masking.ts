import type { BodyElement, Command, Item, Meta, Status, SyncMLMessage } from '../dm1/message.ts';
import { isTnds } from '../dm1/tnds/read.ts';
import { parseClientUri } from '../dm2/clientUri.ts';
import type { SecretPaths } from '../mo/secretPaths.ts';
import { parseTreePath } from '../mo/treePath.ts';

/** Stands in for what is not to be seen. */
export const HIDDEN = '***';

/** The message as people may see it: without values of secret nodes and without what users answered. */
export function maskMessage(message: SyncMLMessage, secrets: SecretPaths): SyncMLMessage {
  const body = same(message.body, (element) => maskElement(element, secrets));
  return body === message.body ? message : { ...message, body };
}

/** Without what users answered: it may be a password, and the trace tells the rest where it was given. */
export function maskAnswers(message: SyncMLMessage): SyncMLMessage {
  const body = same(message.body, (e) => (e.kind === 'Status' ? maskAnswer(e) : e));
  return body === message.body ? message : { ...message, body };
}

function maskAnswer(status: Status): Status {
  if (status.cmd?.trim() !== 'Alert' || status.items.length === 0) return status;
  return { ...status, items: status.items.map((item) => ({ ...item, data: HIDDEN })) };
}

function maskElement(element: BodyElement, secrets: SecretPaths): BodyElement {
  switch (element.kind) {
    case 'Status':
      return maskAnswer(element);
    case 'Results': {
      const place = element.sourceRef ?? element.targetRef;
      const items = same(element.items, (item) => maskItem(item, secrets, element.meta, place));
      return items === element.items ? element : { ...element, items };
    }
    default:
      return maskCommand(element, secrets);
  }
}

function maskCommand(command: Command, secrets: SecretPaths): Command {
  switch (command.kind) {
    case 'Atomic':
    case 'Sequence': {
      const commands = same(command.commands, (child) => maskCommand(child, secrets));
      return commands === command.commands ? command : { ...command, commands };
    }
    case 'Foreign':
      return command;
    case 'Alert': {
      const items = same(command.items, (item) => maskItem(item, secrets));
      return items === command.items ? command : { ...command, items };
    }
    default: {
      const items = same(command.items, (item) => maskItem(item, secrets, command.meta));
      return items === command.items ? command : { ...command, items };
    }
  }
}

function maskItem(item: Item, secrets: SecretPaths, around?: Meta, place?: string): Item {
  const { data } = item;
  if (data === undefined || data.length === 0) return item;
  const paths = [item.target?.uri, item.source?.uri, place].map((uri) => legacyPath(uri));
  if (paths.some((path) => path && secrets.has(path))) return { ...item, data: HIDDEN };
  if (!isTnds(item.meta?.type ?? around?.type)) return item;
  const masked = typeof data === 'string' ? maskTnds(data, secrets, paths.find(Boolean) ?? []) : HIDDEN;
  return masked === data ? item : { ...item, data: masked };
}

function legacyPath(uri: string | undefined): readonly string[] | undefined {
  return uri === undefined ? undefined : parseTreePath(uri.replace(/\?.*$/s, ''));
}

const TNDS_PARTS =
  /<(\/?)Node(?:\s[^>]*)?>|<NodeName(?:\s[^>]*)?>([^<]*)<\/NodeName>|<Path(?:\s[^>]*)?>([^<]*)<\/Path>|(<Value(?:\s[^>]*)?>)((?:<!\[CDATA\[[\s\S]*?\]\]>|[^<])*)(<\/Value>)/g;

/** The document as text with secret values replaced; `root`: where its first node stands. */
function maskTnds(document: string, secrets: SecretPaths, root: readonly string[]): string {
  const open: string[][] = [[...root]];
  return document.replace(TNDS_PARTS, (part, closes, name, path, before, _value, after) => {
    const at = open.at(-1) ?? [];
    if (before !== undefined) return secrets.has(at) ? `${before}${HIDDEN}${after}` : part;
    if (name !== undefined) at.push(name.trim());
    else if (path !== undefined) at.splice(0, at.length - 1, ...(parseTreePath(path) ?? []));
    else if (closes) open.pop();
    else open.push([...at]);
    return part;
  });
}

/** A DM 2.0 package or document as people may see it: without values of secret nodes. */
export function maskJson(json: unknown, secrets: SecretPaths): unknown {
  return maskAt(json, [], secrets);
}

const MEMBER = /("((?:[^"\\]|\\.)*)"\s*:\s*)"(?:[^"\\]|\\.)*"/g;

/** Text with JSON somewhere in it, as drafts of DM 2.0 have: without members that are called as secret nodes are. */
export function maskText(text: string, secrets: SecretPaths): string {
  return text.replace(MEMBER, (member, head, name) =>
    secrets.hasName(name) ? `${head}"${HIDDEN}"` : member,
  );
}

function maskAt(value: unknown, path: readonly string[], secrets: SecretPaths): unknown {
  if (Array.isArray(value)) return same(value, (each) => maskAt(each, path, secrets));
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    const { ClientURI } = value as { ClientURI?: unknown };
    const masked = same(members, (member) => {
      const [name, inner] = member;
      const at = name === 'MOData' ? placeOf(ClientURI, inner) : [...path, name];
      const shown = maskAt(inner, at, secrets);
      return shown === inner ? member : ([name, shown] as (typeof members)[number]);
    });
    return masked === members ? value : Object.fromEntries(masked);
  }
  return value !== null && value !== '' && path.length > 0 && secrets.has(path) ? HIDDEN : value;
}

/** Above what `MOData` holds: it repeats the name of the node that its ClientURI addresses (20§6.1). */
function placeOf(clientUri: unknown, data: unknown): readonly string[] {
  const uri = typeof clientUri === 'string' ? parseClientUri(clientUri) : undefined;
  if (!uri || 'error' in uri) return [];
  const path = uri.path.map((segment) => (segment.kind === 'named' ? segment.name : ''));
  return typeof data === 'object' ? path.slice(0, -1) : path;
}

/** The list itself unless `change` changed an element. */
function same<T>(list: readonly T[], change: (element: T) => T): readonly T[] {
  let changed = false;
  const next = list.map((element) => {
    const result = change(element);
    changed ||= result !== element;
    return result;
  });
  return changed ? next : list;
}

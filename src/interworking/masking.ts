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
  const begins = typeof data === 'string' ? data.slice(0, DOCUMENT_BEGINS) : '';
  const type = item.meta?.type ?? around?.type;
  // Some say nothing of what they send, or write it with a prefix (1x§16.1).
  const isTree =
    isTnds(type) || [item.source?.uri, place].some(asksForTnds) || /<(?:[\w.-]+:)?MgmtTree\b/.test(begins);
  if (!isTree) return item;
  // What a chunk begins with may be the value that the one before it named.
  const whole = typeof data === 'string' && !item.moreData && begins.includes('<MgmtTree');
  const masked = whole ? maskTnds(data, secrets, paths.find(Boolean) ?? []) : HIDDEN;
  return masked === data ? item : { ...item, data: masked };
}

/** Its declaration, a comment and white space may stand before the root. */
const DOCUMENT_BEGINS = 1000;

/** Only the first chunk of what a device answers need say its type. */
function asksForTnds(uri: string | undefined): boolean {
  return uri !== undefined && /\?list=TNDS/i.test(uri);
}

function legacyPath(uri: string | undefined): readonly string[] | undefined {
  return uri === undefined ? undefined : parseTreePath(uri.replace(/\?.*$/s, ''));
}

/** CDATA to its end or that of the text, and the tags that matter: found in one go, whatever a peer wrote. */
const TNDS_PARTS = /<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<(\/?)(Node|NodeName|Path|Value)(?:\s[^<>]*)?>/g;

/** The document as text with secret values replaced; `root`: where its first node stands. */
function maskTnds(document: string, secrets: SecretPaths, root: readonly string[]): string {
  const open: string[][] = [[...root]];
  const shown: string[] = [];
  let copied = 0;
  let begun = { tag: '', at: 0 };
  const hide = (end: number) => {
    if (begun.tag !== 'Value' || !secrets.has(open.at(-1) ?? [])) return;
    shown.push(document.slice(copied, begun.at), HIDDEN);
    copied = end;
  };
  for (const { 0: part, 1: closes, 2: tag, index } of document.matchAll(TNDS_PARTS)) {
    if (tag === undefined || part.endsWith('/>')) continue;
    if (!closes) {
      if (tag === 'Node') open.push([...(open.at(-1) ?? [])]);
      begun = { tag, at: index + part.length };
      continue;
    }
    const at = open.at(-1) ?? [];
    if (tag === 'Node') open.pop();
    else if (tag === begun.tag) {
      const text = unwrapped(document.slice(begun.at, index)).trim();
      if (tag === 'NodeName') at.push(text);
      else if (tag === 'Path') at.splice(0, at.length - 1, ...(parseTreePath(text) ?? []));
      else hide(index);
    }
    begun = { tag: '', at: 0 };
  }
  hide(document.length);
  return shown.length === 0 ? document : shown.join('') + document.slice(copied);
}

function unwrapped(text: string): string {
  return text.replace(/<!\[CDATA\[([\s\S]*?)\]\]>/g, '$1');
}

/** A DM 2.0 package or document as people may see it: without values of secret nodes. */
export function maskJson(json: unknown, secrets: SecretPaths): unknown {
  return maskAt(json, [], secrets);
}

/** The name of a member, and where its text begins. */
const MEMBER = /"([^"\\]*)"\s*:\s*"/g;

/** Text with JSON somewhere in it, as drafts of DM 2.0 have: without members that are called as secret nodes are. */
export function maskText(text: string, secrets: SecretPaths): string {
  const shown: string[] = [];
  let copied = 0;
  for (const { 0: head, 1: name = '', index } of text.matchAll(MEMBER)) {
    if (index < copied || !secrets.hasName(name)) continue;
    const from = index + head.length;
    shown.push(text.slice(copied, from), HIDDEN);
    copied = endOfText(text, from);
  }
  return shown.length === 0 ? text : shown.join('') + text.slice(copied);
}

/** Where the closing quote of a JSON text stands; the end, where there is none. */
function endOfText(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '"') return at;
    if (text[at] === '\\') at += 1;
  }
  return text.length;
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

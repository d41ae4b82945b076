import { childNamed, type MoNode } from '../../mo/node.ts';
import { parseTreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import { type CodecLimits, DEFAULT_LIMITS, decodeMessage, defaultEncoding, encodeMessage } from '../codec.ts';
import type { BodyElement, Item, ItemCommand, SyncMLMessage } from '../message.ts';
import { readTnds } from '../tnds/read.ts';
import { writeTndsWbxml } from '../tnds/write.ts';
import type { DmAccount } from './account.ts';
import { DMACC_MOID, fromDmAcc, toDmAcc } from './dmacc.ts';

/** Media type of a DM profile; WBXML is the only form of it (1x§14). */
export const DM_WBXML = 'application/vnd.syncml.dm+wbxml';

const TNDS_WBXML = 'application/vnd.syncml.dmtnds+wbxml';
const IS_TNDS = /^\s*application\/vnd\.syncml\.dmtnds\+(?:xml|wbxml)\s*(?:;|$)/i;

/** A management object that the device shall take out of its Inbox, under the name it came with. */
export interface DmProfile {
  readonly accounts: readonly DmAccount[];
  /** Objects of other kinds (connectivity). */
  readonly others: readonly MoNode[];
}

export interface DmProfileOptions {
  /** Source of the message, the server; the first account's address by default. */
  readonly source?: string;
  /** Target of the message, the device; empty where it is not known. */
  readonly target?: string;
}

/**
 * A DM profile: a SyncML message that adds a TNDS of each object to `./Inbox` (1x§11.2, §14). Other objects
 * come first, since accounts refer to them.
 *
 * @throws DragomanError `bad-value` for texts that cannot be carried
 */
export function encodeDmProfile(profile: DmProfile, options: DmProfileOptions = {}): Uint8Array {
  const objects = [
    ...profile.others,
    ...profile.accounts.map((account, i) => toDmAcc(account, `DMAcc-${i + 1}`)),
  ];
  const message: SyncMLMessage = {
    header: {
      verDTD: '1.2',
      verProto: 'DM/1.2',
      sessionId: '0',
      msgId: '1',
      target: { uri: options.target ?? './' },
      source: { uri: options.source ?? profile.accounts[0]?.addresses[0]?.addr ?? '' },
    },
    body: objects.map((object, i) => add(String(i + 1), object)),
    final: true,
  };
  return encodeMessage(message, defaultEncoding('wbxml', '1.2'));
}

function add(cmdId: string, object: MoNode): ItemCommand {
  return {
    kind: 'Add',
    cmdId,
    items: [
      {
        target: { uri: './Inbox' },
        meta: { format: 'bin', type: TNDS_WBXML },
        data: writeTndsWbxml(object),
      },
    ],
  };
}

/**
 * Reads a DM profile: whatever its Adds bring to the Inbox. Adds elsewhere are read all the same, as not
 * every server keeps to the Inbox; other commands have no place in a bootstrap.
 *
 * @throws DragomanError `malformed`, `too-large`, `bad-value`, `bad-address`
 */
export function decodeDmProfile(bytes: Uint8Array, limits: CodecLimits = DEFAULT_LIMITS): DmProfile {
  const { message } = decodeMessage(bytes, 'wbxml', limits);
  const accounts: DmAccount[] = [];
  const others: MoNode[] = [];
  for (const item of addedItems(message.body)) {
    for (const node of objectsOf(item, limits)) {
      if (isAccount(node)) accounts.push(fromDmAcc(node));
      else others.push(node);
    }
  }
  if (accounts.length + others.length === 0)
    throw new DragomanError('malformed', 'The bootstrap message adds no management object.');
  return { accounts, others };
}

function* addedItems(body: readonly BodyElement[]): Generator<Item> {
  for (const element of body) {
    switch (element.kind) {
      case 'Add':
        for (const item of element.items) {
          const type = item.meta?.type ?? element.meta?.type;
          yield type === undefined ? item : { ...item, meta: { ...item.meta, type } };
        }
        break;
      case 'Atomic':
      case 'Sequence':
        yield* addedItems(element.commands);
        break;
      default:
        throw new DragomanError(
          'malformed',
          `${element.kind} has no place in a bootstrap message; only Add has.`,
        );
    }
  }
}

function objectsOf(item: Item, limits: CodecLimits): readonly MoNode[] {
  const uri = item.target?.uri ?? '';
  const target = parseTreePath(uri);
  if (target === undefined)
    throw new DragomanError('bad-address', 'An Add of the bootstrap message has no proper Target.');
  if (!IS_TNDS.test(item.meta?.type ?? '') || item.data === undefined || item.data.length === 0)
    throw new DragomanError('bad-value', `The Add to ${uri} does not bring a TNDS.`);
  const { nodes } = readTnds(item.data, { target, limits });
  // Objects in a list of objects: the Inbox itself, or a node that holds several accounts.
  return nodes.flatMap(({ node, below }) =>
    below === 'target' &&
    node.type === undefined &&
    node.children !== undefined &&
    childNamed(node, 'ServerID') === undefined
      ? node.children
      : [node],
  );
}

function isAccount(node: MoNode): boolean {
  const moid = node.type ?? '';
  return (
    moid.startsWith(DMACC_MOID.replace(/:[\d.]+$/, ':')) ||
    moid === 'org.openmobilealliance/1.0/w7' ||
    (childNamed(node, 'ServerID') !== undefined && childNamed(node, 'AppAddr') !== undefined)
  );
}

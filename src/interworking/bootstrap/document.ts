import type { DmAccount } from '../../dm1/bootstrap/account.ts';
import { CP_WBXML, CP_XML, fromProvisioning, toProvisioning } from '../../dm1/bootstrap/cpProfile.ts';
import { DM_WBXML, decodeDmProfile, encodeDmProfile } from '../../dm1/bootstrap/dmProfile.ts';
import type { Characteristic } from '../../dm1/bootstrap/provisioning/document.ts';
import { readProvisioningXml, writeProvisioningXml } from '../../dm1/bootstrap/provisioning/text.ts';
import { readProvisioningWbxml, writeProvisioningWbxml } from '../../dm1/bootstrap/provisioning/wbxml.ts';
import { type BootstrapKey, isTyped, type Protection, protect, secOf } from '../../dm1/bootstrap/security.ts';
import { decodePush } from '../../dm1/notification/push.ts';
import { MEDIA_TYPE } from '../../dm2/packages.ts';
import { readSerializationBody, toNode, writeSerialization } from '../../dm2/serialization.ts';
import type { Format } from '../../mo/format.ts';
import type { MoNode } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';
import { DMACC20_MOID, DMACC20_ROOT, fromDmAcc20, toDmAcc20 } from './account20.ts';

/** `cp` and `cp-xml`: CP profile as WBXML and text; `dm`: DM profile; `dm2`: account object of DM 2.0 as JSON. */
export const BOOTSTRAP_FORMS = ['cp', 'cp-xml', 'dm', 'dm2'] as const;

export type BootstrapForm = (typeof BOOTSTRAP_FORMS)[number];

const BOOTSTRAP_TYPES: Readonly<Record<BootstrapForm, string>> = Object.freeze({
  cp: CP_WBXML,
  'cp-xml': CP_XML,
  dm: DM_WBXML,
  dm2: MEDIA_TYPE.serialization,
});

/** What a bootstrap document brings, in terms of none of its forms (IW-BOOT-1). */
export interface BootstrapContent {
  readonly accounts: readonly DmAccount[];
  /** CP profile: proxies, access points and the rest. */
  readonly characteristics?: readonly Characteristic[];
  /** How many of these stand before the accounts; all of them when absent. */
  readonly accountsAt?: number;
  /** DM profile: objects of other kinds. */
  readonly objects?: readonly MoNode[];
}

export interface ReadBootstrap {
  readonly form: BootstrapForm;
  /** The document itself, out of its WAP push where it came in one. */
  readonly bytes: Uint8Array;
  readonly content: BootstrapContent;
  /** Of the WAP push. */
  readonly protection?: Protection;
  readonly notes: readonly string[];
}

/**
 * Reads a bootstrap document of any form, also out of a WAP push PDU.
 *
 * @throws DragomanError `malformed`, `too-large` or `bad-value`
 */
export function readBootstrap(given: Uint8Array): ReadBootstrap {
  const pushed = outOfPush(given);
  const bytes = pushed?.body ?? given;
  const form = formOf(bytes);
  const notes: string[] = [];
  const content = readContent(form, bytes, notes);
  if (content.accounts.length === 0) {
    throw new DragomanError('malformed', 'The bootstrap document has no DM account.');
  }
  const protection = pushed && protectionOf(pushed, form);
  return { form, bytes, content, ...(protection && { protection }), notes };
}

function readContent(form: BootstrapForm, bytes: Uint8Array, notes: string[]): BootstrapContent {
  switch (form) {
    case 'cp':
    case 'cp-xml': {
      const document = form === 'cp' ? readProvisioningWbxml(bytes) : readProvisioningXml(bytes);
      const { accounts, others, accountsAt } = fromProvisioning(document);
      return { accounts, characteristics: others, ...(accountsAt !== undefined && { accountsAt }) };
    }
    case 'dm': {
      const { accounts, others } = decodeDmProfile(bytes);
      return { accounts, objects: others };
    }
    case 'dm2':
      return { accounts: readJsonAccounts(bytes, notes) };
  }
}

const PUSH = 0x06;

/** A Push PDU has a transaction id before its type; no document begins so. */
function outOfPush(bytes: Uint8Array) {
  return bytes[1] === PUSH && bytes[0] !== undefined && !isText(bytes[0]) ? decodePush(bytes) : undefined;
}

function protectionOf(
  { sec, mac }: { readonly sec?: number; readonly mac?: string },
  form: BootstrapForm,
): Protection | undefined {
  if (sec === undefined || (mac === undefined && !isTyped(String(sec)))) return undefined;
  return {
    sec: (form === 'dm' ? secOf('dm', String(sec)) : undefined) ?? String(sec),
    ...(mac !== undefined && { mac }),
  };
}

const isText = (byte: number) => byte === 0x3c || byte === 0x5b || byte === 0x7b;
/** `-//WAPFORUM//DTD PROV 1.0//EN`. */
const PROVISIONING = 0x0b;

function formOf(bytes: Uint8Array): BootstrapForm {
  const first = Buffer.from(bytes.subarray(0, 64))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()[0];
  if (first === '<') return 'cp-xml';
  if (first === '[' || first === '{') return 'dm2';
  if (bytes[0] !== undefined && bytes[0] <= 3) return bytes[1] === PROVISIONING ? 'cp' : 'dm';
  throw new DragomanError(
    'malformed',
    'This is no bootstrap document: neither a CP profile, nor a DM profile, nor an account of DM 2.0.',
  );
}

/** Formats of the nodes that are not text (20§10.2). */
const FORMATS_20: Readonly<Record<string, Format>> = Object.freeze({
  'Auth/Noti/Type': 'int',
  'Auth/Noti/Data': 'bin',
  'Auth/Noti/Secret': 'bin',
  'Auth/Trsp/Data': 'bin',
  'Auth/Trsp/Secret': 'bin',
});

function readJsonAccounts(bytes: Uint8Array, notes: string[]): readonly DmAccount[] {
  const rootName = (moid: string) => (moid.includes('oma-dm-dmacc') ? DMACC20_ROOT : undefined);
  return readSerializationBody(bytes, { rootName, moid: DMACC20_MOID }).map(({ node }) => {
    const read = toNode(node, (path) => FORMATS_20[path.join('/')]);
    if ('error' in read) {
      throw new DragomanError('bad-value', `DM account: ${read.path.join('/')} cannot have its format.`);
    }
    return fromDmAcc20(read, notes);
  });
}

export interface WriteBootstrapOptions {
  /** SEC and MAC are made with it (1x§14). */
  readonly key?: BootstrapKey;
  /** DM profile: identifier of the device. */
  readonly target?: string;
}

export interface WrittenBootstrap {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly protection?: Protection;
  readonly notes: readonly string[];
}

/**
 * The document of that form; what has no place in it is noted (IW-BOOT-1).
 *
 * @throws DragomanError `bad-value`
 */
export function writeBootstrap(
  form: BootstrapForm,
  content: BootstrapContent,
  { key, target }: WriteBootstrapOptions = {},
): WrittenBootstrap {
  const notes: string[] = [];
  const bytes = writeContent(form, content, target, notes);
  if (key !== undefined && (form === 'cp-xml' || form === 'dm2')) {
    throw new DragomanError(
      'bad-value',
      'Only the binary profiles, cp and dm, are protected by SEC and MAC.',
    );
  }
  const protection = key === undefined ? undefined : protect(form === 'cp' ? 'cp' : 'dm', bytes, key);
  return { bytes, contentType: BOOTSTRAP_TYPES[form], ...(protection && { protection }), notes };
}

function writeContent(
  form: BootstrapForm,
  { accounts, characteristics = [], accountsAt, objects = [] }: BootstrapContent,
  target: string | undefined,
  notes: string[],
): Uint8Array {
  const isCp = form === 'cp' || form === 'cp-xml';
  if (!isCp && characteristics.length > 0) {
    const types = [...new Set(characteristics.map(({ type }) => type))].join(', ');
    notes.push(`Left out: ${types}; only the CP profile describes connections so.`);
  }
  if (form !== 'dm' && objects.length > 0) {
    notes.push(
      `Left out: ${objects.map(({ name }) => name).join(', ')}; only the DM profile brings other objects.`,
    );
  }
  for (const { serverId, more } of isCp ? [] : accounts) {
    const names = [
      ...(more?.parms ?? []).map(({ name }) => name),
      ...(more?.characteristics ?? []).map(({ type }) => type),
    ];
    if (names.length > 0) {
      notes.push(`Account ${serverId}: left out: ${names.join(', ')}; only the CP profile tells them.`);
    }
  }
  switch (form) {
    case 'cp':
    case 'cp-xml': {
      const document = toProvisioning({
        accounts,
        others: characteristics,
        ...(accountsAt !== undefined && { accountsAt }),
      });
      if (form === 'cp' && document.characteristics.some(hasDatatype)) {
        notes.push('Left out: the attribute datatype of parameters; only text has it.');
      }
      for (const { serverId, prefConRef, authPref } of accounts) {
        if (prefConRef === undefined && authPref === undefined) continue;
        notes.push(`Account ${serverId}: PrefConRef and AAuthPref have no place in a CP profile.`);
      }
      return form === 'cp'
        ? writeProvisioningWbxml(document)
        : Buffer.from(writeProvisioningXml(document), 'utf8');
    }
    case 'dm':
      for (const { serverId, init } of accounts) {
        if (init !== undefined) notes.push(`Account ${serverId}: INIT has no place in a DM profile.`);
      }
      return encodeDmProfile({ accounts, others: objects }, target === undefined ? {} : { target });
    case 'dm2': {
      const items = accounts.map((account) => ({
        uri: `${DMACC20_MOID}//`,
        rootName: DMACC20_ROOT,
        node: toDmAcc20(account, notes),
      }));
      const json = JSON.stringify(writeSerialization(items, { values: 'string' }), null, 2);
      return Buffer.from(`${json}\n`, 'utf8');
    }
  }
}

function hasDatatype({ parms, characteristics }: Characteristic): boolean {
  return parms.some(({ datatype }) => datatype !== undefined) || characteristics.some(hasDatatype);
}

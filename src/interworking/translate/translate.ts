import { decodeMessage, defaultEncoding, encodeMessage } from '../../dm1/codec.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import { toPackage1, toPackage2, toPackage3 } from '../../dm2/codec.ts';
import type { DialectName } from '../../dm2/dialects/index.ts';
import { readJson } from '../../dm2/json.ts';
import type { Package1, Package2, Package3 } from '../../dm2/packages.ts';
import type { MappingSet } from '../../mo/mapping.ts';
import type { SecretPaths } from '../../mo/secretPaths.ts';
import { DragomanError } from '../../support/errors.ts';
import { maskJson, maskMessage } from '../masking.ts';
import { type EarlyMessage, isEarly, readEarly } from './early.ts';
import { type Note, OfflineSession } from './offline.ts';
import { packageToDm1 } from './toDm1.ts';
import { type Dm2Result, type Dm2Translation, messageToDm2 } from './toDm2.ts';

export type MessageForm = 'xml' | 'wbxml' | 'json';

export interface Translation {
  /** What the input was: `SyncML (XML)`, `Package#2`, … */
  readonly input: string;
  /** In order: the message or package, then documents that its commands fetch. */
  readonly outputs: readonly {
    readonly title: string;
    readonly form: MessageForm;
    readonly body: Uint8Array;
  }[];
  /** Every loss and assumption, with the id of the rule (`docs/conformance.md`). */
  readonly notes: readonly Note[];
}

/**
 * One message of any dialect as the other generation would say it, with no gateway and no device.
 * `to` chooses between XML and WBXML for a 2.0 input; a SyncML input with `to: xml|wbxml` is only
 * written in that encoding, one of a text dialect with `to: json` only as an approved package. `dialect`
 * says which draft a text is where neither an HTTP capture nor its words tell. Values of nodes that packs
 * mark secret are hidden. Throws DragomanError `malformed` when the input is no message.
 *
 * @example translate(mappings, new TextEncoder().encode('{"CMD":[["END"]]}')).input // 'Package#2'
 */
export function translate(
  mappings: MappingSet,
  file: Uint8Array,
  to?: MessageForm,
  dialect?: DialectName,
): Translation {
  const { headers, body } = httpParts(file);
  if (isEarly(body)) return fromEarly(mappings, readEarly(body, headers, dialect), to ?? 'xml');
  const form = formOf(body);
  if (form === 'json') return fromJson(mappings, body, to === 'wbxml' ? 'wbxml' : 'xml');
  const { message, encoding, stripped } = decodeMessage(body, form);
  const input = `SyncML (${form === 'xml' ? 'XML' : 'WBXML'})`;
  if (to === 'xml' || to === 'wbxml') {
    const target = defaultEncoding(to, message.header.verDTD);
    const shown = maskMessage(message, mappings.secrets);
    return {
      input,
      outputs: [{ title: 'SyncML', form: to, body: encodeMessage(shown, target) }],
      notes: [],
    };
  }
  const s = new OfflineSession(mappings, { protocol: 'dm1', message, encoding }, form);
  if (stripped) s.tell('IW-VAL-4', `${stripped} character(s) that XML cannot carry were removed.`);
  return { input, outputs: dm2Outputs(messageToDm2(s, message), mappings.secrets), notes: s.notes };
}

function dm2Outputs({ packages, documents }: Dm2Result, secrets: SecretPaths): Translation['outputs'] {
  const json = (value: unknown) =>
    new TextEncoder().encode(`${JSON.stringify(maskJson(value, secrets), null, 2)}\n`);
  return [
    ...packages.map(({ kind, body }) => ({ title: kind, form: 'json' as const, body: json(body) })),
    ...documents.map(({ url, items }) => ({
      title: `Document at ${url}`,
      form: 'json' as const,
      body: json(items),
    })),
  ];
}

function fromEarly(mappings: MappingSet, early: EarlyMessage, to: MessageForm): Translation {
  const input = `${early.kind} (${early.dialect})`;
  if (to !== 'json') return fromPackage(mappings, input, early.package, to, early);
  const outputs = dm2Outputs(
    { packages: [{ kind: early.kind, body: early.package } as Dm2Translation], documents: [] },
    mappings.secrets,
  );
  return { input, outputs, notes: early.tolerated.map((text) => ({ rule: 'IW-SES-1', text })) };
}

function fromJson(mappings: MappingSet, body: Uint8Array, form: 'xml' | 'wbxml'): Translation {
  const { input, pkg } = packageOf(body);
  return fromPackage(mappings, input, pkg, form);
}

function fromPackage(
  mappings: MappingSet,
  input: string,
  pkg: Package1 | Package2 | Package3,
  form: 'xml' | 'wbxml',
  early?: EarlyMessage,
): Translation {
  const s = new OfflineSession(mappings, { protocol: 'dm2', package1: {} }, form);
  for (const text of early?.tolerated ?? []) s.tell('IW-SES-1', text);
  if (early) s.learnDevInfo(early.devInfo);
  const message: SyncMLMessage = packageToDm1(s, pkg);
  const shown = maskMessage(message, mappings.secrets);
  const output = encodeMessage(shown, defaultEncoding(form, message.header.verDTD));
  return { input, outputs: [{ title: 'SyncML', form, body: output }], notes: s.notes };
}

function packageOf(body: Uint8Array): { input: string; pkg: Package1 | Package2 | Package3 } {
  const json = readJson(body);
  const has = (name: string): boolean =>
    typeof json === 'object' && json !== null && Object.hasOwn(json, name);
  if (has('CMD')) return { input: 'Package#2', pkg: toPackage2(json) };
  if (has('Status')) return { input: 'Package#3', pkg: toPackage3(json) };
  if (has('MOS') || has('Alert')) return { input: 'Package#1', pkg: toPackage1(json) };
  throw new DragomanError(
    'malformed',
    'The JSON is no package: none of MOS, Alert, CMD and Status is in it.',
  );
}

interface HttpParts {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A capture of an HTTP exchange in its parts; what is none is all body. */
function httpParts(file: Uint8Array): HttpParts {
  const start = new TextDecoder('latin1').decode(file.subarray(0, 4096));
  if (!/^(?:POST \S+ HTTP\/1|HTTP\/1)/.test(start)) return { headers: {}, body: file };
  for (let i = 0; i + 3 < file.length; i++) {
    if (file[i] === 13 && file[i + 1] === 10 && file[i + 2] === 13 && file[i + 3] === 10) {
      const lines = new TextDecoder('latin1').decode(file.subarray(0, i)).split('\r\n').slice(1);
      const headers = lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
      });
      return { headers: Object.fromEntries(headers), body: file.subarray(i + 4) };
    }
  }
  throw new DragomanError(
    'malformed',
    'The HTTP capture has no body: there is no empty line behind its headers.',
  );
}

function formOf(body: Uint8Array): MessageForm {
  let at = 0;
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) at = 3;
  while (at < body.length && [0x20, 0x09, 0x0a, 0x0d].includes(body[at]!)) at++;
  const first = body[at];
  if (first === 0x3c) return 'xml';
  if (first === 0x7b || first === 0x5b) return 'json';
  if (at === 0 && first !== undefined && first <= 3) return 'wbxml';
  throw new DragomanError(
    'malformed',
    'The file is neither SyncML (XML or WBXML) nor a DM 2.0 package (JSON, or text of an early draft).',
  );
}

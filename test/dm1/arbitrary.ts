import fc from 'fast-check';
import type {
  BodyElement,
  Command,
  Cred,
  Encoding,
  Item,
  ItemCommand,
  Loc,
  Meta,
  Results,
  Status,
  SyncHdr,
  SyncMLMessage,
} from '../../src/dm1/message.ts';
import { withoutForbidden } from '../../src/dm1/xml/characters.ts';

/** Drops members that are undefined, as the model never has them. */
function compact<T>(arbitrary: fc.Arbitrary<{ [K in keyof T]: T[K] | undefined }>): fc.Arbitrary<T> {
  return arbitrary.map((value) =>
    Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)),
  ) as fc.Arbitrary<T>;
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

/** Any text that XML can carry, with a taste for what breaks encoders. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'text/plain',
    ']]>',
    '<![CDATA[',
    '&amp;',
    '\r\n',
    '\t x \n',
    '<a b="c"/>',
    'é€😀',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }).map(withoutForbidden),
  fc.string({ maxLength: 200 }),
);

/** Numbers and names, around which readers drop blanks. */
const token = fc.oneof(fc.stringMatching(/^[A-Za-z0-9./-]{1,8}$/), fc.constantFrom('1', '200', '1226', 'é'));

const uri = fc
  .oneof(fc.constantFrom('.', './DevInfo', './Vendor/x?list=Struct', 'IMEI:35', ''), text)
  .map((t) => t.trim());

const loc: fc.Arbitrary<Loc> = compact<Loc>(fc.record({ uri, name: maybe(text) }));
const bytes = fc.uint8Array({ maxLength: 300 });
const size = fc.nat();
const formats = ['b64', 'bool', 'chr', 'int', 'node', 'null', 'xml', 'date', 'time', 'float', 'Chr', 'odd'];

const metaMembers = {
  format: maybe(fc.constantFrom(...formats)),
  type: maybe(text.filter((type) => !type.includes('+wbxml'))),
  mark: maybe(fc.constantFrom('fatal', 'critical', 'informational')),
  size: maybe(size),
  nextNonce: maybe(bytes),
  maxMsgSize: maybe(size),
  maxObjSize: maybe(fc.maxSafeNat()),
  emi: maybe(text),
};
const meta: fc.Arbitrary<Meta> = compact<Meta>(fc.record(metaMembers));
const binaryMeta: fc.Arbitrary<Meta> = compact<Meta>(
  fc.record({ ...metaMembers, format: fc.constant('bin'), size: fc.constant(undefined) }),
);
const cred: fc.Arbitrary<Cred> = fc.record({ meta, data: text });
const moreData = fc.constantFrom<true | undefined>(undefined, true);

const item: fc.Arbitrary<Item> = fc.oneof(
  {
    weight: 4,
    arbitrary: compact<Item>(
      fc.record({ target: maybe(loc), source: maybe(loc), meta: maybe(meta), data: maybe(text), moreData }),
    ),
  },
  {
    weight: 1,
    arbitrary: compact<Item>(
      fc.record({ target: maybe(loc), source: maybe(loc), meta: binaryMeta, data: bytes, moreData }),
    ),
  },
);
const items = fc.array(item, { maxLength: 3 });

const itemCommand: fc.Arbitrary<ItemCommand> = fc
  .constantFrom('Add', 'Replace', 'Delete', 'Copy', 'Get', 'Exec')
  .chain((kind) =>
    compact<ItemCommand>(
      fc.record({
        kind: fc.constant(kind),
        cmdId: token,
        meta: maybe(meta),
        correlator: kind === 'Exec' ? maybe(text) : fc.constant(undefined),
        items,
      }),
    ),
  );

const alert = compact<Command>(
  fc.record({
    kind: fc.constant('Alert'),
    cmdId: token,
    code: token,
    correlator: maybe(text),
    items,
  }) as never,
);

const foreign: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('Foreign' as const),
  name: fc.constantFrom('Put', 'Search', 'Sync', 'Map', 'Frobnicate', 'vendor-ping', 'ÄndereDich'),
  cmdId: token,
});

const { command } = fc.letrec<{ command: Command }>((tie) => ({
  command: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    itemCommand,
    alert,
    foreign,
    compact<Command>(
      fc.record({
        kind: fc.constantFrom('Atomic', 'Sequence'),
        cmdId: token,
        meta: maybe(meta),
        commands: fc.array(tie('command'), { maxLength: 3 }),
      }) as never,
    ),
  ),
}));

const status: fc.Arbitrary<Status> = compact<Status>(
  fc.record({
    kind: fc.constant('Status' as const),
    cmdId: token,
    msgRef: maybe(token),
    cmdRef: maybe(token),
    cmd: maybe(token),
    targetRefs: fc.array(text, { maxLength: 2 }),
    sourceRefs: fc.array(text, { maxLength: 2 }),
    cred: maybe(cred),
    chal: maybe(meta),
    code: token,
    items,
  }),
);

const results: fc.Arbitrary<Results> = compact<Results>(
  fc.record({
    kind: fc.constant('Results' as const),
    cmdId: token,
    msgRef: maybe(token),
    cmdRef: maybe(token),
    meta: maybe(meta),
    targetRef: maybe(text),
    sourceRef: maybe(text),
    items,
  }),
);

/** One element of a SyncBody. */
export const bodyElement: fc.Arbitrary<BodyElement> = fc.oneof(status, results, command).map(plain);

const header: fc.Arbitrary<SyncHdr> = compact<SyncHdr>(
  fc.record({
    verDTD: fc.constantFrom('1.1', '1.2'),
    verProto: fc.constantFrom('DM/1.1', 'DM/1.2', 'DM/1.3'),
    sessionId: text,
    msgId: token,
    target: loc,
    source: loc,
    respURI: maybe(uri),
    cred: maybe(cred),
    meta: maybe(meta),
  }),
);

/**
 * Any message of the model that both encodings carry: text is what XML can hold, and bytes come with
 * Format `bin`, as otherwise a reader would take them for text.
 */
export const syncMLMessage: fc.Arbitrary<SyncMLMessage> = fc
  .record({ header, body: fc.array(bodyElement, { maxLength: 6 }), final: fc.boolean() })
  .map(plain);

/** Ordinary objects: fast-check also makes some without prototype. */
function plain<T>(value: T): T {
  return structuredClone(value);
}

/** Any way in which a message can travel as WBXML. */
export const wbxmlEncoding: fc.Arbitrary<Encoding> = fc
  .tuple(
    fc.constantFrom(1, 2, 3),
    fc.constantFrom<readonly [number | string, string]>(
      [0x1201, 'SYNCML:SYNCML1.2'],
      [0x0fd3, 'SYNCML:SYNCML1.1'],
      ['-//SYNCML//DTD SyncML 1.2//EN', 'SYNCML:SYNCML1.2'],
      ['-//SYNCML//DTD SyncML 1.1//EN', 'SYNCML:SYNCML1.1'],
    ),
  )
  .map(([wbxmlVersion, [publicId, namespace]]) => ({ form: 'wbxml', namespace, wbxmlVersion, publicId }));

/** What a message reads back as after it went through XML: bytes are base64 text there. */
export function asXmlCarries(message: SyncMLMessage): SyncMLMessage {
  return { ...message, body: message.body.map(elementInXml) };
}

function elementInXml(element: BodyElement): BodyElement {
  if (element.kind === 'Foreign') return element;
  if (element.kind === 'Atomic' || element.kind === 'Sequence') {
    return { ...element, commands: element.commands.map((child) => elementInXml(child) as Command) };
  }
  if (!('items' in element)) return element;
  return { ...element, items: element.items.map(itemInXml) } as BodyElement;
}

function itemInXml(given: Item): Item {
  if (!(given.data instanceof Uint8Array)) return given;
  return {
    ...given,
    meta: { ...given.meta, format: 'b64' },
    data: Buffer.from(given.data).toString('base64'),
  };
}

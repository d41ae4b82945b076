import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientUriOf, formatClientUri } from '../../../src/dm2/clientUri.ts';
import type { Dm2Verb } from '../../../src/dm2/command.ts';
import { formatCommand } from '../../../src/dm2/command.ts';
import { DIALECT_NAMES, DIALECTS, type Dialect, READ_LIMITS } from '../../../src/dm2/dialects/index.ts';
import type { Alert, Dm2Command, MoItem, SerializationItem, StatusItem } from '../../../src/dm2/packages.ts';
import { rootNameOf } from '../../../src/mo/moid.ts';
import { DragomanError } from '../../../src/support/errors.ts';

const name = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,6}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
  )
  .filter(
    (text) => !/[\0\ufffe\uffff]|\p{Cs}/u.test(text) && text.trim() !== '' && text !== '.' && text !== '..',
  )
  // Names that TNDS20 itself uses, and the one that stands for the only instance.
  .filter((text) => !['MOID', 'Path', 'CV', 'DDF', '~', '__proto__'].includes(text));
const moid = fc.stringMatching(/^urn:oma:mo:oma-[a-z]{1,6}:1\.[0-9]$/);
const value = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/\p{Cs}/u.test(text));
const serverUri = fc
  .webUrl({ withQueryParameters: true })
  .map((url) => `${url}${url.includes('?') ? '&' : '?'}Close=https%3A%2F%2Fdr.example%2Fdone`);
const miid = fc.option(name, { nil: undefined });
const clientUri = fc
  .tuple(moid, miid, fc.array(name, { maxLength: 3 }), fc.option(fc.nat(9), { nil: undefined }))
  .map(([id, instance, path, levels]) =>
    formatClientUri({
      moid: id,
      instance: instance === undefined ? { kind: 'empty' } : { kind: 'named', name: instance },
      path: path.map((segment) => ({ kind: 'named', name: segment })),
      nv: [],
      ...(levels === undefined ? {} : { levels }),
      other: [],
    }),
  );
const clientUris = fc.array(clientUri, { minLength: 1, maxLength: 3 });

const BY_VERB: Readonly<Record<Dm2Verb, fc.Arbitrary<Dm2Command>>> = {
  HGET: fc.oneof(
    fc.record({ verb: fc.constant('HGET' as const), serverUri }),
    fc.record({ verb: fc.constant('HGET' as const), serverUri, clientUri }),
  ),
  HPUT: fc.record({ verb: fc.constant('HPUT' as const), serverUri, clientUris }),
  HPOST: fc.record({ verb: fc.constant('HPOST' as const), serverUri, clientUris }),
  GET: fc.record({ verb: fc.constant('GET' as const), clientUris }),
  DELETE: fc.record({ verb: fc.constant('DELETE' as const), clientUri }),
  EXEC: fc.oneof(
    fc.record({ verb: fc.constant('EXEC' as const), clientUri }),
    fc.record({ verb: fc.constant('EXEC' as const), clientUri, serverUri }),
  ),
  SHOW: fc.record({ verb: fc.constant('SHOW' as const), serverUri }),
  CONT: fc.record({ verb: fc.constant('CONT' as const), serverUri }),
  END: fc.constant({ verb: 'END' as const }),
  DEFAULT: fc.record({ verb: fc.constant('DEFAULT' as const), moid, serverUri }),
  SUB: fc.record({ verb: fc.constant('SUB' as const), serverUri, clientUri }),
  UNSUB: fc.record({ verb: fc.constant('UNSUB' as const), clientUri }),
};

const tree: fc.Arbitrary<Record<string, unknown>> = fc.letrec((tie) => ({
  node: fc.dictionary(name, fc.oneof({ depthSize: 'small' }, value, tie('node')), { maxKeys: 4 }),
})).node as fc.Arbitrary<Record<string, unknown>>;

/** Rooted at the addressed node, as serializations are written (IW-VAL-5). */
const item: fc.Arbitrary<SerializationItem> = fc
  .tuple(moid, miid, fc.array(name, { maxLength: 2 }), tree, fc.option(value, { nil: undefined }))
  .map(([id, instance, path, content, leaf]) => {
    const own = path.at(-1);
    return {
      ClientURI: clientUriOf(id, instance, path),
      // One leaf of the node's own name below a node would be read as the node itself.
      MOData:
        own === undefined
          ? { [rootNameOf(id)]: content }
          : { [own]: leaf ?? (Object.hasOwn(content, own) ? {} : content) },
    };
  });
const items = fc.array(item, { maxLength: 3 });

const mos: fc.Arbitrary<MoItem[]> = fc.uniqueArray(
  fc.oneof(
    fc.record({ MOID: moid, DDF: fc.webUrl(), MIID: fc.uniqueArray(name, { maxLength: 3 }) }),
    fc.record({ MOID: moid, MIID: fc.constant(['~']) }),
  ),
  { selector: ({ MOID }) => MOID, maxLength: 4 },
);
const alerts: fc.Arbitrary<Alert[]> = fc.array(
  fc.oneof(
    fc.record({ AlertType: fc.constant('urn:oma:at:x:1.0:Done') }),
    fc.record({
      AlertType: fc.constant('urn:oma:at:x:1.0:Done'),
      SourceURI: clientUri,
      Mark: fc.constantFrom('fatal' as const, 'minor' as const),
      DataType: fc.constant('text/plain'),
      Data: fc.dictionary(fc.string({ maxLength: 3 }), value, { maxKeys: 2, noNullPrototype: true }),
    }),
  ),
  { minLength: 1, maxLength: 3 },
);
// Codes that the first draft writes as others are proved where its status lines are.
const sc = fc.integer({ min: 100, max: 599 }).filter((code) => ![406, 415, 501].includes(code));
const deviceId = fc.constantFrom('IMEI:493005100592800', 'UUID:1-2', 'plain');

const runs = { numRuns: 60 };
const readable = (written: { headers: Readonly<Record<string, string>>; body: Uint8Array }) => ({
  headers: written.headers,
  body: written.body,
});

describe.each(DIALECT_NAMES)('%s gives back what it has written:', (dialectName) => {
  const dialect: Dialect = DIALECTS[dialectName];
  const { capabilities } = dialect;
  const commands = fc.array(fc.oneof(...[...capabilities.verbs].map((verb) => BY_VERB[verb])), {
    minLength: 1,
    maxLength: 6,
  });
  const msgId = capabilities.commandsCarryMsgId ? fc.nat() : fc.constant(undefined);
  const numbered = (number: number | undefined) => (number === undefined ? {} : { msgId: number });

  it('commands', () => {
    fc.assert(
      fc.property(commands, msgId, (list, number) => {
        const written = dialect.writeCommands({ commands: list, ...numbered(number) });
        expect(dialect.readCommands(readable(written))).toEqual({
          commands: list,
          ...numbered(number),
          ends: list.some(({ verb }) => verb === 'END'),
          tolerated: [],
        });
        expect(written.lost).toEqual([]);
        expect(list.map(dialect.refuses).filter(Boolean)).toEqual([]);
      }),
      runs,
    );
  });

  it('packages of the approved model', () => {
    fc.assert(
      fc.property(commands, msgId, (list, number) => {
        const package2 = { CMD: list.map(formatCommand) };
        const written = dialect.writePackage2(package2, number);
        expect(dialect.readPackage2(readable(written))).toEqual({
          package2,
          ...numbered(number),
          tolerated: [],
        });
      }),
      runs,
    );
  });

  it('status reports, with what data and alerts they can carry', () => {
    const data = capabilities.dataInStatus === 'none' ? undefined : fc.option(items, { nil: undefined });
    const status = fc
      .tuple(
        sc,
        fc.option(fc.array(clientUri, { minLength: 1, maxLength: 2 }), { nil: undefined }),
        data ?? fc.constant(undefined),
      )
      .map(
        ([code, URI, MO]): StatusItem => ({
          sc: code,
          ...(URI === undefined ? {} : { URI: URI.map((uri) => uri.split('?')[0] ?? '') }),
          ...(MO === undefined ? {} : { MO }),
        }),
      );
    const alert = capabilities.statusCarriesAlerts
      ? fc.option(alerts, { nil: undefined })
      : fc.constant(undefined);
    fc.assert(
      fc.property(fc.array(status, { maxLength: 5 }), alert, msgId, deviceId, (Status, Alert, number, id) => {
        const report = {
          package3: { Status, ...(Alert === undefined ? {} : { Alert }) },
          ...numbered(number),
        };
        const written = dialect.writeStatus(report, id);
        expect(dialect.readStatus(readable(written))).toEqual({ ...report, tolerated: [] });
        expect(written.lost).toEqual([]);
        expect(Object.values(written.headers)).toContain(id);
      }),
      runs,
    );
  });

  it('openings', () => {
    fc.assert(
      fc.property(
        fc.option(mos, { nil: undefined }),
        fc.option(alerts, { nil: undefined }),
        items,
        deviceId,
        (MOS, Alert, data, id) => {
          const package1 = {
            ...(MOS === undefined ? {} : { MOS }),
            ...(Alert === undefined ? {} : { Alert }),
          };
          const written = dialect.writeOpening({
            deviceId: id,
            package1,
            devInfo: { Man: 'M', FwV: '1' },
            items: data,
          });
          const read = dialect.readOpening(readable(written));
          expect(read).toMatchObject({ deviceId: id, tolerated: [] });
          expect(read.package1).toEqual(package1);
          if (capabilities.openingCarriesDevInfo) {
            expect(read.devInfo).toEqual({ DevID: id, Man: 'M', DmV: '2.0', FwV: '1' });
            expect(read.items.slice(2)).toEqual(data);
          }
        },
      ),
      runs,
    );
  });

  it('documents of side transfers', () => {
    fc.assert(
      fc.property(items, (data) => {
        const written = dialect.writeDocument({ items: data });
        expect(dialect.readDocument(written.body)).toEqual({ items: data });
        expect(written.lost).toEqual([]);
      }),
      runs,
    );
  });

  it('and answers any bytes at all with an error of the catalogue or a result', () => {
    const headers = { [dialectName.startsWith('draft-text') ? 'x-omadmdevid' : 'omadm-devid']: 'IMEI:1' };
    const limits = { ...READ_LIMITS, bytes: 4_000 };
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((json) => new TextEncoder().encode(json)),
      fc
        .array(
          fc.constantFrom(
            'MsgID 1',
            '\r\n',
            '\n',
            '200',
            ' ',
            '{"MO":',
            '[{"MOID":"a:b"}]',
            '}',
            'GET',
            'END',
            '*',
            '--B',
            '--',
          ),
          { maxLength: 20 },
        )
        .map((pieces) => new TextEncoder().encode(pieces.join(''))),
    );
    const type = fc.constantFrom(
      'application/dm20status',
      'multipart/mixed; boundary=B',
      'multipart/x; boundary="',
    );
    fc.assert(
      fc.property(junk, type, (body, contentType) => {
        const message = { headers: { ...headers, 'content-type': contentType }, body };
        for (const run of [
          () => dialect.readCommands(message, limits),
          () => dialect.readStatus(message, { limits }),
          () => dialect.readOpening(message, limits),
          () => dialect.readDocument(body, limits),
        ]) {
          try {
            run();
          } catch (error) {
            if (!(error instanceof DragomanError)) throw error;
            expect(['malformed', 'too-large']).toContain(error.code);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { parseClientUri } from '../../../src/dm2/clientUri.ts';
import type { DialectName } from '../../../src/dm2/dialects/capabilities.ts';
import { TEN_VERBS } from '../../../src/dm2/dialects/capabilities.ts';
import { DIALECTS, URL_PARAMETERS } from '../../../src/dm2/dialects/index.ts';
import { chooseType, parseAccept } from '../../../src/dm2/mediaTypes.ts';
import { OPTIONS } from '../../../src/dm2/notification/options.ts';
import { type Alert, MARKS } from '../../../src/dm2/packages.ts';
import { bytes, firstCells, httpBlock, seed, text } from './seeds.ts';

/** A value that can stand for each parameter of the tables. */
function example(parameter: string): string {
  if (/^\[?server/i.test(parameter)) return 'https://dr.example/a?Close=https%3A%2F%2Fdr.example%2Fdone';
  return /^\[?MOID/.test(parameter) ? 'oma:mo:oma-mms:1.3' : 'oma:mo:oma-mms:1.3/1/Name';
}

/** Command lines by the forms of a table: without and with what stands in brackets. */
function linesOf(form: string): string[] {
  const [verbs = '', ...parameters] = form.replace(/….*$/, '').trim().split(/\s+/);
  const due = parameters.filter((parameter) => !parameter.startsWith('['));
  return verbs
    .split('/')
    .flatMap((verb) => [due, parameters].map((list) => [verb, ...list.map(example)].join(' ')));
}

describe.each([
  ['draft-text-1', 'first-draft/commands.txt'],
  ['draft-text-2', 'protocol-chapter/commands.txt'],
] as const)('the command table of %s', (name, file) => {
  const dialect = DIALECTS[name];
  const forms = firstCells(file).filter((cell) => /^[A-Z/]{3,}( |$)/.test(cell));
  const lines = [...new Set([...forms.flatMap(linesOf), 'END'])];

  it('lists the commands that the dialect takes, in every form', () => {
    const { commands } = dialect.readCommands({ headers: {}, body: bytes(lines.join('\r\n')) });
    expect(commands.filter((command) => 'error' in command)).toEqual([]);
    expect(new Set(commands.map((command) => 'verb' in command && command.verb))).toEqual(
      dialect.capabilities.verbs,
    );
  });

  it('gives lines that are written as they were read', () => {
    const body = bytes(lines.map((line) => `${line}\r\n`).join(''));
    const { commands } = dialect.readCommands({ headers: {}, body });
    const written = dialect.writeCommands({
      ...(dialect.capabilities.commandsCarryMsgId ? { msgId: 0 } : {}),
      commands: commands.filter((command) => 'verb' in command),
    });
    expect(text(written.body).replace(/^MsgID 0\r\n/, '')).toBe(text(body));
  });
});

describe('the command table of draft-text-3', () => {
  const dialect = DIALECTS['draft-text-3'];
  const verbs = firstCells('overview-chapter/commands.txt').filter((cell) => /^[A-Z]+$/.test(cell));
  const forms = [
    ...seed('overview-chapter/command-parameters.txt').matchAll(
      /5\.5\.\d ([A-Z]+)\s+Parameters:\s*\n(.*)\n/g,
    ),
  ].map(([, verb, parameters]) => `${verb} ${parameters === 'None' ? '' : parameters}`);

  it("has the dialect's verbs, by their approved names", () => {
    expect(new Set(verbs)).toEqual(dialect.capabilities.verbs);
  });

  it('takes every form, those without ClientURI too', () => {
    // HPOST is described by "exactly the same with HPUT".
    expect(forms).toHaveLength(verbs.length - 1);
    const lines = forms.flatMap(linesOf);
    const { commands } = dialect.readCommands({ headers: {}, body: bytes(lines.join('\r\n')) });
    expect(commands.filter((command) => 'error' in command)).toEqual([]);
    expect(commands).toContainEqual({ verb: 'GET', clientUris: [] });
    expect(commands).toContainEqual({ verb: 'HPUT', serverUri: example('ServerURI'), clientUris: [] });
  });
});

const cells = (file: string) =>
  seed(file)
    .split('\n')
    .map((line) => line.trim());

describe.each([
  ['draft-text-1', 'first-draft/opening-headers.txt', 'opening'],
  ['draft-text-1', 'first-draft/status-headers.txt', 'status'],
  ['draft-text-2', 'protocol-chapter/status-headers.txt', 'status'],
  ['draft-text-3', 'overview-chapter/status-headers.txt', 'status'],
] as const)('the headers of a client in %s (%s)', (name: DialectName, file, kind) => {
  const dialect = DIALECTS[name];
  const table = cells(file);
  const cellBehind = (header: string) => table[table.indexOf(header) + 1] ?? '';
  const { headers } =
    kind === 'opening'
      ? dialect.writeOpening({ deviceId: 'IMEI:01234567890123', package1: {}, devInfo: {}, items: [] })
      : dialect.writeStatus({ package3: { Status: [] } }, 'IMEI:01234567890123');

  it('are those of its table', () => {
    expect(headers['content-type']).toBe(cellBehind('Content-Type'));
    const identity = table.find((cell) => cell.startsWith('X-OMADM'));
    expect(headers[identity?.toLowerCase() ?? '']).toBe('IMEI:01234567890123');
  });

  it('accept what the table accepts, whose semicolons are read as commas [IW-SES-1]', () => {
    const listed = parseAccept(cellBehind('Accept').replace(/\.$/, '')).map(({ type }) => type);
    expect(parseAccept(headers['accept'] ?? '').map(({ type }) => type)).toEqual(listed);
    expect(chooseType(cellBehind('Accept'), [dialect.mediaTypes.commands])).toBe(dialect.mediaTypes.commands);
  });
});

describe.each([
  ['draft-text-1', 'first-draft/commands-headers.txt'],
  ['draft-text-2', 'protocol-chapter/commands-headers.txt'],
] as const)('the headers of a server in %s', (name, file) => {
  it('are those of its table', () => {
    const dialect = DIALECTS[name];
    const table = cells(file);
    const { headers } = dialect.writeCommands({ msgId: 0, commands: [] });
    expect(headers['content-type']).toBe(table[table.indexOf('Content-Type') + 1]);
  });
});

describe('the tables of the first draft', () => {
  it('list the placeholders of a ServerURI', () => {
    const listed = [...seed('first-draft/url-parameters.txt').matchAll(/\[([A-Z]+)\]/g)].map(
      ([, name]) => name,
    );
    expect(URL_PARAMETERS).toEqual(listed);
  });
});

describe('the chapter of normative language', () => {
  it('names the marks of an alert, which the JSON drafts share with the approved protocol [IW-ALERT-5]', () => {
    const listed = [...seed('normative-chapter/alert-properties.txt').matchAll(/"([a-z]+)"/g)];
    expect(new Set(listed.map(([, mark]) => mark))).toEqual(new Set(MARKS));
  });

  it.each<[string, Partial<Alert>]>([
    ['DataType', { DataType: 'text/plain', Data: { a: 'b' } }],
    ['Mark', { Mark: 'critical' }],
    ['SourceURI', { SourceURI: 'urn:oma:mo:oma-fumo:1.0/fumo1/Update' }],
    ['TargetURI', { TargetURI: 'urn:oma:mo:oma-fumo:1.0/fumo1/' }],
    ['AlertType', {}],
    ['Data', { DataType: 'application/json', Data: {} }],
  ])('has the alert property %s, which a status report carries', (property, members) => {
    expect(firstCells('normative-chapter/alert-properties.txt')).toContain(property);
    const Alert = [{ AlertType: 'urn:oma:at:x:1.0:Done', ...members }];
    const dialect = DIALECTS['draft-json'];
    const { body, lost } = dialect.writeStatus({ package3: { Status: [], Alert } }, 'IMEI:1');
    expect(lost).toEqual([]);
    expect(dialect.readStatus({ headers: {}, body }).package3.Alert).toEqual(Alert);
  });

  it.each([
    ['client', 'normative-chapter/client-conformance.txt'],
    ['server', 'normative-chapter/server-conformance.txt'],
  ])('asks the %s for commands and options that are all there', (_role, name) => {
    const table = seed(name);
    const verbs = [...table.matchAll(/Support of ([A-Z]+) Command/g)].map(([, verb]) => verb);
    expect(new Set(verbs)).toEqual(DIALECTS['draft-json'].capabilities.verbs);
    const options = [...table.matchAll(/Support of ([A-Z0-9-]+) option/g)].map(([, name]) => name);
    expect(Object.values(OPTIONS).map(({ name }) => name)).toEqual(options);
    expect([...table.matchAll(/DM-PACK-\d{3}-[CS]-[MO](?=\n)/g)].length).toBeGreaterThanOrEqual(26);
  });
});

describe('the introduction', () => {
  it('lists the ten commands', () => {
    const listed = seed('introduction/commands.txt')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^[A-Z]{3,}$/.test(line));
    expect(new Set(listed)).toEqual(new Set(TEN_VERBS));
    expect(seed('introduction/comparison.txt')).toContain(`${TEN_VERBS.length} DM commands`);
  });

  it('names nodes by ClientURIs, one with a blank for the instance [IW-ADDR-1]', () => {
    const uris = [...seed('introduction/client-uris.txt').matchAll(/urn:oma:mo:[^”–]+/g)].map(([uri]) =>
      uri.trim(),
    );
    expect(uris).toHaveLength(3);
    expect(uris.map((uri) => parseClientUri(uri))).toMatchObject([
      { instance: { name: 'fumo1' }, path: [{ name: 'PkgName' }] },
      { instance: { name: 'fumo1' }, path: [{ name: 'DownloadAndUpdate' }, { name: 'PkgURL' }] },
      { instance: { kind: 'empty' }, path: [{ name: 'PkgName' }] },
    ]);
  });
});

describe.each(['approved', 'draft-json'] as const)(
  'the firmware update of the introduction in %s',
  (name) => {
    const dialect = DIALECTS[name];
    const compact = (body: Uint8Array) => JSON.stringify(JSON.parse(text(body)));

    it('opens with the supported objects, written back with the same members and headers', () => {
      const block = httpBlock('introduction/opening.txt');
      const opening = dialect.readOpening(block);
      expect(opening.deviceId).toBe('IMEI:493005100592800');
      expect(opening.package1.MOS?.map(({ MOID }) => MOID)).toEqual([
        'urn:oma:mo:oma-dm-devinfo:1.0',
        'urn:oma:mo:oma-fumo:1.0',
        'urn:oma:mo:oma-dm-dmacc:2.0',
      ]);
      const written = dialect.writeOpening(opening);
      expect(text(written.body)).toBe(compact(block.body));
      const { host: _, ...headers } = block.headers;
      expect(written.headers).toEqual(headers);
    });

    it('executes the update, answers it and ends', () => {
      const update = httpBlock('introduction/commands-exec.txt');
      const read = dialect.readCommands(update);
      expect(read).toMatchObject({
        commands: [{ verb: 'EXEC', clientUri: 'oma:mo:oma-fumo:1.0//Update' }],
        ends: false,
      });
      const commands = read.commands.filter((command) => 'verb' in command);
      expect(text(dialect.writeCommands({ commands }).body)).toBe(compact(update.body));

      const report = httpBlock('introduction/status.txt');
      const { package3 } = dialect.readStatus(report);
      expect(package3).toEqual({ Status: [{ sc: 200 }] });
      const { host: _, ...headers } = report.headers;
      const written = dialect.writeStatus({ package3 }, 'IMEI:493005100592800');
      expect(text(written.body)).toBe(compact(report.body));
      expect(written.headers).toEqual(headers);

      const end = httpBlock('introduction/commands-end.txt');
      expect(dialect.readCommands(end)).toEqual({ commands: [{ verb: 'END' }], ends: true, tolerated: [] });
      expect(text(dialect.writeCommands({ commands: [] }).body)).toBe(compact(end.body));
    });
  },
);

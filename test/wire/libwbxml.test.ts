import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, xmlToWbxml } from '../../src/dm1/codec.ts';
import type { SyncMLMessage } from '../../src/dm1/message.ts';
import { asXmlCarries } from '../dm1/arbitrary.ts';
import { BOX, ID, known, MAN, play } from './box.ts';
import { listening } from './harness.ts';
import { beforeServer, converse, legacyServer, SETTINGS } from './legacyServer.ts';
import { addressOf, headerOk, item, kindOf, type RawDevice, results, status, talk } from './quirks.ts';

/** What the gateway says to its peers, in both roles, beside the converters of libwbxml. */

const DOCTYPE =
  "<!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd'>";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-libwbxml-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function convert(tool: 'wbxml2xml' | 'xml2wbxml', options: readonly string[], body: Uint8Array): Uint8Array {
  const [from, to] = [join(folder, 'in'), join(folder, 'out')];
  writeFileSync(from, body);
  execFileSync(tool, [...options, '-o', to, from], { stdio: ['ignore', 'ignore', 'pipe'] });
  return readFileSync(to);
}

/** Both converters read each message as we do: from the bytes that went, and from those in the other encoding. */
function expectAgreement(form: 'xml' | 'wbxml', bodies: readonly Uint8Array[]): void {
  expect(bodies.length).toBeGreaterThan(0);
  for (const body of bodies) {
    const { message, encoding } = decodeMessage(body, form);
    const meant = asXmlCarries(message);
    const wbxml =
      form === 'wbxml' ? body : encodeMessage(message, { ...WBXML, namespace: encoding.namespace });
    const text = Buffer.from(convert('wbxml2xml', ['-m', '0', '-k'], wbxml));
    expect(decodeMessage(text, 'xml').message).toStrictEqual(meant);
    const own = form === 'xml' ? body : encodeMessage(meant, { form: 'xml', namespace: encoding.namespace });
    const document = Buffer.from(own).toString('utf8').replace('?>', `?>${DOCTYPE}`);
    const made = convert('xml2wbxml', ['-k', '-n', '-v', '1.2'], Buffer.from(document));
    expect(namedAsSent(decodeMessage(made, 'wbxml').message)).toStrictEqual(meant);
  }
}

/** libwbxml names a tree in a WBXML message `+wbxml`, though it leaves its text as it is. */
function namedAsSent(message: SyncMLMessage): SyncMLMessage {
  const named = JSON.stringify(message, (_key, value) =>
    value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('hex') } : value,
  ).replaceAll('dmtnds+wbxml', 'dmtnds+xml');
  return JSON.parse(named, (_key, value) =>
    value?.bytes === undefined ? value : Uint8Array.from(Buffer.from(value.bytes, 'hex')),
  ) as SyncMLMessage;
}
const WBXML = { form: 'wbxml', wbxmlVersion: 2, publicId: 0x1201 } as const;

describe.each(['xml', 'wbxml'] as const)('messages in %s', (form) => {
  const wbxml: Partial<RawDevice> = form === 'wbxml' ? { encode: (xml) => xmlToWbxml(xml) } : {};

  it('to a device: Get, Sequence, Exec with Correlator, Atomic, chunks, Alert 1222, Chal', async () => {
    const host = await listening(({ url }, response) => {
      const B = url === '/small' ? 'short' : 'long '.repeat(500);
      const body = JSON.stringify({ Box: { A: 'ä€ & <x>', B, Run: '', D: { E: 'new' } } });
      response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.mo+json' }).end(body);
    });
    const interior = '<Meta><Format xmlns="syncml:metinf">node</Format></Meta>';
    const answer: RawDevice['answer'] = (said, round) => {
      const { msgId } = said.message.header;
      let next = 1;
      const parts = said.commands.map((command) => {
        const [uri = '', list] = addressOf(command).split('?');
        const found = list === undefined && /^\.\/Box(\/(A|B|Run))?$/.test(uri);
        const chunk = 'items' in command && command.items.some(({ moreData }) => moreData);
        const code =
          command.kind === 'Get' && !found ? 404 : command.kind === 'Atomic' ? 406 : chunk ? 213 : 200;
        next += 1;
        const own = status(next, msgId, command.cmdId, kindOf(command), code);
        if (command.kind !== 'Get' || !found) return own;
        next += 1;
        return (
          own +
          results(
            next,
            msgId,
            command.cmdId,
            uri === './Box' ? item(uri, 'A/B/Run', interior) : item(uri, 'v'),
          )
        );
      });
      const open = !said.message.final || round === 3;
      return `${headerOk(said)}${parts.join('')}${open ? '' : '<Final/>'}`;
    };
    const { said, sc } = await play(
      [
        MAN,
        ['EXEC', `${BOX}//Run`, `http://${host}/report`],
        ['DELETE', `${BOX}//A`],
        ['HGET', `http://${host}/small`, `${BOX}//`],
        ['HGET', `http://${host}/large`, `${BOX}//`],
      ],
      { ...wbxml, answer, meta: '<Meta><MaxMsgSize xmlns="syncml:metinf">1800</MaxMsgSize></Meta>' },
      { outbound: { allow: [host] } },
    );
    expect(sc.slice(1)).toEqual([202, 200, 200, 200]);
    const kinds = new Set(said.flatMap(({ commands }) => commands.map(({ kind }) => kind)));
    expect([...kinds]).toEqual(
      expect.arrayContaining(['Get', 'Exec', 'Delete', 'Atomic', 'Add', 'Replace', 'Alert']),
    );
    expectAgreement(
      form,
      said.map(({ body }) => body),
    );

    const guarded = await known({ deviceAuth: { dm1: 'none', dm2: 'none' } });
    await guarded.api('PUT', `/api/devices/${ID}`, { username: 'u', password: 'p', auth: 'md5' });
    const refused = await talk(guarded, { id: ID, sessionId: '7', ...wbxml, most: 3 });
    expect(refused[0]!.message.body[0]).toMatchObject({ code: '401', chal: { type: 'syncml:auth-md5' } });
    expectAgreement(
      form,
      refused.map(({ body }) => body),
    );
  });

  it('to a server: DevInfo, alerts, Status with Items, Results of every format, lists, chunks', async () => {
    const get = (id: number, uri: string) =>
      `<Get><CmdID>${id}</CmdID><Item><Target><LocURI>${uri}</LocURI></Target></Item></Get>`;
    const meta = '<Meta><MaxMsgSize xmlns="syncml:metinf">1800</MaxMsgSize></Meta>';
    const server = await legacyServer(form, (n, message) => {
      if (!message.final) return { body: '<Alert><CmdID>9</CmdID><Data>1222</Data></Alert>', final: false };
      if (n > 0) return undefined;
      const all = [
        SETTINGS,
        `${SETTINGS}/Text`,
        `${SETTINGS}/Long`,
        `${SETTINGS}?list=StructData`,
        `${SETTINGS}?list=TNDS`,
        `${SETTINGS}/None`,
      ];
      return { body: all.map((uri, i) => get(i + 2, uri)).join(''), meta };
    });
    const gateway = await beforeServer(server.url, form);
    await converse(gateway, { values: { Text: 'ä€ & <x>', Long: 'long '.repeat(500), Empty: '' } });
    const kinds = server.told.flatMap(({ message }) => message.body.map(({ kind }) => kind));
    expect(kinds).toEqual(expect.arrayContaining(['Alert', 'Replace', 'Status', 'Results']));
    expect(server.told.length).toBeGreaterThan(3);
    expectAgreement(
      form,
      server.told.map(({ body }) => body),
    );
  });
});

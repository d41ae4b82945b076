import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import { translate } from '../../src/interworking/translate/translate.ts';
import { loadPacks, SHIPPED_PACKS } from '../../src/mo/pack/files.ts';
import { DragomanError } from '../../src/support/errors.ts';

const mappings = loadPacks([SHIPPED_PACKS]);
const capture = (name: string) => readFileSync(new URL(`../../fixtures/captures/${name}`, import.meta.url));
const text = (body: Uint8Array) => new TextDecoder().decode(body);
const json = (body: Uint8Array) => JSON.parse(text(body));
const rules = (notes: readonly { rule: string }[]) => [...new Set(notes.map(({ rule }) => rule))].sort();

describe.each(['xml', 'wbxml'] as const)('a recorded %s exchange', (form) => {
  it('opens as Package#1 with the objects that it names [IW-ALERT-1] [IW-SES-6]', () => {
    const { input, outputs, notes } = translate(
      mappings,
      capture(`libdmclient/libdmclient-${form}-get-01-req.http`),
    );
    expect(input).toBe(form === 'xml' ? 'SyncML (XML)' : 'SyncML (WBXML)');
    expect(outputs.map(({ title }) => title)).toEqual(['Package#1']);
    expect(json(outputs[0]!.body)).toEqual({
      MOS: [{ MOID: 'urn:oma:mo:oma-dm-devinfo:1.2', MIID: ['DevInfo'] }],
      Alert: [{ AlertType: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt' }],
    });
    expect(rules(notes)).toEqual(['IW-AUTH-1', 'IW-INV-2', 'IW-SES-6']);
  });

  it('asks as Package#2, one command for each Item [IW-RD-1] [IW-ADDR-1]', () => {
    const { outputs, notes } = translate(
      mappings,
      capture(`libdmclient/libdmclient-${form}-get-01-res.http`),
    );
    const { CMD } = json(outputs[0]!.body);
    expect(CMD[0]).toEqual([
      'HPOST',
      expect.stringContaining('/repository/'),
      'urn:oma:mo:oma-dm-devinfo:1.2/DevInfo/Man',
    ]);
    expect(CMD.every(([verb]: string[]) => verb === 'HPOST')).toBe(true);
    expect(
      notes.some(({ rule, text: told }) => rule === 'IW-ADDR-1' && told.includes('./Vendor/memory')),
    ).toBe(true);
  });

  it('answers as Package#3, one Status item for each command [IW-STAT-1]', () => {
    const { outputs, notes } = translate(
      mappings,
      capture(`libdmclient/libdmclient-${form}-get-02-req.http`),
    );
    const { Status } = json(outputs[0]!.body);
    expect(Status).toHaveLength(15);
    expect(Status[0]).toEqual({ sc: 404 });
    expect(Status[2]).toMatchObject({
      sc: 200,
      MO: [
        { ClientURI: 'urn:oma:mo:oma-dm-devdetail:1.0/DevDetail/URI/MaxDepth', MOData: { MaxDepth: '0' } },
      ],
    });
    expect(notes).toContainEqual({ rule: 'IW-STAT-1', text: 'Status 406 of Get becomes 501.' });
    expect(notes).toContainEqual({ rule: 'IW-STAT-1', text: 'Status 425 of Get becomes 403.' });
  });
});

describe('a DM 2.0 package', () => {
  const CMD = [
    ['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//FwV', 'urn:oma:mo:oma-fumo:1.0/fw/State'],
    ['EXEC', 'oma:mo:oma-fumo:1.0/fw/Update'],
    ['DELETE', 'urn:oma:mo:oma-scomo:1.0//Inventory/Deployed/*'],
    ['END'],
  ];
  const file = new TextEncoder().encode(JSON.stringify({ CMD }));

  it.each(['xml', 'wbxml'] as const)(
    'becomes a %s message of commands [IW-EXEC-1] [IW-GET-1] [IW-SES-8]',
    (to) => {
      const { input, outputs, notes } = translate(mappings, file, to);
      expect(input).toBe('Package#2');
      const { message } = decodeMessage(outputs[0]!.body, to);
      expect(
        message.body.slice(1).map((e) => ('items' in e ? [e.kind, e.items[0]?.target?.uri] : [])),
      ).toEqual([
        ['Get', './DevDetail/FwV'],
        ['Get', './FUMO/fw/State'],
        ['Exec', './FUMO/fw/Update'],
      ]);
      expect(rules(notes)).toEqual(
        expect.arrayContaining(['IW-ADDR-2', 'IW-EXEC-1', 'IW-GET-1', 'IW-SES-8']),
      );
    },
  );

  it('with alerts becomes 1200 and 1226 under the id of the notification [IW-ALERT-1] [IW-ALERT-3]', () => {
    const { outputs } = translate(
      mappings,
      new TextEncoder().encode(
        JSON.stringify({
          Alert: [
            {
              AlertType: 'urn:oma:at:dm:2.0:ServerInitiatedMgmt',
              DataType: 'text/plain',
              Data: { NotificationID: '4660' },
            },
            {
              AlertType: 'urn:oma:at:lawmo:1.0:OperationComplete',
              SourceURI: 'urn:oma:mo:oma-lawmo:1.0/x/Operations/Wipe',
              DataType: 'int',
              Data: { DM1x: 1200 },
            },
          ],
        }),
      ),
    );
    const { message } = decodeMessage(outputs[0]!.body, 'xml');
    expect(message.header.sessionId).toBe('1234');
    expect(message.body).toMatchObject([
      { kind: 'Alert', code: '1200' },
      {
        kind: 'Alert',
        code: '1226',
        items: [{ source: { uri: './LAWMO/x/Operations/Wipe' }, data: '1200' }],
      },
    ]);
  });

  it('carries data back as Results [IW-STAT-2] [IW-VAL-5]', () => {
    const MO = [
      { ClientURI: 'urn:oma:mo:oma-dm-devinfo:1.2/DevInfo/', MOData: { DevInfo: { Man: 'Acme', FwV: '3' } } },
    ];
    const { outputs } = translate(
      mappings,
      new TextEncoder().encode(JSON.stringify({ Status: [{ sc: 200, MO }, { sc: 403 }, { sc: 501 }] })),
    );
    const { message } = decodeMessage(outputs[0]!.body, 'xml');
    expect(message.body.filter((e) => e.kind === 'Status').map(({ code }) => code)).toEqual([
      '200',
      '200',
      '425',
      '406',
    ]);
    const results = message.body.find((e) => e.kind === 'Results');
    expect(results?.items.map((item) => [item.source?.uri, item.data])).toEqual([
      ['./DevInfo/Man', 'Acme'],
      ['./DevDetail/FwV', '3'],
    ]);
  });
});

describe('what is no message', () => {
  it.each(['', 'hello', '[]', '{}', '{"CMD":', '<html/>', '\u0002', 'POST / HTTP/1.1'])(
    'is refused with the reason: %j',
    (file) => {
      expect(() => translate(mappings, new TextEncoder().encode(file))).toThrow(DragomanError);
    },
  );

  it('never ends in another error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (file) => {
        try {
          translate(mappings, file);
        } catch (error) {
          expect(error).toBeInstanceOf(DragomanError);
        }
      }),
    );
  });
});

describe('what packs call secret', () => {
  it('stands in no translation [IW-ADDR-3]', () => {
    const uri = './DMAcc/x/AppAuth/1/AAuthSecret';
    const syncml = `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>a</LocURI></Target><Source><LocURI>b</LocURI></Source></SyncHdr><SyncBody><Replace><CmdID>1</CmdID><Item><Target><LocURI>${uri}</LocURI></Target><Data>hunter2</Data></Item></Replace><Final/></SyncBody></SyncML>`;
    const json = `{"Status":[{"sc":200,"MO":[{"ClientURI":"urn:oma:mo:oma-dm-dmacc:1.2/x/Auth/Noti/Secret","MOData":{"Secret":"aHVudGVyMg=="}}]}]}`;
    for (const [input, to] of [
      [syncml, undefined],
      [syncml, 'xml'],
      [syncml, 'wbxml'],
      [json, 'xml'],
      [json, 'wbxml'],
    ] as const) {
      const shown = translate(mappings, Buffer.from(input), to)
        .outputs.map(({ body }) => Buffer.from(body).toString('latin1'))
        .join('');
      expect(shown).toContain('***');
      expect(shown).not.toContain('hunter2');
      expect(shown).not.toContain(Buffer.from('hunter2').toString('base64'));
    }
  });
});

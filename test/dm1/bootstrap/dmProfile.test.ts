import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DmAccount } from '../../../src/dm1/bootstrap/account.ts';
import { fromDmAcc, toDmAcc } from '../../../src/dm1/bootstrap/dmacc.ts';
import { decodeDmProfile, encodeDmProfile } from '../../../src/dm1/bootstrap/dmProfile.ts';
import { decodeMessage, defaultEncoding, encodeMessage } from '../../../src/dm1/codec.ts';
import type { BodyElement, SyncMLMessage } from '../../../src/dm1/message.ts';
import { readTnds } from '../../../src/dm1/tnds/read.ts';
import { writeTnds } from '../../../src/dm1/tnds/write.ts';
import type { MoNode } from '../../../src/mo/node.ts';
import { objectAccount } from './accounts.ts';

const ACCOUNT: DmAccount = {
  serverId: 'com.example.dm',
  name: 'Example',
  addresses: [{ addr: 'https://dm.example/dm', type: 'URI', ports: [8443] }],
  prefConRef: './Inbox/NAP-1',
  conRefs: [{ ref: './Inbox/NAP-1' }],
  authPref: 'DIGEST',
  auth: [
    { level: 'CLCRED', type: 'DIGEST', name: 'device', secret: 'hush-1', data: Uint8Array.of(0, 255) },
    { level: 'SRVCRED', type: 'DIGEST', name: 'com.example.dm', secret: 'hush-2' },
  ],
};
const NAP: MoNode = {
  name: 'NAP-1',
  format: 'node',
  type: 'urn:oma:mo:oma-connmo-nap:1.0',
  children: [{ name: 'NAPID', format: 'chr', type: 'text/plain', value: 'N1' }],
};

describe('DMAcc object', () => {
  it('has the nodes and formats of the specification [1x§13.3]', () => {
    const xml = writeTnds(toDmAcc(ACCOUNT, 'A'));
    expect(xml).toContain(
      '<NodeName>A</NodeName><RTProperties><Format><node/></Format><Type><DDFName>urn:oma:mo:oma-dm-dmacc:1.0</DDFName>',
    );
    expect(xml).toContain(
      '<NodeName>AppID</NodeName><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME></Type></RTProperties><Value>w7</Value>',
    );
    expect(xml).toContain('<Value>8443</Value>');
    expect(xml).toContain('<Value>AP8=</Value>');
  });

  it('is the account again [IW-BOOT-1]', () => {
    fc.assert(
      fc.property(objectAccount, (account) => {
        expect(fromDmAcc(toDmAcc(account))).toStrictEqual(account);
        const [placed] = readTnds(writeTnds(toDmAcc(account))).nodes;
        expect(fromDmAcc(placed!.node)).toStrictEqual(account);
      }),
    );
  });

  it('takes a nonce that a client keeps as text as its bytes [1x§16.2]', () => {
    const object = toDmAcc({ serverId: 's', addresses: [], auth: [{ level: 'CLCRED' }] });
    const auth = object.children!.at(-1)!;
    const entry = {
      ...auth.children![0]!,
      children: [
        ...auth.children![0]!.children!,
        { name: 'AAuthData', format: 'chr' as const, value: 'nonce' },
      ],
    };
    const changed = {
      ...object,
      children: [...object.children!.slice(0, -1), { ...auth, children: [entry] }],
    };
    expect(fromDmAcc(changed).auth[0]?.data).toStrictEqual(new TextEncoder().encode('nonce'));
  });

  const leaf = (name: string, value: string): MoNode => ({ name, value });
  const inner = (name: string, ...children: MoNode[]): MoNode => ({ name, children });
  const ID = leaf('ServerID', 's');
  it.each([
    ['no ServerID', [], 'ServerID is missing'],
    ['another application', [ID, leaf('AppID', 'hush')], 'AppID is not w7'],
    ['an address without Addr', [ID, inner('AppAddr', inner('1'))], 'AppAddr/Addr is missing'],
    [
      'an unknown AddrType',
      [ID, inner('AppAddr', inner('1', leaf('Addr', 'a'), leaf('AddrType', 'hush')))],
      'AddrType is none of',
    ],
    [
      'a port that is none',
      [
        ID,
        inner('AppAddr', inner('1', leaf('Addr', 'a'), inner('Port', inner('1', leaf('PortNbr', 'hush'))))),
      ],
      'PortNbr is no port',
    ],
    [
      'an unknown level',
      [ID, inner('AppAuth', inner('1', leaf('AAuthLevel', 'hush'), leaf('AAuthSecret', 'hush')))],
      'AAuthLevel is none of',
    ],
  ])('refuses %s by name and tells no value', (_, children, reason) => {
    try {
      fromDmAcc(inner('A', ...children));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-value' });
      expect(String(error)).toContain(reason);
      expect(String(error)).not.toContain('hush');
    }
  });
});

describe('DM profile', () => {
  it('is a WBXML message that adds a WBXML TNDS of each object to ./Inbox [1x§14]', () => {
    const bytes = encodeDmProfile({ accounts: [ACCOUNT], others: [NAP] });
    expect(Buffer.from(bytes.subarray(0, 5)).toString('hex')).toBe('02a4016a00');
    const { message } = decodeMessage(bytes, 'wbxml');
    expect(message.header).toMatchObject({
      verDTD: '1.2',
      verProto: 'DM/1.2',
      source: { uri: 'https://dm.example/dm' },
    });
    expect(message.final).toBe(true);
    expect(message.body.map(({ kind }) => kind)).toStrictEqual(['Add', 'Add']);
    // Within the bytes each tree is a document of its own with its own header.
    expect(
      Buffer.from(bytes)
        .toString('hex')
        .match(/02016a00000260/g),
    ).toHaveLength(2);
  });

  it('is read back, other objects as they were [IW-BOOT-1]', () => {
    fc.assert(
      fc.property(fc.array(objectAccount, { minLength: 1, maxLength: 2 }), fc.boolean(), (accounts, nap) => {
        const profile = { accounts, others: nap ? [NAP] : [] };
        expect(decodeDmProfile(encodeDmProfile(profile))).toStrictEqual(profile);
      }),
      { numRuns: 50 },
    );
  });

  const message = (body: readonly BodyElement[]): Uint8Array => {
    const header: SyncMLMessage['header'] = {
      verDTD: '1.2',
      verProto: 'DM/1.2',
      sessionId: '0',
      msgId: '1',
      target: { uri: 'd' },
      source: { uri: 's' },
    };
    return encodeMessage({ header, body, final: true }, defaultEncoding('wbxml', '1.2'));
  };
  const add = (uri: string, data: string, type = 'application/vnd.syncml.dmtnds+xml'): BodyElement => ({
    kind: 'Add',
    cmdId: '1',
    items: [{ target: { uri }, meta: { type, format: 'xml' }, data }],
  });

  it('reads XML trees, trees elsewhere, a list of accounts and Adds in a Sequence too', () => {
    const tree = writeTnds(toDmAcc(ACCOUNT, 'a'));
    const list = writeTnds({ name: 'DMAcc', children: [toDmAcc(ACCOUNT, 'a'), toDmAcc(ACCOUNT, 'b')] });
    const sequence: BodyElement = { kind: 'Sequence', cmdId: '9', commands: [add('./Inbox', tree) as never] };
    expect(decodeDmProfile(message([sequence])).accounts).toStrictEqual([ACCOUNT]);
    expect(decodeDmProfile(message([add('./DMAcc/a', tree)])).accounts).toStrictEqual([ACCOUNT]);
    expect(decodeDmProfile(message([add('./DMAcc', list)])).accounts).toStrictEqual([ACCOUNT, ACCOUNT]);
  });

  it.each([
    ['no object', [], 'malformed'],
    ['another command', [{ kind: 'Delete', cmdId: '1', items: [{ target: { uri: './A' } }] }], 'malformed'],
    ['another type', [add('./Inbox', 'x', 'text/plain')], 'bad-value'],
    ['no data', [add('./Inbox', '')], 'bad-value'],
    ['no proper Target', [add('./a/../b', 'x')], 'bad-address'],
    ['a broken tree', [add('./Inbox', '<MgmtTree>')], 'malformed'],
  ] satisfies [string, BodyElement[], string][])('refuses %s', (_, body, code) => {
    expect(() => decodeDmProfile(message(body))).toThrow(expect.objectContaining({ code }));
  });

  it('never fails in another way, whatever bytes are changed', () => {
    const sample = encodeDmProfile({ accounts: [ACCOUNT], others: [NAP] });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Uint8Array.from(sample);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          decodeDmProfile(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: 'DragomanError' });
          expect(String(error)).not.toContain('hush');
        }
      }),
      { numRuns: 300 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { decodeMessage, xmlToWbxml } from '../../../src/dm1/codec.ts';
import { maskRaw } from '../../../src/gateway/sessions/entries.ts';
import type { LiveSession } from '../../../src/gateway/sessions/liveSession.ts';
import { Replies } from '../../../src/gateway/sessions/replies.ts';
import { createWire } from '../../../src/gateway/sessions/wire.ts';

const CRED = 'bGVnYWN5OnNlY3JldA==';
const xml = (cred: string) =>
  `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>d</LocURI></Target><Source><LocURI>s</LocURI></Source><Cred><Meta><Type xmlns="syncml:metinf">syncml:auth-basic</Type></Meta><Data>${cred}</Data></Cred></SyncHdr><SyncBody><Get><CmdID>1</CmdID><Item><Target><LocURI>./x</LocURI></Target></Item></Get><Final/></SyncBody></SyncML>`;
const bytes = {
  xml: (text: string) => Buffer.from(text),
  wbxml: (text: string) => xmlToWbxml(Buffer.from(text), { publicId: 0x1201 }),
} as const;

const never = () => Promise.reject(new Error('nothing of the gateway is in it'));
const replies = new Replies(createWire({ messageBytes: 65_536 }), never, never);

describe.each(['xml', 'wbxml'] as const)('a relayed answer in %s with a credential', (form) => {
  const given = (cred: string, blank?: true) => {
    const body = bytes[form](xml(cred));
    const { message, encoding } = decodeMessage(body, form);
    const session = { encoding, deviceId: 'd', dialect: 'syncml' } as LiveSession;
    const raw = { form, body, ...(blank && { blank }) };
    return { session, body, written: replies.write(session, { protocol: 'dm1', message, raw }) };
  };

  it('goes out as it came, and is journaled without it [IW-REL-1]', async () => {
    const { session, body, written } = given(CRED);
    expect((await replies.toDevice(session, written)).body).toEqual(body);
    expect(Buffer.from(written.journaled).toString('latin1')).not.toContain(CRED);
  });

  it('that a crash left in the journal, unsent, goes out without a blank in its place [IW-REL-1] [IW-SES-4]', async () => {
    const live = given(CRED);
    const masked = '*'.repeat(CRED.length);
    const { session, written } = given(masked, true);
    // The replay comes to the very same entry.
    expect(written.journaled).toEqual(live.written.journaled);
    expect(written.meta).toEqual(live.written.meta);
    const sent = decodeMessage((await replies.toDevice(session, written)).body, form).message;
    expect(sent.header).not.toHaveProperty('cred');
    expect(sent.body).toHaveLength(1);
  });
});

describe('a credential in a relayed message that is written in an uncommon way', () => {
  // Without an N, which is the byte of a plain Cred.
  const cred = 'cDpx';
  const utf16 = Buffer.from(`\ufeff${xml(cred)}`, 'utf16le');
  const plain = Buffer.from([0x4e, 0x5a]);
  const wbxml = Buffer.from(bytes.wbxml(xml(cred)));
  const at = wbxml.indexOf(plain);

  it.each([
    ['in UTF-16, the low byte first', 'xml', utf16],
    ['in UTF-16, the high byte first', 'xml', Buffer.from(utf16).swap16()],
    [
      'in WBXML with an attribute',
      'wbxml',
      Buffer.concat([wbxml.subarray(0, at), Buffer.from([0xce, 0x05, 0x01]), wbxml.subarray(at + 1)]),
    ],
  ] as const)('is in no journal: %s [IW-REL-1]', (_, form, body) => {
    expect(decodeMessage(body, form).message.header.cred?.data).toBe(cred);
    const { message } = decodeMessage(maskRaw({ form, body }), form);
    expect(message.header.cred?.data).not.toContain(cred);
  });
});

import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  defaultEncoding,
  encodeMessage,
  maskCreds,
  wbxmlToXml,
  xmlToWbxml,
} from '../../src/dm1/codec.ts';
import type { ItemCommand, Results, SyncMLMessage } from '../../src/dm1/message.ts';
import { capture, captures } from './captures.ts';

const HEADER =
  '<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>' +
  '<Target><LocURI>http://s/dm</LocURI></Target><Source><LocURI>IMEI:1</LocURI></Source></SyncHdr>';
const wrap = (body: string, header = HEADER) =>
  Buffer.from(`<SyncML xmlns="SYNCML:SYNCML1.2">${header}<SyncBody>${body}<Final/></SyncBody></SyncML>`);
const read = (body: string) => decodeMessage(wrap(body), 'xml').message.body;
const message = (body: SyncMLMessage['body']): SyncMLMessage => ({
  header: {
    verDTD: '1.2',
    verProto: 'DM/1.2',
    sessionId: '1',
    msgId: '1',
    target: { uri: 'http://s/dm' },
    source: { uri: 'IMEI:1' },
  },
  body,
  final: true,
});

describe('captured messages', () => {
  it('reads every capture, masked too, and writes it again to the same model', () => {
    for (const { name, form, body } of captures()) {
      const decoded = decodeMessage(body, form);
      expect(
        decodeMessage(encodeMessage(decoded.message, decoded.encoding), form).message,
        name,
      ).toStrictEqual(decoded.message);
      expect(decodeMessage(maskCreds(body, decoded.credRanges), form).message.body, name).toStrictEqual(
        decoded.message.body,
      );
    }
  });

  it('reads what a third-party client says in its first message', () => {
    const { body, form } = capture('libdmclient/libdmclient-wbxml-get-01-req.http');
    const decoded = decodeMessage(body, form);
    expect(decoded.encoding).toStrictEqual({
      form: 'wbxml',
      namespace: 'SYNCML:SYNCML1.2',
      wbxmlVersion: 2,
      publicId: 0x1201,
    });
    expect(decoded.message.header).toStrictEqual({
      verDTD: '1.2',
      verProto: 'DM/1.2',
      sessionId: '1',
      msgId: '1',
      target: { uri: 'http://127.0.0.1:18096/dm' },
      source: { uri: 'DMCtest' },
      cred: {
        meta: { format: 'b64', type: 'syncml:auth-basic' },
        data: 'ZnVuYW1ib2w6ZnVuYW1ib2w=',
      },
      meta: { maxMsgSize: 16384 },
    });
    expect(decoded.message.body[0]).toStrictEqual({ kind: 'Alert', cmdId: '1', code: '1201', items: [] });
    const replace = decoded.message.body[1] as ItemCommand;
    expect(replace.items).toHaveLength(13);
    expect(replace.items[12]).toStrictEqual({
      source: { uri: './DevInfo/Mod' },
      meta: { format: 'chr', type: 'text/plain' },
      data: 'test model',
    });
    expect(decoded.message.final).toBe(true);
  });

  it('reads the same model from both encodings of one message', () => {
    const pairs = ['01-meta-format-type', '03-chal-nextnonce', '04-tnds-cdata'];
    for (const pair of pairs) {
      const [xml, wbxml] = [capture(`wbxml/${pair}.xml`), capture(`wbxml/${pair}.wbxml`)];
      expect(decodeMessage(wbxml.body, 'wbxml').message, pair).toStrictEqual(
        decodeMessage(xml.body, 'xml').message,
      );
    }
    const header = (name: string) => {
      const { body, form } = capture(`libdmclient/libdmclient-${name}`);
      const { header, body: elements } = decodeMessage(body, form).message;
      return { ...header, target: {}, elements };
    };
    expect(header('wbxml-get-01-req.http')).toStrictEqual(header('xml-get-01-req.http'));
  });

  it('keeps Format bin of an opaque as bytes, where XML has the base64 text [IW-VAL-3]', () => {
    const data = (name: string) => {
      const { body, form } = capture(`wbxml/${name}`);
      return (decodeMessage(body, form).message.body[0] as ItemCommand).items[0]!.data;
    };
    const text = data('02-binary-b64.xml') as string;
    expect(text).toMatch(/^AAECAwQF/);
    expect(data('02-binary-b64.wbxml')).toStrictEqual(Uint8Array.from(Buffer.from(text)));
  });

  it('writes libwbxml and client bytes exactly where the element order is the DTD order', () => {
    const same = ['wbxml/02-binary-b64.wbxml'];
    for (const name of same) {
      const { body } = capture(name);
      const { message: read, encoding } = decodeMessage(body, 'wbxml');
      expect(encodeMessage(read, encoding), name).toStrictEqual(Buffer.from(body));
    }
    for (const name of ['01-meta-format-type', '02-binary-b64', '03-chal-nextnonce']) {
      expect(xmlToWbxml(capture(`wbxml/${name}.xml`).body), name).toStrictEqual(
        Buffer.from(capture(`wbxml/${name}.wbxml`).body),
      );
    }
    const { body } = capture('libdmclient/libdmclient-xml-get-01-req.http');
    const { message: read, encoding } = decodeMessage(body, 'xml');
    expect(Buffer.from(encodeMessage(read, encoding)).toString()).toBe(
      Buffer.from(body).toString().replaceAll("'", '"'),
    );
  });

  it('strips the NUL that a client sends behind a value and says so, in both encodings [IW-VAL-4]', () => {
    for (const name of ['xml-get-02', 'wbxml-get-02']) {
      const { body, form } = capture(`libdmclient/libdmclient-${name}-req.http`);
      const { message: read, stripped } = decodeMessage(body, form);
      expect(stripped).toBe(1);
      const results = read.body.find((e) => e.kind === 'Results' && e.cmdId === '17') as Results;
      expect(results.items[0]!.data).toBe('chr');
    }
  });
});

describe('what is accepted although no peer should send it', () => {
  it('takes Target and Source without LocURI', () => {
    expect(read('<Get><CmdID>1</CmdID><Item><Target> ./x </Target></Item></Get>')).toStrictEqual([
      { kind: 'Get', cmdId: '1', items: [{ target: { uri: './x' } }] },
    ]);
  });

  it('takes elements in any order, Cmd in Results, a Status without CmdRef', () => {
    expect(
      read(
        '<Status><Data>200</Data><TargetRef>./a</TargetRef><Cmd>SyncHdr</Cmd><CmdID>1</CmdID></Status>' +
          '<Results><Item><Data>v</Data></Item><Cmd>Get</Cmd><CmdRef>2</CmdRef><CmdID>2</CmdID></Results>',
      ),
    ).toStrictEqual([
      {
        kind: 'Status',
        cmdId: '1',
        cmd: 'SyncHdr',
        targetRefs: ['./a'],
        sourceRefs: [],
        code: '200',
        items: [],
      },
      { kind: 'Results', cmdId: '2', cmdRef: '2', items: [{ data: 'v' }] },
    ]);
  });

  it('takes MetInf members whatever their SyncML namespace, but none of a foreign one', () => {
    const meta = (type: string) =>
      (read(`<Add><CmdID>1</CmdID><Item><Meta>${type}</Meta></Item></Add>`)[0] as ItemCommand).items[0]!.meta;
    expect(meta('<Type>a</Type>')).toStrictEqual({ type: 'a' });
    expect(meta('<Type xmlns="syncml:metinfo">a</Type>')).toStrictEqual({ type: 'a' });
    expect(meta('<m:Type xmlns:m="SYNCML:METINF">a</m:Type>')).toStrictEqual({ type: 'a' });
    expect(meta('<Type xmlns="urn:other">a</Type>')).toStrictEqual({});
    expect(meta('<Size xmlns="syncml:metinf"> 12 </Size><MaxObjSize>-1</MaxObjSize>')).toStrictEqual({
      size: 12,
    });
  });

  it('reads over unknown attributes and elements, and keeps unknown commands to answer them', () => {
    expect(
      read(
        '<Status xmlns:msft="http://schemas.microsoft.com/MobileDevice/MDM" msft:originalerror="0x80"><CmdID>1</CmdID>' +
          '<Odd><CmdID>9</CmdID></Odd><Data msft:originalerror="0x80">500</Data></Status>' +
          '<Put><CmdID>2</CmdID><Item/></Put><Sequence><CmdID>3</CmdID><Vendor><CmdID>4</CmdID></Vendor></Sequence>',
      ),
    ).toStrictEqual([
      { kind: 'Status', cmdId: '1', targetRefs: [], sourceRefs: [], code: '500', items: [] },
      { kind: 'Foreign', name: 'Put', cmdId: '2' },
      { kind: 'Sequence', cmdId: '3', commands: [{ kind: 'Foreign', name: 'Vendor', cmdId: '4' }] },
    ]);
  });

  it('hands out markup inside Data as its source text', () => {
    const tree =
      '<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node a="&lt;"><NodeName>x</NodeName></Node></MgmtTree>';
    const data = (content: string) =>
      (read(`<Add><CmdID>1</CmdID><Item><Data>${content}</Data></Item></Add>`)[0] as ItemCommand).items[0]!
        .data;
    expect(data(tree)).toBe(tree);
    expect(data(`\n ${tree} `)).toBe(`\n ${tree} `);
    expect(data(`<![CDATA[${tree}]]>`)).toBe(tree);
    expect(data(tree.replaceAll('&', '&amp;').replaceAll('<', '&lt;'))).toBe(tree);
  });

  it('takes an external DOCTYPE, a byte order mark, Latin-1 and UTF-16', () => {
    const xml = wrap(
      '<Alert><CmdID>1</CmdID><Data>1200</Data><Item><Data>é</Data></Item></Alert>',
    ).toString();
    const expected = decodeMessage(Buffer.from(xml), 'xml').message;
    const declared = (charset: string) => `<?xml version="1.0" encoding="${charset}"?>${xml}`;
    for (const body of [
      Buffer.from(`<!DOCTYPE SyncML SYSTEM "http://127.0.0.1:1/x.dtd">${xml}`),
      Buffer.from(`\ufeff${declared('utf-8')}`),
      Buffer.from(declared('ISO-8859-1'), 'latin1'),
      Buffer.from(`\ufeff${declared('UTF-16')}`, 'utf16le'),
      Buffer.from(`\ufeff${xml}`, 'utf16le').swap16(),
    ]) {
      expect(decodeMessage(body, 'xml').message).toStrictEqual(expected);
    }
  });

  it('finds the credentials behind characters of several bytes', () => {
    const header = HEADER.replace('IMEI:1', 'é😀').replace(
      '</SyncHdr>',
      '<Cred><Data>c2VjcmV0</Data></Cred></SyncHdr>',
    );
    const body = wrap('', header);
    const masked = Buffer.from(maskCreds(body, decodeMessage(body, 'xml').credRanges));
    expect(masked.toString()).toBe(body.toString().replace('c2VjcmV0', '********'));
  });

  it('finds credentials wherever SyncML has room for them, though DM has none', () => {
    const cred = '<Cred><Data>c2VjcmV0</Data></Cred>';
    const status = `<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>${cred}<Data>212</Data></Status>`;
    const results = `<Results><CmdID>2</CmdID>${cred}<Item><Data>x</Data></Item></Results>`;
    const get = `<Get><CmdID>4</CmdID>${cred}<Item/></Get>`;
    const alert = `<Alert><CmdID>5</CmdID>${cred}<Data>1201</Data></Alert>`;
    const foreign = `<Search><CmdID>6</CmdID>${cred}</Search>`;
    const group = `<Sequence><CmdID>3</CmdID>${cred}${get}${alert}${foreign}</Sequence>`;
    const header = HEADER.replace('</SyncHdr>', `${cred}${cred}</SyncHdr>`);
    const body = wrap(status + results + group, header);
    const { message: read, credRanges } = decodeMessage(body, 'xml');
    expect(read.body).toMatchObject([
      { kind: 'Status', code: '212', cred: { data: 'c2VjcmV0' } },
      { kind: 'Results', items: [{ data: 'x' }] },
      {
        kind: 'Sequence',
        commands: [{ kind: 'Get' }, { kind: 'Alert' }, { kind: 'Foreign', name: 'Search' }],
      },
    ]);
    const masked = Buffer.from(maskCreds(body, credRanges));
    expect(masked.toString()).toBe(body.toString().replaceAll('c2VjcmV0', '********'));
    const wbxml = xmlToWbxml(body.toString());
    const inWbxml = Buffer.from(maskCreds(wbxml, decodeMessage(wbxml, 'wbxml').credRanges));
    expect(wbxmlToXml(inWbxml)).not.toContain('c2VjcmV0');
    expect(wbxmlToXml(inWbxml).split('********')).toHaveLength(9);
  });
});

describe('WBXML forms of the same thing', () => {
  const HEAD = '02a4016a00';
  const HDR =
    '6d6c7103312e32000172 03444d2f312e320001 6503310001 5b03310001 6e570361000101 675703620001 01 01 6b'.replaceAll(
      ' ',
      '',
    );
  const wbxml = (body: string, head = HEAD) =>
    Buffer.from(`${head}${HDR}${body.replaceAll(' ', '')}120101`, 'hex');
  const item = (body: string) =>
    (decodeMessage(wbxml(`45 4b03310001 54 ${body} 01 01`), 'wbxml').message.body[0] as ItemCommand)
      .items[0]!;
  const hex = (text: string) => Buffer.from(text).toString('hex');

  it('reads a string table whose entries are shared and entered in the middle', () => {
    const table = `${hex('x./abc')}00`;
    const decoded = decodeMessage(
      wbxml('53 4b03310001 54 6e57 8301 01 01 01 01', `02a4016a07${table}`),
      'wbxml',
    );
    expect(decoded.message.body).toStrictEqual([
      { kind: 'Get', cmdId: '1', items: [{ target: { uri: './abc' } }] },
    ]);
  });

  it('reads public ids as number, as FPI with and without NUL, and unknown', () => {
    const fpi = hex('-//SYNCML//DTD SyncML 1.1//EN');
    const id = (head: string) => decodeMessage(wbxml('', head), 'wbxml').encoding;
    expect(id(`0200006a1d${fpi}`).publicId).toBe('-//SYNCML//DTD SyncML 1.1//EN');
    expect(id(`0200006a1e${fpi}00`).namespace).toBe('SYNCML:SYNCML1.1');
    expect(id('029f536a00').publicId).toBe(0x0fd3);
    expect(id('03016a00')).toMatchObject({ publicId: 1, wbxmlVersion: 3, namespace: 'SYNCML:SYNCML1.2' });
  });

  it('reads over attributes on the root', () => {
    const plain = wbxml('').toString('hex');
    const quirk = plain.replace(`${HEAD}6d`, `${HEAD}ed040003${hex('SYNCML:SYNCML1.2')}0001`);
    expect(decodeMessage(Buffer.from(quirk, 'hex'), 'wbxml').message).toStrictEqual(
      decodeMessage(wbxml(''), 'wbxml').message,
    );
  });

  it('decides about an opaque by a Format that comes after it, on the Item or the command', () => {
    const bin = `5a 000147 03${hex('bin')}00 01 01 0000`;
    expect(item(`4f c302 4142 01 ${bin}`).data).toStrictEqual(Uint8Array.from([0x41, 0x42]));
    expect(item('4f c302 4142 01').data).toBe('AB');
    const late = decodeMessage(wbxml(`45 4b03310001 54 4f c302 4142 01 01 ${bin} 01`), 'wbxml').message
      .body[0];
    expect((late as ItemCommand).items[0]!.data).toStrictEqual(Uint8Array.from([0x41, 0x42]));
    expect(item('4f c302 ffff 01').data).toStrictEqual(Uint8Array.from([0xff, 0xff]));
  });

  it('reads a nonce as raw opaque and as base64 text', () => {
    const nonce = (content: string) => item(`5a 000150 ${content} 01 01 0000`).meta?.nextNonce;
    expect(nonce('c304 00010203')).toStrictEqual(Uint8Array.from([0, 1, 2, 3]));
    expect(nonce(`03${hex('AAECAw==')}00`)).toStrictEqual(Uint8Array.from([0, 1, 2, 3]));
    expect(nonce(`c308${hex('AAECAw==')}`)).toStrictEqual(Uint8Array.from([0, 1, 2, 3]));
  });

  it('makes XML text of a TNDS that stands inline or as an embedded document', () => {
    const tree =
      '<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>a&amp;b</NodeName></Node></MgmtTree>';
    expect(item(`4f 000260 77 03${hex('1.2')}00 01 64 66 03${hex('a&b')}00 01 01 01 0000 01`).data).toBe(
      tree,
    );
    const document = Buffer.from(xmlToWbxml(tree)).toString('hex');
    expect(document).toMatch(/^02016a000002/);
    const length = (document.length / 2).toString(16).padStart(2, '0');
    const type = hex('application/vnd.syncml.dmtnds+wbxml');
    expect(
      item(`5a 000147 03${hex('bin')}00 01 53 03${type}00 01 01 0000 4f c3${length} ${document} 01`),
    ).toStrictEqual({
      meta: { format: 'xml', type: 'application/vnd.syncml.dmtnds+xml' },
      data: tree,
    });
    const broken = `${document.slice(0, -2)}ff`;
    expect(item(`5a 000153 03${type}00 01 01 0000 4f c3${length} ${broken} 01`).data).toStrictEqual(
      Uint8Array.from(Buffer.from(broken, 'hex')),
    );
  });

  it('keeps the page across END and reads entities and literal tags', () => {
    expect(item(`5a 000147 03${hex('chr')}00 01 01 0000 4f 02 41 03${hex('b')}00 01`)).toStrictEqual({
      meta: { format: 'chr' },
      data: 'Ab',
    });
    const literal = decodeMessage(
      wbxml('44 00 4b03370001 01', `02a4016a05${hex('Ping')}00`),
      'wbxml',
    ).message;
    expect(literal.body).toStrictEqual([{ kind: 'Foreign', name: 'Ping', cmdId: '7' }]);
    expect(wbxmlToXml(wbxml('44 00 4b03370001 01', `02a4016a05${hex('Ping')}00`))).toContain(
      '<Ping><CmdID>7</CmdID></Ping>',
    );
  });
});

describe('written messages', () => {
  it('names the header element that is missing', () => {
    for (const name of ['VerDTD', 'VerProto', 'SessionID', 'MsgID', 'Target', 'Source']) {
      const header = HEADER.replace(new RegExp(`<${name}>.*?</${name}>`), '');
      expect(() => decodeMessage(wrap('', header), 'xml')).toThrow(`${name} is missing`);
    }
    expect(() => decodeMessage(Buffer.from('<SyncML/>'), 'xml')).toThrow('SyncHdr is missing');
  });

  it('writes bytes as base64 in XML and says so in Meta [IW-VAL-3]', () => {
    const item = { meta: { format: 'bin', size: 3 }, data: Uint8Array.from([1, 2, 255]) };
    const add = message([{ kind: 'Add', cmdId: '1', meta: { type: 'image/png' }, items: [item] }]);
    const text = Buffer.from(encodeMessage(add, defaultEncoding('xml', '1.2'))).toString();
    expect(text).toContain('<Format xmlns="syncml:metinf">b64</Format>');
    expect(text).toContain('<Size xmlns="syncml:metinf">4</Size>');
    expect(text).toContain('<Data>AQL/</Data>');
  });

  it('never writes what XML cannot carry [IW-VAL-4]', () => {
    for (const data of ['a\0b', '\u0007', '\ud800', '\uffff']) {
      const add = message([{ kind: 'Add', cmdId: '1', items: [{ data }] }]);
      expect(() => encodeMessage(add, defaultEncoding('xml', '1.2'))).toThrow('bad-value');
    }
  });

  it('puts text with a NUL into an opaque, never into an inline string', () => {
    const add = message([{ kind: 'Add', cmdId: '1', items: [{ target: { uri: 'a\0b' } }] }]);
    const hexadecimal = Buffer.from(encodeMessage(add, defaultEncoding('wbxml', '1.2'))).toString('hex');
    expect(hexadecimal).toContain('57c30361006201');
  });

  it('begins with the encoding that a version asks for', () => {
    expect(defaultEncoding('xml', '1.1')).toStrictEqual({ form: 'xml', namespace: 'SYNCML:SYNCML1.1' });
    expect(defaultEncoding('wbxml', '1.1')).toMatchObject({ publicId: 0x0fd3 });
    expect(defaultEncoding('wbxml', '1.2')).toMatchObject({ publicId: 0x1201, wbxmlVersion: 2 });
  });
});

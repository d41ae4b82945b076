import { wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { listening, TYPES } from './harness.ts';
import { status } from './quirks.ts';

/**
 * A legacy server in raw bytes: keeps what it gets and answers what it is given, in the encoding of the two.
 * `n` counts its messages from 0.
 */
export async function rawServer(
  form: 'xml' | 'wbxml',
  answer: (request: string, n: number, bytes: Buffer) => string | Uint8Array,
) {
  const got: { type: string; text: string; bytes: Buffer }[] = [];
  const host = await listening(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const text = form === 'xml' ? bytes.toString('utf8') : wbxmlToXml(bytes);
    got.push({ type: String(request.headers['content-type']), text, bytes });
    const given = answer(text, got.length - 1, bytes);
    response
      .writeHead(200, { 'content-type': TYPES[form] })
      .end(form === 'xml' || typeof given !== 'string' ? given : xmlToWbxml(given));
  });
  return { got, url: `http://${host}/dm` };
}

export const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>';
export const fromServer = (sessionId: string, msgId: string, body: string) =>
  `${HEAD}<SessionID>${sessionId}</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>RAW:1</LocURI></Target><Source><LocURI>http://legacy.example/dm</LocURI></Source></SyncHdr><SyncBody>${body}<Final/></SyncBody></SyncML>`;
export const ok = (id: number, msgRef: string, cmdRef: string, cmd: string, code = 200) =>
  status(id, msgRef, cmdRef, cmd, code);
export const sessionOf = (body: string) => /<SessionID>(.*?)</.exec(body)?.[1] ?? '';

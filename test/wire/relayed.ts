import { xmlToWbxml } from '../../src/dm1/codec.ts';
import { LegacyServer } from '../../src/simulator/index.ts';
import { closing, listening, packageOne, syncml, TYPES, wired } from './harness.ts';

interface Got {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

interface Given {
  readonly status?: number;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A DM 1.x server in raw bytes, behind a gateway: keeps what it gets and answers what it is given. Healthy
 * devices (`beside`) are on another server.
 */
export async function relayed(
  answers: readonly ((server: string) => Given)[],
  config: Record<string, unknown> = {},
  backend: Record<string, unknown> = {},
) {
  const got: Got[] = [];
  const host = await listening(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    got.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
    const { status = 200, body, headers } = answers[got.length - 1]?.(url) ?? { body: '' };
    response.writeHead(status, { 'content-type': TYPES.xml, ...headers }).end(body);
  });
  const url = `http://${host}/dm`;
  const sound = closing(new LegacyServer({ script: [[{ kind: 'Get', uris: ['./DevInfo/Man'] }]] }));
  const gateway = await wired({
    backends: {
      legacy: { protocol: 'dm1', url, ...backend },
      sound: { protocol: 'dm1', url: await sound.start() },
    },
    routes: [
      { match: { deviceId: 'HEALTHY:*' }, backend: 'sound' },
      { match: { protocol: 'dm1' }, backend: 'legacy' },
    ],
    ...config,
  });
  return { got, url, gateway };
}

export const DEVICE = 'RAW:1';
export const ours = 'http://gw.example/dm?x=1&y=2';

/** What a server answers, in a hand of its own; \`more\` stands behind the Status of the header. */
export const answer = (
  options: {
    source: string;
    targetRef: string;
    respURI?: string;
    session?: string;
    target?: string;
    msgId?: string;
  },
  more = '',
) => {
  const { source, targetRef, respURI, session = '0A', target = DEVICE, msgId = '1' } = options;
  return `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${session}</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>${target}</LocURI></Target> <Source><LocURI>${source}</LocURI><LocName>srv</LocName></Source>${respURI === undefined ? '' : `<RespURI>${respURI}</RespURI>`}</SyncHdr><SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><TargetRef>${targetRef}</TargetRef><SourceRef>${target}</SourceRef><Data>200</Data></Status>${more}<Final/></SyncBody></SyncML>`;
};
export const GET = '<Get><CmdID>2</CmdID><Item><Target><LocURI>./DevInfo/Man</LocURI></Target></Item></Get>';
export const escaped = (text: string) => text.replaceAll('&', '&amp;');
export const RESULT =
  '<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><TargetRef>RAW:1</TargetRef><SourceRef>SRV</SourceRef><Data>200</Data></Status><Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>2</CmdRef><Cmd>Get</Cmd><Data>404</Data></Status><Final/>';

const wbxml = (xml: string) => xmlToWbxml(Buffer.from(xml), { publicId: 0x1201 });
export const encoders = { xml: (xml: string) => Buffer.from(xml), wbxml } as const;

export const opening = (session = '0A') => syncml({ device: DEVICE, sessionId: session }, packageOne(DEVICE));
export const XML = { 'content-type': TYPES.xml };

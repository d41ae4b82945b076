import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import type { SyncHdr } from '../../src/dm1/message.ts';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { closing, listening, TYPES, wired } from './harness.ts';

const ID = 'urn:uuid:6B29FC40-CA47-1067-B31D-00DD010662DA';

interface Heard {
  readonly url: string;
  readonly text: string;
  readonly header: SyncHdr;
}

/** A management server that answers message after message with what `answer` says, and keeps what it heard. */
async function serving(answer: (heard: readonly Heard[]) => string) {
  const heard: Heard[] = [];
  const host = await listening(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const { header } = decodeMessage(bytes, 'xml').message;
    heard.push({ url: request.url ?? '', text: bytes.toString('utf8'), header });
    const body = answer(heard).replace(/http:\/\/127[^<]*/, url);
    response.writeHead(200, { 'content-type': TYPES.xml, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
  const url = `http://${host}/ManagementServer/MDM.svc`;
  return { heard, url };
}

/** A third-party management server for Windows, in what it was heard to say (fixtures/captures/windows). */
const captured = (edit: (text: string) => string = (text) => text) =>
  serving((heard) => {
    // It has three answers to tell, and the last for whoever asks again.
    const file = `fixtures/captures/windows/mdmatador-${Math.min(heard.length, 3)}.xml`;
    const { sessionId } = heard.at(-1)!.header;
    return edit(readFileSync(file, 'utf8')).replace(/<SessionID>.*?</, `<SessionID>${sessionId}<`);
  });

/** A DM 2.0 device on that server, after one session. */
async function managed(url: string) {
  const gateway = await wired({
    backends: { mdm: { protocol: 'dm1', url } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'mdm' }],
  });
  const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
  expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
  return { gateway, device };
}

const body = (text: string) => /<SyncBody>(.*)<\/SyncBody>/s.exec(text)?.[1] ?? '';

describe('a Windows management server that never says Final', () => {
  it('is asked for more once, and the session of a 2.0 device ends with it [IW-SES-7] [1x§2.3]', async () => {
    const { heard, url } = await captured();
    const { gateway } = await managed(url);
    expect(heard).toHaveLength(3);
    // The Get of its own model is answered with what the device says, the nodes of Windows with 404.
    const answers = [...body(heard[1]!.text).matchAll(/<Cmd>(Get|Replace)<\/Cmd><Data>(\d+)/g)].map(
      (m) => m[2],
    );
    expect(answers).toEqual(['200', ...Array<string>(9).fill('404')]);
    expect(body(heard[1]!.text)).toContain('<LocURI>./DevInfo/Man</LocURI>');
    expect(body(heard[1]!.text)).toMatch(/<Alert><CmdID>\d+<\/CmdID><Data>1222<\/Data><\/Alert>$/);
    expect(body(heard[2]!.text)).toMatch(
      /^<Status>.*?<\/Status><Alert><CmdID>2<\/CmdID><Data>1222<\/Data><\/Alert>$/,
    );
    const [trace] = await gateway.traces(ID);
    expect(trace).toMatchObject({ state: 'done', ending: 'completed' });
    expect(trace!.trace.map(({ text }) => text)).toContain(
      'The server had nothing more to say, and no Final',
    );
  });

  it('sets a bool of a 2.0 device by 0 or 1 [IW-VAL-1] [IW-WR-1]', async () => {
    const node = './LAWMO/lawmo1/LAWMOConfig/NotifyUser';
    const { url } = await captured((text) =>
      text
        .replace('./Vendor/MSFT/Firewall/MdmStore/DomainProfile/EnableFirewall', node)
        .replace('<Data>1</Data>', '<Data>0</Data>'),
    );
    const { device } = await managed(url);
    const place = { moid: 'urn:oma:mo:oma-lawmo:1.0', miid: 'lawmo1', path: ['LAWMOConfig', 'NotifyUser'] };
    expect(device.objects.find(place)?.value).toBe('false');
  });

  it.each(['xml', 'wbxml'] as const)(
    'has its bytes relayed to a device in %s, query included [IW-REL-1]',
    async (encoding) => {
      const { heard, url } = await captured();
      const gateway = await wired({
        backends: { mdm: { protocol: 'dm1', url, encoding: 'xml' } },
        routes: [{ match: { protocol: 'dm1' }, backend: 'mdm' }],
      });
      const device = closing(
        new LegacyDevice({ url: gateway.dm, deviceId: ID, preset: 'windows-like', encoding }),
      );
      const report = await device.session();
      expect(report.outcome).toBe('completed');
      expect(report.executed.map(({ command, code }) => `${command} ${code}`)).toEqual([
        'Get 200',
        'Get 404',
        ...Array<string>(3).fill('Replace 415'),
        'Get 404',
        'Replace 404',
        'Get 404',
        'Replace 404',
        'Get 404',
      ]);
      expect(heard[0]!.url).toBe('/ManagementServer/MDM.svc?mode=Maintenance&Platform=WoA');
      expect(heard).toHaveLength(3);
    },
  );
});

describe('a Windows management server that knows the numbers of Windows alone', () => {
  it('is taken at its word, whatever its Statuses refer to [IW-SES-7] [1x§2.5]', async () => {
    // It answers Alert 2, Alert 3 and Replace 4, as Windows numbers them, to everybody.
    const status = (cmdId: number, cmd: string, cmdRef: number, msgRef: string) =>
      `<Status><CmdID>${cmdId}</CmdID><MsgRef>${msgRef}</MsgRef><CmdRef>${cmdRef}</CmdRef><Cmd>${cmd}</Cmd><Data>200</Data></Status>`;
    const { heard, url } = await serving((all) => {
      const { msgId, sessionId } = all.at(-1)!.header;
      return `<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${sessionId}</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>${ID}</LocURI></Target><Source><LocURI>https://mdm.example/ManagementServer/MDM.svc</LocURI></Source></SyncHdr><SyncBody>${status(1, 'SyncHdr', 0, msgId)}${status(2, 'Alert', 2, msgId)}${status(3, 'Alert', 3, msgId)}${status(4, 'Replace', 4, msgId)}<Final /></SyncBody></SyncML>`;
    });
    await managed(url);
    expect(heard).toHaveLength(1);
  });
});

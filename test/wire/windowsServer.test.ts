import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { closing, TYPES, wired } from './harness.ts';

const ID = 'urn:uuid:6B29FC40-CA47-1067-B31D-00DD010662DA';

/** A third-party management server for Windows, in what it was heard to say (fixtures/captures/windows). */
async function captured(edit: (text: string) => string = (text) => text) {
  const heard: { url: string; text: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    heard.push({ url: request.url ?? '', text });
    const { header } = decodeMessage(Buffer.from(text), 'xml').message;
    // It has three answers to tell, and the last for whoever asks again.
    const file = `fixtures/captures/windows/mdmatador-${Math.min(heard.length, 3)}.xml`;
    const body = edit(readFileSync(file, 'utf8'))
      .replace(/<SessionID>.*?</, `<SessionID>${header.sessionId}<`)
      .replace(/http:\/\/127[^<]*/, `http://127.0.0.1:${port}/ManagementServer/MDM.svc`);
    response.writeHead(200, { 'content-type': TYPES.xml, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
  closing({ close: () => void server.close() });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { heard, url: `http://127.0.0.1:${port}/ManagementServer/MDM.svc` };
}

const body = (text: string) => /<SyncBody>(.*)<\/SyncBody>/s.exec(text)?.[1] ?? '';

describe('a Windows management server that never says Final', () => {
  it('is asked for more once, and the session of a 2.0 device ends with it [IW-SES-7] [1x§2.3]', async () => {
    const { heard, url } = await captured();
    const gateway = await wired({
      backends: { mdm: { protocol: 'dm1', url } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'mdm' }],
    });
    const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
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
    const gateway = await wired({
      backends: { mdm: { protocol: 'dm1', url } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'mdm' }],
    });
    const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
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

import { describe, expect, it } from 'vitest';
import { Dm2Client, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';

const ID = 'IMEI:490154203237518';

/** A user with a browser: opens the page, then presses a button of it. */
function user(fields: Record<string, string | readonly string[]>, pages: string[] = []) {
  return async (url: string): Promise<void> => {
    pages.push(await (await fetch(url)).text());
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields))
      for (const each of [value].flat()) body.append(name, each);
    const response = await fetch(url, { method: 'POST', body });
    pages.push(await response.text());
  };
}

async function between(
  encoding: 'xml' | 'wbxml',
  script: readonly (readonly ServerCommand[])[],
  device: Partial<ConstructorParameters<typeof Dm2Client>[0]>,
  limits: Record<string, unknown> = {},
) {
  const server = closing(new LegacyServer({ script }));
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, encoding } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    limits,
  });
  const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, ...device }));
  const report = await client.session();
  const session = server.sessions.at(-1)!;
  return { gateway, client, report, server, session, codes: session.commands.map(({ code }) => code) };
}

describe.each(['xml', 'wbxml'] as const)('a UI alert of a legacy server in %s', (encoding) => {
  it('is answered on a page [IW-UI-1]', async () => {
    const { codes, session, report } = await between(
      encoding,
      [[{ kind: 'Alert', code: '1102', items: ['IT=A', 'Your name?'] }]],
      { show: user({ do: 'ok', text: 'Ada' }) },
    );
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(codes).toEqual(['200']);
    expect(JSON.stringify(session.commands[0])).toContain('Ada');
  });
});

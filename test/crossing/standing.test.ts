import { describe, expect, it } from 'vitest';
import {
  Dm2Backend,
  type Dm2BackendOptions,
  type RepositoryDocument,
} from '../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SETTINGS = 'urn:example:mo:settings:1.0';

/** One device over several sessions; the first of them works through the script. */
async function sessions(
  phone: Phone,
  documents: Record<string, RepositoryDocument>,
  script: readonly (readonly (readonly string[])[])[],
  options: Partial<Dm2BackendOptions> = {},
) {
  const packages = [...script];
  const backend = closing(new Dm2Backend({ script: () => packages.shift(), documents, ...options }));
  const url = await backend.start();
  const config = {
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    ...phone.config,
  };
  let gateway = await run(config);
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
  const next = async () => {
    const report = await device.session();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    const session = backend.sessions.at(-1)!;
    expect(session.violations).toEqual([]);
    return { report, session, sc: session.commands.map(({ status }) => status?.sc) };
  };
  return {
    backend,
    device,
    next,
    notes: () => gateway.notes(ID),
    shown: async () => (await gateway.api<Record<string, unknown>>('GET', `/api/devices/${ID}`)).body,
    restart: async (other: Record<string, unknown> = {}) => {
      gateway = await gateway.restart({ ...config, ...other });
      Object.assign(device.options, { url: gateway.dm });
    },
  };
}

describe.each(PHONES)('SUB on a legacy device $name', (phone) => {
  it('sends what changed, once, when a session finds it changed [IW-SUB-1]', async () => {
    const { backend, device, next, shown } = await sessions(phone, {}, [
      [
        ['SUB', '{origin}/repository/settings?id=[DevID]', `${SETTINGS}//`],
        ['SUB', `${FUMO}//State`, '{origin}/repository/state'],
      ],
    ]);
    expect((await next()).sc).toEqual([200, 200]);
    expect(backend.uploads).toEqual([]);
    expect((await shown())['subscriptions']).toMatchObject({
      [`${SETTINGS}//`]: { backend: 'dms' },
      [`${FUMO}//State`]: { backend: 'dms' },
    });
    await next();
    expect(backend.uploads).toEqual([]);
    device.tree.find(['Settings', 'Ringtone'])!.value = 'Bells';
    await next();
    expect(backend.uploads).toMatchObject([
      {
        method: 'PUT',
        path: 'settings',
        contentType: 'application/vnd.oma.dm.mo+json',
        json: [{ ClientURI: `${SETTINGS}/Settings/`, MOData: { settings: { Ringtone: 'Bells' } } }],
      },
    ]);
    await next();
    expect(backend.uploads).toHaveLength(1);
  });

  it('sends what the backend itself changed, in the same session, and what vanished as nothing [IW-SUB-1]', async () => {
    const { backend, device, next } = await sessions(
      phone,
      { bells: { body: 'Bells', contentType: 'text/plain' } },
      [
        [['SUB', '{origin}/repository/changes', `${SETTINGS}//Ringtone`]],
        [['HGET', '{origin}/repository/bells', `${SETTINGS}//Ringtone`]],
      ],
    );
    expect((await next()).sc).toEqual([200, 200]);
    expect(backend.uploads.map(({ json }) => json)).toEqual([
      [{ ClientURI: `${SETTINGS}/Settings/Ringtone`, MOData: { Ringtone: 'Bells' } }],
    ]);
    device.tree.delete(['Settings', 'Ringtone']);
    await next();
    expect(backend.uploads.map(({ json }) => json).at(-1)).toEqual([]);
  });

  it('ends with UNSUB of the same ClientURI, and of no other [IW-SUB-1]', async () => {
    const { backend, device, next, shown } = await sessions(phone, {}, [
      [
        ['UNSUB', `${SETTINGS}//`],
        ['SUB', '{origin}/repository/changes', `${SETTINGS}//`],
        ['UNSUB', `${SETTINGS}/Settings/`],
        ['UNSUB', `${SETTINGS}//`],
        ['UNSUB', `${SETTINGS}//`],
      ],
    ]);
    expect((await next()).sc).toEqual([404, 200, 404, 200, 404]);
    device.tree.find(['Settings', 'Ringtone'])!.value = 'Bells';
    await next();
    expect(backend.uploads).toEqual([]);
    expect((await shown())['subscriptions']).toEqual({});
  });

  it('survives a restart, and is sent again until its receiver takes it [IW-SUB-1]', async () => {
    let refuse = true;
    const { backend, device, next, restart, notes } = await sessions(
      phone,
      {},
      [[['SUB', '{origin}/repository/changes', `${SETTINGS}//Ringtone`]]],
      { fault: ({ method }) => (refuse && method === 'PUT' ? { status: 503 } : undefined) },
    );
    await next();
    await restart();
    device.tree.find(['Settings', 'Ringtone'])!.value = 'Bells';
    await next();
    expect(backend.uploads).toEqual([]);
    expect((await notes()).at(0)).toEqual({
      rule: 'IW-SUB-1',
      text: `${SETTINGS}//Ringtone changed, but its subscriber did not take it; the next session tries again: it answered 503`,
    });
    refuse = false;
    await restart();
    await next();
    expect(backend.uploads).toHaveLength(1);
  });

  it('is sent as a type that its receiver asks for by OMADM-Accept [IW-SUB-1]', async () => {
    const { backend, device, next } = await sessions(
      phone,
      {},
      [[['SUB', '{origin}/repository/changes', `${SETTINGS}//Ringtone`]]],
      {
        fault: ({ method, headers }) =>
          method === 'PUT' && headers['content-type'] !== 'application/json'
            ? { status: 415, headers: { 'omadm-accept': 'text/xml, application/json;q=0.5' } }
            : undefined,
      },
    );
    await next();
    device.tree.find(['Settings', 'Ringtone'])!.value = 'Bells';
    await next();
    expect(backend.uploads).toMatchObject([{ contentType: 'application/json', json: [{}] }]);
  });

  it('is 403 for a place that nobody allowed, and nothing goes where it is allowed no more [IW-SUB-1]', async () => {
    const elsewhere = closing(new Dm2Backend());
    const allow = { outbound: { allow: [new URL(await elsewhere.start()).host] } };
    const { device, next, notes, restart } = await sessions(phone, {}, [
      [],
      [
        ['SUB', 'http://169.254.169.254/changes', `${SETTINGS}//Ringtone`],
        ['DEFAULT', FUMO, 'http://169.254.169.254/preset'],
        ['SUB', elsewhere.serverUri('changes'), `${SETTINGS}//Ringtone`],
      ],
    ]);
    await next();
    await restart(allow);
    expect((await next()).sc).toEqual([403, 403, 200]);
    expect((await notes()).map(({ text }) => text).join('\n')).toContain(
      'http://169.254.169.254 may not be fetched',
    );
    device.tree.find(['Settings', 'Ringtone'])!.value = 'Bells';
    await restart({});
    await next();
    expect((await notes())[0]).toMatchObject({
      rule: 'IW-SUB-1',
      text: expect.stringContaining('may not be fetched'),
    });
    await restart(allow);
    await next();
    expect(elsewhere.uploads).toHaveLength(1);
  });

  it('is refused for what is no address or names nothing [IW-SUB-1]', async () => {
    const { next } = await sessions(phone, {}, [
      [
        ['SUB', '{origin}/repository/x', 'no address'],
        ['SUB', '{origin}/repository/x', `${SETTINGS}//Nope`],
        ['SUB', 'ftp://example.org/x', `${SETTINGS}//`],
        ['SUB', '{origin}/[NOPE]', `${SETTINGS}//`],
        ['SUB', '{origin}/repository/x'],
      ],
    ]);
    expect((await next()).sc).toEqual([400, 404, 400, 400, 400]);
  });
});

describe.each(PHONES)('DEFAULT on a legacy device $name', (phone) => {
  const document: RepositoryDocument = { body: { PkgName: 'preset', State: '10' } };

  it('is fetched in a later session that finds the object missing, and only then [IW-DEF-1]', async () => {
    const { backend, device, next, notes, shown } = await sessions(phone, { preset: document }, [
      [
        ['DEFAULT', FUMO, '{origin}/repository/older'],
        ['DEFAULT', '{origin}/repository/preset', 'oma:mo:oma-fumo:1.0'],
        ['DEFAULT', FUMO, 'not a url'],
      ],
    ]);
    expect((await next()).sc).toEqual([200, 200, 400]);
    expect(Object.keys((await shown())['defaults'] as object)).toEqual([FUMO]);
    await next();
    expect(backend.fetched).toEqual([]);
    device.tree.find(['FUMO'])!.children!.delete('fw');
    const { session } = await next();
    expect(backend.fetched).toEqual(['preset']);
    expect(device.tree.find(['FUMO', 'fumo', 'PkgName'])?.value).toBe('preset');
    expect(session.package1.MOS).toContainEqual(expect.objectContaining({ MOID: FUMO, MIID: ['fumo'] }));
    expect(await notes()).toContainEqual({
      rule: 'IW-DEF-1',
      text: `The device has no ${FUMO}; fetching it where DEFAULT says gave 200.`,
    });
    await next();
    expect(backend.fetched).toEqual(['preset']);
  });

  it('whose source is not there is tried again by the next session [IW-DEF-1]', async () => {
    const { backend, device, next } = await sessions(phone, {}, [
      [['DEFAULT', FUMO, '{origin}/repository/preset']],
    ]);
    await next();
    device.tree.find(['FUMO'])!.children!.delete('fw');
    const { session } = await next();
    expect(session.package1.MOS?.some(({ MOID }) => MOID === FUMO)).toBe(false);
    backend.documents.set('preset', document);
    await next();
    expect(device.tree.find(['FUMO', 'fumo', 'PkgName'])?.value).toBe('preset');
  });

  it.each(['draft-text-1', 'draft-text-2'] as const)(
    'of a server that speaks %s opens a session there, before the usual one [IW-DEF-1]',
    async (dialect) => {
      const scripts: (readonly (readonly string[])[])[] = [
        [['DEFAULT', FUMO, '{origin}/settings?kind=fumo']],
      ];
      const backend = closing(
        new Dm2Backend({
          dialect,
          script: () => scripts.shift(),
          documents: {
            preset: { body: [{ ClientURI: `${FUMO}//`, MOData: { fumo: { PkgName: 'preset' } } }] },
          },
        }),
      );
      const url = await backend.start();
      const gateway = await run({
        backends: { dms: { protocol: 'dm2', url, dialect } },
        routes: [{ match: {}, backend: 'dms' }],
        ...phone.config,
      });
      const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
      expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
      device.tree.find(['FUMO'])!.children!.delete('fw');
      scripts.push([['HGET', '{origin}/repository/preset']], [['END']], [['END']]);
      const before = backend.messages.length;
      expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
      const posts = backend.messages
        .slice(before)
        .filter(({ direction, url: to }) => direction === 'received' && !to.includes('/repository/'))
        .map(({ url: to }) => to.slice(new URL(url).origin.length));
      expect(posts[0]).toBe('/settings?kind=fumo&InitiatedBy=Device');
      expect(posts.at(-1)).toBe('/dm20');
      expect(device.tree.find(['FUMO', 'fumo', 'PkgName'])?.value).toBe('preset');
    },
  );
});

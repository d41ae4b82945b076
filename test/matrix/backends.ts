import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DIALECTS, type DialectName } from '../../src/dm2/dialects/index.ts';
import {
  type BackendSession,
  Dm2Backend,
  LegacyServer,
  type ServerCommand,
} from '../../src/simulator/index.ts';
import { closing, type Running } from '../crossing/gateway.ts';
import type { Outcome, Side, StepId } from './steps.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';
const UPDATE = `${FUMO}//DownloadAndUpdate`;
export const OWN_ALERT = 'urn:example:at:battery:low';

/** Values that the scenario writes, beside those that stay. */
export const WRITTEN = { PkgURL: 'http://fw.example/2', PkgName: 'next' } as const;
const TREE_DOCUMENT = [{ ClientURI: UPDATE, MOData: { DownloadAndUpdate: { PkgURL: WRITTEN.PkgURL } } }];
const LEAF_DOCUMENT = [{ ClientURI: `${FUMO}//PkgName`, MOData: { PkgName: WRITTEN.PkgName } }];

/** What only the backend can tell of a step; the device tells the rest. */
export type Seen = Partial<Record<StepId, Outcome>>;

/** A backend of the matrix, with its part of the scenario. */
export interface ColumnBackend extends Side {
  /** For the gateway's configuration; absent: the built-in one. */
  readonly config?: Record<string, unknown>;
  /** Before the device's session. */
  prepare(gateway: Running, deviceId: string): Promise<void>;
  /** What it has seen of a device, once its report came; `said` are the steps that it can ask for. */
  seen(gateway: Running, deviceId: string): Promise<Seen>;
  readonly said: ReadonlySet<StepId>;
  /** What the gateway did wrong in any session, in words. */
  wrong(): readonly string[];
}

/** One page, for SHOW. */
export async function site(): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end('<title>Notice</title><p>Your phone is looked after.</p>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing({ close: () => void server.close() });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/notice`;
}

interface Planned {
  readonly id: StepId;
  readonly command: readonly string[];
}

/** The scenario in commands of the approved model, as far as a dialect can say it; `{id}` stands for the device. */
function commandsOf(dialect: DialectName, repository: string, page: string): Planned[][] {
  const { capabilities } = DIALECTS[dialect];
  const upload = (name: string) => `${repository}${name}-{id}`;
  const shown = capabilities.showNeedsReturnUrl
    ? `${page}?Close=${encodeURIComponent(`${page}/closed`)}`
    : page;
  const plan: (Planned | false)[][] = [
    [
      { id: 'readLeaf', command: ['HPOST', upload('leaf'), `${DEVINFO}//Man`] },
      { id: 'readTree', command: ['HPOST', upload('tree'), `${FUMO}//`] },
      capabilities.readVerb !== undefined && { id: 'readInline', command: ['GET', `${FUMO}//PkgVersion`] },
      capabilities.resolvesVariables && {
        id: 'wildcard',
        command: ['HPOST', upload('wildcard'), `${SCOMO}/*/Inventory/Deployed/*/Name`],
      },
    ],
    [
      { id: 'writeTree', command: ['HGET', `${repository}tree`, UPDATE] },
      { id: 'writeLeaf', command: ['HGET', `${repository}leaf`, `${FUMO}//PkgName`] },
    ],
    [{ id: 'delete', command: ['DELETE', `${SCOMO}//Inventory/Deployed/Component1`] }],
    [{ id: 'ask', command: ['SHOW', shown] }],
    [
      {
        id: 'execute',
        command: ['EXEC', UPDATE, `${repository.replace('/repository/', '/dm20/reports/')}{id}`],
      },
    ],
  ];
  return plan.map((group) => group.filter((step) => step !== false));
}

const DOCUMENTS = { tree: { body: TREE_DOCUMENT }, leaf: { body: LEAF_DOCUMENT } };

/** Letters and digits only: it stands in paths. */
export const short = (deviceId: string) => deviceId.replace(/\W/g, '');

function saidBy(plan: readonly (readonly Planned[])[]): ReadonlySet<StepId> {
  return new Set<StepId>(['alert', ...plan.flat().map(({ id }) => id)]);
}

/** What arrived in a backend's repository and as alerts. */
function received(backend: Dm2Backend, deviceId: string, code: (id: StepId) => number | undefined): Seen {
  const uploaded = (name: string) =>
    JSON.stringify(backend.uploads.find(({ path }) => path === `${name}-${short(deviceId)}`)?.items ?? []);
  const effect = (id: StepId, held: boolean): Outcome => (held ? 'holds' : String(code(id) ?? 'nothing'));
  const reports = backend.sessions.filter((session) => session.deviceId === deviceId);
  return {
    readLeaf: effect('readLeaf', uploaded('leaf').includes('Example')),
    readTree: effect('readTree', /PkgName.*base/.test(uploaded('tree'))),
    wildcard: effect('wildcard', uploaded('wildcard').includes('Browser')),
    execute: effect(
      'execute',
      reports.some(({ alerts }) => alerts.some(isReport)),
    ),
  };
}

function isReport({ SourceURI }: { readonly SourceURI?: string }): boolean {
  return /oma-fumo:1\.0\/.*DownloadAndUpdate/.test(SourceURI ?? '');
}

/** A DM 2.0 server of a dialect. */
export async function dm2Column(dialect: DialectName, title: string, page: string): Promise<ColumnBackend> {
  const plan: Planned[][] = [];
  const forDevice = (session: BackendSession) => (command: readonly string[]) =>
    command.map((parameter) => parameter.replaceAll('{id}', short(session.deviceId)));
  const opened = new Map<BackendSession, number>();
  const first = new Map<string, BackendSession>();
  const backend = closing(
    new Dm2Backend({
      dialect,
      documents: DOCUMENTS,
      script: (session) => {
        if (!first.has(session.deviceId)) first.set(session.deviceId, session);
        if (first.get(session.deviceId) !== session) return undefined;
        const at = opened.get(session) ?? 0;
        opened.set(session, at + 1);
        return plan[at]?.map(({ command }) => forDevice(session)(command));
      },
    }),
  );
  const url = await backend.start();
  plan.push(...commandsOf(dialect, backend.serverUri(''), page));
  return {
    id: dialect,
    title,
    config: { protocol: 'dm2', url, dialect },
    said: saidBy(plan),
    wrong: () => backend.sessions.flatMap(({ violations }) => violations),
    prepare: async () => {},
    seen: async (_gateway, deviceId) => {
      const session = first.get(deviceId)!;
      const steps = plan.flat();
      const record = (id: StepId) => session.commands[steps.findIndex((step) => step.id === id)];
      const code = (id: StepId) => record(id)?.status?.sc;
      const inline = JSON.stringify(record('readInline')?.status?.MO ?? []);
      const told = backend.sessions.some(
        ({ deviceId: id, alerts }) =>
          id === deviceId && alerts.some(({ AlertType }) => AlertType === OWN_ALERT),
      );
      return {
        ...codes(steps, code),
        ...received(backend, deviceId, code),
        alert: told ? 'holds' : 'nothing',
        readInline: /PkgVersion.*1\.0\.0/.test(inline) ? 'holds' : String(code('readInline')),
      };
    },
  };
}

function codes(steps: readonly Planned[], code: (id: StepId) => number | undefined): Seen {
  return Object.fromEntries(steps.map(({ id }) => [id, String(code(id) ?? 'nothing')]));
}

/** The built-in backend: the same commands as one job, its repository that of another server. */
export async function builtinColumn(title: string, page: string): Promise<ColumnBackend> {
  const sink = closing(new Dm2Backend({ documents: DOCUMENTS }));
  await sink.start();
  const plan = commandsOf('approved', sink.serverUri(''), page);
  const steps = plan.flat();
  const jobs = new Map<string, string>();
  return {
    id: 'built-in',
    title,
    said: saidBy(plan),
    wrong: () => sink.sessions.flatMap(({ violations }) => violations),
    prepare: async (gateway, deviceId) => {
      await gateway.register(deviceId, short(deviceId), 'a password of theirs');
      const CMD = steps.map(({ command }) => command.map((p) => p.replaceAll('{id}', short(deviceId))));
      jobs.set(deviceId, await gateway.queue(deviceId, CMD));
    },
    seen: async (gateway, deviceId) => {
      const { Status = [] } = await gateway.job(jobs.get(deviceId)!);
      const item = (id: StepId) => Status[steps.findIndex((step) => step.id === id)];
      const code = (id: StepId) => item(id)?.sc;
      const { body } = await gateway.api<{ alerts: { alert?: { AlertType: string }; AlertType?: string }[] }>(
        'GET',
        `/api/devices/${encodeURIComponent(deviceId)}/alerts`,
      );
      return {
        ...codes(steps, code),
        ...received(sink, deviceId, code),
        alert: JSON.stringify(body).includes(OWN_ALERT) ? 'holds' : 'nothing',
        readInline: /PkgVersion.*1\.0\.0/.test(JSON.stringify(item('readInline')?.MO ?? []))
          ? 'holds'
          : String(code('readInline')),
      };
    },
  };
}

const NODES = {
  dm1: { fumo: './FUMO/fw', component: './SCOMO/Inventory/Deployed/Component1' },
  dm2: { fumo: './FUMO/fumo1', component: './SCOMO/SCOMO1/Inventory/Deployed/Component1' },
} as const;

/** A DM 1.2 server; it addresses a 2.0 device in the virtual tree that the gateway shows of it. */
export async function legacyColumn(
  title: string,
  rowOf: (deviceId: string) => { readonly generation: 'dm1' | 'dm2'; readonly alerts: boolean },
): Promise<ColumnBackend> {
  interface Asked {
    readonly id: StepId;
    readonly command: ServerCommand;
  }
  const plans = new Map<string, readonly (readonly Asked[])[]>();
  const planFor = (deviceId: string) => {
    const known = plans.get(deviceId);
    if (known) return known;
    const { generation, alerts } = rowOf(deviceId);
    const { fumo, component } = NODES[generation];
    // DM 1.1.2 has neither lists nor Correlators, and the relay changes no command.
    const old = !alerts;
    const plan: Asked[][] = [
      [
        { id: 'readLeaf', command: { kind: 'Get', uris: ['./DevInfo/Man'] } },
        {
          id: 'readTree',
          command: {
            kind: 'Get',
            uris: old
              ? ['PkgName', 'PkgVersion', 'State'].map((name) => `${fumo}/${name}`)
              : [`${fumo}?list=StructData`],
          },
        },
      ],
      [
        {
          // A subtree has no command of its own: a Sequence stands for it.
          id: 'writeTree',
          command: {
            kind: 'Sequence',
            commands: [
              { kind: 'Replace', uri: `${fumo}/DownloadAndUpdate/PkgURL`, data: WRITTEN.PkgURL },
              { kind: 'Replace', uri: `${fumo}/PkgVersion`, data: '2' },
            ],
          },
        },
        {
          id: 'writeLeaf',
          command: { kind: 'Replace', uri: `${fumo}/PkgName`, data: WRITTEN.PkgName },
        },
      ],
      [{ id: 'delete', command: { kind: 'Delete', uris: [component] } }],
      [{ id: 'ask', command: { kind: 'Alert', code: '1100', items: ['', 'Your phone is looked after.'] } }],
      [
        {
          id: 'execute',
          command: {
            kind: 'Exec',
            uri: `${fumo}/DownloadAndUpdate`,
            ...(!old && { correlator: `report-${short(deviceId)}` }),
          },
        },
      ],
    ];
    plans.set(deviceId, plan);
    return plan;
  };
  const first = new Map<string, object>();
  const packages = new Map<object, number>();
  const server = closing(
    new LegacyServer({
      script: (session) => {
        if (!first.has(session.deviceId)) first.set(session.deviceId, session);
        if (first.get(session.deviceId) !== session) return undefined;
        const at = packages.get(session) ?? 0;
        packages.set(session, at + 1);
        return planFor(session.deviceId)[at]?.map(({ command }) => command);
      },
    }),
  );
  const url = await server.start();
  return {
    id: 'dm1',
    title,
    config: { protocol: 'dm1', url },
    said: new Set<StepId>([
      'alert',
      'readLeaf',
      'readTree',
      'writeTree',
      'writeLeaf',
      'delete',
      'ask',
      'execute',
    ]),
    wrong: () => server.sessions.flatMap(({ violations }) => violations),
    prepare: async () => {},
    seen: async (_gateway, deviceId) => {
      const sessions = server.sessions.filter((session) => session.deviceId === deviceId);
      const steps = planFor(deviceId).flat();
      const record = (id: StepId) => {
        const command = steps.find((step) => step.id === id)?.command;
        return sessions[0]?.commands.find((each) => each.command === command);
      };
      const code = (id: StepId) => record(id)?.code ?? 'nothing';
      const results = (id: StepId) => JSON.stringify(record(id)?.results ?? []);
      const effect = (id: StepId, held: boolean): Outcome => (held ? 'holds' : code(id));
      const alerts = JSON.stringify(sessions.flatMap((session) => session.alerts));
      return {
        ...Object.fromEntries(steps.map(({ id }) => [id, code(id)])),
        alert: alerts.includes(OWN_ALERT) ? 'holds' : 'nothing',
        readLeaf: effect('readLeaf', results('readLeaf').includes('Example')),
        readTree: effect('readTree', /PkgName.*base/.test(results('readTree'))),
        execute: effect('execute', alerts.includes(`report-${short(deviceId)}`)),
      };
    },
  };
}

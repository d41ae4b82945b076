import type { Item, SyncMLMessage } from '../dm1/message.ts';
import type { BackendNonces } from '../gateway/auth/backendNonces.ts';
import { accountForBackend, accountForDevice, credBytes } from '../gateway/auth/present.ts';
import { backendProfile, restrictedBackends } from '../gateway/backends/profile.ts';
import type { BackendConfig, Config } from '../gateway/config/config.ts';
import type { Registry } from '../gateway/registry/registry.ts';
import type { Reports } from '../gateway/reports/reports.ts';
import { type RouteSubject, route } from '../gateway/routing/route.ts';
import type { Refusal, SessionStarter } from '../gateway/sessions/ports.ts';
import type { BackendProfile, DeviceSnapshot, Opening, SessionContext } from '../interworking/context.ts';
import { chooseScript } from '../interworking/sessions.ts';
import type { MappingSet } from '../mo/mapping.ts';
import { parseTreePath } from '../mo/treePath.ts';
import { DEVICE_PATH } from './deviceEndpoint.ts';

export interface StarterParts {
  readonly config: Config;
  /** Origin under which devices reach the gateway. */
  readonly publicUrl: string;
  readonly registry: Registry;
  readonly mappings: MappingSet;
  readonly backendNonces: BackendNonces;
  readonly reports: Reports;
}

/** Gives every session its device's snapshot, its backend and its script. */
export function sessionStarter(parts: StarterParts): SessionStarter {
  const { config, registry, mappings, reports } = parts;
  const contextOf = contexts(parts);
  return {
    mappings,
    script: chooseScript,
    async start(opening: Opening, deviceId: string, at: number): Promise<SessionContext | Refusal> {
      const device = await registry.snapshot(deviceId);
      const name = route(config.routes, subject(opening, deviceId, device.devInfo));
      const backend = config.backends[name];
      if (!backend) return { refused: 'configuration', detail: `There is no backend "${name}".` };
      const base = await contextOf(device, name, backend, opening, at);
      if (opening.protocol === 'dm1') return base;
      const { notifiedAs } = opening;
      const context = notifiedAs === undefined ? base : { ...base, notifiedAs };
      if (opening.reportToken === undefined) return context;
      const report = await reports.byToken(deviceId, opening.reportToken);
      return { ...context, report: 'unknown' in report ? report : { id: report.id } };
    },
  };
}

/** The context of a backend session without a device (IW-ALERT-6); `undefined` when the backend is gone. */
export function deliveryContext(
  parts: Omit<StarterParts, 'reports'>,
): (deviceId: string, backend: string, at: number) => Promise<SessionContext | undefined> {
  const contextOf = contexts(parts);
  return async (deviceId, name, at) => {
    const backend = parts.config.backends[name];
    if (!backend) return undefined;
    const device = await parts.registry.snapshot(deviceId);
    return contextOf(device, name, backend, { protocol: 'dm2', package1: {} }, at);
  };
}

function contexts({ config, publicUrl, registry, mappings, backendNonces }: Omit<StarterParts, 'reports'>) {
  const { messages, nodes, depth, messageBytes, objectBytes } = config.limits;
  // A device whose user ponders is silent; it has to answer before its session counts as abandoned.
  const interactionSeconds = Math.max(
    1,
    Math.min(config.limits.interactionSeconds, config.limits.sessionSeconds - 30),
  );
  const limits = { messages, nodes, depth, messageBytes, objectBytes, interactionSeconds };
  const deviceUrl = `${publicUrl}${DEVICE_PATH}`;
  const access = restrictedBackends(config.backends, config.serverId);
  return async (
    device: DeviceSnapshot,
    name: string,
    backend: BackendConfig,
    opening: Opening,
    at: number,
  ): Promise<SessionContext> => {
    const known = backendProfile(name, backend, config.serverId);
    const nonce = needsNonce(known.scheme) ? await backendNonces.get(device.id, name) : undefined;
    const account =
      known.scheme === 'none' ? undefined : await accountForBackend(registry, backend, device.id);
    const profile = {
      ...known,
      ...(nonce !== undefined && { nonce }),
      ...(account && { credBytes: credBytes(account) }),
    };
    const own = opening.protocol === 'dm1' && (device.proof === 'md5' || device.proof === 'hmac');
    const ownNonce = own ? await backendNonces.get(device.id) : undefined;
    const ours = device.proof === undefined ? undefined : await accountForDevice(registry, device.id);
    const agent = opening.protocol === 'dm1' ? opening.agent : undefined;
    return {
      device: { ...device, ...(ours && { credBytes: credBytes(ours) }) },
      backend: profile,
      ...(access && { access }),
      mappings,
      limits,
      deviceUrl,
      opening,
      ...(ownNonce !== undefined && { ownNonce }),
      ...(agent !== undefined && { agent }),
      at,
    };
  };
}

function needsNonce(scheme: BackendProfile['scheme']): boolean {
  return scheme === 'md5' || scheme === 'hmac';
}

/** What routes look at: the registry's knowledge, corrected by what the device says of itself now. */
function subject(opening: Opening, deviceId: string, known: Readonly<Record<string, string>>): RouteSubject {
  const told = opening.protocol === 'dm1' ? toldDevInfo(opening.message) : (opening.devInfo ?? {});
  const man = told['Man'] ?? known['Man'];
  const mod = told['Mod'] ?? known['Mod'];
  const fwv = told['FwV'] ?? known['FwV'];
  return {
    protocol: opening.protocol,
    deviceId,
    ...(man === undefined ? {} : { man }),
    ...(mod === undefined ? {} : { mod }),
    ...(fwv === undefined ? {} : { fwv }),
  };
}

/** Leaves of `./DevInfo` and `./DevDetail` in the Replace of Package 1. */
function toldDevInfo(message: SyncMLMessage): Record<string, string> {
  const told: Record<string, string> = {};
  for (const element of message.body) {
    if (element.kind !== 'Replace') continue;
    for (const item of element.items) {
      const path = parseTreePath(itemUri(item));
      const [root, leaf] = path ?? [];
      if (path?.length !== 2 || leaf === undefined || (root !== 'DevInfo' && root !== 'DevDetail')) continue;
      if (typeof item.data === 'string') told[leaf] = item.data;
    }
  }
  return told;
}

function itemUri(item: Item): string {
  return item.source?.uri ?? item.target?.uri ?? '';
}

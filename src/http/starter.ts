import type { Item, SyncMLMessage } from '../dm1/message.ts';
import type { BackendNonces } from '../gateway/auth/backendNonces.ts';
import { backendProfile } from '../gateway/backends/profile.ts';
import type { Config } from '../gateway/config/config.ts';
import type { Registry } from '../gateway/registry/registry.ts';
import { type RouteSubject, route } from '../gateway/routing/route.ts';
import type { Refusal, SessionStarter } from '../gateway/sessions/ports.ts';
import type { BackendProfile, Opening, SessionContext } from '../interworking/context.ts';
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
}

/** Gives every session its device's snapshot, its backend and its script. */
export function sessionStarter({
  config,
  publicUrl,
  registry,
  mappings,
  backendNonces,
}: StarterParts): SessionStarter {
  const { messages, nodes, depth, messageBytes, objectBytes } = config.limits;
  // A device whose user ponders is silent; it has to answer before its session counts as abandoned.
  const interactionSeconds = Math.max(
    1,
    Math.min(config.limits.interactionSeconds, config.limits.sessionSeconds - 30),
  );
  const limits = { messages, nodes, depth, messageBytes, objectBytes, interactionSeconds };
  const deviceUrl = `${publicUrl}${DEVICE_PATH}`;
  return {
    mappings,
    script: chooseScript,
    async start(opening: Opening, deviceId: string, at: number): Promise<SessionContext | Refusal> {
      const device = await registry.snapshot(deviceId);
      const name = route(config.routes, subject(opening, deviceId, device.devInfo));
      const backend = config.backends[name];
      if (!backend) return { refused: 'configuration', detail: `There is no backend "${name}".` };
      if (opening.protocol === 'dm1' && backend.protocol === 'dm1') {
        return {
          refused: 'configuration',
          detail: `The route of this device leads to ${name}, which is a DM 1.x server as well.`,
        };
      }
      const known = backendProfile(name, backend, config.serverId);
      const nonce = needsNonce(known.scheme) ? await backendNonces.get(deviceId, name) : undefined;
      const profile = nonce === undefined ? known : { ...known, nonce };
      return { device, backend: profile, mappings, limits, deviceUrl, opening, at };
    },
  };
}

function needsNonce(scheme: BackendProfile['scheme']): boolean {
  return scheme === 'md5' || scheme === 'hmac';
}

/** What routes look at: the registry's knowledge, corrected by what the device says of itself now. */
function subject(opening: Opening, deviceId: string, known: Readonly<Record<string, string>>): RouteSubject {
  const told = opening.protocol === 'dm1' ? toldDevInfo(opening.message) : {};
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

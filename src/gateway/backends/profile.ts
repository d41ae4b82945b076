import type { BackendAccess } from '../../interworking/access/model.ts';
import type { BackendProfile } from '../../interworking/context.ts';
import type { BackendConfig } from '../config/config.ts';

/** Bounds of what the gateway takes from a DM 2.0 backend have no wire form; scripts still ask for a size. */
const NO_SMALLER = 1_048_576;

/** A backend as session scripts see it; secrets stay behind. `serverId` is the gateway's own name. */
export function backendProfile(name: string, config: BackendConfig, serverId: string): BackendProfile {
  const common = { name, serverId, url: '', version: '1.2', scheme: 'none', encoding: 'xml' } as const;
  switch (config.protocol) {
    case 'builtin':
      return {
        ...common,
        builtin: true,
        protocol: 'dm2',
        values: config.values,
        getMember: config.getMember,
        maxMsgSize: NO_SMALLER,
      };
    case 'dm2':
      return {
        ...common,
        protocol: 'dm2',
        dialect: config.dialect,
        serverId: config.serverId,
        url: config.url,
        values: config.values,
        getMember: config.getMember,
        transfers: config.transfers,
        maxMsgSize: NO_SMALLER,
      };
    case 'dm1': {
      const { type } = config.auth;
      return {
        name,
        protocol: 'dm1',
        serverId: config.serverId,
        url: config.url,
        version: config.version,
        scheme: type === 'basic' || type === 'md5' || type === 'hmac' ? type : 'none',
        encoding: config.encoding ?? 'xml',
        ...(config.encoding === undefined && { mirrors: true }),
        values: config.values,
        getMember: 'MO',
        maxMsgSize: config.maxMsgSize,
      };
    }
  }
}

/** The backends that may not do everything; `undefined` where there is none (20§10.3). */
export function restrictedBackends(
  backends: Readonly<Record<string, BackendConfig>>,
  serverId: string,
): Readonly<Record<string, BackendAccess>> | undefined {
  const restricted = Object.entries(backends).flatMap(([name, config]): [string, BackendAccess][] => {
    if (config.access === undefined) return [];
    const rules = config.access.map(({ moid, miid = '*', rights }) => ({ moid, miid, rights }));
    const serverIds = 'serverId' in config ? [config.serverId, serverId] : [serverId];
    return [[name, { rules, serverIds }]];
  });
  return restricted.length === 0 ? undefined : Object.fromEntries(restricted);
}

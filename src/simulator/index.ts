export {
  type BackendScript,
  type BackendSession,
  Dm2Backend,
  type Dm2BackendOptions,
  type RepositoryDocument,
  type RepositoryUpload,
} from './dm2Backend/backend.ts';
export { Dm2Client, type Dm2SessionOptions } from './dm2Client/client.ts';
export type { Dm2Capability, Dm2ClientOptions, Dm2Quirks, Dm2SessionReport } from './dm2Client/options.ts';
export { LegacyDevice, type SessionOptions } from './legacyDevice/device.ts';
export type {
  ClientAlert,
  LegacyAuth,
  LegacyCapability,
  LegacyDeviceOptions,
  LegacyQuirks,
  SessionReport,
} from './legacyDevice/options.ts';
export type { LegacyServerOptions, ServerScript } from './legacyServer/options.ts';
export type { ServerCommand } from './legacyServer/script.ts';
export { LegacyServer } from './legacyServer/server.ts';
export type { CommandRecord, ResultItem, ServerSession } from './legacyServer/session.ts';
export { PRESETS } from './presets.ts';
export {
  runSimulate,
  SIMULATE_FLAGS,
  SIMULATED,
  type Simulated,
  type SimulateFlags,
  type SimulateIo,
} from './simulate.ts';
export { SimTree } from './tree.ts';

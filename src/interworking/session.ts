import type { Mount } from '../mo/mapping.ts';
import type { SessionContext } from './context.ts';
import type { KeptForDevice, KeptKind } from './kept.ts';
import {
  type DevicePatch,
  type EffectKind,
  type EffectOf,
  perform,
  type ResultOf,
  type Script,
} from './script.ts';

/**
 * What every session script has at hand: its context, the capabilities and mounts as they become
 * known, the time of the last event, and the trace. Nothing in it outlives the script; what should be
 * kept goes to the registry by `save`.
 */
export class Session {
  readonly context: SessionContext;
  #at: number;
  #mounts: readonly Mount[];
  #present: readonly Mount[];
  readonly #capabilities: Map<string, boolean>;
  /** What packs say of the model, whatever the device does. */
  #profile: Readonly<Record<string, boolean>>;
  #devInfo: Readonly<Record<string, string>>;
  #patch: DevicePatch = {};
  #bootstrapTold = false;
  #synthesised: readonly Mount[] = [];
  #counted = 0;
  readonly #searched = new Set<string>();
  readonly #kept = new Map<KeptKind, Map<string, unknown>>();

  /** FwV or SwV is not what an earlier session saw: the device's objects may be others now (IW-INV-2). */
  softwareChanged = false;

  /** The backend for which commands run: the session's, or the one that left them for later. */
  actor: string;

  constructor(context: SessionContext) {
    this.context = context;
    this.actor = context.backend.name;
    this.#at = context.at;
    this.#mounts = context.device.mounts;
    this.#present = this.#mounts.filter((mount) => !mount.absent);
    const { devInfo } = context.device;
    this.#devInfo = devInfo;
    this.#capabilities = new Map(Object.entries(context.device.capabilities));
    this.#profile = this.#findProfile();
  }

  /** Time of the last event, milliseconds since 1970; a replay sees the same. */
  get now(): number {
    return this.#at;
  }

  /** The first of `count` new numbers: they name what the session keeps, the same in every replay. */
  number(count = 1): number {
    const first = this.#counted;
    this.#counted += count;
    return first;
  }

  /** The objects that the device has, and those that the gateway shows for it. */
  get mounts(): readonly Mount[] {
    return this.#present;
  }

  /** Also those that it had once: their MIIDs are not given to another path (IW-INV-3). */
  get everMounted(): readonly Mount[] {
    return this.#mounts;
  }

  /** Objects that only the gateway shows (20§10.1): seen by a legacy server, not kept, not written. */
  synthesise(mounts: readonly Mount[]): void {
    this.#synthesised = mounts;
    this.#present = [...this.#mounts.filter((mount) => !mount.absent), ...mounts];
  }

  isSynthesised(mount: Mount): boolean {
    return this.#synthesised.includes(mount);
  }

  /** Names an instance under whatever alias (IW-ADDR-4). */
  instanceKey({ moid, miid }: Pick<Mount, 'moid' | 'miid'>): string {
    return JSON.stringify([this.context.mappings.canonical(moid), miid]);
  }

  /** Roots under which nothing stands any more. */
  unmount(gone: readonly Mount[]): void {
    if (gone.length === 0) return;
    for (const mount of gone) {
      const key = this.instanceKey(mount);
      if (this.kept('delegations').has(key)) this.keep('delegations', key, undefined);
    }
    this.setMounts(this.#mounts.map((mount) => (gone.includes(mount) ? { ...mount, absent: true } : mount)));
  }

  setMounts(mounts: readonly Mount[]): void {
    this.#mounts = mounts;
    this.#present = [...mounts.filter((mount) => !mount.absent), ...this.#synthesised];
    this.#patch = { ...this.#patch, mounts: this.#mounts };
  }

  /** Whether this object was looked for before in this session; marks it so. */
  hasSearched(moid: string): boolean {
    const id = this.context.mappings.canonical(moid);
    if (this.#searched.has(id)) return true;
    this.#searched.add(id);
    return false;
  }

  /** `undefined`: not known yet, so worth a try. */
  capability(name: string): boolean | undefined {
    return this.#profile[name] ?? this.#capabilities.get(name);
  }

  /** Remembers what the device turned out to do, for this session and the next ones (IW-INV-2). */
  learn(name: string, value: boolean): void {
    if (this.#profile[name] !== undefined || this.#capabilities.get(name) === value) return;
    this.#capabilities.set(name, value);
    this.#patch = { ...this.#patch, capabilities: { ...this.#patch.capabilities, [name]: value } };
  }

  /** DevInfo of either generation under 2.0 names, as far as known. */
  get devInfo(): Readonly<Record<string, string>> {
    return this.#devInfo;
  }

  learnDevInfo(devInfo: Readonly<Record<string, string>>): void {
    const changed = Object.entries(devInfo).filter(([name, value]) => this.#devInfo[name] !== value);
    if (changed.length === 0) return;
    this.#devInfo = { ...this.#devInfo, ...devInfo };
    this.#profile = this.#findProfile();
    this.#patch = { ...this.#patch, devInfo: { ...this.#patch.devInfo, ...devInfo } };
  }

  #findProfile(): Readonly<Record<string, boolean>> {
    const { mappings, device, agent } = this.context;
    const { Man: man, Mod: mod, FwV: fwv, SwV: swv } = this.#devInfo;
    return mappings.profile({
      deviceId: device.id,
      ...(man !== undefined && { man }),
      ...(mod !== undefined && { mod }),
      ...(fwv !== undefined && { fwv }),
      ...(swv !== undefined && { swv }),
      ...(agent !== undefined && { agent }),
    }).capabilities;
  }

  learnPeer(peer: Pick<DevicePatch, 'protocol' | 'dialect'>): void {
    const { protocol, dialect } = this.context.device;
    if (peer.protocol !== protocol || peer.dialect !== dialect) this.#patch = { ...this.#patch, ...peer };
  }

  learnValidator(uri: string, validator: string): void {
    this.#patch = { ...this.#patch, validators: { ...this.#patch.validators, [uri]: validator } };
  }

  /** What backends left for later sessions, oldest first. */
  kept<K extends KeptKind>(kind: K): ReadonlyMap<string, KeptForDevice[K][string]> {
    return this.#entries(kind);
  }

  /** Keeps an entry for later sessions, in the place of an earlier one; `undefined` forgets it. */
  keep<K extends KeptKind>(kind: K, key: string, value: KeptForDevice[K][string] | undefined): void {
    const entries = this.#entries(kind);
    entries.delete(key);
    if (value !== undefined) entries.set(key, value);
    const { kept } = this.#patch;
    this.#patch = {
      ...this.#patch,
      kept: { ...kept, [kind]: { ...kept?.[kind], [key]: value ?? null } },
    };
  }

  #entries<K extends KeptKind>(kind: K): Map<string, KeptForDevice[K][string]> {
    const known = this.#kept.get(kind) as Map<string, KeptForDevice[K][string]> | undefined;
    if (known) return known;
    const entries = new Map<string, KeptForDevice[K][string]>(
      Object.entries(this.context.device.kept?.[kind] ?? {}),
    );
    this.#kept.set(kind, entries);
    return entries;
  }

  /** Whether the backend is still to be told of a bootstrap through the gateway. */
  get bootstrapDue(): boolean {
    return this.context.device.bootstrapped === true && !this.#bootstrapTold;
  }

  learnBootstrapTold(): void {
    this.#bootstrapTold = true;
    this.#patch = { ...this.#patch, bootstrapTold: true };
  }

  learnOwnNonce(nonce: string): void {
    if (nonce !== this.context.ownNonce) this.#patch = { ...this.#patch, ownNonce: nonce };
  }

  learnBackendNonce(nonce: string): void {
    this.#patch = { ...this.#patch, backendNonce: { backend: this.context.backend.name, nonce } };
  }

  /** Writes what was learned since the last save, if anything. */
  *save(): Script<void> {
    if (Object.keys(this.#patch).length === 0) return;
    const patch = this.#patch;
    this.#patch = {};
    yield* this.perform({ kind: 'registry.save', patch });
  }

  *note(rule: string, text: string): Script<void> {
    yield* perform({ kind: 'note', rule, text });
  }

  *perform<K extends Exclude<EffectKind, 'note'>>(effect: EffectOf<K>): Script<ResultOf<K>> {
    const result = yield* perform<K>(effect);
    const { at } = result as { at: number };
    if (at > this.#at) this.#at = at;
    return result;
  }
}

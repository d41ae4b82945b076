import type { Format } from './format.ts';
import type { MoNode } from './node.ts';
import type { SecretPaths } from './secretPaths.ts';
import type { TreePath } from './treePath.ts';

/** One instance of a management object on one device (IW-INV-1). */
export interface Mount {
  /** As the device (2.0) or the pack (legacy) names it, with `urn:`. */
  readonly moid: string;
  readonly miid: string;
  /** Root in the legacy tree; for a 2.0 device the place in its virtual tree (IW-INV-4). */
  readonly root: TreePath;
  /** Link to the DDF, when the device told one. */
  readonly ddf?: string;
  /** Nothing stands at the root any more; the mount only keeps its MIID from another path (IW-INV-3). */
  readonly absent?: true;
}

export type Access = 'Add' | 'Copy' | 'Delete' | 'Exec' | 'Get' | 'Replace';

/** What a pack says of one node of a management object; names are the DM 2.0 ones. */
export interface NodeDefinition {
  readonly path: readonly string[];
  readonly format?: Format;
  readonly type?: string;
  readonly access?: readonly Access[];
  readonly occurs?: string;
  readonly permanent?: boolean;
  /** Never shown in traces, logs or `translate` output. */
  readonly secret?: boolean;
}

/** A legacy subtree that holds (a part of) a DM 2.0 subtree. */
export interface Source {
  /** Absolute place in the legacy tree. */
  readonly legacy: TreePath;
  /** Where its content stands below the MO root in DM 2.0 terms. */
  readonly path: readonly string[];
}

/**
 * A management object of one device in both generations' terms (IW-ADDR-3): renames, joins and splits
 * are answered from one declaration. Paths are relative to the MO root and in DM 2.0 names.
 */
export interface MountMapping {
  readonly mount: Mount;
  /** The key of the root under `MOData` (IW-VAL-5). */
  readonly rootName: string;
  /** Names alone tell which 2.0 nodes there are: whether one is shown never depends on its value. */
  readonly shownByName: boolean;
  definition(path: readonly string[]): NodeDefinition | undefined;
  /** The legacy subtrees that must be read to know the 2.0 subtree at `path`; the first holds `path` itself. */
  sources(path: readonly string[]): readonly Source[];
  /**
   * The converse of `sources`: the 2.0 subtrees that must be read to know the legacy subtree at `legacy`; none
   * when it is not part of this object.
   */
  holders?(legacy: TreePath): readonly (readonly string[])[];
  /** The single legacy node that stands for the 2.0 node at `path`. */
  legacy(path: readonly string[]): TreePath;
  /** The 2.0 path of a legacy node, or `undefined` when it is not part of this object. */
  fromLegacy(legacy: TreePath): readonly string[] | undefined;
  /** The 2.0 subtree at `path`, grafted, renamed and transformed from what its sources gave; `undefined` when none exists. */
  toDm2(
    path: readonly string[],
    found: readonly { source: Source; node: MoNode | undefined }[],
  ): MoNode | undefined;
  /**
   * The legacy subtrees to write for the 2.0 subtree `node` at `path`, declared defaults included. `known`, what
   * was read from the sources of `path` before, settles names that only the legacy tree has (`AppAddr/<x>`).
   */
  toLegacy(
    path: readonly string[],
    node: MoNode,
    known?: readonly { source: Source; node: MoNode | undefined }[],
  ): readonly { legacy: TreePath; node: MoNode }[];
  /**
   * What a legacy server is told at `path` where the 2.0 device has nothing: the declared defaults, as a 2.0
   * subtree; `undefined` when none is declared.
   */
  synthesised?(path: readonly string[]): MoNode | undefined;
}

/** How a legacy device shows a management object before any discovery. */
export interface RootPattern {
  readonly moid: string;
  /** Segments; `<x>` stands for any one name. */
  readonly path: readonly string[];
  /** The root of which this is another name: an instance here counts only while that one has none. */
  readonly sameAs?: readonly string[];
}

/** All loaded mapping packs. Stateless; shared by every session. */
export interface MappingSet {
  /** The MOID that the packs use for `moid` and its aliases (IW-ADDR-4); unknown ids come back with `urn:` added. */
  canonical(moid: string): string;
  /** Whether both ids name the same object. */
  sameObject(a: string, b: string): boolean;
  forMount(mount: Mount): MountMapping;
  rootPatterns(): readonly RootPattern[];
  /** Where an instance hangs in the virtual tree of a 2.0 device (IW-INV-4). */
  virtualRoot(moid: string, miid: string): TreePath;
  /**
   * Objects that a legacy server expects of every device (`./DevDetail`), as mounts in the virtual tree, to
   * be added where a 2.0 device has no instance of them; their content comes from `synthesised`.
   */
  synthesised?(): readonly Mount[];
  /** Where a new instance is created on a legacy device, or `undefined` (IW-HGET-1). */
  creationParent(moid: string): TreePath | undefined;
  /** 1.x alert type (prefix stripped) to the 2.0 AlertType, verbatim when no table names it (IW-ALERT-2). */
  alertToDm2(type: string): string;
  alertToDm1(type: string): string;
  /** Data corrections for a model (match on Man, Mod, FwV, SwV, DevId, User-Agent), merged over all packs that match. */
  profile(device: DeviceModel): DeviceProfile;
  /** Nodes whose values no trace, log or translation shows. */
  readonly secrets: SecretPaths;
}

export interface DeviceModel {
  readonly deviceId?: string;
  readonly man?: string;
  readonly mod?: string;
  readonly fwv?: string;
  readonly swv?: string;
  /** User-Agent that it sends. */
  readonly agent?: string;
}

/** Per-model corrections: capability name to what is true of that model whatever it says. */
export interface DeviceProfile {
  readonly capabilities: Readonly<Record<string, boolean>>;
}

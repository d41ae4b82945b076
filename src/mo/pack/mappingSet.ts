import { matchesGlob } from '../../support/glob.ts';
import type { DeviceModel, DeviceProfile, MappingSet, Mount, RootPattern } from '../mapping.ts';
import { normaliseMoid, rootNameOf } from '../moid.ts';
import { SecretPaths } from '../secretPaths.ts';
import type { TreePath } from '../treePath.ts';
import type { AlertTable } from './alerts.ts';
import type { ReadPack } from './document.ts';
import { type Layout, newStep } from './layout.ts';
import { PackMapping } from './mountMapping.ts';
import type { PackObject, PlacedLayout } from './object.ts';
import { instantiate, matchStart, type Segment } from './pattern.ts';
import type { ProfileEntry } from './schema.ts';

/** What `dragoman mappings list` shows of a pack file. */
export interface PackRow {
  readonly file: string;
  readonly title: string;
  /** Empty for a file of alerts or profiles only. */
  readonly moid: string;
  readonly aliases: readonly string[];
  /** As declared: `./FUMO/<x>`. */
  readonly roots: readonly string[];
  readonly nodes: number;
  readonly alerts: number;
  /** Corrections by model: `man Acme*, fwv 1.?: no atomic`. */
  readonly profiles: readonly string[];
}

const PROFILE_KEYS = ['man', 'mod', 'fwv', 'swv', 'deviceId', 'agent'] as const;

const UNKNOWN: Layout = {
  rules: [],
  dm2: newStep(),
  legacy: newStep(),
  absolute: newStep(),
  moved: [],
  defaults: [],
};

/** A compiled set of packs. */
export class PackMappings implements MappingSet {
  readonly secrets: SecretPaths;
  private readonly packs: readonly ReadPack[];
  private readonly objects: readonly PackObject[];
  private readonly byMoid: ReadonlyMap<string, PackObject>;
  private readonly alerts: AlertTable;
  private readonly patterns: readonly RootPattern[];
  private readonly joined: readonly { readonly object: PackObject; readonly segments: readonly Segment[] }[];
  private readonly mounted = new WeakMap<Mount, PackMapping>();

  constructor(
    packs: readonly ReadPack[],
    objects: readonly PackObject[],
    byMoid: ReadonlyMap<string, PackObject>,
    alerts: AlertTable,
  ) {
    this.packs = packs;
    this.objects = objects;
    this.byMoid = byMoid;
    this.alerts = alerts;
    this.secrets = new SecretPaths(objects.flatMap(secretsOf));
    this.patterns = objects.flatMap((object) =>
      [object, ...object.layouts].flatMap(({ roots, pack: { document } }) =>
        roots.map((root, i) => {
          const same = document.sameAs?.[document.roots![i]!];
          const other = same === undefined ? undefined : roots[document.roots!.indexOf(same)];
          return { moid: object.moid, path: declared(root), ...(other && { sameAs: declared(other) }) };
        }),
      ),
    );
    this.joined = objects.flatMap((object) =>
      [object, ...object.layouts].flatMap(({ layout }) =>
        layout.rules.filter((r) => r.absolute).map((r) => ({ object, segments: r.legacy })),
      ),
    );
  }

  canonical(moid: string): string {
    const id = normaliseMoid(moid);
    return this.byMoid.get(id)?.moid ?? id;
  }

  sameObject(a: string, b: string): boolean {
    return a === b || this.canonical(a) === this.canonical(b);
  }

  forMount(mount: Mount): PackMapping {
    const known = this.mounted.get(mount);
    if (known) return known;
    const object = this.byMoid.get(normaliseMoid(mount.moid));
    const placed = object && layoutAt(object, mount.root);
    const taken = this.joined.flatMap(({ object: other, segments }) => (other === object ? [] : [segments]));
    const rootName = object?.rootName ?? rootNameOf(mount.moid);
    const mapping = new PackMapping(mount, rootName, placed?.layout ?? UNKNOWN, taken);
    this.mounted.set(mount, mapping);
    return mapping;
  }

  rootPatterns(): readonly RootPattern[] {
    return this.patterns;
  }

  virtualRoot(moid: string, miid: string): TreePath {
    const virtual = this.byMoid.get(normaliseMoid(moid))?.virtual;
    return virtual ? instantiate(virtual, [miid]) : ['MO', normaliseMoid(moid), miid];
  }

  creationParent(moid: string): TreePath | undefined {
    return this.byMoid.get(normaliseMoid(moid))?.create;
  }

  synthesised(): readonly Mount[] {
    return this.objects.flatMap(({ synthesise, virtual, moid, rootName }) =>
      synthesise && virtual ? [{ moid, miid: rootName, root: instantiate(virtual, []) }] : [],
    );
  }

  alertToDm2(type: string): string {
    return this.alerts.toDm2(type);
  }

  alertToDm1(type: string): string {
    return this.alerts.toDm1(type);
  }

  profile(device: DeviceModel): DeviceProfile {
    const capabilities: Record<string, boolean> = {};
    for (const { document } of this.packs) {
      for (const { match, capabilities: corrections } of document.profiles ?? []) {
        const fits = PROFILE_KEYS.every(
          (key) => match[key] === undefined || matchesGlob(match[key], device[key] ?? ''),
        );
        if (fits) Object.assign(capabilities, corrections);
      }
    }
    return { capabilities };
  }

  rows(): readonly PackRow[] {
    return this.packs.map(({ file, document }) => ({
      file,
      title: document.title ?? '',
      moid: document.moid ?? document.layoutOf ?? '',
      aliases: document.aliases ?? [],
      roots: document.roots ?? [],
      nodes: Object.keys(document.nodes ?? {}).length,
      alerts: document.alerts?.length ?? 0,
      profiles: (document.profiles ?? []).map(describeProfile),
    }));
  }
}

function declared(segments: readonly Segment[]): readonly string[] {
  return segments.map((s) => (s.kind === 'name' ? s.name : '<x>'));
}

/** Where the secret nodes of an object stand, in 2.0 names and in those of every legacy layout. */
function secretsOf(object: PackObject): readonly (readonly string[])[] {
  return [object, ...object.layouts].flatMap(({ layout }) =>
    layout.rules
      .filter(({ definition }) => definition.secret)
      .flatMap(({ dm2, legacy }) => [declared(dm2), declared(legacy)]),
  );
}

function describeProfile({ match, capabilities }: ProfileEntry): string {
  const models = PROFILE_KEYS.flatMap((key) => (match[key] === undefined ? [] : [`${key} ${match[key]}`]));
  const facts = Object.entries(capabilities).map(([name, has]) => (has ? name : `no ${name}`));
  return `${models.join(', ')}: ${facts.join(', ')}`;
}

/** The layout whose root is declared for this place, else the object's own. */
function layoutAt(object: PackObject, root: TreePath): PlacedLayout {
  const fits = ({ roots }: PlacedLayout) =>
    roots.some((segments) => segments.length === root.length && matchStart(segments, root) !== undefined);
  return object.layouts.find(fits) ?? object;
}

/** Rows of `dragoman mappings list`. */
export function listPacks(set: PackMappings): readonly PackRow[] {
  return set.rows();
}

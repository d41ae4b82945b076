import type { MoItem } from '../../dm2/packages.ts';
import type { Mount } from '../../mo/mapping.ts';
import { normaliseMoid } from '../../mo/moid.ts';
import { samePath } from '../../mo/treePath.ts';
import { instancesOf } from '../addresses.ts';
import type { Opening } from '../context.ts';
import type { Session } from '../session.ts';

export const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';

/** What a client's first message tells of it, beside its objects. */
export function learnClient(s: Session, opening: Extract<Opening, { protocol: 'dm2' }>): void {
  s.learnPeer({ protocol: 'dm2', dialect: opening.dialect ?? 'approved' });
  if (opening.devInfo) s.learnDevInfo(opening.devInfo);
}

/** Objects from MOS, each at the place that it had before or that its pack names (IW-INV-4). */
export function mountObjects(s: Session, MOS: readonly MoItem[] | undefined): void {
  const known = s.everMounted;
  const mounts: Mount[] = [];
  for (const { MOID, MIID, DDF } of MOS ?? []) {
    const moid = normaliseMoid(MOID);
    for (const miid of MIID) {
      const before = known.find(
        (mount) => s.context.mappings.sameObject(mount.moid, moid) && mount.miid === miid,
      );
      const root = before?.root ?? s.context.mappings.virtualRoot(moid, miid);
      if (mounts.some((mount) => samePath(mount.root, root))) continue;
      mounts.push({ moid, miid, root, ...(DDF !== undefined && { ddf: DDF }) });
    }
  }
  if (MOS === undefined) mounts.push(...known);
  // Every client has DevInfo (20§10.1), also one that lists nothing.
  if (!mounts.some((mount) => s.context.mappings.sameObject(mount.moid, DEVINFO))) {
    mounts.push({ moid: DEVINFO, miid: '', root: s.context.mappings.virtualRoot(DEVINFO, '') });
  }
  s.setMounts(mounts);
  const missing = (s.context.mappings.synthesised?.() ?? []).filter(
    (mount) => instancesOf(s, mount.moid).length === 0,
  );
  s.synthesise(missing);
}

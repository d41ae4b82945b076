import type { KeptPatch } from '../../interworking/kept.ts';
import type { DevicePatch } from '../../interworking/script.ts';
import type { DeviceRow, DeviceUpdate } from '../../store/schema.ts';
import type { DeviceRecord } from './device.ts';

/** Whether a session learned nothing that the record has not. */
export function saysNothingNew(known: DeviceRecord, patch: DevicePatch): boolean {
  const { protocol, dialect, mounts } = patch;
  return (
    patch.kept === undefined &&
    (patch.bootstrapTold === undefined || known.bootstrappedAt === undefined) &&
    (protocol === undefined || protocol === known.protocol) &&
    (dialect === undefined || dialect === known.dialect) &&
    (mounts === undefined || JSON.stringify(mounts) === JSON.stringify(known.mounts)) &&
    holds(known.devInfo, patch.devInfo) &&
    holds(known.capabilities, patch.capabilities) &&
    holds(known.validators, patch.validators)
  );
}

function holds(
  known: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): boolean {
  return Object.entries(more).every(([name, value]) => known[name] === value);
}

/** The columns that what a session learned changes. */
export function learnedChanges(row: DeviceRow, patch: DevicePatch): DeviceUpdate {
  const into = (json: string, more: Readonly<Record<string, unknown>> | undefined) =>
    more === undefined ? undefined : JSON.stringify({ ...JSON.parse(json), ...more });
  const changes: [keyof DeviceUpdate, string | null | undefined][] = [
    ['protocol', patch.protocol],
    ['dialect', patch.dialect],
    ['dev_info', into(row.dev_info, patch.devInfo)],
    ['mounts', patch.mounts === undefined ? undefined : JSON.stringify(patch.mounts)],
    ['capabilities', into(row.capabilities, patch.capabilities)],
    ['validators', into(row.validators, patch.validators)],
    ['bootstrapped_at', patch.bootstrapTold ? null : undefined],
    ['kept', patch.kept && mergeKept(row.kept, patch.kept)],
  ];
  return Object.fromEntries(
    changes.filter(([column, value]) => value !== undefined && value !== row[column as keyof DeviceRow]),
  );
}

/** Entry by entry, so that what two sessions keep at once does not undo each other. */
function mergeKept(json: string, patch: KeptPatch): string {
  const kept: Record<string, unknown> = JSON.parse(json);
  for (const [kind, changes] of Object.entries(patch)) {
    const entries = Object.entries({ ...(kept[kind] as object), ...changes });
    kept[kind] = Object.fromEntries(entries.filter(([, value]) => value !== null));
  }
  return JSON.stringify(kept);
}

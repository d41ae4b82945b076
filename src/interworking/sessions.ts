import type { SessionContext } from './context.ts';
import { legacyDeviceOnDm2Backend } from './l2n/legacyDeviceOnDm2Backend.ts';
import { dm2DeviceOnLegacyBackend } from './n2l/dm2DeviceOnLegacyBackend.ts';
import { dm1OnDm1 } from './relay/dm1OnDm1.ts';
import { dm2OnDm2 } from './relay/dm2OnDm2.ts';
import type { SessionScript } from './script.ts';

/** Whether the server authenticates the device itself, its messages passing as they are (IW-REL-1). */
export function isLeftToServer({ opening, backend }: SessionContext): boolean {
  return opening.protocol === 'dm1' && backend.protocol === 'dm1';
}

/** The script for a session: which generation the device speaks, and which its backend. */
export function chooseScript(context: SessionContext): SessionScript {
  const { opening, backend } = context;
  if (opening.protocol === 'dm1') {
    return backend.protocol === 'dm1' ? dm1OnDm1(context) : legacyDeviceOnDm2Backend(context);
  }
  return backend.protocol === 'dm1' ? dm2DeviceOnLegacyBackend(context) : dm2OnDm2(context);
}

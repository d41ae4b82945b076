import { DragomanError } from '../support/errors.ts';
import type { SessionContext } from './context.ts';
import { legacyDeviceOnDm2Backend } from './l2n/legacyDeviceOnDm2Backend.ts';
import { dm2DeviceOnLegacyBackend } from './n2l/dm2DeviceOnLegacyBackend.ts';
import { dm2OnDm2 } from './relay/dm2OnDm2.ts';
import type { SessionScript } from './script.ts';

/** The script for a session: which generation the device speaks, and which its backend. */
export function chooseScript(context: SessionContext): SessionScript {
  const { opening, backend } = context;
  if (opening.protocol === 'dm1') {
    if (backend.protocol === 'dm2') return legacyDeviceOnDm2Backend(context);
    throw new DragomanError(
      'configuration',
      `The route sends a DM 1.x device to ${backend.name}, a DM 1.x server; route it to a DM 2.0 or built-in backend.`,
    );
  }
  return backend.protocol === 'dm1' ? dm2DeviceOnLegacyBackend(context) : dm2OnDm2(context);
}

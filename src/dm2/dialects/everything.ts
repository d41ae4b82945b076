import type { Dm2Command } from '../packages.ts';

/** The one ClientURI that stands for the list of supported objects, without their instances. */
export const SUPPORTED_OBJECTS = '*';

/**
 * What a reading command without a real ClientURI asks for (20§1.2 C9): `objects` the supported MOIDs,
 * `instances` also where each instance is. The model of the latter is an empty list.
 */
export function everythingAsked(command: Dm2Command): 'objects' | 'instances' | undefined {
  if (!('clientUris' in command)) return undefined;
  const { clientUris } = command;
  if (clientUris.length === 0) return 'instances';
  return clientUris.length === 1 && clientUris[0] === SUPPORTED_OBJECTS ? 'objects' : undefined;
}

import type { SyncMLMessage } from '../../dm1/message.ts';
import { type MessageMeta, maskCredentials, type Stored } from './entries.ts';
import { readTagged, writeTagged } from './taggedJson.ts';

/**
 * A device's message of which parts went to the object store: as it was read, with their names in it, for
 * its bytes would bring them into the journal too.
 */
export function storeModel(meta: MessageMeta, message: SyncMLMessage): Stored {
  return {
    meta: JSON.stringify({ ...meta, model: true } satisfies MessageMeta),
    body: Buffer.from(writeTagged(maskCredentials(message)), 'utf8'),
  };
}

export function readModel(body: Uint8Array): SyncMLMessage {
  return readTagged(Buffer.from(body).toString('utf8')) as SyncMLMessage;
}

import type { Command } from 'commander';
import { decodePush } from '../../dm1/notification/push.ts';
import { readNotification } from '../../interworking/notification/read.ts';
import { readBytes } from '../bytes.ts';
import type { Io } from '../io.ts';

/** `dragoman notify parse FILE`. */
export function addParse(notify: Command, io: Io): void {
  notify
    .command('parse')
    .description('show what a notification says, in any form, also out of a WAP push PDU')
    .argument('<file>', 'its bytes, or their hex digits or base64; - reads standard input')
    .action((file: string) => {
      const given = readBytes(file);
      const pushed = given[1] === 0x06 ? readPush(given) : undefined;
      const { form, request, timestamp, hasDigest } = readNotification(pushed ?? given);
      const { original: _bytes, vendorSpecific, unknownOptions, ...rest } = request;
      const shown = {
        form,
        ...rest,
        ...(rest.id !== undefined && form === 'trigger' && { sessionId: rest.id.toString(16).toUpperCase() }),
        ...(vendorSpecific && { vendorSpecific: Buffer.from(vendorSpecific).toString('hex') }),
        ...(unknownOptions && { unknownOptions: unknownOptions.map(({ number }) => number) }),
        ...(timestamp !== undefined && { timestamp: new Date(timestamp * 1000).toISOString() }),
        digest: hasDigest,
      };
      io.out(`${JSON.stringify(shown, null, 2)}\n`);
    });
}

/** The content of a WAP push; `undefined` when the bytes are none after all. */
function readPush(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return decodePush(bytes).body;
  } catch {
    return undefined;
  }
}

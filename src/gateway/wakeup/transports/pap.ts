import { DragomanError } from '../../../support/errors.ts';
import { HttpCredentials } from '../../backends/httpAuth.ts';
import { post } from '../../backends/post.ts';
import type { PapConfig } from '../../config/config.ts';
import type { Transport, TransportTools } from './transport.ts';

/** The push id is known: an earlier submission arrived, though its answer did not. */
const DUPLICATE_PUSH_ID = 2007;

/** Submits pushes to a push proxy gateway (1x§10.2), which brings them to the device as WAP push. */
export function pap(config: PapConfig, tools: TransportTools): Transport {
  const credentials = new HttpCredentials(config.auth);
  const host = new URL(config.url).hostname;
  return {
    type: 'pap',
    async send(push) {
      // Brings a parser of XML along, which nobody else needs.
      const { papSubmission, readPapResponse } = await import('./papMessage.ts');
      // Every copy is a submission of its own; a retry of one is not.
      const submission = { ...push, id: `${push.id}.${push.copy}` };
      const { contentType, body } = papSubmission(submission, addressOf(push.address, config.address, host));
      const response = await post(tools, {
        url: config.url,
        configuredUrl: config.url,
        credentials,
        headers: { 'content-type': contentType },
        body,
      });
      const { code, text } = readPapResponse(response.body);
      if (code < 2000 || code === DUPLICATE_PUSH_ID) return;
      // 2xxx: the submission is at fault; 3xxx to 5xxx: the gateway, its service or the device.
      throw new DragomanError(
        code < 3000 ? 'backend-refused' : 'backend-failed',
        `The push proxy gateway answered ${code}${text === undefined || text === '' ? '' : ` (${text})`}.`,
      );
    },
  };
}

/** The address in the form of the configuration, unless it has one of its own. */
function addressOf(address: string, template: string, host: string): string {
  if (/^WAPPUSH=/i.test(address)) return address;
  return template.replaceAll('{address}', address).replaceAll('{host}', host);
}

import { contentType } from '../../../dm1/bootstrap/security.ts';
import { WAP_PUSH_PORTS } from '../../../dm1/notification/push.ts';
import { HttpCredentials } from '../../backends/httpAuth.ts';
import { post } from '../../backends/post.ts';
import type { WebhookConfig } from '../../config/config.ts';
import { applicationOf, type Push, type Transport, type TransportTools } from './transport.ts';
import { wapPush } from './wapPush.ts';

/** POSTs every push to one URL of the operator: for SMS centres, push services and whatever comes. */
export function webhook(config: WebhookConfig, tools: TransportTools): Transport {
  const credentials = new HttpCredentials(config.auth);
  return {
    type: 'webhook',
    async send(push) {
      const json = config.body === 'json';
      const application = applicationOf(push);
      await post(tools, {
        url: config.url,
        configuredUrl: config.url,
        credentials,
        headers: {
          'content-type': json ? 'application/json' : typeOf(push),
          ...(application !== undefined && { 'x-wap-application-id': application }),
          'x-dragoman-push': push.id,
          'x-dragoman-device': encodeURIComponent(push.deviceId),
          'x-dragoman-address': encodeURIComponent(push.address),
        },
        body: json ? Buffer.from(JSON.stringify(jsonOf(push)), 'utf8') : push.body,
      });
    },
  };
}

function typeOf({ contentType: type, protection }: Push): string {
  return protection === undefined ? type : contentType(type, protection);
}

/** What a service needs to carry the push on: as it is, or as WAP push over SMS. */
function jsonOf(push: Push): object {
  const application = applicationOf(push);
  return {
    id: push.id,
    device: push.deviceId,
    address: push.address,
    copy: push.copy,
    expiresAt: new Date(push.expiresAt).toISOString(),
    contentType: typeOf(push),
    ...(application !== undefined && { applicationId: application }),
    body: Buffer.from(push.body).toString('base64'),
    wap: {
      userDataHeader: Buffer.from(WAP_PUSH_PORTS).toString('hex'),
      pdu: Buffer.from(wapPush(push)).toString('base64'),
    },
  };
}

import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  CONNECTIONS,
  type Connection,
  NOTIFICATION_FORMS,
  type NotificationForm,
  UI_MODES,
  type UiMode,
} from '../../interworking/notification/wakeRequest.ts';
import { DragomanError } from '../../support/errors.ts';
import { EXIT, Exit, type Io } from '../io.ts';

interface AskFlags {
  readonly admin: string;
  readonly token?: string;
  readonly form?: NotificationForm;
  readonly uiMode?: UiMode;
  readonly connection?: Connection;
  readonly via?: string;
  readonly address?: string;
  readonly wait?: number;
}

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly detail?: string;
  readonly session?: string;
}

/** `dragoman notify ask DEVICE`: through the REST API of a gateway. */
export function addAsk(notify: Command, io: Io): void {
  notify
    .command('ask')
    .description('have a gateway that runs wake a device up')
    .argument('<device>', 'identifier of the device')
    .option('--admin <url>', 'its admin port', 'http://127.0.0.1:8081')
    .option('--token <token>', 'admin token; DRAGOMAN_ADMIN_TOKEN when absent')
    .addOption(
      new Option('--form <form>', "form of Package#0 instead of the device's own").choices(
        NOTIFICATION_FORMS,
      ),
    )
    .addOption(new Option('--ui-mode <mode>', 'how much the user shall notice').choices(UI_MODES))
    .addOption(new Option('--connection <type>', 'what the device shall connect by').choices(CONNECTIONS))
    .option('--via <name>', 'transport')
    .option('--address <address>', 'of the device there')
    .option('--wait <seconds>', 'wait so long for the session that answers', positive)
    .action(async (device: string, { admin, token, wait, ...body }: AskFlags) => {
      const call = apiOf(admin, token ?? io.env['DRAGOMAN_ADMIN_TOKEN']);
      let shown = await call(`/api/devices/${encodeURIComponent(device)}/notify`, body);
      const until = Date.now() + (wait ?? 0) * 1000;
      while (Date.now() < until && (shown.state === 'waiting' || shown.state === 'sent')) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        shown = await call(`/api/notifications/${shown.id}`);
      }
      const more = shown.session ?? shown.detail;
      io.out(`${shown.id} ${shown.state}${more === undefined ? '' : ` ${more}`}\n`);
      if (wait !== undefined && shown.state !== 'answered') throw new Exit(EXIT.failed);
    });
}

function apiOf(admin: string, token: string | undefined) {
  if (token === undefined) {
    throw new DragomanError('configuration', 'Give --token, or set DRAGOMAN_ADMIN_TOKEN.');
  }
  return async (path: string, body?: object): Promise<Shown> => {
    const response = await fetch(new URL(path, admin), {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    }).catch((error: unknown) => {
      throw new DragomanError('backend-failed', `No gateway answers at ${admin}.`, { cause: error });
    });
    const answer = (await response.json().catch(() => ({}))) as Shown;
    if (response.ok) return answer;
    throw new DragomanError('bad-command', answer.detail ?? `The gateway answers HTTP ${response.status}.`);
  };
}

function positive(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It is a whole number of seconds.');
  return Number(text);
}

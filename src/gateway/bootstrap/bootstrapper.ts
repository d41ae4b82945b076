import type { AuthEntry, DmAccount } from '../../dm1/bootstrap/account.ts';
import { bootstrapKey, contentType, type KeyParts } from '../../dm1/bootstrap/security.ts';
import { type BootstrapForm, writeBootstrap } from '../../interworking/bootstrap/document.ts';
import { type Clock, hours, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { newId, newSecret } from '../../support/ids.ts';
import type { Config, Dm1Scheme } from '../config/config.ts';
import { type Registration, toNewRow } from '../registry/registration.ts';
import type { Registry } from '../registry/registry.ts';
import type { OwnPlace } from '../wakeup/compose.ts';
import type { Transport } from '../wakeup/transports/transport.ts';

/** What the REST API asks for; all of it has a default. */
export interface BootstrapBody {
  readonly form?: BootstrapForm;
  /** What the user sees. */
  readonly name?: string;
  /** Account that the device shall present from now on; made up where absent. */
  readonly username?: string;
  readonly password?: string;
  /** Password that the gateway shall present to it; made up where absent. */
  readonly serverPassword?: string;
  /** CP profile: the device opens a session at once. */
  readonly init?: boolean;
  /** SEC, and what the MAC is made with. */
  readonly key?: KeyParts;
  /** Transport that carries the document to the device, and its address there. */
  readonly via?: string;
  readonly address?: string;
}

export interface Bootstrapped {
  readonly form: BootstrapForm;
  /** With SEC and MAC where it is protected. */
  readonly contentType: string;
  readonly document: Uint8Array;
  readonly username?: string;
  /** USERPINMAC: the digits that the user is to type. */
  readonly userTypes?: string;
  readonly notes: readonly string[];
  /** Whether a transport took it. */
  readonly sent: boolean;
}

export interface BootstrapperOptions {
  readonly registry: Registry;
  readonly config: Pick<Config, 'deviceAuth' | 'notifications'>;
  readonly transports: ReadonlyMap<string, Transport>;
  readonly own: OwnPlace;
  readonly now?: Clock;
}

/** Gives devices an account for this gateway, with credentials of their own (IW-BOOT-1). */
export class Bootstrapper {
  readonly #o: BootstrapperOptions;
  readonly #now: Clock;

  constructor(options: BootstrapperOptions) {
    this.#o = options;
    this.#now = options.now ?? systemClock;
  }

  /**
   * Makes the document, hands it to a transport if one is named, and registers the device with the credentials
   * in it: nothing is registered for a document that could not be sent. Its next session is the one that tells
   * BootstrapComplete (IW-ALERT-1). The document holds secrets; only its receiver may see it.
   *
   * @throws DragomanError `bad-value`, `backend-failed` or what the transport says
   */
  async bootstrap(deviceId: string, body: BootstrapBody): Promise<Bootstrapped> {
    const { registry, own } = this.#o;
    const { form = 'cp', via, key } = body;
    const scheme = form === 'dm2' ? this.#o.config.deviceAuth.dm2 : this.#o.config.deviceAuth.dm1;
    const username = body.username ?? deviceId.replaceAll(':', '.');
    const password = body.password ?? newSecret();
    const serverPassword = body.serverPassword ?? newSecret();
    const presents = scheme !== 'none' && scheme !== 'mtls';
    const account: DmAccount = {
      serverId: own.serverId,
      ...(body.name !== undefined && { name: body.name }),
      addresses: [{ addr: own.deviceUrl, ...(form === 'dm' && { type: 'URI' as const }) }],
      auth: [
        ...(presents ? [clientEntry(scheme, username, password)] : []),
        { level: 'SRVCRED', type: 'DIGEST', name: own.serverId, secret: serverPassword },
      ],
      ...(body.init !== undefined && form.startsWith('cp') && { init: body.init }),
    };
    const written = writeBootstrap(
      form,
      { accounts: [account] },
      { target: deviceId, ...(key && { key: bootstrapKey(key) }) },
    );
    const registration: Registration = {
      id: deviceId,
      ...(presents && { username, password }),
      serverUsername: own.serverId,
      serverPassword,
      notifySecret: Buffer.from(serverPassword, 'utf8').toString('base64'),
    };
    toNewRow(registration);
    if (via !== undefined) await this.#send(deviceId, written, via, body.address);
    await registry.register(registration);
    await registry.bootstrapped(deviceId);
    const { bytes, contentType: type, protection, notes } = written;
    return {
      form,
      contentType: protection ? contentType(type, protection) : type,
      document: bytes,
      ...(presents && { username }),
      ...(protection?.userTypes !== undefined && { userTypes: protection.userTypes }),
      notes,
      sent: via !== undefined,
    };
  }

  async #send(
    deviceId: string,
    { bytes, contentType: type, protection }: ReturnType<typeof writeBootstrap>,
    via: string,
    given: string | undefined,
  ): Promise<void> {
    const { registry, transports } = this.#o;
    const transport = transports.get(via);
    if (!transport) {
      throw new DragomanError('bad-value', `There is no transport "${via}" in the configuration.`);
    }
    const address = given ?? (await registry.get(deviceId))?.notify.address;
    if (address === undefined && transport.type !== 'webhook') {
      throw new DragomanError('bad-value', `Transport ${via} needs an address: give \`address\`.`);
    }
    await transport.send({
      id: newId('bst'),
      deviceId,
      address: address ?? '',
      contentType: type,
      ...(protection && { protection }),
      body: bytes,
      expiresAt: this.#now() + hours(24),
      copy: 1,
    });
  }
}

/** How the device is to present its account (1x§9.1); a 2.0 client has one way to hold it. */
const AUTH_TYPES: Readonly<Record<Exclude<Dm1Scheme, 'none' | 'mtls'> | 'digest', string>> = {
  basic: 'BASIC',
  md5: 'DIGEST',
  digest: 'DIGEST',
  hmac: 'HMAC',
};

function clientEntry(scheme: keyof typeof AUTH_TYPES, name: string, secret: string): AuthEntry {
  return { level: 'CLCRED', type: AUTH_TYPES[scheme], name, secret };
}

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { DragomanError } from '../../support/errors.ts';

/** What the MAC of a bootstrap document is keyed with (1x§14). */
export type BootstrapKey =
  /** CP profile: the IMSI, 14 or 15 digits. */
  | { readonly sec: 'NETWPIN'; readonly imsi: string }
  /** Both profiles: what the user types. */
  | { readonly sec: 'USERPIN'; readonly pin: string }
  /** CP profile: IMSI and PIN. */
  | { readonly sec: 'USERNETWPIN'; readonly imsi: string; readonly pin: string }
  /**
   * CP profile: to build, 5 to 20 random digits; to verify, all digits that the user types, those and as many
   * again that tell the MAC. No MAC goes with the document.
   */
  | { readonly sec: 'USERPINMAC'; readonly pin: string }
  /** DM profile: a secret shared with the network, IMSI or ESN, as text. */
  | { readonly sec: 'NETWORKID'; readonly secret: string }
  /** DM profile: PIN and shared secret. */
  | { readonly sec: 'USERPIN_NETWORKID'; readonly pin: string; readonly secret: string };

export type Sec = BootstrapKey['sec'];

export const SECS = [
  'NETWPIN',
  'USERPIN',
  'USERNETWPIN',
  'USERPINMAC',
  'NETWORKID',
  'USERPIN_NETWORKID',
] as const satisfies readonly Sec[];

/** A method and what was given for it. */
export interface KeyParts {
  readonly sec: Sec;
  readonly pin?: string;
  readonly imsi?: string;
  readonly secret?: string;
}

/** The key, complete; throws `bad-value` that names what is missing. */
export function bootstrapKey({ sec, pin, imsi, secret }: KeyParts): BootstrapKey {
  const need = (name: string, value: string | undefined): string => {
    if (value !== undefined) return value;
    throw new DragomanError('bad-value', `SEC ${sec} needs ${name}.`);
  };
  switch (sec) {
    case 'NETWPIN':
      return { sec, imsi: need('an IMSI', imsi) };
    case 'USERPIN':
    case 'USERPINMAC':
      return { sec, pin: need('a PIN', pin) };
    case 'USERNETWPIN':
      return { sec, imsi: need('an IMSI', imsi), pin: need('a PIN', pin) };
    case 'NETWORKID':
      return { sec, secret: need('a network secret', secret) };
    case 'USERPIN_NETWORKID':
      return { sec, pin: need('a PIN', pin), secret: need('a network secret', secret) };
  }
}

/** SEC as the CP profile numbers it. */
const CP_NUMBERS: Readonly<Partial<Record<Sec, number>>> = Object.freeze({
  NETWPIN: 0,
  USERPIN: 1,
  USERNETWPIN: 2,
  USERPINMAC: 3,
});

const PROFILES: Readonly<Record<Profile, readonly Sec[]>> = Object.freeze({
  cp: ['NETWPIN', 'USERPIN', 'USERNETWPIN', 'USERPINMAC'],
  dm: ['NETWORKID', 'USERPIN', 'USERPIN_NETWORKID'],
});

export type Profile = 'cp' | 'dm';

/** Parameters of the Content-Type of a protected bootstrap document. */
export interface Protection {
  /** A number in the CP profile, a name in the DM profile. */
  readonly sec: string;
  /** 40 upper-case hex digits; none where the user types it. */
  readonly mac?: string;
  /** USERPINMAC: what the user is to type, told on another way than the document goes. */
  readonly userTypes?: string;
}

/**
 * SEC and MAC for a document: HMAC-SHA1 over its complete bytes.
 *
 * @throws DragomanError `bad-value` when the key is none of the profile, or no IMSI or PIN
 */
export function protect(profile: Profile, document: Uint8Array, key: BootstrapKey): Protection {
  if (!PROFILES[profile].includes(key.sec)) {
    throw new DragomanError(
      'bad-value',
      `${key.sec} does not protect the ${profile.toUpperCase()} profile; use one of ${PROFILES[profile].join(', ')}.`,
    );
  }
  const number = CP_NUMBERS[key.sec];
  const sec = profile === 'cp' && number !== undefined ? String(number) : key.sec;
  if (key.sec === 'USERPINMAC') return { sec, userTypes: `${key.pin}${macDigits(document, key)}` };
  return { sec, mac: mac(document, key).toString('hex').toUpperCase() };
}

/** Whether the MAC belongs to document and key; case of its hex digits does not count (1x§14). */
export function verifyProtection(
  profile: Profile,
  document: Uint8Array,
  key: BootstrapKey,
  protection: Protection,
): boolean {
  if (secOf(profile, protection.sec) !== key.sec) return false;
  if (key.sec === 'USERPINMAC') {
    const half = Math.floor(key.pin.length / 2);
    const { userTypes = '' } = protect(profile, document, { sec: key.sec, pin: key.pin.slice(0, half) });
    return sameText(key.pin, userTypes);
  }
  const { mac = '' } = protection;
  return sameText(mac.trim().toUpperCase(), protect(profile, document, key).mac ?? '');
}

/** The name of a SEC parameter, told as number or as name; `undefined` for one that is none of the profile. */
export function secOf(profile: Profile, sec: string): Sec | undefined {
  const text = sec.trim().toUpperCase();
  return PROFILES[profile].find((each, i) => each === text || String(i) === text);
}

/** `application/…; SEC=…; MAC="…"`, as gateways and files write it. */
export function contentType(type: string, { sec, mac }: Protection): string {
  return `${type}; SEC=${sec}${mac === undefined ? '' : `; MAC="${mac}"`}`;
}

/** Whether documents protected so come without MAC. */
export function isTyped(sec: string): boolean {
  return secOf('cp', sec) === 'USERPINMAC';
}

/** SEC and MAC out of a Content-Type; `undefined` when it does not have both, and is not to. */
export function protectionOf(contentType: string): Protection | undefined {
  let sec: string | undefined;
  let mac: string | undefined;
  for (const part of contentType.split(';').slice(1)) {
    const match = /^\s*(SEC|MAC)\s*=\s*"?([A-Za-z0-9_]+)"?\s*$/i.exec(part);
    if (match?.[1]?.toUpperCase() === 'SEC') sec = match[2]!;
    else if (match !== null) mac = match[2]!;
  }
  if (sec === undefined) return undefined;
  if (mac === undefined) return isTyped(sec) ? { sec } : undefined;
  return { sec, mac };
}

/** The MAC in as many decimal digits as the PIN has: each of its first octets modulo 10. */
function macDigits(document: Uint8Array, key: BootstrapKey & { readonly pin: string }): string {
  return [...mac(document, key).subarray(0, key.pin.length)].map((octet) => octet % 10).join('');
}

function mac(document: Uint8Array, key: BootstrapKey): Buffer {
  return createHmac('sha1', keyBytes(key)).update(document).digest();
}

function keyBytes(key: BootstrapKey): Buffer {
  switch (key.sec) {
    case 'NETWPIN':
      return semiOctets(key.imsi);
    case 'USERPIN':
      return pinBytes(key.pin);
    case 'USERNETWPIN':
      return Buffer.concat([semiOctets(key.imsi), pinBytes(key.pin)]);
    case 'USERPINMAC':
      return digitBytes(key.pin);
    case 'NETWORKID':
      return secretBytes(key.secret);
    case 'USERPIN_NETWORKID':
      return Buffer.concat([pinBytes(key.pin), Buffer.from(':'), secretBytes(key.secret)]);
  }
}

/**
 * An IMSI as the SIM stores it: the first digit shares its octet with the type nibble (9 for an odd number
 * of digits, 1 for an even one), then two digits an octet, low nibble first, filled up with F.
 */
export function semiOctets(imsi: string): Buffer {
  if (!/^\d{6,15}$/.test(imsi)) throw new DragomanError('bad-value', 'The IMSI is not of 6 to 15 digits.');
  const odd = imsi.length % 2 === 1;
  const nibbles = `${odd ? '9' : '1'}${imsi}${odd ? '' : 'F'}`;
  const swapped = nibbles.replace(/(.)(.)/g, '$2$1');
  return Buffer.from(swapped, 'hex');
}

function pinBytes(pin: string): Buffer {
  if (!/^[\x21-\x7e]{1,64}$/.test(pin))
    throw new DragomanError('bad-value', 'The PIN is not of 1 to 64 printable ASCII characters.');
  return Buffer.from(pin, 'latin1');
}

function digitBytes(pin: string): Buffer {
  if (!/^\d{5,20}$/.test(pin))
    throw new DragomanError(
      'bad-value',
      'USERPINMAC takes 5 to 20 decimal digits as PIN, and twice as many of the user, who types the MAC as well.',
    );
  return Buffer.from(pin, 'latin1');
}

function secretBytes(secret: string): Buffer {
  if (secret === '') throw new DragomanError('bad-value', 'The shared secret is empty.');
  return Buffer.from(secret, 'utf8');
}

function sameText(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

import fc from 'fast-check';
import type { Address, AuthEntry, DmAccount } from '../../../src/dm1/bootstrap/account.ts';

const text = fc.string({
  minLength: 1,
  maxLength: 12,
  unit: fc.constantFrom('a', 'B', '0', ' ', '&', '<', '"', "'", '=', ';', 'ü', '€', '\n', '\t', '\r'),
});
const word = fc.string({ minLength: 1, maxLength: 10, unit: fc.constantFrom('a', '.', '-', '7', 'Z') });

const address: fc.Arbitrary<Address> = fc.record(
  {
    addr: text,
    type: fc.constantFrom('IPv4' as const, 'IPv6' as const),
    ports: fc.array(fc.integer({ min: 1, max: 65535 }), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['addr'], noNullPrototype: true },
);

const entry: fc.Arbitrary<AuthEntry> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('CLCRED' as const, 'SRVCRED' as const, 'OBEX' as const).map((level) => ({ level })),
      fc
        .tuple(
          fc.constantFrom('CLCRED' as const, 'SRVCRED' as const),
          fc.constantFrom('BASIC', 'DIGEST', 'HMAC', 'X509'),
        )
        .map(([level, type]) => ({ level, type })),
      fc.constantFrom('HTTP-BASIC', 'HTTP-DIGEST').map((type) => ({ level: 'HTTP' as const, type })),
    ),
    fc.record(
      {
        name: text,
        secret: text,
        data: fc.uint8Array({ minLength: 1, maxLength: 16 }).map((b) => Uint8Array.from(b)),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  )
  .map(([kind, rest]) => ({ ...kind, ...rest }));

/** What both the CP profile and the object can tell. */
const common: fc.Arbitrary<DmAccount> = fc.record(
  {
    serverId: word,
    name: text,
    addresses: fc.array(address, { maxLength: 3 }),
    auth: fc.array(entry, { maxLength: 3 }),
  },
  { requiredKeys: ['serverId', 'addresses', 'auth'], noNullPrototype: true },
);

/** Accounts as a CP profile can tell them in full. */
export const cpAccount: fc.Arbitrary<DmAccount> = fc
  .tuple(
    common,
    fc.record(
      {
        init: fc.boolean(),
        more: fc.constantFrom(
          {
            parms: [{ name: 'ROLE', value: '8' }, { name: 'BACKCOMPATRETRYDISABLED' }],
            characteristics: [],
          },
          {
            parms: [],
            characteristics: [
              { type: 'RESOURCE', parms: [{ name: 'URI', value: 'x' }], characteristics: [] },
            ],
          },
        ),
        conRefs: fc.array(
          fc
            .tuple(word, fc.constantFrom('proxy' as const, 'nap' as const))
            .map(([ref, kind]) => ({ ref, kind })),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  )
  .map(([account, more]) => ({ ...account, ...more }));

/** Accounts as a DMAcc object can tell them in full. */
export const objectAccount: fc.Arbitrary<DmAccount> = fc
  .tuple(
    common,
    fc.record(
      {
        prefConRef: text,
        authPref: fc.constantFrom('DIGEST', 'HMAC'),
        conRefs: fc.array(
          text.map((ref) => ({ ref })),
          { minLength: 1, maxLength: 3 },
        ),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  )
  .map(([account, more]) => ({ ...account, ...more }));

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DmAccount } from '../../../src/dm1/bootstrap/account.ts';
import { toProvisioning } from '../../../src/dm1/bootstrap/cpProfile.ts';
import type { Characteristic } from '../../../src/dm1/bootstrap/provisioning/document.ts';
import { readProvisioningXml, writeProvisioningXml } from '../../../src/dm1/bootstrap/provisioning/text.ts';
import { VALUE_TOKENS } from '../../../src/dm1/bootstrap/provisioning/tokens.ts';
import {
  readProvisioningWbxml,
  writeProvisioningWbxml,
} from '../../../src/dm1/bootstrap/provisioning/wbxml.ts';
import { convert } from '../wbxml/convert.ts';
import { cpAccount } from './accounts.ts';

const NAP = {
  type: 'NAPDEF',
  parms: [
    { name: 'NAPID', value: 'N1' },
    { name: 'BEARER', value: 'GSM-GPRS' },
    { name: 'NAP-ADDRTYPE', value: 'APN' },
  ],
  characteristics: [
    {
      type: 'NAPAUTHINFO',
      parms: [
        { name: 'AUTHTYPE', value: 'PAP' },
        { name: 'AUTHNAME', value: 'u' },
      ],
      characteristics: [],
    },
  ],
};

/** Printable text without blanks at its ends; libwbxml loses the others, and parameters that are empty. */
function plain(account: DmAccount): DmAccount {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(/[^!-~é€]/g, '') || 'x';
    if (Array.isArray(value)) return value.map(clean);
    if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, clean(member)]));
  };
  return clean(account) as DmAccount;
}

/** xml2wbxml also writes a known value by its token where it stands inside of another: `HA` in a nonce. */
const holdsToken = ({ parms, characteristics }: Characteristic): boolean =>
  parms.some(
    ({ value = '' }) =>
      !VALUE_TOKENS.has(value) && [...VALUE_TOKENS.keys()].some((known) => value.includes(known)),
  ) || characteristics.some(holdsToken);

const documents = fc
  .sample(fc.array(cpAccount, { minLength: 1, maxLength: 2 }), { numRuns: 60, seed: 7 })
  .map((accounts) => toProvisioning({ version: '1.1', accounts: accounts.map(plain), others: [NAP] }));

describe('A CP profile beside libwbxml', () => {
  it('is written byte for byte as xml2wbxml writes it [1x§14] [IW-BOOT-1]', () => {
    const same = documents.filter(({ characteristics }) => !characteristics.some(holdsToken));
    expect(same.length).toBeGreaterThan(40);
    const theirs = convert('xml2wbxml', '-n -v 1.3', same.map(writeProvisioningXml));
    for (const [i, document] of same.entries()) {
      const ours = Buffer.from(writeProvisioningWbxml(document)).toString('hex');
      expect(ours, writeProvisioningXml(document)).toBe(Buffer.from(theirs[i]!).toString('hex'));
      expect(readProvisioningWbxml(theirs[i]!)).toStrictEqual(document);
    }
  });

  it('is read with the string table that xml2wbxml makes, and by wbxml2xml as what it says [1x§14]', () => {
    const table = convert('xml2wbxml', '-v 1.3', documents.map(writeProvisioningXml));
    const xml = convert('wbxml2xml', '', documents.map(writeProvisioningWbxml));
    for (const [i, document] of documents.entries()) {
      expect(readProvisioningWbxml(table[i]!)).toStrictEqual(document);
      expect(readProvisioningXml(xml[i]!)).toStrictEqual(document);
    }
  });
});

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEVICE_CAPABILITIES } from '../../../src/mo/deviceCapabilities.ts';
import { compilePacks } from '../../../src/mo/pack/compile.ts';
import { loadPacks, SHIPPED_PACKS } from '../../../src/mo/pack/files.ts';
import { listPacks } from '../../../src/mo/pack/mappingSet.ts';
import { packSchema } from '../../../src/mo/pack/schema.ts';

const doc = readFileSync('docs/mappings.md', 'utf8');

describe('docs/mappings.md', () => {
  it('lists the shipped packs as they are', () => {
    const rows = listPacks(loadPacks([SHIPPED_PACKS])).map((row) =>
      [
        '',
        `\`${basename(row.file)}\``,
        row.title,
        row.moid && `\`${row.moid}\``,
        row.roots.map((root) => `\`${root}\``).join(', '),
        row.moid ? row.nodes : '',
        '',
      ]
        .map((cell) => ` ${cell} `.replace(/ {2}/, ' '))
        .join('|')
        .trim(),
    );
    for (const row of rows) expect(doc.split('\n')).toContain(row);
    expect(doc.split('\n').filter((line) => /^\| `[\w.-]+\.yaml`/.test(line))).toEqual(rows);
  });

  it('names every key that a pack may have', () => {
    const keys = [
      ...Object.keys(packSchema.properties),
      ...Object.keys(packSchema.properties.nodes.additionalProperties.properties),
    ];
    for (const key of keys) expect(doc, key).toContain(`\n| \`${key}\` |`);
  });

  it('says what every capability of a profile means', () => {
    for (const [name, meaning] of Object.entries(DEVICE_CAPABILITIES)) {
      expect(doc.split('\n')).toContain(`| \`${name}\` | ${meaning} |`);
    }
  });

  it('has an example that does what the text says [IW-ADDR-3]', () => {
    const text = /```yaml\n([\s\S]*?)```/.exec(doc)![1]!;
    const set = compilePacks([{ file: 'gadget.yaml', text }]);
    const mount = { moid: 'urn:acme:mo:gadget:1.0', miid: 'g', root: ['Gadget'] };
    const mapping = set.forMount(mount);
    const legacy = (path: string) => mapping.legacy(path.split('/')).join('/');
    expect(legacy('Users/7/Name')).toBe('Gadget/Users/7/Login');
    expect(legacy('Enabled')).toBe('Gadget/Settings/On');
    expect(legacy('Firmware')).toBe('DevDetail/Ext/Acme/FwV');
    expect(legacy('Server')).toBe('Gadget/Servers/1/Addr');
    const [written, ...joined] = mapping.toLegacy([], {
      name: 'Gadget',
      children: [
        { name: 'SerialNumber', value: '12' },
        { name: 'Mode', value: 'turbo' },
        { name: 'Enabled', value: 'true' },
        { name: 'Server', value: 'a.example' },
      ],
    });
    expect(joined).toEqual([]);
    expect(written?.node.children).toEqual([
      { name: 'SerNo', format: 'chr', value: 'SN:12' },
      { name: 'Mode', format: 'chr', value: '2' },
      { name: 'Settings', format: 'node', children: [{ name: 'On', format: 'bool', value: '1' }] },
      {
        name: 'Servers',
        format: 'node',
        children: [
          {
            name: '1',
            format: 'node',
            children: [
              { name: 'Addr', format: 'chr', value: 'a.example' },
              { name: 'Port', format: 'int', value: '443' },
            ],
          },
        ],
      },
    ]);
    expect(set.alertToDm2('com.acme.hot')).toBe('urn:acme:at:gadget:2.0:Overheated');
    expect(set.profile({ man: 'Acme Inc', fwv: '1.5' }).capabilities).toEqual({ atomic: false });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import type { Mount } from '../../../src/mo/mapping.ts';
import type { MoNode } from '../../../src/mo/node.ts';
import { descendant } from '../../../src/mo/node.ts';
import { loadPacks, SHIPPED_PACKS } from '../../../src/mo/pack/files.ts';
import type { PackMappings } from '../../../src/mo/pack/mappingSet.ts';
import { formatTreePath } from '../../../src/mo/treePath.ts';

const chr = (name: string, value: string): MoNode => ({ name, format: 'chr', type: 'text/plain', value });
const mount: Mount = { moid: 'urn:oma:mo:oma-dm-devinfo:1.2', miid: 'DevInfo', root: ['DevInfo'] };
const detail: Mount = { moid: 'urn:oma:mo:oma-dm-devdetail:1.0', miid: 'DevDetail', root: ['DevDetail'] };

describe('DevInfo of DM 2.0', () => {
  let set: PackMappings;
  beforeAll(() => {
    set = loadPacks([SHIPPED_PACKS]);
  });

  it('is read from ./DevInfo and five nodes of ./DevDetail [IW-ADDR-3]', () => {
    const sources = set.forMount(mount).sources([]);
    expect(sources.map((s) => [formatTreePath(s.legacy), s.path.join('/')])).toEqual([
      ['./DevInfo', ''],
      ['./DevDetail/DevTyp', 'DevType'],
      ['./DevDetail/OEM', 'OEM'],
      ['./DevDetail/FwV', 'FwV'],
      ['./DevDetail/SwV', 'SwV'],
      ['./DevDetail/HwV', 'HwV'],
    ]);
  });

  it('has the renamed nodes under their 2.0 names [IW-ADDR-3]', () => {
    const mapping = set.forMount(mount);
    const root: MoNode = {
      name: 'DevInfo',
      format: 'node',
      children: [chr('DevId', 'IMEI:1'), chr('Man', 'Acme'), chr('Vendor', 'kept')],
    };
    const found = mapping.sources([]).map((source) => ({
      source,
      node:
        source.path.length === 0
          ? root
          : source.path[0] === 'OEM'
            ? undefined
            : chr(source.legacy.at(-1)!, `v-${source.path[0]}`),
    }));
    const dm2 = mapping.toDm2([], found);
    expect(dm2?.name).toBe('DevInfo');
    expect(dm2?.children?.map((c) => [c.name, c.value])).toEqual([
      ['DevID', 'IMEI:1'],
      ['Man', 'Acme'],
      ['Vendor', 'kept'],
      ['DevType', 'v-DevType'],
      ['FwV', 'v-FwV'],
      ['SwV', 'v-SwV'],
      ['HwV', 'v-HwV'],
    ]);
    expect(
      mapping.toLegacy([], dm2!).map(({ legacy, node }) => [formatTreePath(legacy), node.name, node.value]),
    ).toEqual([
      ['./DevInfo', 'DevInfo', undefined],
      ['./DevDetail/DevTyp', 'DevTyp', 'v-DevType'],
      ['./DevDetail/FwV', 'FwV', 'v-FwV'],
      ['./DevDetail/SwV', 'SwV', 'v-SwV'],
      ['./DevDetail/HwV', 'HwV', 'v-HwV'],
    ]);
    expect(mapping.toLegacy([], dm2!)[0]?.node).toEqual(root);
  });

  it('is absent when nothing was found [IW-ADDR-3]', () => {
    const mapping = set.forMount(mount);
    for (const path of [[], ['DevType'], ['Ext']]) {
      const found = mapping.sources(path).map((source) => ({ source, node: undefined }));
      expect(mapping.toDm2(path, found)).toBeUndefined();
    }
  });

  it('addresses single nodes both ways [IW-ADDR-3]', () => {
    const mapping = set.forMount(mount);
    expect(mapping.legacy(['DevType'])).toEqual(['DevDetail', 'DevTyp']);
    expect(mapping.legacy(['DevID'])).toEqual(['DevInfo', 'DevId']);
    expect(mapping.legacy(['Ext', 'a', 'b'])).toEqual(['DevInfo', 'Ext', 'a', 'b']);
    expect(mapping.sources(['FwV'])).toEqual([{ legacy: ['DevDetail', 'FwV'], path: ['FwV'] }]);
    expect(mapping.fromLegacy(['DevDetail', 'DevTyp'])).toEqual(['DevType']);
    expect(mapping.fromLegacy(['DevInfo', 'DevId'])).toEqual(['DevID']);
    expect(mapping.fromLegacy(['DevInfo'])).toEqual([]);
    expect(mapping.fromLegacy(['DevDetail'])).toBeUndefined();
    expect(mapping.fromLegacy(['DevDetail', 'LrgObj'])).toBeUndefined();
  });

  it('takes its nodes from the DevDetail of the same device [IW-ADDR-3]', () => {
    const mapping = set.forMount(detail);
    expect(mapping.fromLegacy(['DevDetail', 'FwV'])).toBeUndefined();
    expect(mapping.fromLegacy(['DevDetail', 'LrgObj'])).toEqual(['LrgObj']);
  });

  it('gives definitions for declared nodes only', () => {
    const mapping = set.forMount(mount);
    expect(mapping.definition(['DevID'])).toMatchObject({ format: 'chr', access: ['Get'], permanent: true });
    expect(mapping.definition(['Ext', 'x'])).toBeUndefined();
  });

  it('keeps a single node that was read alone [IW-GET-1]', () => {
    const mapping = set.forMount(mount);
    const [source] = mapping.sources(['DevID']);
    const node = mapping.toDm2(['DevID'], [{ source: source!, node: chr('DevId', 'IMEI:2') }]);
    expect(node).toEqual(chr('DevID', 'IMEI:2'));
    expect(descendant(node!, [])?.value).toBe('IMEI:2');
  });
});

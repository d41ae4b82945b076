import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readDdf } from '../../../src/dm1/ddf/read.ts';
import { compilePacks } from '../../../src/mo/pack/compile.ts';
import { objectsOf, type PackFromDdfOptions, packFromDdf } from '../../../src/mo/pack/fromDdf.ts';
import type { PackDocument } from '../../../src/mo/pack/schema.ts';

const read = (name: string) =>
  readDdf(Uint8Array.from(readFileSync(new URL(`../../../fixtures/dm1/ddf/${name}`, import.meta.url))), name);

/** The pack that comes of a description; it has to pass the schema and the compiler. */
function packOf(name: string, options?: PackFromDdfOptions): PackDocument {
  const text = packFromDdf(read(name), options);
  compilePacks([{ file: 'made.yaml', text }]);
  return parse(text) as PackDocument;
}

const CAMERA = { moid: 'com.example/1.0/Camera' };

describe('a mapping pack from a DDF', () => {
  it('has formats, types, access types and occurrence of every node [IW-INV-2]', () => {
    expect(packOf('fumo.xml')).toStrictEqual({
      title: 'Firmware update',
      moid: 'urn:oma:mo:oma-fumo:1.0',
      roots: ['./FUMO/<x>'],
      nodes: {
        PkgName: { format: 'chr', type: 'text/plain', access: ['Get'], occurs: 'ZeroOrOne' },
        Update: { format: 'node', access: ['Exec', 'Get'], occurs: 'ZeroOrOne' },
        'Update/PkgData': {
          format: 'bin',
          type: 'application/octet-stream',
          access: ['Replace'],
          occurs: 'One',
        },
        State: { format: 'int', type: 'text/plain', access: ['Get'], occurs: 'One', permanent: true },
      },
    });
    expect(packFromDdf(read('fumo.xml'))).toContain('# From fumo.xml of Example Phone 1.');
  });

  it('gives a mount that knows the formats of a real tree [IW-INV-2]', () => {
    const text = packFromDdf(read('fumo.xml'));
    const set = compilePacks([{ file: 'fumo.yaml', text }]);
    const mapping = set.forMount({ moid: 'urn:oma:mo:oma-fumo:1.0', miid: '1', root: ['FUMO', '1'] });
    expect(mapping.definition(['State'])?.format).toBe('int');
    expect(mapping.definition(['Update', 'PkgData'])?.access).toStrictEqual(['Replace']);
    expect(set.rootPatterns()).toStrictEqual([{ moid: 'urn:oma:mo:oma-fumo:1.0', path: ['FUMO', '<x>'] }]);
  });

  it('writes <x> for unnamed nodes, a letter for each level, and hides what cannot be read [1x§13.3]', () => {
    const { nodes, roots } = packOf('dmacc-1.2.xml', { root: './DMAcc/<x>' });
    expect(roots).toStrictEqual(['./DMAcc/<x>']);
    expect(nodes?.['AppAddr/<x>/Port/<y>/PortNbr']).toMatchObject({ format: 'chr', occurs: 'One' });
    expect(nodes?.['AppAddr/<x>']).toStrictEqual({ format: 'node', access: ['Get'], occurs: 'OneOrMore' });
    expect(nodes?.['AppAuth/<x>/AAuthSecret']).toMatchObject({ access: ['Replace'], secret: true });
    expect(nodes?.['AppAuth/<x>/AAuthData']).toMatchObject({ format: 'bin', secret: true });
    expect(nodes?.['AppAuth/<x>/AAuthName']).not.toHaveProperty('secret');
  });

  it('leaves the place out where the description does not tell it', () => {
    expect(packOf('dmacc-1.2.xml')).not.toHaveProperty('roots');
  });

  it("takes a vendor's odd names, formats and occurrences", () => {
    const { nodes, roots, moid } = packOf('vendor.xml', CAMERA);
    expect(moid).toBe('com.example/1.0/Camera');
    expect(roots).toStrictEqual(['./Vendor/Example/Cam%201']);
    expect(nodes?.['null']).toStrictEqual({ format: 'null', access: ['Exec'], occurs: 'One' });
    expect(nodes?.['A&B:%20%231']).toMatchObject({ occurs: 'ZeroOr5', type: 'text/plain' });
    expect(nodes?.['Flash']).toMatchObject({ format: 'bool', access: ['Get', 'Replace'] });
  });

  it('has every place of an object that is described for the device and for its user, and its MOID from where Microsoft writes it [1x§15.5]', () => {
    const { moid, roots, nodes } = packOf('kiosk-csp.xml');
    expect(moid).toBe('com.microsoft/1.1/MDM/Kiosk');
    expect(roots).toStrictEqual(['./User/Vendor/MSFT/Kiosk', './Device/Vendor/MSFT/Kiosk']);
    const any = ['Add', 'Delete', 'Get', 'Replace'];
    expect(nodes).toStrictEqual({
      '<x>': { format: 'node', access: any, occurs: 'ZeroOrMore' },
      '<x>/Attempts': { format: 'int', access: any, occurs: 'ZeroOrOne' },
      '<x>/Logo': { format: 'b64', access: ['Get', 'Replace'], occurs: 'ZeroOrOne' },
      // Of the device alone.
      '<x>/RestartNow': { format: 'null', access: ['Exec', 'Get'], occurs: 'One' },
    });
    expect(packOf('kiosk-csp.xml', { root: './User/Vendor/MSFT/Kiosk' }).nodes).not.toHaveProperty(
      '<x>/RestartNow',
    );
  });

  it('takes the MOID for all tops of one name where no node has any', () => {
    const top = (path: string, name: string) =>
      `<Node><NodeName>${name}</NodeName><Path>${path}</Path></Node>`;
    const twice = readDdf(`<MgmtTree>${top('./A', 'X')}${top('./B', 'X')}</MgmtTree>`, 'x.xml');
    expect(parse(packFromDdf(twice, { moid: 'urn:x' }))).toMatchObject({ roots: ['./A/X', './B/X'] });
    const apart = readDdf(`<MgmtTree>${top('./A', 'X')}${top('./B', 'Y')}</MgmtTree>`, 'x.xml');
    expect(() => packFromDdf(apart, { moid: 'urn:x' })).toThrow(
      'x.xml: several objects fit; say with --moid and --root which of urn:x at ./A/X, urn:x at ./B/Y',
    );
    expect(parse(packFromDdf(apart, { moid: 'urn:x', root: './B/Y' }))).toMatchObject({ roots: ['./B/Y'] });
  });

  it('says where a server makes new instances, if it may [IW-HGET-1]', () => {
    expect(packOf('dmacc-1.2.xml', { root: './DMAcc/<x>' })).toMatchObject({ create: './DMAcc' });
    expect(packOf('dmacc-1.2.xml', { root: './Ext/<x>/Acc/<y>' })).not.toHaveProperty('create');
    expect(packOf('fumo.xml')).not.toHaveProperty('create');
  });

  it.each([
    ['devinfo-devdetail.xml', 'urn:oma:mo:oma-dm-devinfo:1.0', './DevInfo', 7],
    ['devinfo-devdetail.xml', 'urn:oma:mo:oma-dm-devdetail:1.0', './DevDetail', 10],
    ['scomo.xml', 'urn:oma:mo:oma-scomo:1.0', './Vendor/Example/SCOMO', 26],
  ])('is made of %s for %s', (ddf, moid, root, count) => {
    const { roots, nodes } = packOf(ddf, { moid });
    expect([roots, Object.keys(nodes ?? {}).length]).toStrictEqual([[root], count]);
  });

  it('leaves open what alternatives for one unnamed place do not agree on', () => {
    const { nodes } = packOf('vendor.xml', CAMERA);
    expect(nodes?.['<x>']).toStrictEqual({ format: 'node' });
    expect(nodes?.['<x>/Zoom']).toStrictEqual({ type: 'text/plain', access: ['Get'], occurs: 'One' });
    expect(nodes?.['<x>/PIN']).toMatchObject({ secret: true });
  });

  it('lists the objects of a description and asks for one of several', () => {
    expect(objectsOf(read('vendor.xml')).map(({ moid, root }) => ({ moid, root }))).toStrictEqual([
      { moid: 'com.example/1.0/Camera', root: './Vendor/Example/Cam%201' },
      { moid: 'com.example/2.1/Clock', root: './Vendor/Example/Clock' },
    ]);
    expect(() => packFromDdf(read('vendor.xml'))).toThrow(
      'vendor.xml: several objects fit; say with --moid and --root which of com.example/1.0/Camera at ./Vendor/Example/Cam%201',
    );
    expect(() => packFromDdf(read('vendor.xml'), { moid: 'urn:other' })).toThrow('no object fits');
    expect(packOf('vendor.xml', { root: './Vendor/Example/Clock' }).moid).toBe('com.example/2.1/Clock');
  });

  it('takes the MOID from the operator where no node has one', () => {
    const plain = readDdf(
      '<MgmtTree><Node><NodeName>A</NodeName><Node><NodeName>b</NodeName></Node></Node></MgmtTree>',
      'a.xml',
    );
    expect(() => packFromDdf(plain)).toThrow('a.xml: no node has a DDFName');
    expect(parse(packFromDdf(plain, { moid: 'urn:x:mo:a:1.0' }))).toMatchObject({
      moid: 'urn:x:mo:a:1.0',
      roots: ['./A'],
      nodes: { b: { occurs: 'One' } },
    });
  });

  it('finds the objects of a description of a whole device', () => {
    const moid = '<DFProperties><DFType><DDFName>urn:x:mo:b:1.0</DDFName></DFType></DFProperties>';
    const whole = readDdf(
      `<MgmtTree><Node><NodeName>.</NodeName><Node><NodeName>A</NodeName><Node><NodeName>B</NodeName>${moid}</Node></Node></Node></MgmtTree>`,
    );
    expect(objectsOf(whole)).toMatchObject([{ moid: 'urn:x:mo:b:1.0', root: './A/B' }]);
  });

  it('refuses a node described twice and a leaf with children, by file, path and reason', () => {
    const description = (children: string) =>
      readDdf(`<MgmtTree><Node><NodeName>A</NodeName>${children}</Node></MgmtTree>`, 'bad.xml');
    const b = '<Node><NodeName>b</NodeName></Node>';
    const leaf = `<Node><NodeName>c</NodeName><DFProperties><DFFormat><chr/></DFFormat></DFProperties>${b}</Node>`;
    expect(() => packFromDdf(description(b + b), { moid: 'urn:x' })).toThrow(
      /bad\.xml:1:\d+: b: is described twice; leave one of the two out/,
    );
    expect(() => packFromDdf(description(leaf), { moid: 'urn:x' })).toThrow(
      /bad\.xml:1:\d+: c: has DFFormat chr and child nodes; only DFFormat node has children/,
    );
  });

  it('does not let texts of the description out of their place in the file', () => {
    const evil = readDdf(
      '<MgmtTree><Man>a\nmoid: urn:evil</Man><Node><NodeName>A: [b, {c}] # "d"</NodeName><DFProperties><DFTitle>t\n# x: y</DFTitle><DFType><DDFName>urn:x</DDFName></DFType></DFProperties></Node></MgmtTree>',
      'x\ny.xml',
    );
    const text = packFromDdf(evil);
    expect(parse(text)).toStrictEqual({
      title: 't # x: y',
      moid: 'urn:x',
      roots: ['./A:%20[b,%20%7Bc%7D]%20%23%20%22d%22'],
    });
    compilePacks([{ file: 'x.yaml', text }]);
  });
});

import { DragomanError } from '../../support/errors.ts';
import { normaliseMoid } from '../moid.ts';
import { compileAlerts } from './alerts.ts';
import { type PackError, type PackText, type ReadPack, readPack } from './document.ts';
import { PackMappings } from './mappingSet.ts';
import { compileObject, compilePlaced, type PackObject, type PlacedLayout } from './object.ts';
import { type Segment, shapeOf } from './pattern.ts';

/** Compiles pack files into one set. Throws `mapping` with every error of every file. */
export function compilePacks(packs: readonly PackText[]): PackMappings {
  const { set, errors } = analysePacks(packs);
  if (set === undefined || errors.length > 0)
    throw new DragomanError('mapping', errors.map(formatPackError).join('\n'));
  return set;
}

export function formatPackError({ file, path, line, reason }: PackError): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${path === '' ? '' : `${path}: `}${reason}`;
}

/** The set, if the files are free of errors, and all errors, in the order of the files. */
export function analysePacks(packs: readonly PackText[]): {
  readonly set?: PackMappings;
  readonly errors: readonly PackError[];
} {
  const errors: PackError[] = [];
  const read: ReadPack[] = [];
  const objects: PackObject[] = [];
  const layouts: PlacedLayout[] = [];
  for (const text of packs) {
    const pack = readPack(text, errors);
    if (pack === undefined) continue;
    read.push(pack);
    const placed = compilePlaced(pack, errors);
    if (placed === undefined) continue;
    if (pack.document.moid === undefined) layouts.push(placed);
    else objects.push(compileObject(placed, errors));
  }
  const byMoid = indexMoids(objects, errors);
  for (const placed of layouts) {
    const of = placed.pack.document.layoutOf!;
    const object = byMoid.get(normaliseMoid(of));
    if (object) object.layouts.push(placed);
    else errors.push(placed.pack.error(['layoutOf'], `no pack has the MOID "${of}"`));
  }
  checkPlaces(objects, layouts, errors);
  const alerts = compileAlerts(read, errors);
  if (errors.length > 0) {
    const order = new Map(packs.map(({ file }, i) => [file, i]));
    return { errors: errors.sort((a, b) => order.get(a.file)! - order.get(b.file)!) };
  }
  return { set: new PackMappings(read, objects, byMoid, alerts), errors };
}

function indexMoids(objects: readonly PackObject[], errors: PackError[]): Map<string, PackObject> {
  const byMoid = new Map<string, PackObject>();
  for (const object of objects) {
    for (const [i, moid] of [object.moid, ...object.aliases].entries()) {
      const other = byMoid.get(moid);
      if (other === undefined) byMoid.set(moid, object);
      else {
        const path = i === 0 ? ['moid'] : ['aliases', String(i - 1)];
        errors.push(object.pack.error(path, `"${moid}" belongs to ${other.pack.file} already`));
      }
    }
  }
  return byMoid;
}

/** No two packs may claim one legacy root, one virtual place or one joined node. */
function checkPlaces(
  objects: readonly PackObject[],
  layouts: readonly PlacedLayout[],
  errors: PackError[],
): void {
  const claim = (kind: string) => {
    const owners = new Map<string, ReadPack>();
    return (pack: ReadPack, segments: readonly Segment[], path: readonly string[]) => {
      const shape = shapeOf(segments);
      const owner = owners.get(shape);
      if (owner === undefined) owners.set(shape, pack);
      else if (owner !== pack) errors.push(pack.error(path, `is ${kind} of ${owner.file} too`));
    };
  };
  const claimRoot = claim('a root');
  const claimVirtual = claim('the virtual place');
  const claimJoined = claim('a joined place');
  for (const { pack, roots, layout } of [...objects, ...layouts]) {
    for (const root of roots) {
      const texts = pack.document.roots ?? [];
      claimRoot(pack, root, [
        'roots',
        String(
          Math.max(
            0,
            texts.findIndex((t) => matchesText(t, root)),
          ),
        ),
      ]);
    }
    for (const rule of layout.rules)
      if (rule.absolute) claimJoined(pack, rule.legacy, ['nodes', rule.definition.path.join('/'), 'legacy']);
  }
  for (const { pack, virtual } of objects) if (virtual) claimVirtual(pack, virtual, ['virtual']);
}

function matchesText(text: string, segments: readonly Segment[]): boolean {
  return (
    text.split('/').length - 1 === segments.length &&
    text
      .split('/')
      .slice(1)
      .every((raw, i) => {
        const segment = segments[i]!;
        return segment.kind !== 'name' ? raw.startsWith('<') : raw === segment.name;
      })
  );
}

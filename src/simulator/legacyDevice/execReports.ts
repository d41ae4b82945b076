import type { TreePath } from '../../mo/treePath.ts';
import type { SimTree } from '../tree.ts';
import type { ClientAlert } from './options.ts';

interface ReportRow {
  readonly moid: string;
  /** Alert type (1x§5.4); FUMO names it after the operation. */
  readonly type: (operation: string) => string;
  readonly data: string;
  readonly format: string;
}

/** What the operations of the standard objects report when they are over. */
const REPORTS: readonly ReportRow[] = [
  {
    moid: 'oma-fumo',
    type: (operation) => `org.openmobilealliance.dm.firmwareupdate.${operation.toLowerCase()}`,
    data: '200',
    format: 'chr',
  },
  { moid: 'oma-scomo', type: () => 'urn:oma:at:scomo:1.0:OperationComplete', data: '1200', format: 'chr' },
  { moid: 'oma-lawmo', type: () => 'urn:oma:at:lawmo:1.0:OperationComplete', data: '1200', format: 'chr' },
  { moid: 'oma-diag', type: () => 'urn:oma:at:diagmon:1.0:OperationComplete', data: '200', format: 'int' },
];

/**
 * The alert that ends the asynchronous Exec of `path`, or `undefined` when no standard object is there
 * (such an Exec is done at once).
 */
export function reportOf(
  tree: SimTree,
  path: TreePath,
  uri: string,
  correlator?: string,
): ClientAlert | undefined {
  const operation = path.at(-1) ?? '';
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const type = tree.find(path.slice(0, depth))?.type;
    const row = type === undefined ? undefined : REPORTS.find(({ moid }) => type.includes(moid));
    if (!row) continue;
    return {
      source: uri,
      type: row.type(operation),
      format: row.format,
      mark: 'informational',
      data: row.data,
      ...(correlator === undefined ? {} : { correlator }),
    };
  }
  return undefined;
}

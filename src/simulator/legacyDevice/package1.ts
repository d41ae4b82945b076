import type { Item } from '../../dm1/message.ts';
import { formatTreePath, type TreePath } from '../../mo/treePath.ts';
import { type OutAlert, type Outgoing, wireValue } from '../syncml.ts';
import type { SimNode, SimTree } from '../tree.ts';
import type { ClientAlert, ClientAlertItem } from './options.ts';

/** The Replace of Package 1: one Item per DevInfo leaf, or every node backwards as libdmclient does. */
export function devInfoReplace(tree: SimTree, form: 'xml' | 'wbxml', reversed: boolean): Outgoing {
  const items: Item[] = [];
  const visit = (node: SimNode, path: TreePath) => {
    const uri = formatTreePath(path);
    const children = [...(node.children?.values() ?? [])];
    if (reversed) children.reverse();
    for (const child of children) visit(child, [...path, child.name]);
    if (!node.children) items.push(leafItem(node, uri, form));
    else if (reversed && path.length > 1) items.push(interiorItem(node, uri));
  };
  const devInfo = tree.find(['DevInfo']);
  if (devInfo) visit(devInfo, ['DevInfo']);
  return { kind: 'Replace', items };
}

function leafItem(node: SimNode, uri: string, form: 'xml' | 'wbxml'): Item {
  const { data } = wireValue(node.format, node.type, node.value ?? '', form);
  return { source: { uri }, meta: { format: node.format, type: node.type ?? 'text/plain' }, data };
}

function interiorItem(node: SimNode, uri: string): Item {
  return { source: { uri }, meta: { format: 'node' }, data: [...node.children!.keys()].join('/') };
}

/** A client alert as it goes on the wire. */
export function alertElement(alert: ClientAlert): OutAlert {
  const { code = '1226', correlator, more = [] } = alert;
  return {
    kind: 'Alert',
    code,
    ...(correlator === undefined ? {} : { correlator }),
    items: [alert, ...more].map(alertItem),
  };
}

function alertItem({ source, target, type, format, mark, data }: ClientAlertItem): Item {
  const meta = {
    ...(type === undefined ? {} : { type }),
    ...(format === undefined ? {} : { format }),
    ...(mark === undefined ? {} : { mark }),
  };
  return {
    ...(target === undefined ? {} : { target: { uri: target } }),
    ...(source === undefined ? {} : { source: { uri: source } }),
    meta,
    data: data ?? '',
  };
}

import { XMLParser } from 'fast-xml-parser';

/** Order of children in the DTD (1x§1.2). */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  SyncML: ['SyncHdr', 'SyncBody'],
  SyncHdr: [
    'VerDTD',
    'VerProto',
    'SessionID',
    'MsgID',
    'Target',
    'Source',
    'RespURI',
    'NoResp',
    'Cred',
    'Meta',
  ],
  Status: ['CmdID', 'MsgRef', 'CmdRef', 'Cmd', 'TargetRef', 'SourceRef', 'Cred', 'Chal', 'Data', 'Item'],
  Get: ['CmdID', 'NoResp', 'Lang', 'Cred', 'Meta', 'Item'],
  Add: ['CmdID', 'NoResp', 'Cred', 'Meta', 'Item'],
  Replace: ['CmdID', 'NoResp', 'Cred', 'Meta', 'Item'],
  Delete: ['CmdID', 'NoResp', 'Archive', 'SftDel', 'Cred', 'Meta', 'Item'],
  Exec: ['CmdID', 'NoResp', 'Cred', 'Meta', 'Correlator', 'Item'],
  Results: ['CmdID', 'MsgRef', 'CmdRef', 'Meta', 'TargetRef', 'SourceRef', 'Item'],
  Alert: ['CmdID', 'NoResp', 'Cred', 'Data', 'Correlator', 'Item'],
  Item: ['Target', 'Source', 'Meta', 'Data', 'MoreData'],
  Target: ['LocURI', 'LocName'],
  Source: ['LocURI', 'LocName'],
};
type Tree = Record<string, Tree[]>;
const parse = (xml: string): Tree[] =>
  new XMLParser({ preserveOrder: true, parseTagValue: false, ignoreDeclaration: true }).parse(xml) as Tree[];
const nameOf = (node: Tree) => Object.keys(node).find((key) => key !== ':@')!;
function* walk(nodes: readonly Tree[]): Generator<{ name: string; children: readonly string[] }> {
  for (const node of nodes) {
    const name = nameOf(node);
    if (name === '#text') continue;
    yield { name, children: node[name]!.map(nameOf) };
    yield* walk(node[name]!);
  }
}

/** Elements of a message whose children are not in DTD order, in words; none for a good one. */
export function outOfOrder(xml: string): string[] {
  return [...walk(parse(xml))].flatMap(({ name, children }) => {
    const order = ORDER[name];
    if (!order) return [];
    const places = children.map((child) => order.indexOf(child));
    const good =
      places.every((place, i) => place >= 0 && place >= (places[i - 1] ?? 0)) &&
      (order[0] !== 'CmdID' || children[0] === 'CmdID');
    return good ? [] : [`${name}: ${children.join(' ')}`];
  });
}

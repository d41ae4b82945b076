/**
 * WBXML code pages of SyncML DM (1x§12.3-12.5). One number names an element in both encodings:
 * `page << 6 | token`, so a WBXML tag byte needs no lookup and an XML name needs one.
 */

/** Page 0, SyncML (1x§12.3); index = token. `''` marks tokens that no element has. */
const SYNCML: readonly string[] = Object.freeze([
  ...['', '', '', '', '', 'Add', 'Alert', 'Archive', 'Atomic', 'Chal', 'Cmd', 'CmdID', 'CmdRef', 'Copy'],
  ...[
    'Cred',
    'Data',
    'Delete',
    'Exec',
    'Final',
    'Get',
    'Item',
    'Lang',
    'LocName',
    'LocURI',
    'Map',
    'MapItem',
  ],
  ...['Meta', 'MsgID', 'MsgRef', 'NoResp', 'NoResults', 'Put', 'Replace', 'RespURI', 'Results', 'Search'],
  ...['Sequence', 'SessionID', 'SftDel', 'Source', 'SourceRef', 'Status', 'Sync', 'SyncBody', 'SyncHdr'],
  ...['SyncML', 'Target', 'TargetRef', '', 'VerDTD', 'VerProto', 'NumberOfChanges', 'MoreData', 'Field'],
  ...['Filter', 'Record', 'FilterType', 'SourceParent', 'TargetParent', 'Move', 'Correlator'],
]);

/** Page 1, MetInf (1x§12.4). */
const METINF: readonly string[] = Object.freeze([
  ...[
    '',
    '',
    '',
    '',
    '',
    'Anchor',
    'EMI',
    'Format',
    'FreeID',
    'FreeMem',
    'Last',
    'Mark',
    'MaxMsgSize',
    'Mem',
  ],
  ...['MetInf', 'Next', 'NextNonce', 'SharedMem', 'Size', 'Type', 'Version', 'MaxObjSize', 'FieldLevel'],
]);

/** Page 2, DMDDF and TNDS 1.2 (1x§12.5); case matters. */
const DMDDF: readonly string[] = Object.freeze([
  ...[
    '',
    '',
    '',
    '',
    '',
    'AccessType',
    'ACL',
    'Add',
    'b64',
    'bin',
    'bool',
    'chr',
    'CaseSense',
    'CIS',
    'Copy',
  ],
  ...[
    'CS',
    'date',
    'DDFName',
    'DefaultValue',
    'Delete',
    'Description',
    'DFFormat',
    'DFProperties',
    'DFTitle',
  ],
  ...['DFType', 'Dynamic', 'Exec', 'float', 'Format', 'Get', 'int', 'Man', 'MgmtTree', 'MIME', 'Mod', 'Name'],
  ...['Node', 'node', 'NodeName', 'null', 'Occurrence', 'One', 'OneOrMore', 'OneOrN', 'Path', 'Permanent'],
  ...[
    'Replace',
    'RTProperties',
    'Scope',
    'Size',
    'time',
    'Title',
    'TStamp',
    'Type',
    'Value',
    'VerDTD',
    'VerNo',
  ],
  ...['xml', 'ZeroOrMore', 'ZeroOrN', 'ZeroOrOne'],
]);

/** Element names by page and token. */
export const PAGES: readonly (readonly string[])[] = Object.freeze([SYNCML, METINF, DMDDF]);

/** Namespace that each page stands for (1x§12.2); page 0 is version dependent, see `documents.ts`. */
export const METINF_NAMESPACE = 'syncml:metinf';
export const DMDDF_NAMESPACE = 'syncml:dmddf1.2';

/** Element names by `page << 6 | token`; `''` where there is none. */
export const NAME_OF: readonly string[] = Object.freeze(
  Array.from({ length: PAGES.length << 6 }, (_, id) => PAGES[id >> 6]?.[id & 63] ?? ''),
);

/** No further child: the element has ended. */
export const END = 0;
/** An element that is none of ours: unknown name, or a namespace that is not SyncML's. */
export const UNKNOWN = -1;

// Page 0
export const ADD = 0x05;
export const ALERT = 0x06;
export const ATOMIC = 0x08;
export const CHAL = 0x09;
export const CMD = 0x0a;
export const CMD_ID = 0x0b;
export const CMD_REF = 0x0c;
export const COPY = 0x0d;
export const CRED = 0x0e;
export const DATA = 0x0f;
export const DELETE = 0x10;
export const EXEC = 0x11;
export const FINAL = 0x12;
export const GET = 0x13;
export const ITEM = 0x14;
export const LOC_NAME = 0x16;
export const LOC_URI = 0x17;
export const META = 0x1a;
export const MSG_ID = 0x1b;
export const MSG_REF = 0x1c;
export const REPLACE = 0x20;
export const RESP_URI = 0x21;
export const RESULTS = 0x22;
export const SEQUENCE = 0x24;
export const SESSION_ID = 0x25;
export const SOURCE = 0x27;
export const SOURCE_REF = 0x28;
export const STATUS = 0x29;
export const SYNC_BODY = 0x2b;
export const SYNC_HDR = 0x2c;
export const SYNC_ML = 0x2d;
export const TARGET = 0x2e;
export const TARGET_REF = 0x2f;
export const VER_DTD = 0x31;
export const VER_PROTO = 0x32;
export const MORE_DATA = 0x34;
export const CORRELATOR = 0x3c;

// Page 1
export const EMI = 0x46;
export const FORMAT = 0x47;
export const MARK = 0x4b;
export const MAX_MSG_SIZE = 0x4c;
export const NEXT_NONCE = 0x50;
export const SIZE = 0x52;
export const TYPE = 0x53;
export const MAX_OBJ_SIZE = 0x55;

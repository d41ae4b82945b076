import type { Alert, SerializationItem } from '../../packages.ts';
import type {
  Dialect,
  Opening,
  ReadLimits,
  Tolerated,
  TransferDocument,
  WireMessage,
  WrittenMessage,
} from '../dialect.ts';
import { deviceIdOf, type IdentityHeader } from '../identity.ts';
import { READ_LIMITS } from '../limits.ts';
import { devInfoOf, withDeviceInformation } from '../tnds20/deviceInformation.ts';
import { readTnds20, type Tnds20Style, writeTnds20 } from '../tnds20/document.ts';

/** Content types of the text dialects (20§1.1). */
export const TEXT_TYPES = Object.freeze({
  opening: 'application/tnds20',
  commands: 'application/dm20',
  status: 'application/dm20status',
  document: 'application/tnds20',
});

/** Headers of every message of a client. */
export function clientHeaders(
  contentType: string,
  identityHeader: IdentityHeader,
  deviceId: string,
): Record<string, string> {
  return {
    'content-type': contentType,
    accept: `${TEXT_TYPES.commands}, ${TEXT_TYPES.document}`,
    [identityHeader]: deviceId,
  };
}

/** First messages and documents of a dialect, which differ by its identity header and its spelling of TNDS20 alone. */
export function textOpening(
  identityHeader: IdentityHeader,
  style: Tnds20Style,
): Pick<Dialect, 'readOpening' | 'writeOpening' | 'readDocument' | 'writeDocument'> {
  return {
    readOpening: (message, limits = READ_LIMITS) => readTextOpening(message, limits),
    writeOpening: (written) => writeTextOpening(written, identityHeader, style),
    readDocument: (body, limits = READ_LIMITS) => readTextDocument(body, limits),
    writeDocument: (document) => writeTextDocument(document, style),
  };
}

/** A first message: a TNDS20 document with DevInfo, the supported objects and the alerts (20§1.3). */
function readTextOpening(message: WireMessage, limits: ReadLimits): Opening & Tolerated {
  const deviceId = deviceIdOf(message.headers);
  const { items, mos, alerts, tolerated } = readTnds20(message.body, limits);
  return {
    deviceId,
    package1: {
      ...(mos === undefined ? {} : { MOS: mos }),
      ...(alerts === undefined ? {} : { Alert: alerts }),
    },
    devInfo: devInfoOf(items, deviceId),
    items,
    tolerated,
  };
}

function writeTextOpening(
  { deviceId, package1, devInfo, items }: Opening,
  identityHeader: IdentityHeader,
  style: Tnds20Style,
): WrittenMessage {
  const { MOS, Alert } = package1;
  const { body, lost } = writeTnds20(
    {
      items: withDeviceInformation(items, devInfo, deviceId, MOS),
      ...(MOS === undefined ? {} : { mos: MOS }),
      ...(Alert === undefined ? {} : { alerts: Alert }),
    },
    style,
  );
  return { headers: clientHeaders(TEXT_TYPES.opening, identityHeader, deviceId), body, lost };
}

function readTextDocument(body: Uint8Array, limits: ReadLimits): TransferDocument {
  const { items, mos } = readTnds20(body, limits);
  return { items, ...(mos === undefined ? {} : { mos }) };
}

function writeTextDocument(document: TransferDocument, style: Tnds20Style): WrittenMessage {
  const { body, lost } = writeTnds20(document, style);
  return { headers: { 'content-type': TEXT_TYPES.document }, body, lost };
}

/** Notes on what a status report of these dialects has no place for. */
export function lostAlerts(alerts: readonly Alert[] | undefined): string[] {
  return (alerts ?? []).map(
    ({ AlertType }) => `The alert ${AlertType} is left out: only a first message carries alerts here.`,
  );
}

export function lostData(items: readonly SerializationItem[] | undefined): string[] {
  return (items ?? []).map(
    ({ ClientURI }) => `The data of ${ClientURI} is left out: a status has none here.`,
  );
}

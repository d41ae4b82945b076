import type { Cred, Meta, SyncHdr } from '../../dm1/message.ts';
import { VERSION_CONSTANTS } from '../syncml.ts';
import type { LegacyDeviceOptions } from './options.ts';

export interface HeaderState {
  readonly sessionId: string;
  readonly msgId: string;
  readonly url: string;
  readonly cred: Cred | undefined;
}

/** The SyncHdr of a client message (1x§1.3). LocName carries the user for md5 and HMAC. */
export function clientHeader(options: LegacyDeviceOptions, state: HeaderState): SyncHdr {
  const { version = '1.2', deviceId, auth, maxMsgSize, maxObjSize } = options;
  const { verDTD, verProto } = VERSION_CONSTANTS[version];
  const named = auth !== undefined && (auth.type === 'md5' || auth.type === 'hmac');
  const meta: Meta = {
    ...(maxMsgSize === undefined ? {} : { maxMsgSize }),
    ...(maxObjSize === undefined ? {} : { maxObjSize }),
  };
  return {
    verDTD,
    verProto,
    sessionId: state.sessionId,
    msgId: state.msgId,
    target: { uri: state.url },
    source: { uri: deviceId, ...(named ? { name: auth.username } : {}) },
    ...(state.cred ? { cred: state.cred } : {}),
    ...(Object.keys(meta).length === 0 ? {} : { meta }),
  };
}

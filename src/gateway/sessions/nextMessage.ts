import type { MessageMeta } from './entries.ts';
import type { Incoming } from './incoming.ts';
import type { LiveSession } from './liveSession.ts';

/**
 * Journals a session's next message, and makes the session ready to answer it; `strays`: it did not come to
 * the session's RespURI.
 */
export function takeNext(session: LiveSession, message: Incoming, strays = false): void {
  const { at, mark, encoding, stripped, contentType, tolerated } = message;
  const changed = encoding && encoding.form !== session.encoding?.form;
  if (changed) session.encoding = encoding;
  session.parked = false;
  session.reply = undefined;
  session.delivered = false;
  session.delivery = undefined;
  session.repeats = 0;
  // One that looks like the last would be taken for its repeat after a crash, if nothing told of it.
  const unlike = session.last.hash !== mark.hash;
  session.last = mark;
  session.lastAt = at;
  const meta: MessageMeta = {
    h: mark.hash,
    ...(mark.msgId !== undefined && { m: mark.msgId }),
    ...(changed && { enc: encoding }),
    ...(stripped && { stripped }),
    ...(contentType !== undefined && { type: contentType }),
    ...(tolerated && { tolerated }),
    ...(strays && { strays }),
  };
  session.recordMessage('device', at, meta, message.stored, unlike);
}

import type { DialectName } from '../../dm2/dialects/index.ts';
import type { Opening, SessionContext } from '../../interworking/context.ts';
import type { DeviceEvent, ResultOf } from '../../interworking/script.ts';
import type { JournalEntry, SessionRow } from '../../store/schema.ts';
import { DragomanError } from '../../support/errors.ts';
import { type MessageMeta, type OpenMeta, restoreResult, showsPage } from './entries.ts';
import { dm2Opening, type Incoming } from './incoming.ts';
import { LiveSession, type MessageMark } from './liveSession.ts';
import { readModel } from './messageModel.ts';
import type { SessionStarter, Wire } from './ports.ts';
import type { Replies } from './replies.ts';

export interface ReplayTools {
  readonly starter: SessionStarter;
  readonly wire: Wire;
  readonly replies: Replies;
}

/**
 * Brings a session back to where its journal ends: a fresh script is fed the recorded results. It then
 * stands parked, or at an effect that has no result yet and is performed again.
 *
 * @param fresh the message that is being handled. Where the journal's last message is the same one,
 *   it is used in its place, for it still has the credentials that a journal does not hold.
 * Throws `diverged` when the script does not repeat itself.
 */
export function replay(
  row: SessionRow,
  entries: readonly JournalEntry[],
  tools: ReplayTools,
  fresh?: Incoming,
): LiveSession {
  const [first] = entries;
  if (first?.kind !== 'open') throw diverged(row.id, 0, 'an opening', first?.kind);
  const lastMessage = entries.findLastIndex((e) => e.kind === 'open' || e.kind === 'device');
  const isFresh = (index: number, meta: MessageMeta) =>
    index === lastMessage && fresh !== undefined && fresh.mark.hash === meta.h && !meta.model;

  const openMeta = JSON.parse(first.meta) as OpenMeta;
  const opening = (isFresh(0, openMeta) && fresh?.opening) || readOpening(row, first, openMeta, tools.wire);
  const context: SessionContext = {
    ...openMeta.context,
    mappings: tools.starter.mappings,
    opening,
  };
  const session = new LiveSession({
    row,
    context,
    script: tools.starter.script(context),
    encoding: openMeta.enc,
    dialect: openMeta.dialect ?? 'approved',
    last: markOf(openMeta),
    entries: (entries.at(-1)?.seq ?? -1) + 1,
  });
  session.exchanges = entries.filter(({ kind }) => kind === 'backend.exchange').length;
  for (const { meta, body } of entries) session.watch(meta, body);
  let step = session.script.next();
  for (let i = 1; i < entries.length; i += 1) {
    const entry = entries[i]!;
    if (entry.kind === 'delivered' || entry.kind === 'undelivered') {
      session.delivered = entry.kind === 'delivered';
      continue;
    }
    if (step.done) throw diverged(row.id, entry.seq, entry.kind, 'its end');
    const effect = step.value;
    if (effect.kind !== 'device.exchange') {
      if (effect.kind !== entry.kind) throw diverged(row.id, entry.seq, entry.kind, effect.kind);
      const result = effect.kind === 'note' ? undefined : restoreResult(entry);
      if (effect.kind === 'repository.offer' || effect.kind === 'repository.expect') session.hasPlaces = true;
      if (effect.kind === 'interaction.wait' && entry.body !== null) session.heldInConfidence = true;
      if (showsPage(effect)) session.hasAnswers = true;
      if (effect.kind === 'authenticate') session.judged(result as ResultOf<'authenticate'>);
      step = session.script.next(result);
      continue;
    }
    if (!session.parked) {
      if (entry.kind !== 'reply') throw diverged(row.id, entry.seq, entry.kind, effect.kind);
      const { journaled } = tools.replies.write(session, effect.reply);
      if (!entry.body || Buffer.compare(entry.body, journaled) !== 0) {
        throw diverged(row.id, entry.seq, 'an answer', 'another answer');
      }
      session.parked = true;
      session.delivered = false;
      continue;
    }
    if (entry.kind !== 'device') throw diverged(row.id, entry.seq, entry.kind, 'a message of the device');
    const meta = JSON.parse(entry.meta) as MessageMeta;
    const event =
      (isFresh(i, meta) && fresh?.protocol === 'dm1' && { ...fresh.event, ...strayed(meta), at: entry.at }) ||
      readEvent(row.protocol, entry, meta, session, tools.wire);
    session.parked = false;
    session.delivered = false;
    if (meta.gone === undefined) {
      session.last = markOf(meta);
      session.lastAt = entry.at;
    }
    if (meta.enc) session.encoding = meta.enc;
    step = session.script.next(event);
  }
  session.step = step;
  return session;
}

function markOf(meta: MessageMeta): MessageMark {
  return { hash: meta.h, ...(meta.m !== undefined && { msgId: meta.m }) };
}

function readOpening(
  { protocol, device_id }: SessionRow,
  entry: JournalEntry,
  meta: MessageMeta,
  wire: Wire,
): Opening {
  const body = entry.body ?? new Uint8Array();
  if (protocol === 'dm1') {
    const form = meta.enc?.form ?? 'xml';
    if (meta.model && meta.enc) return { protocol, message: readModel(body), encoding: meta.enc };
    const { message, encoding } = wire.readDm1(body, form);
    return { protocol, message, encoding: meta.enc ?? encoding };
  }
  const name = meta.dialect as DialectName;
  // Any of the identity headers serves a reader.
  const message = { headers: { 'omadm-devid': device_id }, body };
  return dm2Opening(name, wire.dm2[name].readOpening(message, wire.dm2Limits));
}

function readEvent(
  protocol: 'dm1' | 'dm2',
  entry: JournalEntry,
  meta: MessageMeta,
  session: LiveSession,
  wire: Wire,
): DeviceEvent {
  const { at } = entry;
  if (meta.gone !== undefined) return { kind: 'gone', at, reason: meta.gone };
  const body = entry.body ?? new Uint8Array();
  if (protocol === 'dm1') {
    if (meta.model) return { kind: 'dm1', at, message: readModel(body), ...strayed(meta) };
    const form = (meta.enc ?? session.encoding)?.form ?? 'xml';
    return { kind: 'dm1', at, message: wire.readDm1(body, form).message, ...strayed(meta) };
  }
  const { package3 } = wire.dm2[session.dialect as DialectName].readStatus(
    { headers: { 'content-type': meta.type }, body },
    { limits: wire.dm2Limits, commands: session.asked },
  );
  return { kind: 'package3', at, package3 };
}

function strayed({ strays }: MessageMeta): { strays?: true } {
  return strays ? { strays } : {};
}

function diverged(id: string, seq: number, recorded: string, found: string | undefined): DragomanError {
  return new DragomanError(
    'diverged',
    `Session ${id}: the journal has ${recorded} at ${seq}, the script came to ${found ?? 'nothing'}.`,
  );
}

import type { Command, Results, Status } from '../../dm1/message.ts';
import { dataSize } from '../syncml.ts';
import type { Live } from './live.ts';
import type { ServerCommand } from './script.ts';
import { joinChunks, resultItem } from './session.ts';

export function takeCommand(live: Live, command: Command): number {
  const { session } = live;
  if (command.kind === 'Alert') {
    if (command.code === '1200' || command.code === '1201') session.opening = command.code;
    else if (command.code === '1223') {
      session.state = 'aborted';
      session.alerts.push(command);
    } else if (command.code === '1224' || command.code === '1226') {
      if (command.items.length === 0) return 412;
      session.alerts.push(command);
    }
    return 200;
  }
  if (command.kind !== 'Replace') return 405;
  for (const item of command.items) {
    const name = item.source?.uri.replace(/^(\.?\/)?DevInfo\//, '');
    if (name) session.devInfo[name] = String(item.data ?? '');
  }
  return 200;
}

export function takeStatus(live: Live, status: Status, mayProve: boolean): void {
  if (status.cmd === 'SyncHdr' || status.cmdRef === '0') {
    takeHeaderStatus(live, status, mayProve);
    return;
  }
  const record = live.pending.get(`${status.msgRef}/${status.cmdRef}`);
  if (!record || status.code === '213') return;
  record.statuses.push(status);
  if (record.code === undefined || (Number(record.code) < 300 && Number(status.code) >= 300))
    record.code = status.code;
}

function takeHeaderStatus(live: Live, { code, chal }: Status, mayProve: boolean): void {
  if (code !== '401' && code !== '407') {
    live.proof = undefined;
    live.ownNonce = chal?.nextNonce ?? live.ownNonce;
    return;
  }
  const scheme = chal?.type === 'syncml:auth-basic' ? 'basic' : 'md5';
  live.proofs += 1;
  if (!mayProve || live.proofs > 2) {
    live.session.state = 'refused';
    return;
  }
  live.proof = { scheme, nonce: chal?.nextNonce ?? new Uint8Array() };
  // The client executed nothing: the same commands go out again (1x§9.4 rule 7).
  const again = [...live.pending.values()].map(({ command }) => command);
  live.pending.clear();
  live.session.commands.splice(live.session.commands.length - again.length);
  live.carry.unshift(...again.filter((command) => !again.some((other) => isChildOf(command, other))));
}

/** Takes Results in; the Status code that they get, 200 for none. */
export function takeResults(live: Live, results: Results): number {
  const record = live.pending.get(`${results.msgRef ?? '1'}/${results.cmdRef}`);
  if (!record) return 200;
  const last = results.items.at(-1);
  if (last?.moreData || live.partial) {
    live.partial ??= { first: results, chunks: [] };
    live.partial.chunks.push(last?.data ?? '');
    if (last?.moreData) return 213;
    const { first, chunks } = live.partial;
    live.partial = undefined;
    const data = joinChunks(chunks);
    const declared = first.meta?.size ?? first.items[0]?.meta?.size;
    if (declared !== undefined && declared !== dataSize(data)) return 424;
    record.results.push(resultItem(first, { ...first.items[0], data }));
    return 200;
  }
  for (const item of results.items) record.results.push(resultItem(results, item));
  return 200;
}

function isChildOf(command: ServerCommand, other: ServerCommand): boolean {
  return 'commands' in other && other.commands.includes(command);
}

import type { ClientUri } from '../../dm2/clientUri.ts';
import type { Dm2Command, SerializationItem, StatusItem } from '../../dm2/packages.ts';
import { writeSerialization } from '../../dm2/serialization.ts';
import { validatorOf } from '../../mo/validator.ts';
import { clientUri, type MoAddress } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2 } from '../status.ts';
import { sendDocument } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { readObjects } from './objects.ts';
import type { ReadResult } from './read.ts';
import { resolveOnDevice } from './resolve.ts';

export type ReadCommand = Extract<Dm2Command, { verb: 'GET' | 'HPUT' | 'HPOST' }>;

/** One node that a ClientURI named, as read. */
interface Target {
  readonly address: MoAddress;
  readonly uri: ClientUri;
  readonly at: number;
}

/**
 * Consecutive GET, HPUT and HPOST (IW-GET-1 to -3, IW-HPUT-1): reads commute, so all their nodes are
 * read in one batch. 200 only if every address of a command was read, else its first failing code.
 */
export function* runReads(
  s: Session,
  device: LegacyDevice,
  commands: readonly ReadCommand[],
  accept: string | undefined,
): Script<StatusItem[]> {
  const targets: Target[] = [];
  const plans: ({ ok: true; first: number; count: number; uri: ClientUri }[] | { ok: false; sc: number })[] =
    [];
  for (const command of commands) {
    const plan: { ok: true; first: number; count: number; uri: ClientUri }[] = [];
    let failed: number | undefined;
    for (const text of command.clientUris) {
      const resolved = yield* resolveOnDevice(s, device, text);
      if (!resolved.ok) {
        failed = resolved.sc;
        break;
      }
      plan.push({ ok: true, first: targets.length, count: resolved.targets.length, uri: resolved.uri });
      for (const address of resolved.targets) {
        targets.push({ address, uri: resolved.uri, at: targets.length });
      }
    }
    plans.push(failed === undefined ? plan : { ok: false, sc: failed });
  }
  const results = yield* readObjects(
    s,
    device,
    targets.map(({ address, uri }) => ({ address, ...(uri.levels !== undefined && { levels: uri.levels }) })),
  );
  const items: StatusItem[] = [];
  for (const [i, command] of commands.entries()) {
    const plan = plans[i]!;
    if (!Array.isArray(plan)) {
      items.push({ sc: plan.sc });
      continue;
    }
    items.push(yield* finish(s, command, plan, targets, results, accept));
  }
  return items;
}

function* finish(
  s: Session,
  command: ReadCommand,
  plan: readonly { first: number; count: number; uri: ClientUri }[],
  targets: readonly Target[],
  results: readonly ReadResult[],
  accept: string | undefined,
): Script<StatusItem> {
  const documents: SerializationItem[] = [];
  let unchanged = 0;
  for (const { first, count, uri } of plan) {
    let fresh = 0;
    const read: SerializationItem[] = [];
    for (let at = first; at < first + count; at++) {
      const result = results[at]!;
      if (!result.ok) return { sc: statusToDm2(result.code) };
      const { mapping, path } = targets[at]!.address;
      const validator = validatorOf(result.node);
      if (validator !== uri.cv) fresh++;
      read.push(
        ...writeSerialization(
          [
            {
              uri: clientUri(mapping.mount, path, uri.moid),
              rootName: path.length === 0 ? mapping.rootName : path.at(-1)!,
              node: result.node,
              ...(path.length === 0 && { cv: validator }),
              ...(mapping.mount.ddf !== undefined && { ddf: mapping.mount.ddf }),
            },
          ],
          { values: s.context.backend.values },
        ),
      );
    }
    if (uri.cv !== undefined && fresh === 0) unchanged++;
    else documents.push(...read);
  }
  if (documents.length === 0 && unchanged > 0) return { sc: 304 };
  if (command.verb === 'GET') return { sc: 200, MO: documents };
  const method = command.verb === 'HPUT' ? 'PUT' : 'POST';
  return { sc: yield* sendDocument(s, method, command.serverUri, documents, accept) };
}

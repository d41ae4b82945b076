import { parseClientUri } from '../../dm2/clientUri.ts';
import { miidFor } from '../../mo/inventory.ts';
import type { MappingSet, Mount } from '../../mo/mapping.ts';
import { samePath, type TreePath } from '../../mo/treePath.ts';
import type { Opening, SessionContext } from '../context.ts';
import type { Effect, Script } from '../script.ts';
import { Session } from '../session.ts';

export interface Note {
  readonly rule: string;
  readonly text: string;
}

/**
 * A session without a device: the objects that it seems to have are those whose addresses the message
 * names, at the places where the packs expect them.
 */
export class OfflineSession extends Session {
  readonly notes: Note[] = [];

  constructor(mappings: MappingSet, opening: Opening, form: 'xml' | 'wbxml') {
    super(offlineContext(mappings, opening, form));
  }

  tell(rule: string, text: string): void {
    if (!this.notes.some((note) => note.rule === rule && note.text === text)) this.notes.push({ rule, text });
  }

  /** Runs a piece of script that asks the world for nothing. */
  collect<R>(script: Script<R>): R {
    let step = script.next();
    while (!step.done) {
      const effect: Effect = step.value;
      if (effect.kind !== 'note') throw new TypeError(`offline translation cannot perform ${effect.kind}`);
      this.tell(effect.rule, effect.text);
      step = script.next(undefined);
    }
    return step.value;
  }

  /** Assumes an object at the place where a pack expects the legacy address. */
  assumeLegacy(path: TreePath): void {
    for (const pattern of this.context.mappings.rootPatterns()) {
      if (path.length < pattern.path.length) continue;
      const fits = pattern.path.every((segment, i) => segment === '<x>' || segment === path[i]);
      if (fits) this.#assume(pattern.moid, path.slice(0, pattern.path.length), undefined);
    }
    if (path[0] === 'DevDetail') this.assumeLegacy(['DevInfo']);
    const [first, moid, miid] = path;
    if (first === 'MO' && moid !== undefined && miid !== undefined)
      this.#assume(moid, [first, moid, miid], miid);
  }

  /** Assumes the object that a ClientURI names; one without MIID is called `x`. */
  assumeClientUri(text: string): void {
    const uri = parseClientUri(text, { bareInstance: true });
    if ('error' in uri) return;
    const { mappings } = this.context;
    const name = uri.instance.kind === 'named' ? uri.instance.name : undefined;
    const known = this.mounts.filter((mount) => mappings.sameObject(mount.moid, uri.moid));
    if (known.some((mount) => name === undefined || mount.miid === name)) return;
    const miid = name ?? 'x';
    const moid = mappings.canonical(uri.moid);
    const root = mappings.virtualRoot(moid, miid);
    if (uri.instance.kind !== 'named' && root.includes('x')) {
      this.tell('IW-ADDR-2', `The address gives no MIID; the instance is assumed to be "x" on the device.`);
    }
    this.#assume(moid, root, miid);
  }

  #assume(moid: string, root: TreePath, miid: string | undefined): void {
    if (this.mounts.some((mount) => samePath(mount.root, root))) return;
    const mount: Mount = { moid, miid: miid ?? miidFor(root, this.mounts), root };
    this.setMounts([...this.mounts, mount]);
  }
}

function offlineContext(mappings: MappingSet, opening: Opening, form: 'xml' | 'wbxml'): SessionContext {
  return {
    device: { id: 'device', devInfo: {}, mounts: [], capabilities: {}, validators: {}, firstSession: false },
    backend: {
      name: 'offline',
      protocol: opening.protocol === 'dm1' ? 'dm2' : 'dm1',
      serverId: 'dragoman',
      url: 'https://gateway.example/dm',
      version: '1.2',
      scheme: 'none',
      encoding: form,
      values: 'string',
      getMember: 'MO',
      maxMsgSize: 1_048_576,
    },
    mappings,
    limits: { messages: 1, nodes: 10_000, depth: 64, messageBytes: 1_048_576, objectBytes: 1_048_576 },
    deviceUrl: 'https://gateway.example/dm',
    opening,
    at: 0,
  };
}

import { namedPath, parseClientUri } from '../../dm2/clientUri.ts';
import { isMoDocument, readMoDocument } from '../../dm2/documents.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { expandFor, type Fetched, fetchDocument } from '../transfer.ts';
import { changeDelegation } from './delegation.ts';

/** HGET, DELETE and EXEC of the delegation object, which no device has: the gateway itself is changed. */
export function* runOnDelegation(
  s: Session,
  command: Extract<Dm2Command, { verb: 'HGET' | 'DELETE' | 'EXEC' }>,
): Script<StatusItem> {
  const uri = parseClientUri(command.clientUri ?? '');
  const path = 'error' in uri ? undefined : namedPath(uri);
  if (path === undefined || command.verb === 'EXEC') return { sc: 405 };
  if (command.verb === 'DELETE') return { sc: changeDelegation(s, path, undefined) };
  const url = yield* expandFor(s, command.serverUri);
  if (url === undefined) return { sc: 400 };
  const fetched = yield* fetchDocument(s, url);
  if (!fetched.ok) return { sc: fetched.sc };
  // What is too large to be held in memory says more than rights.
  const text = fetched.stored ? undefined : textOf(fetched, path);
  return { sc: text === undefined ? 415 : changeDelegation(s, path, text) };
}

/** The one leaf of a document, or a body that is plain text. */
function textOf(fetched: Extract<Fetched, { ok: true }>, path: readonly string[]): string | undefined {
  if (!isMoDocument(fetched.contentType)) return new TextDecoder().decode(fetched.body);
  try {
    const [item, ...others] = readMoDocument(fetched, { rootName: () => 'Delegation', path });
    const value = item && others.length === 0 && 'value' in item.node ? item.node.value : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof DragomanError) return undefined;
    throw error;
  }
}

import { DIALECTS, type Dialect } from '../dm2/dialects/index.ts';
import type { SessionContext } from './context.ts';

/** How the session's 2.0 client speaks and what it can do; the approved protocol where its opening says nothing. */
export function deviceDialect({ opening }: Pick<SessionContext, 'opening'>): Dialect {
  return DIALECTS[(opening.protocol === 'dm2' && opening.dialect) || 'approved'];
}

/** The same of its 2.0 backend. */
export function backendDialect({ backend }: Pick<SessionContext, 'backend'>): Dialect {
  return DIALECTS[backend.dialect ?? 'approved'];
}

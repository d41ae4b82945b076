import { Router } from 'express';
import type { BackendConfig } from '../../gateway/config/config.ts';
import { allowOnly } from '../problem.ts';

/** `/api/backends`: the configured management servers, without their credentials. */
export function backendRoutes(backends: Readonly<Record<string, BackendConfig>>): Router {
  const view = Object.entries(backends).map(([name, backend]) => ({ name, ...backendView(backend) }));
  const router = Router();
  router
    .route('/api/backends')
    .get((_request, response) => {
      response.json({ backends: view });
    })
    .all(allowOnly('GET'));
  return router;
}

function backendView(backend: BackendConfig): object {
  switch (backend.protocol) {
    case 'builtin':
      return { protocol: backend.protocol };
    case 'dm2':
      return { protocol: backend.protocol, url: withoutQuery(backend.url), dialect: backend.dialect };
    case 'dm1': {
      const { protocol, url, version, encoding } = backend;
      return { protocol, url: withoutQuery(url), version, encoding };
    }
  }
}

/** Queries and user information of a URL may hold secrets. */
function withoutQuery(text: string): string {
  const url = new URL(text);
  url.search = '';
  url.username = '';
  url.password = '';
  return url.href;
}

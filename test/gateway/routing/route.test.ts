import { describe, expect, it } from 'vitest';
import { route } from '../../../src/gateway/routing/route.ts';

const routes = [
  { match: { protocol: 'dm1', deviceId: 'IMEI:35*', fwv: '1.*' }, backend: 'old' },
  { match: { protocol: 'dm1', deviceId: 'IMEI:35*' }, backend: 'dms' },
  { match: { man: 'Acme', mod: 'X?' }, backend: 'acme' },
  { match: { protocol: 'dm2' }, backend: 'legacy' },
] as const;

describe('route', () => {
  it.each([
    [{ protocol: 'dm1', deviceId: 'IMEI:351', fwv: '1.4' }, 'old'],
    [{ protocol: 'dm1', deviceId: 'IMEI:351', fwv: '2.0' }, 'dms'],
    [{ protocol: 'dm1', deviceId: 'IMEI:351' }, 'dms'],
    [{ protocol: 'dm2', deviceId: 'IMEI:351', man: 'Acme', mod: 'X1' }, 'acme'],
    [{ protocol: 'dm2', deviceId: 'x', man: 'Acme' }, 'legacy'],
    [{ protocol: 'dm1', deviceId: 'imei:351' }, 'console'],
  ] as const)('sends %o to %s', (subject, backend) => {
    expect(route(routes, subject)).toBe(backend);
  });

  it('takes every device where a route matches on nothing', () => {
    expect(route([{ match: {}, backend: 'all' }], { protocol: 'dm1', deviceId: 'x' })).toBe('all');
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configurationPage, describeConfig, EXAMPLE } from '../../../src/gateway/config/describe.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { configJsonSchema } from '../../../src/gateway/config/schema.ts';

const PAGE = new URL('../../../docs/configuration.md', import.meta.url);

describe('docs/configuration.md', () => {
  it('is what the schema generates; DRAGOMAN_TEST_WRITE=1 writes it', () => {
    if (process.env['DRAGOMAN_TEST_WRITE'] === '1') writeFileSync(PAGE, configurationPage());
    expect(readFileSync(PAGE, 'utf8')).toBe(configurationPage());
  });

  it('has an example that loads', () => {
    const config = loadConfig({ text: EXAMPLE });
    expect(Object.keys(config.backends)).toEqual(['console', 'dms', 'legacy']);
    expect(config.limits.sessionSeconds).toBe(120);
  });

  it('has a row for every key, each with a meaning', () => {
    const rows = describeConfig();
    const keys = rows.map((row) => row.key);
    expect(keys).toEqual(
      expect.arrayContaining(['listen.devices', 'routes[].match.fwv', 'backends.<name>.url']),
    );
    expect(rows.every((row) => row.description.length > 5)).toBe(true);
    expect(rows.find((row) => row.key === 'limits.messageBytes')?.env).toBe('DRAGOMAN_LIMITS_MESSAGE_BYTES');
  });

  it('publishes the schema with the protocols of backends told apart', () => {
    const schema = JSON.stringify(configJsonSchema());
    expect(schema).toContain('"oneOf"');
    expect(schema).toContain('perDevice');
  });
});

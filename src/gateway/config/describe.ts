import { environmentName } from './keys.ts';
import { TRANSPORT_SCHEMAS } from './notificationSchema.ts';
import { BACKEND_SCHEMAS, CONFIG_SCHEMA, type KeySchema } from './schema.ts';

/** One key of the configuration, for documentation and `--help`. */
export interface ConfigRow {
  /** Dotted; `<name>` stands for the name of a backend or transport, `[]` for an item of a list. */
  readonly key: string;
  readonly type: string;
  readonly default?: string;
  readonly required: boolean;
  /** Environment variable that sets it, where one can. */
  readonly env?: string;
  readonly description: string;
}

/** Every key, in the order of the schema. */
export function describeConfig(): readonly ConfigRow[] {
  return rows(CONFIG_SCHEMA, [], true).flatMap((row) => {
    if (row.key === 'backends') return [row, ...variantRows(BACKEND_SCHEMAS, ['backends'], 'protocol')];
    return row.key === 'notifications.transports'
      ? [row, ...variantRows(TRANSPORT_SCHEMAS, ['notifications', 'transports'], 'type')]
      : [row];
  });
}

/** Rows of what is named in the file and has another schema for each value of its member `tag`. */
function variantRows(
  schemas: Readonly<Record<string, KeySchema>>,
  path: readonly string[],
  tag: string,
): ConfigRow[] {
  const perVariant = Object.entries(schemas).flatMap(([variant, schema]) =>
    rows(schema, [...path, '<name>'], false).map((row) => ({ variant, row })),
  );
  const isTag = (row: ConfigRow) => row.key === [...path, '<name>', tag].join('.');
  const merged = new Map<string, { variants: string[]; row: ConfigRow }>();
  for (const { variant, row } of perVariant) {
    const key = isTag(row) ? row.key : `${row.key} ${row.type} ${row.default ?? ''} ${row.description}`;
    const known = merged.get(key);
    if (known) known.variants.push(variant);
    else merged.set(key, { variants: [variant], row });
  }
  return [...merged.values()].map(({ variants, row }) =>
    isTag(row)
      ? { ...row, type: variants.map((v) => `\`${v}\``).join(', ') }
      : { ...row, description: `(${variants.join(', ')}) ${row.description}` },
  );
}

function rows(schema: KeySchema, path: readonly string[], settable: boolean): ConfigRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const at = [...path, name];
    const required = schema.required?.includes(name) ?? false;
    if (child.properties) return rows(child, at, settable);
    const own = toRow(child, at, required, settable);
    return child.items?.properties ? [own, ...rows(child.items, [...path, `${name}[]`], false)] : [own];
  });
}

function toRow(schema: KeySchema, path: readonly string[], required: boolean, settable: boolean): ConfigRow {
  const scalar = schema.type !== 'object' && schema.items?.type !== 'object';
  const standard = schema.default === undefined ? undefined : JSON.stringify(schema.default);
  const env = scalar && !path.some((name) => name.endsWith('[]')) ? environmentName(path) : undefined;
  return {
    key: path.join('.'),
    type: typeOf(schema),
    required,
    description: schema.description,
    ...(standard === undefined ? {} : { default: standard }),
    ...(env === undefined ? {} : { env: settable ? env : env.replace('__NAME__', '_<NAME>_') }),
  };
}

function typeOf(schema: KeySchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  switch (schema.type) {
    case 'array':
      return schema.items?.type === 'object' ? 'list' : 'list of text';
    case 'integer':
      return `whole number, ${schema.minimum ?? ''} to ${schema.maximum ?? ''}`;
    case 'object':
      return 'mapping';
    case 'string':
      return 'text';
    case 'boolean':
      return '`true`, `false`';
  }
}

/** docs/configuration.md, as generated from the schema. */
export function configurationPage(): string {
  const cell = (text: string) => text.replace(/\|/g, '\\|');
  const lines = describeConfig().map((row) => {
    const standard = row.required ? 'required' : row.default === undefined ? '' : `\`${row.default}\``;
    const env = row.env === undefined ? '' : `\`${row.env}\``;
    return `| \`${row.key}\` | ${cell(row.type)} | ${cell(standard)} | ${env} | ${cell(row.description)} |`;
  });
  return [
    '# Configuration',
    '',
    '<!-- Generated from src/gateway/config/schema.ts; test/gateway/config/page.test.ts says how. -->',
    '',
    'The configuration is one YAML or JSON file. Flags win over environment variables, these over the file,',
    'and the file over the defaults below; a list in an environment variable is separated by commas. A key',
    'that is not in this table is refused with its path, and all mistakes are reported at once. Relative',
    'paths start at the working directory. `<NAME>` in a variable is the name of a backend or transport that',
    'the file declares, in upper case, with `_` for every other character: that is the place for secrets.',
    '',
    '| key | values | default | environment | meaning |',
    '|---|---|---|---|---|',
    ...lines,
    '',
    '## Example',
    '',
    '```yaml',
    EXAMPLE,
    '```',
    '',
  ].join('\n');
}

/** A file that uses most keys; a test loads it. */
export const EXAMPLE = `listen:
  devices: 0.0.0.0:8080
  admin: 127.0.0.1:8081
publicUrl: https://dm.operator.example
store: sqlite:data/dragoman.db
backends:
  dms:
    protocol: dm2
    url: https://dms.operator.example/dm20
    auth: { type: bearer, password: from DRAGOMAN_BACKENDS_DMS_AUTH_PASSWORD }
  legacy:
    protocol: dm1
    url: https://legacy.operator.example/dm
    version: "1.2"
    encoding: wbxml
    serverId: legacy
    auth: { type: md5, perDevice: true }
routes:
  - match: { protocol: dm1, deviceId: "IMEI:35*" }
    backend: dms
  - match: { protocol: dm2 }
    backend: legacy
deviceAuth: { dm1: md5, dm2: basic }
devices: devices.csv
outbound:
  allow: ["127.0.0.1:9000", "*.operator.example"]
notifications:
  via: sms
  transports:
    sms: { type: pap, url: "https://ppg.operator.example/pap" }
    lan: { type: udp, networks: ["10.20.0.0/16"] }
limits:
  sessions: 20000
  sessionSeconds: 120`;

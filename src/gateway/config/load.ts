import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseDocument } from 'yaml';
import { DEFAULT_BACKEND } from '../routing/route.ts';
import type { Config } from './config.ts';
import { environmentName, fromText, isTree, setAt, settableKeys, type Tree, withDefaults } from './keys.ts';
import { TRANSPORT_SCHEMAS } from './notificationSchema.ts';
import { ConfigError, type ConfigProblem, dotted, toProblem } from './problems.ts';
import { BACKEND_SCHEMAS, type BackendProtocol, CONFIG_SCHEMA, type KeySchema } from './schema.ts';

export interface ConfigSources {
  /** YAML or JSON file. */
  readonly file?: string;
  /** Instead of `file`: its content. */
  readonly text?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** By dotted key, as `listen.devices`; absent and `undefined` ones leave the key alone. */
  readonly flags?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
}

/** Variables with our prefix that are no keys of the configuration. */
const OTHER_VARIABLES = /^DRAGOMAN_(CONFIG|TEST_.*)$/;

/**
 * Reads the configuration: flags over environment (`DRAGOMAN_LISTEN_DEVICES`) over file over defaults.
 * Throws `ConfigError` with every problem at once, each with its dotted key.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const tree = readFile(sources);
  const problems: ConfigProblem[] = [];
  applyEnvironment(tree, sources.env ?? {}, problems);
  applyFlags(tree, sources.flags ?? {}, problems);

  const filled = withDefaults(CONFIG_SCHEMA, tree) as Tree;
  problems.push(...validate(validator(), CONFIG_SCHEMA, filled, []));
  const backends = checkBackends(filled, problems);
  const notifications = checkNotifications(filled, problems);
  checkReferences(filled, backends, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return finish({ ...filled, backends, notifications });
}

function readFile({ file, text }: ConfigSources): Tree {
  if (file === undefined && text === undefined) return {};
  const source = text ?? readText(file ?? '');
  const document = parseDocument(source, { uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((e) => ({
        path: '',
        message: `${file ?? 'configuration'}: ${firstLine(e.message)}`,
      })),
    );
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null || value === undefined) return {};
  if (!isTree(value)) {
    throw new ConfigError([{ path: '', message: `${file ?? 'configuration'}: must be a mapping of keys` }]);
  }
  return value;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ConfigError([{ path: '', message: `${file}: cannot be read (${reason})` }]);
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/:$/, '') ?? message;
}

function applyEnvironment(
  tree: Tree,
  env: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): void {
  const known = new Map(keysOf(tree).map((key) => [environmentName(key.path), key]));
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('DRAGOMAN_') || text === undefined || OTHER_VARIABLES.test(name)) continue;
    const key = known.get(name);
    if (key) setAt(tree, key.path, fromText(key.schema, text));
    else
      problems.push({ path: name, message: 'this environment variable names no key of the configuration' });
  }
}

function applyFlags(tree: Tree, flags: NonNullable<ConfigSources['flags']>, problems: ConfigProblem[]): void {
  const known = new Map(keysOf(tree).map((key) => [dotted(key.path), key]));
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const key = known.get(name);
    if (key) setAt(tree, key.path, typeof value === 'string' ? fromText(key.schema, value) : value);
    else problems.push({ path: name, message: 'this flag names no key of the configuration' });
  }
}

/** The fixed keys, and those of the backends and transports that the file declares. */
function keysOf(tree: Tree) {
  const backends = isTree(tree['backends']) ? Object.entries(tree['backends']) : [];
  return [
    ...settableKeys(CONFIG_SCHEMA),
    ...Object.entries(transportsOf(tree)).flatMap(([name, value]) => {
      const schema = transportSchema(value);
      return schema ? settableKeys(schema, ['notifications', 'transports', name]) : [];
    }),
    ...backends.flatMap(([name, value]) => {
      const schema = backendSchema(value);
      return schema ? settableKeys(schema, ['backends', name]) : [];
    }),
  ];
}

function backendSchema(value: unknown): KeySchema | undefined {
  const protocol = isTree(value) ? value['protocol'] : undefined;
  return typeof protocol === 'string' && Object.hasOwn(BACKEND_SCHEMAS, protocol)
    ? BACKEND_SCHEMAS[protocol as BackendProtocol]
    : undefined;
}

function checkBackends(tree: Tree, problems: ConfigProblem[]): Tree {
  const declared = isTree(tree['backends']) ? tree['backends'] : {};
  const result: Tree = {};
  for (const [name, value] of Object.entries({ [DEFAULT_BACKEND]: { protocol: 'builtin' }, ...declared })) {
    const path = ['backends', name];
    const schema = backendSchema(value);
    if (!isTree(value) || !schema) {
      if (isTree(value)) {
        const protocols = Object.keys(BACKEND_SCHEMAS).join(', ');
        problems.push({ path: dotted([...path, 'protocol']), message: `must be one of ${protocols}` });
      }
      continue;
    }
    const filled = withDefaults(schema, { values: tree['values'], ...value }) as Tree;
    problems.push(...validate(backendValidator(value['protocol'] as BackendProtocol), schema, filled, path));
    problems.push(...credentialProblems(filled, path));
    if (isTree(filled['tls']) && !String(filled['url']).startsWith('https:')) {
      problems.push({ path: dotted([...path, 'tls']), message: 'needs a url that begins with https:' });
    }
    result[name] = filled;
  }
  return result;
}

function transportsOf(tree: Tree): Tree {
  const notifications = tree['notifications'];
  const transports = isTree(notifications) ? notifications['transports'] : undefined;
  return isTree(transports) ? transports : {};
}

function transportSchema(value: unknown): KeySchema | undefined {
  const type = isTree(value) ? value['type'] : undefined;
  return typeof type === 'string' && Object.hasOwn(TRANSPORT_SCHEMAS, type)
    ? TRANSPORT_SCHEMAS[type as keyof typeof TRANSPORT_SCHEMAS]
    : undefined;
}

/** The group with every transport complete. */
function checkNotifications(tree: Tree, problems: ConfigProblem[]): Tree {
  const transports: Tree = {};
  for (const [name, value] of Object.entries(transportsOf(tree))) {
    const path = ['notifications', 'transports', name];
    const schema = transportSchema(value);
    if (!isTree(value) || !schema) {
      const types = Object.keys(TRANSPORT_SCHEMAS).join(', ');
      if (isTree(value))
        problems.push({ path: dotted([...path, 'type']), message: `must be one of ${types}` });
      continue;
    }
    const filled = withDefaults(schema, value) as Tree;
    problems.push(...validate(compile(schema), schema, filled, path), ...credentialProblems(filled, path));
    transports[name] = filled;
  }
  const given = isTree(tree['notifications']) ? tree['notifications'] : {};
  const { via } = given;
  if (typeof via === 'string' && !Object.hasOwn(transportsOf(tree), via)) {
    problems.push({ path: 'notifications.via', message: `there is no transport "${via}"` });
  }
  return { ...given, transports };
}

function credentialProblems(backend: Tree, path: readonly string[]): ConfigProblem[] {
  const auth = backend['auth'];
  if (!isTree(auth) || auth['type'] === 'none' || auth['type'] === undefined) return [];
  const perDevice = auth['perDevice'] === true;
  if (perDevice && auth['type'] !== 'md5' && auth['type'] !== 'hmac') {
    return [
      {
        path: dotted([...path, 'auth', 'perDevice']),
        message:
          'needs type md5 or hmac: no other scheme works from the hashes that are on file for a device',
      },
    ];
  }
  const needed = perDevice ? [] : auth['type'] === 'bearer' ? ['password'] : ['username', 'password'];
  return needed
    .filter((name) => auth[name] === undefined)
    .map((name) => ({
      path: dotted([...path, 'auth', name]),
      message: `is required for ${String(auth['type'])}`,
    }));
}

function checkReferences(tree: Tree, backends: Tree, problems: ConfigProblem[]): void {
  const declared = isTree(tree['backends']) ? tree['backends'] : {};
  if (Array.isArray(tree['routes'])) {
    for (const [index, route] of tree['routes'].entries()) {
      const name: unknown = isTree(route) ? route['backend'] : undefined;
      if (typeof name !== 'string' || Object.hasOwn(backends, name) || Object.hasOwn(declared, name))
        continue;
      problems.push({ path: `routes.${index}.backend`, message: `there is no backend "${name}"` });
    }
  }
  const { listen, deviceAuth } = tree;
  const tls = isTree(listen) ? listen['tls'] : undefined;
  for (const protocol of ['dm1', 'dm2']) {
    if (!isTree(deviceAuth) || deviceAuth[protocol] !== 'mtls') continue;
    if (isTree(tls) && tls['clientCa'] !== undefined) continue;
    problems.push({ path: `deviceAuth.${protocol}`, message: 'mtls needs listen.tls.clientCa' });
  }
  if (isTree(tls) && tls['crl'] !== undefined && tls['clientCa'] === undefined) {
    problems.push({
      path: 'listen.tls.crl',
      message: 'needs listen.tls.clientCa, whose certificates it revokes',
    });
  }
  const admin = tree['admin'];
  if (isTree(admin) && admin['token'] !== undefined && admin['tokenFile'] !== undefined) {
    problems.push({ path: 'admin.tokenFile', message: 'give either token or tokenFile, not both' });
  }
}

function finish(tree: Tree): Config {
  const config = tree as unknown as Config & { publicUrl?: string; admin?: Config['admin'] };
  const scheme = config.listen.tls ? 'https' : 'http';
  const publicUrl = (config.publicUrl ?? `${scheme}://${reachable(config.listen.devices)}`).replace(
    /\/+$/,
    '',
  );
  const routes = config.routes.map((r) => ({ ...r, match: r.match ?? {} }));
  return deepFreeze({ ...config, admin: config.admin ?? {}, routes, publicUrl });
}

/** An address to listen on everywhere is none to be reached at. */
function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}

function validate(
  check: ValidateFunction,
  schema: KeySchema,
  value: unknown,
  path: readonly string[],
): ConfigProblem[] {
  if (check(value)) return [];
  const causes = (check.errors ?? []).filter((e) => e.propertyName === undefined);
  return causes.map((error) => toProblem(schema, path, error));
}

const ajv = new Ajv2020({ validateSchema: false, allErrors: true, strict: true, ownProperties: true });
const compiled = new Map<KeySchema, ValidateFunction>();

function compile(schema: KeySchema): ValidateFunction {
  const existing = compiled.get(schema);
  if (existing) return existing;
  const made = ajv.compile(schema);
  compiled.set(schema, made);
  return made;
}

const validator = () => compile(CONFIG_SCHEMA);
const backendValidator = (protocol: BackendProtocol) => compile(BACKEND_SCHEMAS[protocol]);

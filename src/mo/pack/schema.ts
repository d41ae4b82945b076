import { DEVICE_CAPABILITIES } from '../deviceCapabilities.ts';
import { FORMATS } from '../format.ts';
import type { Access } from '../mapping.ts';

const ACCESS: readonly Access[] = ['Add', 'Copy', 'Delete', 'Exec', 'Get', 'Replace'];
const text = { type: 'string', minLength: 1, maxLength: 512 } as const;
const texts = { type: 'array', items: text, minItems: 1, maxItems: 64 } as const;
const glob = { ...text, description: '* stands for any run of characters, ? for one' } as const;

/** What one pack file may say: the same schema that operators find as `mappings/schema.json`. */
export const packSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Dragoman mapping pack',
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    title: { ...text, description: 'One line for lists' },
    moid: { ...text, description: 'MOID that DM 2.0 uses for the object' },
    aliases: { ...texts, description: 'Other MOIDs of the same object' },
    layoutOf: { ...text, description: 'MOID of the object of which this is another legacy layout' },
    root: { ...text, description: 'Key under MOData' },
    roots: { ...texts, description: 'Where legacy devices hold it: ./DevInfo, ./FUMO/<x>' },
    sameAs: {
      type: 'object',
      description:
        'Roots that are another name of a root: an instance there counts only while that one has none',
      minProperties: 1,
      additionalProperties: text,
    },
    virtual: { ...text, description: 'Place in the virtual tree of a 2.0 device; <x> is the MIID' },
    create: { ...text, description: 'Legacy node below which a new instance is made' },
    synthesise: { type: 'boolean', description: 'Shown to a legacy server although the 2.0 device has none' },
    transforms: {
      type: 'object',
      propertyNames: { pattern: '^[a-z][A-Za-z0-9-]*$' },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        oneOf: [{ required: ['values'] }, { required: ['strip'] }, { required: ['boolean'] }],
        dependentRequired: { digits: ['strip'] },
        properties: {
          values: {
            type: 'object',
            description: '2.0 value: legacy value',
            minProperties: 1,
            additionalProperties: { type: 'string' },
          },
          strip: { ...text, description: 'Prefix that the legacy value has and the 2.0 value lacks' },
          digits: { type: 'boolean', description: 'strip only where digits alone follow' },
          boolean: {
            type: 'object',
            description: 'Legacy spellings; the first is written',
            additionalProperties: false,
            required: ['true', 'false'],
            properties: { true: texts, false: texts },
          },
        },
      },
    },
    nodes: {
      type: 'object',
      description: 'By path below the root in 2.0 names',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          legacy: {
            ...text,
            description: 'Name in the same place, path from the MO root (with /), or absolute (./)',
          },
          format: { enum: FORMATS },
          type: { ...text, description: 'MIME type' },
          access: { type: 'array', items: { enum: ACCESS }, uniqueItems: true },
          occurs: { type: 'string', pattern: '^(One|ZeroOrOne|ZeroOrMore|OneOrMore|(ZeroOr|OneOr)\\d+)$' },
          permanent: { type: 'boolean' },
          secret: { type: 'boolean', description: 'Never shown in traces or logs' },
          transform: { ...text, description: 'Name in transforms' },
          default: { type: 'string', maxLength: 4096, description: 'Legacy value when 2.0 has none' },
          only: { const: 'legacy', description: 'Left out of the 2.0 object while it has its default' },
        },
      },
    },
    alerts: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['dm2', 'legacy'],
        properties: {
          dm2: { ...text, description: 'AlertType' },
          legacy: { ...texts, description: 'Meta/Type without prefix; the first is written' },
        },
      },
    },
    profiles: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['match', 'capabilities'],
        properties: {
          match: {
            type: 'object',
            additionalProperties: false,
            minProperties: 1,
            properties: { man: glob, mod: glob, fwv: glob, swv: glob, deviceId: glob, agent: glob },
          },
          capabilities: {
            type: 'object',
            minProperties: 1,
            propertyNames: { enum: Object.keys(DEVICE_CAPABILITIES) },
            additionalProperties: { type: 'boolean' },
          },
        },
      },
    },
  },
  not: { type: 'object', required: ['moid', 'layoutOf'] },
  dependentRequired: {
    layoutOf: ['roots', 'nodes'],
    aliases: ['moid'],
    sameAs: ['roots'],
    virtual: ['moid'],
    create: ['moid'],
    root: ['moid'],
    synthesise: ['moid', 'virtual'],
  },
  dependentSchemas: {
    nodes: { anyOf: [{ required: ['moid'] }, { required: ['layoutOf'] }] },
    roots: { anyOf: [{ required: ['moid'] }, { required: ['layoutOf'] }] },
  },
} as const;

export interface NodeEntry {
  readonly legacy?: string;
  readonly format?: (typeof FORMATS)[number];
  readonly type?: string;
  readonly access?: readonly Access[];
  readonly occurs?: string;
  readonly permanent?: boolean;
  readonly secret?: boolean;
  readonly transform?: string;
  readonly default?: string;
  readonly only?: 'legacy';
}

export type TransformEntry =
  | { readonly values: Readonly<Record<string, string>> }
  | { readonly strip: string; readonly digits?: boolean }
  | { readonly boolean: { readonly true: readonly string[]; readonly false: readonly string[] } };

export interface ProfileEntry {
  readonly match: {
    readonly man?: string;
    readonly mod?: string;
    readonly fwv?: string;
    readonly swv?: string;
    readonly deviceId?: string;
    readonly agent?: string;
  };
  readonly capabilities: Readonly<Record<string, boolean>>;
}

/** A pack file that the schema accepts. */
export interface PackDocument {
  readonly title?: string;
  readonly moid?: string;
  readonly aliases?: readonly string[];
  readonly layoutOf?: string;
  readonly root?: string;
  readonly roots?: readonly string[];
  readonly sameAs?: Readonly<Record<string, string>>;
  readonly virtual?: string;
  readonly create?: string;
  readonly synthesise?: boolean;
  readonly transforms?: Readonly<Record<string, TransformEntry>>;
  readonly nodes?: Readonly<Record<string, NodeEntry>>;
  readonly alerts?: readonly { readonly dm2: string; readonly legacy: readonly string[] }[];
  readonly profiles?: readonly ProfileEntry[];
}

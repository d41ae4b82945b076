import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { DragomanError } from '../support/errors.ts';
import { MARKS, type Package1, type Package2, type Package3 } from './packages.ts';

const strings = { type: 'array', items: { type: 'string' } };

/**
 * The packages in the form in which they are written (20§2.3): what a reader tolerates beyond it is put
 * right before the schema is asked (`codec.ts`). Unknown members are legal everywhere.
 */
export const PACKAGE_SCHEMA = Object.freeze({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:dragoman:dm20:packages',
  $defs: {
    Alert: {
      type: 'object',
      required: ['AlertType'],
      properties: {
        AlertType: { type: 'string', minLength: 1 },
        SourceURI: { type: 'string' },
        TargetURI: { type: 'string' },
        Mark: { enum: [...MARKS] },
        DataType: { type: 'string' },
        Data: { type: 'object' },
      },
    },
    MOItem: {
      type: 'object',
      required: ['MOID', 'MIID'],
      properties: { DDF: { type: 'string' }, MOID: { type: 'string', minLength: 1 }, MIID: strings },
    },
    StatusItem: {
      type: 'object',
      required: ['sc'],
      properties: { sc: { type: 'integer', minimum: 100, maximum: 599 }, URI: strings },
    },
    Package1: {
      type: 'object',
      properties: {
        MOS: { type: 'array', items: { $ref: '#/$defs/MOItem' } },
        Alert: { type: 'array', items: { $ref: '#/$defs/Alert' } },
      },
    },
    Package2: {
      type: 'object',
      required: ['CMD'],
      properties: {
        CMD: { type: 'array', items: { type: 'array', minItems: 1, items: { type: 'string' } } },
      },
    },
    Package3: {
      type: 'object',
      required: ['Status'],
      properties: {
        Status: { type: 'array', items: { $ref: '#/$defs/StatusItem' } },
        Alert: { type: 'array', items: { $ref: '#/$defs/Alert' } },
      },
    },
    MOSerialization: {
      type: 'array',
      items: {
        type: 'object',
        required: ['ClientURI', 'MOData'],
        properties: {
          DDF: { type: 'string' },
          ClientURI: { type: 'string' },
          CV: { type: 'string' },
          MOData: { type: 'object' },
        },
      },
    },
  },
});

export type PackageName = 'Package1' | 'Package2' | 'Package3';

interface Packages {
  Package1: Package1;
  Package2: Package2;
  Package3: Package3;
}

const ajv = new Ajv2020({ validateSchema: false, allErrors: false }).addSchema(PACKAGE_SCHEMA);
const validators = new Map<string, ValidateFunction>();

/** The compiled validator of one definition of {@link PACKAGE_SCHEMA}; compiled at its first use. */
export function validatorOf(name: PackageName | 'MOSerialization'): ValidateFunction {
  let validator = validators.get(name);
  if (validator === undefined) {
    validator = ajv.compile({ $ref: `${PACKAGE_SCHEMA.$id}#/$defs/${name}` });
    validators.set(name, validator);
  }
  return validator;
}

/** `value` as that package. Throws DragomanError `malformed` that names the first member at fault. */
export function checkPackage<N extends PackageName>(name: N, value: unknown): Packages[N] {
  const validate = validatorOf(name);
  if (!validate(value)) {
    throw new DragomanError(
      'malformed',
      `${name.replace('Package', 'Package#')} is malformed: ${describe(validate.errors?.[0])}.`,
    );
  }
  return value as Packages[N];
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'unknown reason';
  return `${error.instancePath === '' ? 'the document' : error.instancePath} ${error.message ?? 'is wrong'}`;
}

import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { PACKAGE_SCHEMA } from '../../src/dm2/schema.ts';
import { BACKEND_SCHEMAS, CONFIG_SCHEMA } from '../../src/gateway/config/schema.ts';
import { BODIES } from '../../src/http/schemas.ts';
import { packSchema } from '../../src/mo/pack/schema.ts';

/** The programs trust their own schemas, as the meta-schema takes longer to compile than all of them. */
it.each(Object.entries({ PACKAGE_SCHEMA, CONFIG_SCHEMA, packSchema, ...BACKEND_SCHEMAS, ...BODIES }))(
  '%s is a JSON Schema',
  (_name, schema) => {
    const ajv = new Ajv2020({ strict: false });
    expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
  },
);

/** A JSON Schema (2020-12) as far as the configuration needs it. */
export interface KeySchema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | KeySchema;
  readonly items?: KeySchema;
  readonly propertyNames?: { readonly pattern: string };
}

export const text = (description: string, more: Partial<KeySchema> = {}): KeySchema => ({
  type: 'string',
  minLength: 1,
  ...more,
  description,
});
export const choice = (
  values: readonly (string | number)[],
  description: string,
  standard?: string | number,
) => ({
  type: typeof values[0] === 'number' ? ('integer' as const) : ('string' as const),
  enum: values,
  ...(standard === undefined ? {} : { default: standard }),
  description,
});
export const whole = (
  standard: number,
  minimum: number,
  maximum: number,
  description: string,
): KeySchema => ({
  type: 'integer',
  minimum,
  maximum,
  default: standard,
  description,
});
export const group = (
  description: string,
  properties: Readonly<Record<string, KeySchema>>,
  required: readonly string[] = [],
): KeySchema => ({ type: 'object', description, additionalProperties: false, properties, required });

export const HOST_PORT = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$';
export const HTTP_URL = '^https?://[^\\s]+$';
export const MB = 1024 * 1024;

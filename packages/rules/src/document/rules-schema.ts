/**
 * The JSON schema (draft-07, which editors know) of a document of rules; the file `rules.schema.json` of this package is
 * the same. It describes the form of a document; what a schema cannot express (ties, overlaps, patterns) is checked at load.
 */
export const rulesSchema = deepFreeze({
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'https://unpkg.com/@laneway/rules/rules.schema.json',
  title: 'Laneway colouring rules',
  type: 'object',
  required: ['version', 'rules'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string' },
    version: { const: 1, description: 'The version of the format.' },
    rules: { type: 'array', maxItems: 10_000, items: { $ref: '#/definitions/rule' } },
  },
  definitions: {
    rule: {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 253, description: 'Unique in the document.' },
        priority: { type: 'integer', description: 'The lowest is tried first; for every rule or for none.' },
        when: { $ref: '#/definitions/condition' },
        lane: {
          description: 'The lane of the requests that match; null ends the search without colouring.',
          oneOf: [{ $ref: '#/definitions/lane' }, { type: 'null' }],
        },
        split: { $ref: '#/definitions/split' },
        trace: { type: 'boolean', description: 'Its requests may ask for their path by x-laneway-trace: 1.' },
      },
      oneOf: [{ required: ['lane'] }, { required: ['split'] }],
    },
    lane: {
      type: 'string',
      description: 'One to four tags joined by commas.',
      maxLength: 255,
      pattern:
        '^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?([ \\t]*,[ \\t]*[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?){0,3}$',
    },
    split: {
      type: 'object',
      description: 'A sticky share: hash(salt, key) is one of 10,000 slots, each lane owns a range of them.',
      required: ['salt', 'key', 'lanes'],
      additionalProperties: false,
      properties: {
        salt: { type: 'string', minLength: 1, pattern: '^[^\\u0000]*$' },
        key: {
          oneOf: [{ const: 'random' }, { type: 'array', minItems: 1, items: { $ref: '#/definitions/keySource' } }],
        },
        lanes: { type: 'array', minItems: 1, items: { $ref: '#/definitions/splitLane' } },
      },
    },
    keySource: {
      oneOf: [
        { const: 'address' },
        only({ header: { $ref: '#/definitions/headerName' } }),
        only({ cookie: { type: 'string', minLength: 1 } }),
        only({ query: { type: 'string', minLength: 1 } }),
      ],
    },
    splitLane: {
      type: 'object',
      required: ['lane', 'from', 'to', 'percent'],
      additionalProperties: false,
      properties: {
        lane: { $ref: '#/definitions/lane' },
        from: { type: 'integer', minimum: 0, maximum: 9999, description: 'First slot of the range.' },
        to: { type: 'integer', minimum: 1, maximum: 10_000, description: 'End of the range, not included.' },
        percent: { type: 'number', minimum: 0, maximum: 100, description: 'Of all callers, in steps of 0.01.' },
      },
    },
    headerName: { type: 'string', pattern: "^:?[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$" },
    condition: {
      oneOf: [
        only({ all: { $ref: '#/definitions/conditions' } }),
        only({ any: { $ref: '#/definitions/conditions' } }),
        only({ not: { $ref: '#/definitions/condition' } }),
        only({ path: tests(undefined, '^/[^?]*$') }),
        only({ host: tests(undefined, undefined, ['prefix']) }),
        only({ method: tests(undefined, "^[A-Z0-9!#$%&'*+\\-.^_`|~]+$", [], '') }),
        only({ header: tests({ $ref: '#/definitions/headerName' }) }),
        only({ query: tests({ type: 'string', minLength: 1 }) }),
        only({ cookie: tests({ type: 'string', minLength: 1 }) }),
        only({ address: { $ref: '#/definitions/addressTest' } }),
      ],
    },
    conditions: { type: 'array', minItems: 1, items: { $ref: '#/definitions/condition' } },
    range: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: { min: { type: 'number' }, max: { type: 'number' } },
    },
    addressTest: {
      oneOf: [
        only({ exact: { type: 'string' } }),
        only({ in: { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string' } } }),
        only({
          range: {
            type: 'object',
            required: ['min', 'max'],
            additionalProperties: false,
            properties: { min: { type: 'string' }, max: { type: 'string' } },
          },
        }),
        only({ exists: { type: 'boolean' } }),
      ],
    },
  },
})

/** An object with these keys and no other, all required. */
function only(properties: Record<string, object>): object {
  return { type: 'object', required: Object.keys(properties), additionalProperties: false, properties }
}

/** Exactly one test of a text; with a name where the part has one. */
function tests(name?: object, pattern?: string, without: readonly string[] = [], prefixPattern = '^/'): object {
  const value = pattern === undefined ? { type: 'string' } : { type: 'string', pattern }
  const prefix =
    pattern === undefined || prefixPattern === '' ? { type: 'string' } : { type: 'string', pattern: prefixPattern }
  const operators: Record<string, object> = {
    exact: value,
    prefix,
    in: { type: 'array', minItems: 1, uniqueItems: true, items: value },
    range: { $ref: '#/definitions/range' },
    regex: { type: 'string', maxLength: 1024 },
    exists: { type: 'boolean' },
  }
  for (const operator of without) delete operators[operator]
  return {
    oneOf: Object.entries(operators).map(([operator, operand]) =>
      only(name === undefined ? { [operator]: operand } : { name, [operator]: operand }),
    ),
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  return Object.freeze(value)
}

import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import { parse } from 'yaml'

const MAP_KEYS = ['properties', 'patternProperties']

/** The schemas of CustomResourceDefinitions, by `apiVersion/kind`, with every unknown field forbidden. */
export function compileCrds(files: readonly string[]): Map<string, ValidateFunction> {
  // Formats are for the API server; `nullable` and `x-kubernetes-…` are not JSON schema.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  const compiled = new Map<string, ValidateFunction>()
  for (const file of files) {
    const { spec } = parse(readFileSync(file, 'utf8'))
    for (const { name, schema } of spec.versions) {
      const closed = closedSchema(schema.openAPIV3Schema)
      // The API server knows these three itself.
      closed.properties = { ...closed.properties, apiVersion: {}, kind: {}, metadata: { type: 'object' } }
      compiled.set(`${spec.group}/${name}/${spec.names.kind}`, ajv.compile(closed))
    }
  }
  return compiled
}

function closedSchema(schema: any): any {
  if (schema === null || typeof schema !== 'object') return schema
  const closed: any = {}
  for (const [key, value] of Object.entries<any>(schema)) {
    if (MAP_KEYS.includes(key)) {
      closed[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closedSchema(inner)]))
    } else if (key === 'items' || key === 'additionalProperties') closed[key] = closedSchema(value)
    // Parts of allOf, oneOf and so on repeat a few properties; they do not close the object.
    else closed[key] = value
  }
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties !== undefined
  if (schema.properties !== undefined && !open) closed.additionalProperties = false
  // A quantity such as `replicas` may be a number or a text; the schema says so beside, not in, `type`.
  if (schema['x-kubernetes-int-or-string'] === true) delete closed.type
  return closed
}

import { BALANCE_FIELDS } from './fields/balance-fields.js'
import { ENDPOINT_TLS_FIELDS } from './fields/endpoint-tls-fields.js'
import type { ValueOf } from './fields/field.js'
import { INSTANCE_FIELDS } from './fields/instance-fields.js'
import { KUBERNETES_FIELDS } from './fields/kubernetes-fields.js'
import { LANE_FIELDS } from './fields/lane-fields.js'
import { NACOS_FIELDS } from './fields/nacos-fields.js'
import { PROCESS_FIELDS } from './fields/process-fields.js'
import { ROUTING_FIELDS } from './fields/routing-fields.js'

/**
 * Every setting of this package. Environment, configuration file, types, JSON schema and README are made from this table,
 * so that they cannot differ.
 */
export const FIELDS = {
  ...INSTANCE_FIELDS,
  ...NACOS_FIELDS,
  ...ENDPOINT_TLS_FIELDS,
  ...KUBERNETES_FIELDS,
  ...ROUTING_FIELDS,
  ...BALANCE_FIELDS,
  ...LANE_FIELDS,
  ...PROCESS_FIELDS,
} as const

/**
 * What `laneway.config.json`, `.js`, `.mjs` or `.cjs` may contain; SETTINGS.md lists the names. Each setting also has an
 * environment variable, which comes first.
 */
export type RegisterOptions = { -readonly [K in keyof typeof FIELDS]?: ValueOf<(typeof FIELDS)[K]['kind']> }

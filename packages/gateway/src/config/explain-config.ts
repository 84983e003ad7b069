import { dirname, resolve } from 'node:path'
import {
  type CompiledRules,
  compileRules,
  parseRules,
  type RulesDocument,
  type RulesExplanation,
  type RulesRequest,
} from '@laneway/rules'
import { createRouteTable } from '../route/route-table.js'
import { RoutingTables } from '../route/routing.js'
import { rulesOptionsOf } from '../route/rules-options.js'
import type { GatewayConfig } from './config.js'
import { laneHeadersOf, serviceOfConfig } from './config-options.js'
import { loadConfig } from './load-config.js'
import { readText } from './read-text.js'

/** Where a configuration sends a request without a trusted tag. */
export interface GatewayExplanation {
  /** As on the wire; `undefined` for no lane. */
  readonly lane: string | undefined
  /** What gave the lane, or ended the search. */
  readonly by: 'rule' | 'route' | undefined
  /** Rule by rule; `undefined` when there are no rules, or when they are in Nacos. */
  readonly rules: RulesExplanation | undefined
  /** Name of the route; `undefined`: the gateway answers 404. */
  readonly route: string | undefined
  /** `undefined` also when no backend has a weight. */
  readonly service: string | undefined
}

/** A valid configuration, which explains what happens to requests. */
export interface CheckedConfig {
  /** How many routes it has. */
  readonly routes: number
  /** What was read and is not used. */
  readonly notes: readonly string[]
  explain(request: RulesRequest): GatewayExplanation
}

/**
 * Reads a configuration with all files that it names, and checks it. It connects to nothing and does not listen.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` with every problem, each as `file:line:column: what`; `LANEWAY_SOURCE`
 *   when a file cannot be read
 */
export function checkGatewayConfig(file: string): CheckedConfig {
  const { config, routes, notes } = loadConfig(file)
  const options = { laneHeaders: laneHeadersOf(config), serviceOf: serviceOfConfig(config), random: Math.random }
  const table = createRouteTable(routes, options)
  const rules = rulesOf(config, dirname(resolve(file)))
  const tables = new RoutingTables(table, rules)
  return {
    routes: routes.length,
    notes: isInNacos(config) ? [...notes, `${file}: the rules are in Nacos and are not read here`] : notes,
    explain(request) {
      // Decides once, as for a request, because weights and `key: random` draw.
      const lane = tables.decide(tables.laneOf, request)
      const { backend, rule } = tables.routingOf(request)
      return {
        lane: lane?.header,
        by: rule !== undefined ? 'rule' : lane === undefined ? undefined : 'route',
        rules: rules?.explain(request),
        route: backend?.route,
        service: backend?.service,
      }
    },
  }
}

function isInNacos({ rules }: GatewayConfig): boolean {
  return rules !== undefined && 'nacos' in rules
}

function rulesOf(config: GatewayConfig, folder: string): CompiledRules | undefined {
  const { rules } = config
  const options = rulesOptionsOf(config)
  if (rules === undefined) return undefined
  if (Array.isArray(rules)) return compileRules({ version: 1, rules } as RulesDocument, options)
  if (!('file' in rules)) return undefined
  const { file, weightKey } = rules
  const path = resolve(folder, file)
  return parseRules(readText(path), { source: path, ...options, ...(weightKey !== undefined && { weightKey }) })
}

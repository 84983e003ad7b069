import { dirname, resolve } from 'node:path'
import { describe, LanewayError } from '@laneway/core'
import type { HttpRoute } from '@laneway/rules'
import { type GatewayRoute, ROUTE_KEYS } from '../route/gateway-route.js'
import { createRouteTable } from '../route/route-table.js'
import { checkDiscovery, checkRules } from './check-config.js'
import { checkOptions } from './check-options.js'
import type { GatewayConfig, LoadedConfig } from './config.js'
import { serviceOfConfig } from './config-options.js'
import { ConfigProblems } from './config-problems.js'
import { type ConfigText, readConfigText } from './config-text.js'
import { placedManifest, placedRoute } from './placed-problems.js'
import { readText } from './read-text.js'

const KEYS: readonly (keyof GatewayConfig)[] = [
  '$schema',
  'version',
  'listeners',
  'admin',
  'trust',
  'header',
  'proxies',
  'forwarded',
  'hostHeader',
  'privateAnswers',
  'client',
  'upstream',
  'propagateTo',
  'discovery',
  'rules',
  'routes',
  'routesFrom',
  'accessLog',
  'drain',
]
/**
 * Reads a configuration with all that it names and checks it, without connecting to anything.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` with every problem that was found, each as `file:line:column: what`;
 *   `LANEWAY_SOURCE` when a file cannot be read
 */
export function loadConfig(file: string): LoadedConfig {
  const folder = dirname(resolve(file))
  const text = readConfigText(file, readText(file))
  const problems = new ConfigProblems(text)
  if (text.values.length > 1) {
    problems.addLines([`${text.place([], 1)}: a configuration is one document; what follows --- would not be read`])
  }
  const config = text.values[0] as GatewayConfig
  if (!problems.keys('the configuration', config ?? {}, KEYS)) problems.throwIfAny()
  if (config?.version !== 1) problems.add(['version'], `version is 1, received ${describe(config?.version)}`)
  const given = config ?? ({} as GatewayConfig)
  const notes: string[] = []
  checkDiscovery(given.discovery, problems)
  checkOptions(given, folder, problems)
  const routes = listOf<GatewayRoute>(given, 'routes', problems)
  const { files, manifests } = readManifests(listOf<string>(given, 'routesFrom', problems), folder, problems, notes)
  checkRoutes(given, routes, manifests, text, problems)
  problems.check(() => checkRules(given.rules, given, folder))
  problems.throwIfAny()
  return {
    config,
    folder,
    files: [resolve(file), ...files],
    routes: [...routes, ...manifests.map(([route]) => route)],
    notes,
  }
}

type PlacedManifest = readonly [manifest: HttpRoute, document: ConfigText, index: number]

function listOf<T>(config: GatewayConfig, key: 'routes' | 'routesFrom', problems: ConfigProblems): readonly T[] {
  const value = config[key] as unknown
  if (value === undefined) return []
  if (Array.isArray(value)) return value as readonly T[]
  problems.add([key], `${key} is a list, received ${describe(value)}`)
  return []
}

/** Reads the files with `HTTPRoute`s; other objects are noted. */
function readManifests(
  names: readonly unknown[],
  folder: string,
  problems: ConfigProblems,
  notes: string[],
): { files: string[]; manifests: PlacedManifest[] } {
  const files: string[] = []
  const manifests: PlacedManifest[] = []
  for (const [at, name] of names.entries()) {
    if (typeof name !== 'string') {
      problems.add(['routesFrom', at], `routesFrom[${at}] is a file name, received ${describe(name)}`)
      continue
    }
    const one = resolve(folder, name)
    files.push(one)
    problems.check(() => {
      const document = readConfigText(one, readText(one))
      for (const [index, value] of document.values.entries()) {
        for (const object of objectsOf(value)) {
          const { kind } = Object(object) as { kind?: unknown }
          if (kind === 'HTTPRoute') manifests.push([object as HttpRoute, document, index])
          else notes.push(`${document.place([], index)}: kind ${describe(kind)} is passed over`)
        }
      }
    })
  }
  return { files, manifests }
}

function objectsOf(value: unknown): readonly unknown[] {
  const { kind, items } = Object(value) as { kind?: unknown; items?: unknown }
  if (kind !== 'List') return [value]
  return Array.isArray(items) ? items : []
}

/** One by one, so that each problem is found. */
function checkRoutes(
  config: GatewayConfig,
  routes: readonly unknown[],
  manifests: readonly PlacedManifest[],
  text: ConfigText,
  problems: ConfigProblems,
): void {
  const table = {
    header: typeof config.header === 'string' ? config.header.toLowerCase() : 'x-mse-tag',
    serviceOf: serviceOfConfig(config),
    random: () => 0,
  }
  const compile = (route: GatewayRoute | HttpRoute, place: (error: LanewayError) => string[]): void => {
    try {
      createRouteTable([route], table)
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      problems.addLines(place(error))
    }
  }
  for (const [index, route] of routes.entries()) {
    if (typeof route !== 'object' || route === null || Array.isArray(route)) {
      problems.add(['routes', index], `routes[${index}] is an object, received ${describe(route)}`)
    } else if (!('kind' in route) && problems.keys(`routes[${index}]`, route, ROUTE_KEYS)) {
      const known = Object.entries(route).filter(([key]) => ROUTE_KEYS.includes(key as 'name'))
      // What is left out because it is misspelt has been reported.
      const isWhole = known.length === Object.keys(route).length
      if (isWhole) compile(route as GatewayRoute, error => placedRoute(error, text, index))
    } else if ('kind' in route) compile(route as HttpRoute, error => placedRoute(error, text, index))
  }
  for (const [route, document, index] of manifests) compile(route, error => placedManifest(error, document, index))
}

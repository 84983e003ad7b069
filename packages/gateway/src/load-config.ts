import { dirname, resolve } from 'node:path'
import { assertKnownKeys, assertOneOf, describe, LanewayError } from '@laneway/core'
import type { HttpRoute } from '@laneway/rules'
import { assertList, checkDiscovery, checkRules } from './check-config.js'
import type { GatewayConfig, LoadedConfig } from './config.js'
import { optionsOf, readTls, serviceOfConfig } from './config-options.js'
import { type ConfigText, readConfigText } from './config-text.js'
import { resolveGatewayOptions } from './options.js'
import { placed, placedError, placedManifest, placedRoute } from './placed-problems.js'
import { readText } from './read-text.js'
import { createRouteTable } from './route-table.js'

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
  const config = text.values[0] as GatewayConfig
  const problems: string[] = []
  /** Runs one check; what it says is wrong gets its place. */
  const check = (work: () => void, within?: ConfigText): void => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      problems.push(...placed(error, within ?? text))
    }
  }
  const fail = (): never => {
    throw new LanewayError('LANEWAY_INVALID_OPTION', problems.join('\n'))
  }
  check(() => assertKnownKeys('the configuration', config ?? {}, KEYS))
  if (problems.length > 0) fail()
  if (config?.version !== 1)
    problems.push(`${text.place(['version'])}: version is 1, received ${describe(config?.version)}`)
  const { trust, discovery, routes = [], rules, routesFrom = [], accessLog } = config ?? ({} as GatewayConfig)
  if (accessLog !== undefined && typeof accessLog !== 'boolean') {
    problems.push(`${text.place(['accessLog'])}: accessLog is true or false, received ${describe(accessLog)}`)
  }
  if (trust !== undefined) check(() => assertOneOf('trust', trust, ['edge', 'private', 'internal']))
  check(() => checkDiscovery(discovery))
  check(() => assertList('routes', routes))
  check(() => assertList('routesFrom', routesFrom))
  check(() => assertList('propagateTo', config?.propagateTo ?? []))
  if (problems.length > 0) fail()

  const notes: string[] = []
  const files = routesFrom.map((name, index) => {
    if (typeof name !== 'string') throw placedError(text, ['routesFrom', index], 'is a file name')
    return resolve(folder, name)
  })
  const manifests: (readonly [HttpRoute, ConfigText, number])[] = []
  for (const one of files) {
    check(() => {
      const document = readConfigText(one, readText(one))
      for (const [index, value] of document.values.entries()) {
        for (const object of (value as { kind?: unknown; items?: unknown[] })?.kind === 'List'
          ? ((value as { items?: unknown[] }).items ?? [])
          : [value]) {
          const { kind } = Object(object) as { kind?: unknown }
          if (kind === 'HTTPRoute') manifests.push([object as HttpRoute, document, index])
          else notes.push(`${document.place([], index)}: kind ${describe(kind)} is passed over`)
        }
      }
    })
  }
  const table = {
    header: config.header?.toLowerCase() ?? 'x-mse-tag',
    serviceOf: serviceOfConfig(config),
    random: () => 0,
  }
  // One by one, so that each problem is found; then together.
  for (const [index, route] of routes.entries()) {
    try {
      createRouteTable([route], table)
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      problems.push(...placedRoute(error, text, index))
    }
  }
  for (const [route, document, index] of manifests) {
    try {
      createRouteTable([route], table)
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      problems.push(...placedManifest(error, document, index))
    }
  }
  check(() =>
    resolveGatewayOptions({
      // The files of TLS are read below, one by one.
      ...optionsOf(config, undefined),
      resolver: { pick() {} } as never,
      routes: [],
    }),
  )
  check(() => {
    for (const [index, { tls }] of (config.listeners ?? []).entries()) {
      if (tls !== undefined) readTls(tls, folder, index)
    }
  })
  check(() => checkRules(rules, config, folder))
  if (problems.length > 0) fail()
  return {
    config,
    folder,
    files: [resolve(file), ...files],
    routes: [...routes, ...manifests.map(([route]) => route)],
    notes,
  }
}

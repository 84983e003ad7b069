import { resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import { describe, formatPath } from '@laneway/core/internal'
import type { HttpRoute } from '@laneway/rules'
import { type GatewayRoute, ROUTE_KEYS } from '../route/gateway-route.js'
import { createRouteTable } from '../route/route-table.js'
import type { GatewayConfig } from './config.js'
import { laneHeadersOf, serviceOfConfig } from './config-options.js'
import { type ConfigPath, type ConfigProblems, problemsOf } from './config-problems.js'
import { type ConfigText, readConfigText } from './config-text.js'
import { readText } from './read-text.js'

/** An `HTTPRoute`, and where it is. */
interface PlacedManifest {
  readonly manifest: HttpRoute
  readonly document: ConfigText
  readonly index: number
  /** From the root of its document. */
  readonly path: ConfigPath
}

/** The routes of a configuration, with the files that hold some of them. */
export interface ReadRoutes {
  readonly routes: readonly (GatewayRoute | HttpRoute)[]
  /** Absolute. */
  readonly files: readonly string[]
  /** What was read and is not used. */
  readonly notes: readonly string[]
}

/** Reads and checks routes, each by itself, so that all problems are found. */
export function readRoutes(config: GatewayConfig, folder: string, problems: ConfigProblems): ReadRoutes {
  const routes = listOf<GatewayRoute>(config, 'routes', problems)
  const files: string[] = []
  const notes: string[] = []
  const manifests: PlacedManifest[] = []
  for (const [index, name] of listOf<string>(config, 'routesFrom', problems).entries()) {
    if (typeof name !== 'string') {
      problems.add(['routesFrom', index], `is a file name, received ${describe(name)}`)
      continue
    }
    const file = resolve(folder, name)
    files.push(file)
    problems.check(() => readManifests(file, manifests, problems, notes))
  }
  checkRoutes(config, routes, manifests, problems)
  return { routes: [...routes, ...manifests.map(({ manifest }) => manifest)], files, notes }
}

function listOf<T>(config: GatewayConfig, key: 'routes' | 'routesFrom', problems: ConfigProblems): readonly T[] {
  const value = config[key] as unknown
  if (value === undefined) return []
  if (Array.isArray(value)) return value as readonly T[]
  problems.add([key], `is a list, received ${describe(value)}`)
  return []
}

/** Finds the `HTTPRoute`s of a file; other objects are noted. */
function readManifests(file: string, manifests: PlacedManifest[], problems: ConfigProblems, notes: string[]): void {
  const document = readConfigText(file, readText(file))
  problems.addLines(document.errors)
  for (const [index, value] of document.values.entries()) {
    for (const [path, object] of objectsOf(value)) {
      const { kind } = Object(object) as { kind?: unknown }
      if (kind === 'HTTPRoute') manifests.push({ manifest: object as HttpRoute, document, index, path })
      else notes.push(`${document.place(path, index)}: kind ${describe(kind)} is ignored`)
    }
  }
}

/** The objects of a document, with their paths: one, or the items of a `List`. */
function objectsOf(value: unknown): readonly (readonly [ConfigPath, unknown])[] {
  const { kind, items } = Object(value) as { kind?: unknown; items?: unknown }
  if (kind !== 'List') return [[[], value]]
  return Array.isArray(items) ? items.map((item, index) => [['items', index], item]) : []
}

function checkRoutes(
  config: GatewayConfig,
  routes: readonly unknown[],
  manifests: readonly PlacedManifest[],
  problems: ConfigProblems,
): void {
  const table = { laneHeaders: laneHeadersOf(config), serviceOf: serviceOfConfig(config), random: () => 0 }
  /** @param add - called with the path inside the route */
  const compile = (route: GatewayRoute | HttpRoute, add: (path: ConfigPath, problem: string) => void): void => {
    try {
      createRouteTable([route], table)
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      // The only route is `routes[0]`.
      for (const { path, problem } of problemsOf(error) ?? [error]) add(path.slice(2), problem)
    }
  }
  for (const [index, route] of routes.entries()) {
    const at = ['routes', index]
    const add = (path: ConfigPath, problem: string) => problems.add([...at, ...path], problem)
    if (typeof route !== 'object' || route === null || Array.isArray(route)) {
      problems.add(at, `is an object, received ${describe(route)}`)
    } else if ('kind' in route) compile(route as HttpRoute, add)
    else if (problems.keys(at, route, ROUTE_KEYS)) {
      // Without a key that is misspelt, and has been reported, the route would look incomplete.
      const isWhole = Object.keys(route).every(key => ROUTE_KEYS.includes(key))
      if (isWhole) compile(route as GatewayRoute, add)
    }
  }
  for (const { manifest, document, index, path: root } of manifests) {
    compile(manifest, (path, problem) => {
      const place = document.place([...root, ...path], index)
      problems.addLines([`${place}: ${formatPath([...root, ...path])} ${problem}`.trim()])
    })
  }
}

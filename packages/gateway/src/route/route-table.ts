import { OptionPlace } from '@laneway/core/internal'
import type { HttpRoute, RouteRule, RulesRequest } from '@laneway/rules'
import { createBackendPick, createRouteMatcher } from '@laneway/rules/internal'
import { type Backend, type BackendRule, compileBackends, type ServiceOf } from './backend.js'
import { type GatewayRoute, pathInShortRoute, routeAsManifest, type ShortRoute } from './gateway-route.js'
import { withPaths } from './route-problems.js'

/** Finds the backend of a request. Never throws. */
export interface RouteTable {
  /** `null`: a route takes the request, and no backend of it has a weight. */
  find(request: RulesRequest): Backend | null | undefined
  /** Every service that a route names. */
  readonly services: readonly string[]
  readonly size: number
}

/** What the table needs besides the routes. */
export interface RouteTableOptions {
  /** The headers that carry the lane, in lower case; a modifier of one of them sets it. */
  readonly laneHeaders: readonly string[]
  readonly serviceOf: ServiceOf
  readonly random: () => number
}

interface Target {
  readonly pick: ((random: number) => number) | undefined
  readonly backends: readonly Backend[]
  /** The same where the match, or one before it, looks at the caller. */
  readonly forCallers: readonly Backend[]
}

type ReadRoute = ShortRoute | { readonly manifest: HttpRoute }

/**
 * Compiles routes, once per load.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES`, `LANEWAY_INVALID_OPTION`; the path of each problem begins with `routes`
 */
export function createRouteTable(
  routes: readonly (GatewayRoute | HttpRoute)[],
  options: RouteTableOptions,
): RouteTable {
  const read = routes.map((route, index) => (isManifest(route) ? { manifest: route } : routeAsManifest(route, index)))
  const match = withPaths(
    () => createRouteMatcher(read.map(({ manifest }) => manifest)),
    path => pathInRoutes(path, read),
  )
  const services = new Set<string>()
  const targets = new Map<RouteRule, Target>()
  for (const [index, route] of read.entries()) {
    for (const [ruleIndex, rule] of (route.manifest.spec.rules ?? []).entries()) {
      const target = compileTarget(ruleOf(route, index, rule, ruleIndex), options)
      for (const { service } of target.backends) services.add(service)
      targets.set(rule, target)
    }
  }
  const { random } = options
  return {
    services: [...services],
    size: read.length,
    find(request) {
      const matched = match(request)
      if (matched === undefined) return undefined
      const target = targets.get(matched.rule)!
      const backends = matched.perCaller ? target.forCallers : target.backends
      if (target.pick === undefined) return backends[0]
      const position = target.pick(random())
      return position === -1 ? null : backends[position]
    },
  }
}

function ruleOf(route: ReadRoute, index: number, rule: RouteRule, ruleIndex: number): BackendRule {
  const place = new OptionPlace('', ['routes', index])
  if (isShort(route)) return { ...route, rule, place, isShort: true }
  const { manifest } = route
  const { namespace = 'default', name = 'HTTPRoute' } = manifest.metadata ?? {}
  return {
    manifest,
    rule,
    name: `${namespace}/${name}:${ruleIndex}`,
    scheme: 'http',
    timeoutMs: undefined,
    place: place.at('spec', 'rules', ruleIndex),
    isShort: false,
  }
}

function compileTarget(of: BackendRule, { laneHeaders, serviceOf }: RouteTableOptions): Target {
  const refs = of.rule.backendRefs ?? []
  const backends = compileBackends(of, laneHeaders, serviceOf)
  const isSingle = refs.length === 1 && (refs[0]!.weight ?? 1) > 0
  const pick = isSingle
    ? undefined
    : withPaths(
        () => createBackendPick(refs),
        path => [...of.place.path, ...path],
      )
  return { pick, backends, forCallers: backends.map(backend => Object.freeze({ ...backend, perCaller: true })) }
}

/** @param path - in the list of manifests */
function pathInRoutes(path: readonly (string | number)[], read: readonly ReadRoute[]): readonly (string | number)[] {
  const [index, ...rest] = path
  if (typeof index !== 'number') return ['routes', ...path]
  return ['routes', index, ...(isShort(read[index]!) ? pathInShortRoute(rest) : rest)]
}

function isShort(route: ReadRoute): route is ShortRoute {
  return 'scheme' in route
}

function isManifest(route: GatewayRoute | HttpRoute): route is HttpRoute {
  return (route as { kind?: unknown }).kind === 'HTTPRoute'
}

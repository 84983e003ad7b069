import { type Lane, LanewayError, parseLane } from '@laneway/core'
import type { HeaderModifier, HttpRoute, RouteBackend, RouteFilter, RouteRule, RulesRequest } from '@laneway/rules'
import { createBackendPick, createHeaderModifier, createRouteMatcher, type Headers } from '@laneway/rules/internal'
import { type GatewayRoute, routeAsManifest } from './gateway-route.js'

/** One backend of a rule, ready for requests. */
export interface Backend {
  /** Name of the route, for log and metrics. */
  readonly route: string
  readonly service: string
  /** Logical origin, `http://sc-b`; the resolver makes an endpoint of it. */
  readonly origin: string
  readonly modify: ((headers: Headers) => Record<string, string | string[]>) | undefined
  /** What the route itself colours: its header modifier sets the lane header. */
  readonly lane: Lane | undefined
  /** Another caller of the same URL may get another lane by this backend's rule. */
  readonly perCaller: boolean
  readonly timeoutMs: number | undefined
}

/** Finds the backend of a request. Never throws. */
export interface RouteTable {
  /** `null`: the route is there, and no backend has a weight. */
  find(request: RulesRequest): Backend | null | undefined
  /** Every service that a route names. */
  readonly services: readonly string[]
  readonly size: number
}

/** Names the service of a backend as the resolver knows it. */
export type ServiceOf = (backend: RouteBackend, route: HttpRoute) => string

/** What the table needs besides the routes. */
export interface RouteTableOptions {
  /** Lower case; a modifier of this header colours. */
  readonly header: string
  readonly serviceOf: ServiceOf
  readonly random: () => number
}

interface Target {
  readonly pick: ((random: number) => number) | undefined
  readonly backends: readonly Backend[]
  /** The same where the match, or one before it, looks at the caller. */
  readonly forCallers: readonly Backend[]
}

/**
 * Compiles routes, once per load.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES`, `LANEWAY_INVALID_OPTION`
 */
export function createRouteTable(
  routes: readonly (GatewayRoute | HttpRoute)[],
  options: RouteTableOptions,
): RouteTable {
  const manifests = routes.map((route, index) => (isManifest(route) ? route : routeAsManifest(route, index)))
  const match = createRouteMatcher(manifests.map(one => ('manifest' in one ? one.manifest : one)))
  const services = new Set<string>()
  const targets = new Map<RouteRule, Target>()
  for (const [index, one] of manifests.entries()) {
    const manifest = 'manifest' in one ? one.manifest : one
    const simple = 'manifest' in one ? one : undefined
    for (const [ruleIndex, rule] of (manifest.spec.rules ?? []).entries()) {
      const where = simple === undefined ? `[${index}].spec.rules[${ruleIndex}]` : `[${index}]`
      const name =
        simple?.name ??
        `${manifest.metadata?.namespace ?? 'default'}/${manifest.metadata?.name ?? 'HTTPRoute'}:${ruleIndex}`
      targets.set(rule, compileRule(rule, manifest, name, where, simple, services, options))
    }
  }
  const { random } = options
  return {
    services: [...services],
    size: manifests.length,
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

function compileRule(
  rule: RouteRule,
  manifest: HttpRoute,
  name: string,
  where: string,
  simple: ReturnType<typeof routeAsManifest> | undefined,
  services: Set<string>,
  options: RouteTableOptions,
): Target {
  const refs = rule.backendRefs ?? []
  const shared = filtersOf(rule.filters, `${where}.filters`)
  const made = refs.map((ref, index) => {
    const at = simple === undefined ? `${where}.backendRefs[${index}]` : where
    if (ref.kind !== undefined && ref.kind !== 'Service') {
      throw invalid(`${at}.kind is Service, received ${JSON.stringify(ref.kind)}`)
    }
    const service = simple === undefined ? options.serviceOf(ref, manifest) : ref.name
    const { hostname } = originOf(service, simple?.scheme ?? 'http', at)
    services.add(service)
    const own = filtersOf(ref.filters, `${at}.filters`)
    const modifiers = [...shared, ...own]
    return {
      route: name,
      service,
      origin: `${simple?.scheme ?? 'http'}://${hostname}`,
      modify: compileModifiers(modifiers, options.header),
      lane: laneOf(modifiers, options.header, where),
      // Drawn per request: the same caller may get another one next time.
      perCaller: refs.length > 1,
      timeoutMs: simple?.timeoutMs,
    }
  })
  return {
    pick: refs.length === 1 && (refs[0]!.weight ?? 1) > 0 ? undefined : createBackendPick(refs),
    backends: made.map(backend => Object.freeze(backend)),
    forCallers: made.map(backend => Object.freeze({ ...backend, perCaller: true })),
  }
}

function filtersOf(filters: readonly RouteFilter[] | undefined, where: string): HeaderModifier[] {
  return (filters ?? []).map((filter, index) => {
    if (filter.type === 'RequestHeaderModifier' && filter.requestHeaderModifier !== undefined) {
      return filter.requestHeaderModifier
    }
    // Left out silently, a route would do something else than it says.
    throw invalid(`${where}[${index}].type is RequestHeaderModifier, received ${JSON.stringify(filter.type)}`)
  })
}

/** The lane header is left out: who colours is decided at the entrance, and a tag that is believed is never replaced. */
function compileModifiers(modifiers: readonly HeaderModifier[], header: string): Backend['modify'] {
  const others = (list: readonly { readonly name: string; readonly value: string }[] | undefined) =>
    list?.filter(({ name }) => String(name).toLowerCase() !== header)
  const compiled = modifiers
    .map(({ set, add, remove, ...rest }) => ({
      ...rest,
      ...(set !== undefined && { set: others(set) ?? [] }),
      ...(add !== undefined && { add: others(add) ?? [] }),
      ...(remove !== undefined && { remove: remove.filter(name => String(name).toLowerCase() !== header) }),
    }))
    .map(modifier => ({ modifier, modify: createHeaderModifier(modifier) }))
    .filter(({ modifier: { set = [], add = [], remove = [] } }) => set.length + add.length + remove.length > 0)
  if (compiled.length === 0) return undefined
  return headers => {
    for (const { modify } of compiled) modify(headers)
    return headers as Record<string, string | string[]>
  }
}

function laneOf(modifiers: readonly HeaderModifier[], header: string, where: string): Lane | undefined {
  let lane: Lane | undefined
  for (const { set, add } of modifiers) {
    for (const { name, value } of [...(set ?? []), ...(add ?? [])]) {
      if (String(name).toLowerCase() !== header) continue
      lane = parseLane(value)
      if (lane === undefined) throw invalid(`${where} sets ${header} to ${JSON.stringify(value)}, which is no lane`)
    }
  }
  return lane
}

function originOf(service: string, scheme: string, where: string): URL {
  let url: URL | undefined
  try {
    url = new URL(`${scheme}://${service}`)
  } catch {
    // said below
  }
  if (url === undefined || url.host === '' || url.host !== service.toLowerCase()) {
    throw invalid(
      `${where} names a service that a URL cannot carry, ${JSON.stringify(service)}; give it an alias in the resolver`,
    )
  }
  return url
}

function isManifest(route: GatewayRoute | HttpRoute): route is HttpRoute {
  return (route as { kind?: unknown }).kind === 'HTTPRoute'
}

function invalid(message: string): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', `routes${message}`)
}

import { type Lane, parseLane } from '@laneway/core'
import type { OptionPlace } from '@laneway/core/internal'
import type { HeaderModifier, HttpRoute, RouteBackend, RouteFilter, RouteRule } from '@laneway/rules'
import { createHeaderModifier, type Headers } from '@laneway/rules/internal'
import { withPaths } from './route-problems.js'

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

/** Gives the name of the service for a backend, as the resolver knows it. */
export type ServiceOf = (backend: RouteBackend, route: HttpRoute) => string

/** What the backends of one rule have in common. */
export interface BackendRule {
  readonly manifest: HttpRoute
  readonly rule: RouteRule
  /** Name of the route, for log and metrics. */
  readonly name: string
  readonly scheme: 'http' | 'https'
  readonly timeoutMs: number | undefined
  /** Where the rule is. */
  readonly place: OptionPlace
  /** It is a short route, whose only backend has the place of the route. */
  readonly isShort: boolean
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES` */
export function compileBackends(of: BackendRule, laneHeaders: readonly string[], serviceOf: ServiceOf): Backend[] {
  const { manifest, rule, name, scheme, timeoutMs, place, isShort } = of
  const refs = rule.backendRefs ?? []
  const shared = filtersOf(rule.filters, place.at('filters'))
  return refs.map((ref, index) => {
    const at = isShort ? place : place.at('backendRefs', index)
    if (ref.kind !== undefined && ref.kind !== 'Service') throw at.at('kind').unexpected('Service', ref.kind)
    const service = isShort ? ref.name : serviceOf(ref, manifest)
    const filters = [...shared, ...filtersOf(ref.filters, at.at('filters'))]
    return Object.freeze({
      route: name,
      service,
      origin: `${scheme}://${hostnameOf(service, scheme, at.at(isShort ? 'service' : 'name'))}`,
      modify: compileModifiers(filters, laneHeaders),
      lane: laneOf(filters, laneHeaders),
      // Weights are drawn per request: the same caller may get another backend next time.
      perCaller: refs.length > 1,
      timeoutMs,
    })
  })
}

interface PlacedModifier {
  readonly modifier: HeaderModifier
  readonly place: OptionPlace
}

function filtersOf(filters: readonly RouteFilter[] | undefined, place: OptionPlace): PlacedModifier[] {
  return (filters ?? []).map((filter, index) => {
    const { type, requestHeaderModifier: modifier } = filter
    if (type === 'RequestHeaderModifier' && modifier !== undefined) {
      return { modifier, place: place.at(index, 'requestHeaderModifier') }
    }
    // Ignored silently, a filter would make the route do something else than it says.
    throw place.at(index, 'type').unexpected('RequestHeaderModifier', type)
  })
}

/** Leaves out the lane header: the ingress decides about lanes, and never replaces a tag that it believes. */
function compileModifiers(filters: readonly PlacedModifier[], laneHeaders: readonly string[]): Backend['modify'] {
  const others = (list: readonly { readonly name: string; readonly value: string }[] | undefined) =>
    list?.filter(({ name }) => !laneHeaders.includes(String(name).toLowerCase()))
  const compiled = filters
    .map(({ modifier: { set, add, remove, ...rest }, place }) => ({
      place,
      modifier: {
        ...rest,
        ...(set !== undefined && { set: others(set) ?? [] }),
        ...(add !== undefined && { add: others(add) ?? [] }),
        ...(remove !== undefined && {
          remove: remove.filter(name => !laneHeaders.includes(String(name).toLowerCase())),
        }),
      } as HeaderModifier,
    }))
    .map(({ modifier, place }) => ({
      modifier,
      modify: withPaths(
        () => createHeaderModifier(modifier),
        path => [...place.path, ...path],
      ),
    }))
    .filter(({ modifier: { set = [], add = [], remove = [] } }) => set.length + add.length + remove.length > 0)
  if (compiled.length === 0) return undefined
  return headers => {
    for (const { modify } of compiled) modify(headers)
    return headers as Record<string, string | string[]>
  }
}

function laneOf(filters: readonly PlacedModifier[], laneHeaders: readonly string[]): Lane | undefined {
  let lane: Lane | undefined
  for (const { modifier, place } of filters) {
    for (const { name, value } of [...(modifier.set ?? []), ...(modifier.add ?? [])]) {
      if (!laneHeaders.includes(String(name).toLowerCase())) continue
      lane = parseLane(value)
      if (lane === undefined) throw place.invalid(`sets ${name} to ${JSON.stringify(value)}, which is no lane`)
    }
  }
  return lane
}

function hostnameOf(service: string, scheme: string, place: OptionPlace): string {
  const url = URL.canParse(`${scheme}://${service}`) ? new URL(`${scheme}://${service}`) : undefined
  if (url !== undefined && url.host !== '' && url.host === service.toLowerCase()) return url.hostname
  throw place.invalid(
    `is a name that a URL cannot carry, received ${JSON.stringify(service)}; give it an alias in the resolver`,
  )
}

import { callback, flag, type Option, unchecked } from '../options/option.js'
import { OptionPlace } from '../options/option-place.js'
import { type OptionValues, readOptions } from '../options/read-options.js'
import { emitLanewayWarning, type Warn } from '../warning.js'
import { headerName } from '../wire/header-name.js'
import { createEgressScope, type EgressScope, type EgressScopeOptions } from './egress-scope.js'
import { type EndpointTls, resolveEndpointTls } from './endpoint-tls.js'
import { warnBesideMesh } from './service-mesh.js'

/** Options of every adapter that sends requests. @typeParam Resolver - `EgressResolver` of `@laneway/discovery` */
export interface EgressOptions<Resolver = unknown> extends EgressScopeOptions {
  /** Resolves service names and chooses their endpoints. @default none: DNS finds the hosts, only the tag is forwarded */
  resolver?: Resolver | undefined
  /**
   * `false`: calls carry the lane and go where they went before, whatever `resolver` is. For a service mesh whose proxies
   * route by the tag.
   * @default true
   */
  resolve?: boolean
  /** The header that carries the lane. @default 'x-mse-tag', what MSE and OpenKruise Rollouts use */
  header?: string
  /**
   * Also writes the lane into the W3C `baggage` header of requests in scope, for hops that forward nothing else.
   * `true`: as the member `x-mse-tag`. `'mse'`: as MSE's member `__microservice_tag__`, a JSON list, for hops that read
   * what MSE's Java agent keeps in there.
   * @default false, because one carrier cannot disagree with itself
   */
  baggage?: boolean | 'mse'
  /**
   * Leaves a tag that the caller set by hand on a request to a host out of scope; never on a redirect.
   * @default false, because clients carry such a header to whatever host a redirect names
   */
  keepHandSet?: boolean
  /**
   * Trust in instances that speak TLS although the URL says `http` (Nacos metadata `secure=true`).
   * @default Node's own roots, and the name of the service
   */
  endpointTls?: EndpointTls
}

/** {@link EgressOptions} after the check, with defaults. */
export interface EgressSettings<Resolver> {
  readonly resolver: Resolver | undefined
  readonly header: string
  readonly baggage: boolean | 'mse'
  readonly keepHandSet: boolean
  readonly scope: EgressScope
}

const baggageForm: Option<boolean | 'mse'> = (value, place) => {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean' || value === 'mse') return value
  throw place.unexpected("true, false or 'mse'", value)
}

const COMMON = {
  resolver: unchecked<{ pick?: unknown; match?: unknown } | undefined>(),
  header: headerName,
  baggage: baggageForm,
  keepHandSet: flag(false),
  resolve: flag(true),
  propagateTo: unchecked<readonly string[] | undefined>(),
  warn: callback<Warn>(),
}

/** Reads `endpointTls`, for the adapters whose client can speak TLS to an endpoint. */
export const endpointTls: Option<EndpointTls | undefined> = (value, place) =>
  resolveEndpointTls(place.where, (value ?? undefined) as EndpointTls | undefined)

/**
 * Reads the options of an adapter that sends requests.
 *
 * @param where - the function that takes the options
 * @param more - the further options of this adapter
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function readEgressOptions<Resolver, S extends Readonly<Record<string, Option<unknown>>>>(
  where: string,
  input: EgressOptions<Resolver>,
  more: S,
): EgressSettings<Resolver> & OptionValues<S> {
  const table = { ...COMMON, ...more }
  const { propagateTo, warn, resolve, ...settings } = readOptions(where, input, table) as OptionValues<typeof COMMON>
  const { resolver } = settings
  if (resolver !== undefined && (typeof resolver?.pick !== 'function' || typeof resolver.match !== 'function')) {
    const place = new OptionPlace(where, ['resolver'])
    throw place.unexpected('what createLaneResolver() of @laneway/discovery returns', resolver)
  }
  const scope = createEgressScope(where, {
    ...(propagateTo !== undefined && { propagateTo }),
    ...(warn !== undefined && { warn }),
  })
  if (resolver !== undefined && resolve) warnBesideMesh(warn ?? emitLanewayWarning)
  return Object.freeze({
    ...settings,
    resolver: resolve ? resolver : undefined,
    scope,
  }) as unknown as EgressSettings<Resolver> & OptionValues<S>
}

import {
  callback,
  emitLanewayWarning,
  flag,
  milliseconds,
  type Option,
  OptionPlace,
  type OptionTable,
  oneOf,
  readOptions,
  unchecked,
  type Warn,
} from '@laneway/core/internal'
import { BALANCERS, type Balancer, type BalancerName } from './balancer/balancer.js'
import { BALANCE_OPTIONS, type BalanceOptions, type ResolvedBalanceOptions, toBalance } from './load/balance-options.js'
import { detectNamespace } from './service/name/namespace.js'
import type { Source } from './source/source.js'
import {
  type LanePolicyRule,
  WHEN_LANE_MISSING,
  WHEN_LANE_UNAVAILABLE,
  type WhenLaneMissing,
  type WhenLaneUnavailable,
} from './table/lane-policy.js'
import { type ResolvedZoneOptions, withEnvironmentZone, type ZoneOptions, zone } from './zone/zone-options.js'

/** A service behind a host name of the user's choice, for names that a URL cannot carry. */
export interface ServiceAlias {
  readonly service: string
  /** Nacos group: the source is asked for `group@@service`. */
  readonly group?: string
  /** Namespace: the source is asked for `service.namespace`. */
  readonly namespace?: string
}

/** Options of `createLaneResolver`. */
export interface LaneResolverOptions extends BalanceOptions {
  /** Where snapshots come from. Of several, the first that lists a service owns it, and keeps it while it is down. */
  readonly sources: readonly Source[]
  /**
   * Services that are declared: they are subscribed at once, and waited for. The environment variable
   * `LANEWAY_SERVICES` (names separated by commas) adds to them.
   * @default []
   */
  readonly services?: readonly string[]
  /** @default 'base', because falling back per hop is the normal case of a lane */
  readonly whenLaneMissing?: WhenLaneMissing
  /** @default 'base', because a lane may end while its requests are in flight */
  readonly whenLaneUnavailable?: WhenLaneUnavailable
  /** Exceptions by service and lane; the most specific wins, ties are refused. @default [] */
  readonly policies?: readonly LanePolicyRule[]
  /**
   * How one of the usable endpoints is chosen: by name, or by a balancer of your own.
   * @default 'least-request': as even as a round robin while all endpoints are alike, and a slow one gets less
   */
  readonly balancer?: BalancerName | Balancer
  /**
   * `any`: a request without lane to a service that has only lane endpoints goes to one of them. Warned of, and counted.
   * @default 'fail', because base traffic in a lane is what lanes are to prevent
   */
  readonly baseEmpty?: 'fail' | 'any'
  /** Hosts that stand for services whose name a URL cannot carry, e.g. `{ 'orders-g': { service: 'orders', group: 'G' } }`. @default {} */
  readonly aliases?: Readonly<Record<string, ServiceAlias | string>>
  /** Host suffixes under which names are services, besides the cluster domain. @default ['.svc'] */
  readonly suffixes?: readonly string[]
  /** @default 'cluster.local', as in Kubernetes */
  readonly clusterDomain?: string
  /**
   * The namespace whose services are called by their bare name.
   * @default POD_NAMESPACE, then that of the mounted service account, then 'default'
   */
  readonly namespace?: string
  /** How long `ready` waits for a first snapshot, in milliseconds. @default 5000, less than most callers wait */
  readonly readyTimeoutMs?: number
  /**
   * How long a call waits for the sources' answer about a name that could be a service and is not known yet, in
   * milliseconds; after that the name goes to DNS.
   * @default 1000: a registry answers within a few milliseconds, and the connection to it is made within a second
   */
  readonly lookupTimeoutMs?: number
  /**
   * The zone of this process, by its name or with more options. Within base or a lane, the endpoints of the own zone are
   * preferred.
   * @default LANEWAY_ZONE, then what the source of a service knows; without a zone none is preferred
   */
  readonly zone?: string | ZoneOptions
  /** Accept link-local endpoints and cloud metadata services. @default false */
  readonly allowLinkLocal?: boolean
  /**
   * Close the sources with the resolver, once no other resolver uses them.
   * @default true, so that `close()` leaves no handle open
   */
  readonly closeSources?: boolean
  /** Like `Math.random`; called at each draw. @default a generator that allocates nothing */
  readonly random?: () => number
  /** Milliseconds, never going back; called when it is needed. @default performance.now */
  readonly now?: () => number
  /** Called once with each message for the operator. @default process.emitWarning */
  readonly warn?: Warn
  /** Read once, for `LANEWAY_SERVICES`, `LANEWAY_ZONE` and `POD_NAMESPACE`. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** The options with every default in its place. */
export interface ResolvedLaneResolverOptions {
  readonly sources: readonly Source[]
  readonly services: readonly string[]
  readonly whenLaneMissing: WhenLaneMissing
  readonly whenLaneUnavailable: WhenLaneUnavailable
  readonly policies: readonly LanePolicyRule[]
  readonly balance: ResolvedBalanceOptions & { readonly balancer: BalancerName | Balancer }
  readonly zone: ResolvedZoneOptions
  readonly baseEmpty: 'fail' | 'any'
  /** By host, lower case without trailing dot; the value is the name to ask a source for. */
  readonly aliases: ReadonlyMap<string, string>
  readonly suffixes: readonly string[]
  readonly clusterDomain: string
  readonly namespace: string
  readonly readyTimeoutMs: number
  readonly lookupTimeoutMs: number
  readonly allowLinkLocal: boolean
  readonly closeSources: boolean
  readonly random: (() => number) | undefined
  readonly now: (() => number) | undefined
  readonly warn: Warn
}

const WHERE = 'createLaneResolver'

const sources: Option<readonly Source[]> = (value, place) => {
  if (!Array.isArray(value) || value.length === 0) throw place.unexpected('a list of at least one source', value)
  for (const [index, source] of (value as readonly Partial<Source>[]).entries()) {
    if (
      typeof source?.subscribe !== 'function' ||
      typeof source.close !== 'function' ||
      typeof source.name !== 'string'
    ) {
      throw place.at(index).unexpected('an object with name, subscribe and close', source)
    }
  }
  if (new Set(value).size < value.length) {
    throw place.unexpected(
      'a list in which no source stands twice',
      value.map(one => one.name),
    )
  }
  return Object.freeze([...value])
}

function assertName(name: unknown, place: OptionPlace): string {
  if (typeof name === 'string' && name !== '' && name.length <= 512 && !/[\s,]/.test(name)) return name
  throw place.unexpected('the name of a service, without spaces and commas', name)
}

const names: Option<readonly string[]> = (value = [], place) => {
  if (!Array.isArray(value)) throw place.unexpected('a list of service names', value)
  return value.map((name, index) => assertName(name, place.at(index)))
}

const policies: Option<readonly LanePolicyRule[]> = (value = [], place) => {
  if (!Array.isArray(value)) throw place.unexpected('a list', value)
  return Object.freeze([...value])
}

const ALIAS = {
  service: assertName,
  group: (value, place) => (value === undefined ? undefined : assertName(value, place)),
  namespace: (value, place) => (value === undefined ? undefined : assertName(value, place)),
} satisfies OptionTable<ServiceAlias>

const aliases: Option<ReadonlyMap<string, string>> = (value = {}, place) => {
  if (typeof value !== 'object' || value === null) throw place.unexpected('an object of hosts and services', value)
  const found = new Map<string, string>()
  for (const [rawHost, target] of Object.entries(value as Readonly<Record<string, ServiceAlias | string>>)) {
    const host = rawHost.toLowerCase().replace(/\.$/, '')
    if (!/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(host) || /^[\d.]+$/.test(host)) {
      throw place.at(rawHost).invalid('is no host name')
    }
    if (found.has(host)) throw place.at(rawHost).invalid('is a host that stands there twice')
    found.set(host, aliasedName(target, place.at(rawHost)))
  }
  return found
}

function aliasedName(target: ServiceAlias | string, place: OptionPlace): string {
  if (typeof target === 'string') return assertName(target, place)
  const { service, group, namespace } = readOptions(place, target, ALIAS)
  const named = group === undefined ? service : `${group}@@${service}`
  return namespace === undefined ? named : `${named}.${namespace}`
}

function assertDomain(value: unknown, place: OptionPlace): string {
  if (typeof value !== 'string' || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)) {
    throw place.unexpected('a domain name without dots at its ends', value)
  }
  return value.toLowerCase()
}

const suffixes: Option<readonly string[]> = (value = ['.svc'], place) => {
  if (!Array.isArray(value)) throw place.unexpected('a list of domain names', value)
  return Object.freeze(
    value.map((suffix, index) => {
      const bare = typeof suffix === 'string' && suffix.startsWith('.') ? suffix.slice(1) : suffix
      return `.${assertDomain(bare, place.at(index))}`
    }),
  )
}

const balancer: Option<BalancerName | Balancer> = (value, place) => {
  if (typeof (value as Balancer | undefined)?.balance === 'function') return value as Balancer
  if (typeof value === 'object' && value !== null) throw place.unexpected('a name, or an object with balance()', value)
  return oneOf(BALANCERS, 'least-request')(value, place)
}

/** How the options are read. */
export const OPTIONS = {
  sources,
  services: names,
  whenLaneMissing: oneOf(WHEN_LANE_MISSING, 'base'),
  whenLaneUnavailable: oneOf(WHEN_LANE_UNAVAILABLE, 'base'),
  policies,
  balancer,
  baseEmpty: oneOf(['fail', 'any'], 'fail'),
  aliases,
  suffixes,
  clusterDomain: (value = 'cluster.local', place) => assertDomain(value, place),
  namespace: unchecked(),
  readyTimeoutMs: milliseconds(5000),
  lookupTimeoutMs: milliseconds(1000),
  ...BALANCE_OPTIONS,
  zone,
  allowLinkLocal: flag(false),
  closeSources: flag(true),
  random: callback<() => number>(),
  now: callback<() => number>(),
  warn: callback<Warn, Warn>(emitLanewayWarning),
  env: unchecked<LaneResolverOptions['env']>(),
} satisfies OptionTable<LaneResolverOptions>

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveLaneResolverOptions(input: LaneResolverOptions): ResolvedLaneResolverOptions {
  const { env: given, ...options } = readOptions(WHERE, input, OPTIONS)
  const env = given ?? process.env
  return Object.freeze({
    ...options,
    balance: { ...toBalance(options), balancer: options.balancer },
    zone: withEnvironmentZone(options.zone, env),
    services: [...options.services, ...environmentNames(env['LANEWAY_SERVICES'])],
    namespace: assertDomain(options.namespace ?? detectNamespace(env), new OptionPlace(WHERE, ['namespace'])),
  })
}

function environmentNames(value: string | undefined): readonly string[] {
  const place = new OptionPlace('LANEWAY_SERVICES')
  return (value ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
    .map(name => assertName(name, place))
}

import { assertKnownKeys, assertOneOf, describe, emitLanewayWarning, LanewayError, type Warn } from '@laneway/core'
import { BALANCERS, type Balancer } from './balancer/balancer.js'
import { detectNamespace } from './service/namespace.js'
import type { Source } from './source/source.js'
import {
  type LanePolicyRule,
  WHEN_LANE_MISSING,
  WHEN_LANE_UNAVAILABLE,
  type WhenLaneMissing,
  type WhenLaneUnavailable,
} from './table/lane-policy.js'
import type { OutlierOptions } from './table/outlier-ejection.js'

/** A service behind a host name of the user's choice, for names that a URL cannot carry. */
export interface ServiceAlias {
  readonly service: string
  /** Nacos group: the source is asked for `group@@service`. */
  readonly group?: string
  /** Namespace: the source is asked for `service.namespace`. */
  readonly namespace?: string
}

/** Options of `createLaneResolver`. */
export interface LaneResolverOptions {
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
  /** @default 'weighted-random', which needs nothing to be shared between clients */
  readonly balancer?: Balancer
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
  /** Ejection of endpoints that refuse connections or do not answer in time; `false` turns it off. @default on, see OutlierOptions */
  readonly outlier?: OutlierOptions | false
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
  /** Told what the operator should know, once each. @default process.emitWarning */
  readonly warn?: Warn
  /** Read once, for `LANEWAY_SERVICES` and `POD_NAMESPACE`. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** The options with every default in its place. */
export interface ResolvedLaneResolverOptions {
  readonly sources: readonly Source[]
  readonly services: readonly string[]
  readonly whenLaneMissing: WhenLaneMissing
  readonly whenLaneUnavailable: WhenLaneUnavailable
  readonly policies: readonly LanePolicyRule[]
  readonly balancer: Balancer
  readonly baseEmpty: 'fail' | 'any'
  /** By host, lower case without trailing dot; the value is the name to ask a source for. */
  readonly aliases: ReadonlyMap<string, string>
  readonly suffixes: readonly string[]
  readonly clusterDomain: string
  readonly namespace: string
  readonly readyTimeoutMs: number
  readonly lookupTimeoutMs: number
  readonly outlier: Required<OutlierOptions> | undefined
  readonly allowLinkLocal: boolean
  readonly closeSources: boolean
  readonly random: (() => number) | undefined
  readonly now: (() => number) | undefined
  readonly warn: Warn
}

const WHERE = 'createLaneResolver'
const KEYS: readonly (keyof LaneResolverOptions)[] = [
  'sources',
  'services',
  'whenLaneMissing',
  'whenLaneUnavailable',
  'policies',
  'balancer',
  'baseEmpty',
  'aliases',
  'suffixes',
  'clusterDomain',
  'namespace',
  'readyTimeoutMs',
  'lookupTimeoutMs',
  'outlier',
  'allowLinkLocal',
  'closeSources',
  'random',
  'now',
  'warn',
  'env',
]
const OUTLIER_KEYS = ['consecutiveFailures', 'ejectionMs', 'maxEjectionMs', 'maxEjectedShare']
/** The longest delay of a Node timer. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveLaneResolverOptions(input: LaneResolverOptions): ResolvedLaneResolverOptions {
  assertKnownKeys(WHERE, input, KEYS)
  const whenLaneMissing = input.whenLaneMissing ?? 'base'
  const whenLaneUnavailable = input.whenLaneUnavailable ?? 'base'
  const balancer = input.balancer ?? 'weighted-random'
  const baseEmpty = input.baseEmpty ?? 'fail'
  assertOneOf(`${WHERE}.whenLaneMissing`, whenLaneMissing, WHEN_LANE_MISSING)
  assertOneOf(`${WHERE}.whenLaneUnavailable`, whenLaneUnavailable, WHEN_LANE_UNAVAILABLE)
  assertOneOf(`${WHERE}.balancer`, balancer, BALANCERS)
  assertOneOf(`${WHERE}.baseEmpty`, baseEmpty, ['fail', 'any'])
  const env = input.env ?? process.env
  return Object.freeze({
    sources: readSources(input.sources),
    services: [...readNames(`${WHERE}.services`, input.services ?? []), ...readEnvNames(env['LANEWAY_SERVICES'])],
    whenLaneMissing,
    whenLaneUnavailable,
    policies: readPolicies(input.policies ?? []),
    balancer,
    baseEmpty,
    aliases: readAliases(input.aliases ?? {}),
    suffixes: readSuffixes(input.suffixes ?? ['.svc']),
    clusterDomain: readDomain('clusterDomain', input.clusterDomain ?? 'cluster.local'),
    namespace: readDomain('namespace', input.namespace ?? detectNamespace(env)),
    readyTimeoutMs: readNumber('readyTimeoutMs', input.readyTimeoutMs ?? 5000, 0, MAX_TIMER_MS),
    lookupTimeoutMs: readNumber('lookupTimeoutMs', input.lookupTimeoutMs ?? 1000, 0, MAX_TIMER_MS),
    outlier: readOutlier(input.outlier ?? {}),
    allowLinkLocal: readBoolean('allowLinkLocal', input.allowLinkLocal ?? false),
    closeSources: readBoolean('closeSources', input.closeSources ?? true),
    random: readFunction('random', input.random),
    now: readFunction('now', input.now),
    warn: readFunction('warn', input.warn) ?? emitLanewayWarning,
  })
}

function readSources(value: readonly Source[]): readonly Source[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid('sources is a list of at least one source', value)
  for (const source of value as readonly Partial<Source>[]) {
    if (
      typeof source?.subscribe !== 'function' ||
      typeof source.close !== 'function' ||
      typeof source.name !== 'string'
    ) {
      throw invalid('sources holds objects with name, subscribe and close', source)
    }
  }
  if (new Set(value).size < value.length)
    throw invalid(
      'sources holds a source twice',
      value.map(one => one.name),
    )
  return Object.freeze([...value])
}

function readNames(where: string, value: readonly string[]): readonly string[] {
  if (!Array.isArray(value)) throw invalid(`${where} is a list of service names`, value)
  for (const name of value as readonly unknown[]) {
    if (typeof name !== 'string' || name === '' || name.length > 512 || /[\s,]/.test(name)) {
      throw invalid(`${where} holds a name that no service has`, name)
    }
  }
  return value
}

function readEnvNames(value: string | undefined): readonly string[] {
  const names = (value ?? '').split(',').map(name => name.trim())
  return readNames(
    'the environment variable LANEWAY_SERVICES',
    names.filter(name => name !== ''),
  )
}

function readPolicies(value: readonly LanePolicyRule[]): readonly LanePolicyRule[] {
  if (!Array.isArray(value)) throw invalid('policies is a list', value)
  return Object.freeze([...value])
}

function readAliases(value: Readonly<Record<string, ServiceAlias | string>>): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) throw invalid('aliases maps hosts to services', value)
  const aliases = new Map<string, string>()
  for (const [rawHost, target] of Object.entries(value)) {
    const host = rawHost.toLowerCase().replace(/\.$/, '')
    if (!/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(host) || /^[\d.]+$/.test(host)) {
      throw invalid('aliases has a key that is no host name', rawHost)
    }
    if (aliases.has(host)) throw invalid('aliases has a host twice', rawHost)
    aliases.set(host, aliasedName(host, target))
  }
  return aliases
}

function aliasedName(host: string, target: ServiceAlias | string): string {
  if (typeof target === 'string') return readNames(`${WHERE}.aliases`, [target])[0]!
  const where = `${WHERE}.aliases["${host}"]`
  assertKnownKeys(where, target, ['service', 'group', 'namespace'])
  const { service, group, namespace } = target
  readNames(where, [service, ...(group === undefined ? [] : [group]), ...(namespace === undefined ? [] : [namespace])])
  const named = group === undefined ? service : `${group}@@${service}`
  return namespace === undefined ? named : `${named}.${namespace}`
}

function readSuffixes(value: readonly string[]): readonly string[] {
  if (!Array.isArray(value)) throw invalid('suffixes is a list', value)
  return Object.freeze(
    value.map(suffix => {
      const bare = typeof suffix === 'string' && suffix.startsWith('.') ? suffix.slice(1) : suffix
      return `.${readDomain('suffixes', bare)}`
    }),
  )
}

function readDomain(name: string, value: string): string {
  if (typeof value !== 'string' || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)) {
    throw invalid(`${name} is a domain name without dots at its ends`, value)
  }
  return value.toLowerCase()
}

function readOutlier(value: OutlierOptions | false): Required<OutlierOptions> | undefined {
  if (value === false) return undefined
  assertKnownKeys(`${WHERE}.outlier`, value, OUTLIER_KEYS)
  const ejectionMs = readNumber('outlier.ejectionMs', value.ejectionMs ?? 1000, 1, MAX_TIMER_MS)
  return Object.freeze({
    consecutiveFailures: Math.floor(readNumber('outlier.consecutiveFailures', value.consecutiveFailures ?? 5, 1, 1e6)),
    ejectionMs,
    maxEjectionMs: readNumber(
      'outlier.maxEjectionMs',
      value.maxEjectionMs ?? Math.max(30_000, ejectionMs),
      ejectionMs,
      MAX_TIMER_MS,
    ),
    maxEjectedShare: readNumber('outlier.maxEjectedShare', value.maxEjectedShare ?? 0.5, 0, 1),
  })
}

function readNumber(name: string, value: number, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw invalid(`${name} is a number from ${least} to ${most}`, value)
  }
  return value
}

function readBoolean(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw invalid(`${name} is a boolean`, value)
  return value
}

function readFunction<F>(name: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== 'function') throw invalid(`${name} is a function`, value)
  return value
}

function invalid(rule: string, received: unknown): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', `${WHERE}: ${rule}, received ${describe(received)}`)
}

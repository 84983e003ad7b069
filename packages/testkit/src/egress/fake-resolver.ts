import { LanewayError, type LanewayErrorCode } from '@laneway/core'
import type { Choice, ChoiceEnd, Endpoint, LaneResolver, Outcome } from '@laneway/discovery'

/** An endpoint of the fake, in short. The host is 127.0.0.1 unless given. */
export interface FakeEndpoint {
  readonly port: number
  readonly host?: string
  readonly tag?: string
}

/** The endpoints of a service; `undefined` before its first snapshot. */
export type FakeService = readonly (Endpoint | FakeEndpoint)[] | undefined

/** A minimal resolver that notes every call. It chooses the lane, else base, by round robin. */
export interface FakeResolver extends LaneResolver {
  services: Record<string, FakeService>
  whenLaneMissing: 'base' | 'fail'
  readonly picks: { service: string; lane: string | undefined; tried: string[] }[]
  readonly starts: string[]
  readonly ends: { address: string; end: ChoiceEnd }[]
  /** Started and not finished. */
  readonly inFlight: number
  /** Answers `lookup()`; by default it waits for `arrive()` or `refuse()`. */
  onLookup: (service: string) => Promise<void>
  /** Replaces the endpoints of a service; those that are missing now are gone. */
  set(service: string, endpoints: FakeService): void
  /** Sets the endpoints, and ends the waits of `lookup()`. */
  arrive(service: string, endpoints: FakeService): void
  /** Ends the waits of `lookup()` with an error. */
  refuse(error: Error): void
  /** Reports that an endpoint has left its service. */
  gone(port: number, host?: string): void
  /** How many listeners `onEndpointGone` has. */
  listeners(): number
}

const CODES: Partial<Record<Outcome, LanewayErrorCode>> = {
  'lane-required': 'LANEWAY_LANE_REQUIRED',
  'not-ready': 'LANEWAY_NOT_READY',
}

/** An endpoint with all its properties. */
export function endpoint(host: string, port: number, ...tags: string[]): Endpoint {
  return Object.freeze({
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    host,
    port,
    weight: 1,
    health: 'unknown' as const,
    enabled: true,
    zone: undefined,
    tags,
    metadata: {},
  })
}

export function fakeResolver(services: Record<string, FakeService>): FakeResolver {
  const listeners = new Set<(endpoint: Endpoint) => void>()
  const waiting: { resolve(): void; reject(error: Error): void }[] = []
  const turns = new Map<string, number>()
  const known = new Map<FakeEndpoint, Endpoint>()

  function full(one: Endpoint | FakeEndpoint): Endpoint {
    if ('address' in one) return one
    let made = known.get(one)
    if (made === undefined) {
      made = endpoint(one.host ?? '127.0.0.1', one.port, ...(one.tag === undefined ? [] : [one.tag]))
      known.set(one, made)
    }
    return made
  }

  function choose(service: string, members: readonly Endpoint[], outcome: Outcome, served?: string): Choice {
    const turn = turns.get(service) ?? 0
    turns.set(service, turn + 1)
    return Object.freeze({ service, endpoint: members[turn % members.length], outcome, served })
  }

  const resolver: FakeResolver = {
    services,
    whenLaneMissing: 'base',
    picks: [],
    starts: [],
    ends: [],
    get inFlight() {
      return resolver.starts.length - finished
    },
    mayReconnect: () => true,
    update() {},
    onLookup: () => new Promise<void>((resolve, reject) => waiting.push({ resolve, reject })),
    set(service, endpoints) {
      const before = services[service]?.map(full) ?? []
      services[service] = endpoints
      const now = new Set(endpoints?.map(one => full(one).address))
      for (const old of before) if (!now.has(old.address)) for (const listener of listeners) listener(old)
    },
    arrive(service, endpoints) {
      services[service] = endpoints
      for (const one of waiting.splice(0)) one.resolve()
    },
    refuse(error) {
      for (const one of waiting.splice(0)) one.reject(error)
    },
    gone(port, host = '127.0.0.1') {
      for (const listener of listeners) listener(endpoint(host, port))
    },
    listeners: () => listeners.size,
    match(hostname, port, secure) {
      const name = hostname.toLowerCase().replace(/\.$/, '')
      return Object.hasOwn(services, name) && (port === undefined || port === (secure ? 443 : 80)) ? name : undefined
    },
    pick(service, lane, tried) {
      resolver.picks.push({ service, lane: lane?.header, tried: [...(tried ?? [])] })
      const all = services[service]?.map(full)
      if (all === undefined) return { service, endpoint: undefined, outcome: 'not-ready', served: undefined }
      const usable = all.filter(one => tried?.has(one.address) !== true)
      for (const tag of lane?.tags ?? []) {
        const members = usable.filter(one => one.tags.includes(tag))
        if (members.length > 0) return choose(service, members, 'lane', tag)
      }
      if (lane !== undefined && resolver.whenLaneMissing === 'fail') {
        return { service, endpoint: undefined, outcome: 'lane-required', served: undefined }
      }
      const base = usable.filter(one => one.tags.length === 0)
      if (base.length > 0) return choose(service, base, lane === undefined ? 'base' : 'fallback-missing')
      const allBase = all.filter(one => one.tags.length === 0)
      if (allBase.length > 0) return choose(service, allBase, 'panic')
      return { service, endpoint: undefined, outcome: 'no-base', served: undefined }
    },
    started: choice => void resolver.starts.push(choice.endpoint?.address ?? ''),
    finished(choice, end) {
      finished++
      resolver.ends.push({ address: choice.endpoint?.address ?? '', end })
    },
    ready: service => resolver.onLookup(service),
    lookup: service => resolver.onLookup(service),
    refusal: (choice, _lane, cause) =>
      new LanewayError(CODES[choice.outcome] ?? 'LANEWAY_NO_BASE', choice.service, { cause }),
    onEndpointGone(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    explain: () => unused('explain'),
    state: () => unused('state'),
    states: () => unused('states'),
    health: () => unused('health'),
    async close() {},
  }
  let finished = 0
  return resolver
}

function unused(name: string): never {
  throw new Error(`an egress adapter has no use for ${name}`)
}

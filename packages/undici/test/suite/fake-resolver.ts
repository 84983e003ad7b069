import { LanewayError, type LanewayErrorCode } from '@laneway/core'
import type { Choice, ChoiceEnd, Endpoint, LaneResolver, Outcome } from '@laneway/discovery'

/** An endpoint of the fake. */
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

/** What was reported about an endpoint: its address and how the use ended. */
export type Report = readonly [address: string, end: ChoiceEnd]

/** A resolver of the least possible: round robin, lane, else base; everything it is told is kept for the test to see. */
export interface FakeResolver extends LaneResolver {
  readonly reports: Report[]
  inFlight: number
  set(service: string, endpoints: readonly Endpoint[] | 'not-ready'): void
  whenLaneMissing: 'base' | 'fail'
  /** Answers `lookup()`; by default it never ends. */
  onReady: (service: string) => Promise<void>
}

const CODES: Partial<Record<Outcome, LanewayErrorCode>> = {
  'lane-required': 'LANEWAY_LANE_REQUIRED',
  'not-ready': 'LANEWAY_NOT_READY',
}

export function fakeResolver(services: Record<string, readonly Endpoint[] | 'not-ready'>): FakeResolver {
  const known = new Map(Object.entries(services))
  const listeners = new Set<(endpoint: Endpoint) => void>()
  const reports: Report[] = []
  let turn = 0
  const resolver: FakeResolver = {
    reports,
    inFlight: 0,
    whenLaneMissing: 'base',
    onReady: () => new Promise(() => {}),
    set(service, endpoints) {
      const before = known.get(service)
      known.set(service, endpoints)
      if (before === undefined || before === 'not-ready' || endpoints === 'not-ready') return
      for (const old of before) {
        if (!endpoints.some(now => now.address === old.address)) for (const listener of listeners) listener(old)
      }
    },
    mayReconnect: () => true,
    match(hostname, port, secure) {
      const name = hostname.toLowerCase().replace(/\.$/, '')
      return known.has(name) && (port === undefined || port === (secure ? 443 : 80)) ? name : undefined
    },
    pick(service, lane, tried) {
      const all = known.get(service)
      if (all === undefined || all === 'not-ready') return choice(service, undefined, 'not-ready', undefined)
      const usable = all.filter(one => !tried?.has(one.address))
      for (const tag of lane?.tags ?? []) {
        const members = usable.filter(one => one.tags.includes(tag))
        if (members.length > 0) return choice(service, members[turn++ % members.length], 'lane', tag)
      }
      if (lane !== undefined && resolver.whenLaneMissing === 'fail') {
        return choice(service, undefined, 'lane-required', undefined)
      }
      const base = usable.filter(one => one.tags.length === 0)
      if (base.length === 0) {
        const tiredBase = all.filter(one => one.tags.length === 0)
        if (tiredBase.length > 0) return choice(service, tiredBase[0], 'panic', undefined)
        return choice(service, undefined, 'no-base', undefined)
      }
      return choice(service, base[turn++ % base.length], lane === undefined ? 'base' : 'fallback-missing', undefined)
    },
    started() {
      resolver.inFlight++
    },
    finished(done, end) {
      resolver.inFlight--
      reports.push([done.endpoint?.address ?? '', end])
    },
    ready: service => resolver.onReady(service),
    lookup: service => resolver.onReady(service),
    onEndpointGone(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refusal: (choice, _lane, cause) =>
      new LanewayError(CODES[choice.outcome] ?? 'LANEWAY_NO_BASE', choice.service, { cause }),
    explain: () => unused('explain'),
    state: () => unused('state'),
    states: () => unused('states'),
    health: () => unused('health'),
    async close() {},
  }
  return resolver
}

function choice(service: string, chosen: Endpoint | undefined, outcome: Outcome, served: string | undefined): Choice {
  return Object.freeze({ service, endpoint: chosen, outcome, served })
}

function unused(name: string): never {
  throw new Error(`an egress adapter has no use for ${name}`)
}

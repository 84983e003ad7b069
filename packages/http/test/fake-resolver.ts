import { type Lane, LanewayError, type LanewayErrorCode } from '@laneway/core'
import type { Choice, ChoiceEnd, Endpoint, Outcome } from '@laneway/discovery'
import type { EgressResolver } from '@laneway/http'

export interface FakeEndpoint {
  port: number
  host?: string
  tag?: string
}

/** A resolver over lists in memory that notes every report. */
export interface FakeResolver extends EgressResolver {
  services: Record<string, FakeEndpoint[] | undefined>
  readonly starts: string[]
  readonly ends: { address: string; end: ChoiceEnd }[]
  readonly picks: { service: string; lane: string | undefined; tried: string[] }[]
  /** Ends the wait of `lookup`. */
  arrive(service: string, endpoints: FakeEndpoint[]): void
  refuse(error: Error): void
  gone(port: number, host?: string): void
  listeners(): number
}

const CODES: Partial<Record<Outcome, LanewayErrorCode>> = {
  'lane-required': 'LANEWAY_LANE_REQUIRED',
  'not-ready': 'LANEWAY_NOT_READY',
}

export function fakeResolver(services: Record<string, FakeEndpoint[] | undefined>): FakeResolver {
  const gone = new Set<(endpoint: Endpoint) => void>()
  const waiting: { resolve(): void; reject(error: Error): void }[] = []
  const next = new Map<string, number>()
  const choose = (service: string, of: FakeEndpoint[], outcome: Outcome, served?: string): Choice => {
    const at = next.get(service) ?? 0
    next.set(service, at + 1)
    return { service, endpoint: fakeEndpoint(of[at % of.length]!), outcome, served }
  }
  const resolver: FakeResolver = {
    services,
    starts: [],
    ends: [],
    picks: [],
    match: (hostname, port) =>
      Object.hasOwn(services, hostname.toLowerCase()) && (port === undefined || port === 80 || port === 443)
        ? hostname.toLowerCase()
        : undefined,
    pick(service, lane: Lane | undefined, tried) {
      resolver.picks.push({ service, lane: lane?.header, tried: [...(tried ?? [])] })
      const all = services[service]
      if (all === undefined) return { service, endpoint: undefined, outcome: 'not-ready', served: undefined }
      const usable = all.filter(one => tried?.has(fakeEndpoint(one).address) !== true)
      for (const tag of lane?.tags ?? []) {
        const members = usable.filter(one => one.tag === tag)
        if (members.length > 0) return choose(service, members, 'lane', tag)
      }
      const base = usable.filter(one => one.tag === undefined)
      if (base.length > 0) return choose(service, base, lane === undefined ? 'base' : 'fallback-missing')
      const panic = all.filter(one => one.tag === undefined)
      if (panic.length > 0) return choose(service, panic, 'panic')
      return { service, endpoint: undefined, outcome: 'no-base', served: undefined }
    },
    started: choice => void resolver.starts.push(choice.endpoint!.address),
    finished: (choice, end) => void resolver.ends.push({ address: choice.endpoint!.address, end }),
    lookup: () => new Promise<void>((resolve, reject) => waiting.push({ resolve, reject })),
    refusal: (choice, _lane, cause) =>
      new LanewayError(CODES[choice.outcome] ?? 'LANEWAY_NO_BASE', choice.service, { cause }),
    onEndpointGone(listener) {
      gone.add(listener)
      return () => gone.delete(listener)
    },
    arrive(service, endpoints) {
      services[service] = endpoints
      for (const one of waiting.splice(0)) one.resolve()
    },
    refuse(error) {
      for (const one of waiting.splice(0)) one.reject(error)
    },
    gone(port, host = '127.0.0.1') {
      for (const listener of gone) listener(fakeEndpoint({ port, host }))
    },
    listeners: () => gone.size,
  }
  return resolver
}

export function fakeEndpoint({ host = '127.0.0.1', port, tag }: FakeEndpoint): Endpoint {
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    host,
    port,
    weight: 1,
    health: 'unknown',
    enabled: true,
    zone: undefined,
    tags: tag === undefined ? [] : [tag],
    metadata: {},
  }
}

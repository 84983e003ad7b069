import type { ServiceState } from './service/service-state.js'
import type { Source } from './source/source.js'

/** One source of a resolver. */
export interface SourceHealth {
  /** Its name, e.g. `nacos`. */
  readonly source: string
  /** Where it reads, e.g. `127.0.0.1:8848, namespace public, group DEFAULT_GROUP`; `undefined` when it does not say. */
  readonly where: string | undefined
  /** `undefined` while nothing is known: the source has not answered yet, and has not failed either. */
  readonly connected: boolean | undefined
  /** Why it is not connected. */
  readonly error: string | undefined
}

/** One service as {@link ResolverHealth} lists it. */
export interface ServiceHealth {
  readonly service: string
  /** Declared by the user, as opposed to called or listed. */
  readonly declared: boolean
  /** See `ServiceState.status`. */
  readonly state: ServiceState['status']
  /** Name of the source that owns it. */
  readonly source: string | undefined
  /** Milliseconds since the last good answer of the registry, `undefined` before the first. */
  readonly ageMs: number | undefined
  /** Why it is stale, or still waited for. */
  readonly error: string | undefined
  /** Endpoints of base and all lanes. */
  readonly endpoints: number
  readonly usable: number
  /** The lanes that have endpoints, in order. */
  readonly lanes: readonly string[]
}

/** The state of a resolver for a health endpoint, as plain data that `JSON.stringify` takes. */
export interface ResolverHealth {
  /** `warning`: it works, and somebody should look at `warnings`. */
  readonly status: 'ok' | 'warning'
  /**
   * Whether requests can be sent: every declared service has been answered for once, and the resolver is not closed. It
   * stays `true` when a registry is lost later, because the last lists go on working.
   */
  readonly ready: boolean
  readonly sources: readonly SourceHealth[]
  readonly services: readonly ServiceHealth[]
  /** What is wrong, in words. */
  readonly warnings: readonly string[]
}

/** Made from what the sources say of themselves and from the states of the services. */
export function healthOf(sources: readonly Source[], states: readonly ServiceState[], closed: boolean): ResolverHealth {
  const services = states.map(serviceHealth)
  const seen = sources.map(source => sourceHealth(source, services))
  const warnings: string[] = []
  if (closed) warnings.push('the resolver is closed')
  for (const { source, where, connected, error } of seen) {
    const name = where === undefined ? source : `${source} (${where})`
    const problem = error?.startsWith('LANEWAY_AUTH') === true ? 'refuses this process' : 'cannot be reached'
    if (connected === false) warnings.push(`${name} ${problem}: ${error ?? 'no reason known'}`)
  }
  for (const service of services) {
    const problem = problemOf(service)
    if (problem !== undefined) warnings.push(`${service.service} ${problem}`)
  }
  const ready = !closed && services.every(({ declared, state }) => !declared || state !== 'waiting')
  return { status: warnings.length === 0 ? 'ok' : 'warning', ready, sources: seen, services, warnings }
}

function problemOf({ state, declared, error, endpoints, usable }: ServiceHealth): string | undefined {
  if (state === 'waiting') return `has not been answered for yet${error === undefined ? '' : `: ${error}`}`
  if (state === 'stale') return `is served from its last list: ${error ?? 'the registry is lost'}`
  if (state === 'missing') return declared ? 'is declared, and no registry has it' : undefined
  if (endpoints === 0) return 'has no instances'
  return usable === 0 ? `has ${endpoints} instances, none of which is usable` : undefined
}

function serviceHealth(state: ServiceState): ServiceHealth {
  const { service, declared, status, source, ageMs, error, base, lanes } = state
  let { endpoints, usable } = base
  for (const lane of lanes.values()) {
    endpoints += lane.endpoints
    usable += lane.usable
  }
  return { service, declared, state: status, source, ageMs, error, endpoints, usable, lanes: [...lanes.keys()].sort() }
}

/** A source that says nothing of itself is judged by its services. */
function sourceHealth(source: Source, services: readonly ServiceHealth[]): SourceHealth {
  const { name, where } = source
  const said = source.connection?.()
  if (said !== undefined) return { source: name, where, connected: said.connected, error: said.error?.message }
  const own = services.filter(service => service.source === name)
  const lost = own.find(({ state }) => state === 'stale') ?? own.find(({ error }) => error !== undefined)
  if (lost !== undefined) return { source: name, where, connected: false, error: lost.error }
  const answered = own.some(({ state }) => state !== 'waiting')
  return { source: name, where, connected: answered ? true : undefined, error: undefined }
}

import { channels, type DecisionEvent, type Lane, LanewayError, parseLane } from '@laneway/core'
import {
  BoundedMap,
  callNow,
  describe,
  type HandledHost,
  type HandleMaker,
  isDisabled,
  kServiceHandles,
} from '@laneway/core/internal'
import { type Clock, createClock } from './clock.js'
import type { Endpoint } from './endpoint/endpoint.js'
import { type Decision, explainDecision } from './explain/explain-decision.js'
import type { Explanation } from './explain/explanation.js'
import { hintAtFailedCalls } from './explain/failed-call-hints.js'
import { reasonOf } from './explain/reason.js'
import { explainRefusal, notReady, type RefusalFacts } from './explain/refusal.js'
import { healthOf, type ResolverHealth } from './health.js'
import { idleResolver } from './idle-resolver.js'
import type { LaneResolver } from './resolver.js'
import {
  type LaneResolverOptions,
  type ResolvedLaneResolverOptions,
  resolveLaneResolverOptions,
} from './resolver-options.js'
import { type ResolverSettings, withSettings } from './resolver-settings.js'
import { EntryHandle } from './service/entry-handle.js'
import type { ServiceEntry } from './service/service-entry.js'
import { ServiceRegistry } from './service/service-registry.js'
import { describeService, type ServiceState } from './service/service-state.js'
import { hubOf, type SourceHub } from './service/source-hub.js'
import type { Choice, ChoiceEnd } from './table/choice.js'
import { TableChoice } from './table/seat.js'
import { Waiters } from './waiters.js'

/** Names of undeclared services that are remembered. */
const MAX_UNKNOWN = 1024

const decisions = channels.decision

const NOT_READY: Decision = Object.freeze({
  outcome: 'not-ready',
  served: undefined,
  policy: undefined,
  steps: Object.freeze([]),
  candidates: Object.freeze([]),
  candidateCount: 0,
})

class Resolver implements LaneResolver {
  readonly #input: LaneResolverOptions
  readonly #options: ResolvedLaneResolverOptions
  readonly #clock: Clock
  readonly #hubs: readonly SourceHub[]
  readonly #services: ServiceRegistry
  readonly #waiters = new Waiters()
  readonly #goneListeners = new Set<(endpoint: Endpoint) => void>()
  readonly #unknown = new BoundedMap<string, Choice>(MAX_UNKNOWN)
  #warnedUnanswered = false
  #closing: Promise<void> | undefined
  readonly #stopHints: () => void
  /** A property and no accessor: whoever stands in front of this resolver must be able to read it, and to see whose it is. */
  readonly [kServiceHandles]: HandleMaker

  constructor(input: LaneResolverOptions) {
    const options = resolveLaneResolverOptions(input)
    this.#input = { ...input }
    this.#options = options
    this.#clock = createClock(options.now)
    this.#hubs = options.sources.map(hubOf)
    this.#services = new ServiceRegistry(options, this.#hubs, {
      clock: this.#clock,
      gone: endpoints => this.#reportGone(endpoints),
      changed: () => this.#waiters.changed(),
    })
    this[kServiceHandles] = this.#handleMaker()
    for (const hub of this.#hubs) hub.addUser()
    try {
      this.#services.start()
    } catch (error) {
      this.#services.close()
      for (const hub of this.#hubs) void hub.removeUser(false)
      throw error
    }
    this.#stopHints = hintAtFailedCalls(this.#services, this.#sourceNames, options.warn)
  }

  #handleMaker(): HandleMaker {
    const services = this.#services
    const parts = {
      names: services.names,
      find: (hostname: string) => services.match(hostname),
      named: (service: string) => services.getCanonical(service),
      match: ({ hostname, port, secure }: HandledHost) => this.match(hostname, port, secure),
      pick: (service: string, lane: Lane | undefined, tried: ReadonlySet<string> | undefined) =>
        this.pick(service, lane, tried),
    }
    return { resolver: this, make: host => new EntryHandle(parts, host) }
  }

  match(hostname: string, port: number | undefined, secure: boolean): string | undefined {
    const entry = this.#services.match(hostname)
    if (entry === undefined) return undefined
    const { table } = entry
    if (table === undefined) return this.#isAwaited(entry) ? entry.name : undefined
    // Some registries report an unknown service as an empty one. The host never was a service.
    if (entry.asked && !entry.found) return entry.awaited ? entry.name : undefined
    if (port === undefined || port === (secure ? 443 : 80) || table.ports.has(port)) return entry.name
    return undefined
  }

  /** A registry that goes on saying that there is no such declared service is believed: the name is one of DNS, then. */
  #isAwaited({ declared, awaited, missingSince }: ServiceEntry): boolean {
    if (!declared) return awaited
    return missingSince === undefined || this.#clock.now() - missingSince < this.#options.readyTimeoutMs
  }

  pick(service: string, lane: Lane | undefined, tried?: ReadonlySet<string>): Choice {
    const entry = this.#services.getCanonical(service) ?? this.#services.get(service)
    const choice = entry === undefined ? this.#unknownService(service) : entry.pick(lane, tried)
    if (decisions.hasSubscribers) this.#publishDecision(choice, lane, tried)
    return choice
  }

  /** A function of its own: inside `pick` the closure would cost an allocation per call, also without subscribers. */
  #publishDecision(choice: Choice, lane: Lane | undefined, tried: ReadonlySet<string> | undefined): void {
    publishDecision(choice, lane, () => this.explain(choice.service, lane, tried).reason)
  }

  started(choice: Choice): void {
    TableChoice.loadOf(choice)?.started()
  }

  finished(choice: Choice, end: ChoiceEnd, status = 0): void {
    TableChoice.loadOf(choice)?.finished(end, status)
  }

  mayReconnect(choice: Choice): boolean {
    return TableChoice.loadOf(choice)?.mayReconnect() ?? true
  }

  async ready(service: string): Promise<void> {
    if (this.#closing !== undefined) throw closed()
    const entry = this.#services.declare(service)
    if (entry.table !== undefined) return
    const inTime = await this.#waiters.wait(() => entry.table !== undefined, this.#options.readyTimeoutMs)
    if (inTime) return
    this.#services.loseHope(entry)
    if (entry.table !== undefined) return
    const facts = this.#refusalFacts(entry.name, entry.status === 'missing', entry.error)
    throw notReady(entry.name, facts, this.#options.readyTimeoutMs)
  }

  async lookup(service: string): Promise<void> {
    if (this.#closing !== undefined) throw closed()
    const awaited = () => {
      const entry = this.#services.get(service)
      return entry?.awaited === true ? entry : undefined
    }
    if (this.#services.get(service)?.declared === true) return this.ready(service)
    if (awaited() === undefined) return
    const inTime = await this.#waiters.wait(() => awaited() === undefined, this.#options.lookupTimeoutMs)
    const entry = awaited()
    if (entry !== undefined && !inTime) this.#services.loseHope(entry)
    this.#warnOfUnanswered(service, inTime)
  }

  #warnOfUnanswered(service: string, inTime: boolean): void {
    const entry = this.#services.get(service)
    if (this.#warnedUnanswered || (inTime && entry?.error === undefined) || entry?.table !== undefined) return
    this.#warnedUnanswered = true
    const why = entry?.error?.message ?? `no answer within ${this.#options.lookupTimeoutMs} ms`
    this.#options.warn(
      `${service} may be a service, but ${this.#sourceNames} did not say: ${why}. Requests to it and to other ` +
        'unknown names go to DNS until the registry answers; names in services are waited for',
    )
  }

  get #sourceNames(): string {
    return this.#options.sources.map(({ name, where }) => (where === undefined ? name : `${name} ${where}`)).join(', ')
  }

  explain(service: string, lane: Lane | string | undefined, tried?: ReadonlySet<string>): Explanation {
    const entry = this.#services.get(service)
    const asked = typeof lane === 'string' ? parseLane(lane) : lane
    const { table } = entry ?? {}
    const state = entry && describeService(entry, this.#clock.now())
    const decision = table === undefined ? NOT_READY : explainDecision(table, asked, tried)
    const invalid = typeof lane === 'string' && lane.trim() !== '' && asked === undefined
    const reason =
      table === undefined ? `no instances are known: ${this.#whyNotReady(entry)}` : reasonOf(decision, table, asked)
    return {
      service: state?.service ?? service,
      lane: asked?.header,
      status: state?.status ?? 'unknown',
      declared: state?.declared ?? false,
      source: state?.source,
      ageMs: state?.ageMs,
      error: state?.error,
      endpoints: table?.members.length ?? 0,
      ...decision,
      reason: invalid
        ? `${describe(lane)} is not a lane, so the request counts as one without a lane: ${reason}`
        : reason,
    }
  }

  refusal(choice: Choice, lane: Lane | undefined, cause?: unknown): LanewayError {
    const explanation = { ...this.explain(choice.service, lane), outcome: choice.outcome }
    return explainRefusal(explanation, lane, this.#refusalFacts(choice.service, explanation.endpoints === 0, cause))
  }

  state(service: string): ServiceState | undefined {
    const entry = this.#services.get(service)
    return entry && describeService(entry, this.#clock.now())
  }

  states(): ServiceState[] {
    const now = this.#clock.now()
    const known = [...this.#services.entries()].filter(entry => !entry.asked || entry.found)
    return known.map(entry => describeService(entry, now))
  }

  health(): ResolverHealth {
    return healthOf(this.#options.sources, this.states(), this.#closing !== undefined)
  }

  onEndpointGone(listener: (endpoint: Endpoint) => void): () => void {
    this.#goneListeners.add(listener)
    return () => {
      this.#goneListeners.delete(listener)
    }
  }

  update(settings: ResolverSettings): void {
    const options = withSettings(this.#input, settings)
    if (this.#closing === undefined) this.#services.update(options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopHints()
    this.#services.close()
    this.#waiters.fail(closed)
    this.#goneListeners.clear()
    const ends = await Promise.allSettled(this.#hubs.map(hub => hub.removeUser(this.#options.closeSources)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  #reportGone(endpoints: readonly Endpoint[]): void {
    for (const listener of [...this.#goneListeners]) {
      try {
        for (const endpoint of endpoints) listener(endpoint)
      } catch (error) {
        // Called from within a source: a broken listener must not stop its reports.
        this.#options.warn(`a listener of onEndpointGone threw: ${error instanceof Error ? error.message : error}`)
      }
    }
  }

  #unknownService(service: string): Choice {
    return this.#unknown.of(service, notReadyChoice)
  }

  /** @param absent - the sources know no instance */
  #refusalFacts(service: string, absent: boolean, cause: unknown): RefusalFacts {
    return {
      sources: this.#sourceNames,
      why: this.#whyNotReady(this.#services.get(service)),
      similar: absent ? this.#services.similar(service) : undefined,
      cause,
    }
  }

  #whyNotReady(entry: ServiceEntry | undefined): string {
    if (entry?.error !== undefined) return `${this.#sourceNames}: ${entry.error.message}`
    if (entry === undefined) return `the service is neither declared nor called yet (${this.#sourceNames})`
    return entry.status === 'missing'
      ? `no source has it (${this.#sourceNames})`
      : `no source has answered (${this.#sourceNames})`
  }
}

function publishDecision(choice: Choice, lane: Lane | undefined, reason: () => string): void {
  const { service, outcome, served, endpoint } = choice
  const call = callNow()
  const event: DecisionEvent = {
    service,
    lane,
    outcome,
    served,
    address: endpoint?.address,
    reason,
    ...(call !== undefined && { call }),
  }
  decisions.publish(event)
}

function notReadyChoice(service: string): Choice {
  return new TableChoice(service, undefined, 'not-ready', undefined, undefined)
}

function closed(): LanewayError {
  return new LanewayError('LANEWAY_CLOSED', 'the resolver is closed')
}

/**
 * Creates a resolver: it subscribes the declared services and keeps a table of each. Under `LANEWAY_DISABLE` with `all` or
 * `discovery` it asks no source, `ready` resolves at once, and no host is a service.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createLaneResolver(options: LaneResolverOptions): LaneResolver {
  return isDisabled(['discovery'], options?.env)
    ? idleResolver(options.sources ?? [], options.closeSources ?? true)
    : new Resolver(options)
}

import { channel } from 'node:diagnostics_channel'
import type { CallInfo } from '../context/call-info.js'
import type { IngressRequest } from '../ingress/request.js'
import type { Lane } from '../lane/lane.js'
import type { LaneFormat, LaneProblem } from '../wire/reading.js'

/** A request entered the process; one event per request, on `laneway:ingress`. */
export interface IngressEvent {
  /** The lane the request runs in; `undefined` for none. */
  readonly lane: Lane | undefined
  /** Where the lane came from; `undefined` when there is none. */
  readonly source: LaneFormat | 'rule' | 'own' | undefined
  /** Name of the rule; left out unless `source` is `rule` and the rules know it. */
  readonly rule?: string
  /** A value was present and is no lane. The event never holds the value itself. */
  readonly problem: LaneProblem | undefined
  /** A tag was present and its sender is not believed; it was removed. */
  readonly stripped: boolean
  /** An untagged request came to an instance that belongs to a lane. */
  readonly escaped: boolean
  /** A later format names another lane than the one that decided. */
  readonly contradicted: boolean
  /** The request itself, not enumerable, so that an event can be serialised; with `method`, `url` and `headers` as they are after the ingress; not to be written to. */
  readonly request: IngressRequest & { readonly method?: string | undefined; readonly url?: string | undefined }
}

/** A service was picked for, on `laneway:decision`. */
export interface DecisionEvent {
  readonly service: string
  readonly lane: Lane | undefined
  /** See `Outcome` of `@laneway/discovery`. */
  readonly outcome: string
  /** The tag that served, `undefined` for base or none. */
  readonly served: string | undefined
  /** `host:port`, `undefined` when nothing was chosen. */
  readonly address: string | undefined
  /** Why, in words, as `explain()` says it. Made when it is called; call it at once. */
  readonly reason: () => string
  /** The call that asked; left out when `pick()` was called by something else than an adapter. */
  readonly call?: CallInfo | undefined
}

/** A hop left the process, with its tag or without, on `laneway:egress`. */
export interface EgressEvent {
  /** The host name of the target, lower case. */
  readonly host: string
  readonly lane: Lane | undefined
  /**
   * - `forwarded`: the tag went on
   * - `blocked`: the host is out of scope, the tag was kept from it
   * - `untagged`: a call to a service, and there is no lane that could be forwarded
   * - `invalid`: a tag that the caller set by hand is no tag; it was removed
   */
  readonly action: 'forwarded' | 'blocked' | 'untagged' | 'invalid'
  /** The call that the hop belongs to; left out where an adapter did not say. */
  readonly call?: CallInfo | undefined
}

/** Something happened to a source, on `laneway:source`. */
export interface SourceEvent {
  /** The source's name. */
  readonly source: string
  readonly service: string | undefined
  /**
   * - `snapshot`: a new table is in use
   * - `missing`: the registry says there is no such service
   * - `stale`: the registry is lost or talked nonsense; the last good snapshot stays
   * - `refused`: a snapshot is over a limit; the last good one stays
   * - `endpoint-dropped`: one endpoint of a snapshot is not usable
   * - `ejected`, `returned`: passive outlier ejection
   */
  readonly state: 'snapshot' | 'missing' | 'stale' | 'refused' | 'endpoint-dropped' | 'ejected' | 'returned'
  readonly endpoints?: number
  readonly message?: string
  readonly error?: Error
}

/**
 * What became of a message.
 *
 * - `own`: handled by a consumer of the message's lane
 * - `base`: handled by a consumer of base: the message has no lane, or no consumer of its lane lives
 * - `stand-in`: handled by a consumer of base that works for a lane without living consumers
 * - `strayed`: handled by a consumer of a lane that is not the message's, because it consumes without isolation
 * - `forwarded`: base moved it to the queue of its lane
 * - `returned`: base moved it to the queue of its lane again: the lane lives and was too slow
 * - `waiting`: base put it aside until a consumer of its lane lives, because of `whenLaneMissing: 'fail'`
 * - `skipped`: left to the other side
 */
export type MessageOutcome = 'own' | 'base' | 'stand-in' | 'strayed' | 'forwarded' | 'returned' | 'waiting' | 'skipped'

/** A message reached a consumer; one event for each, on `laneway:message`. */
export interface MessageEvent {
  /** `amqp`, `bullmq`, `kafka`, `redis-streams`, `rocketmq`. */
  readonly system: string
  /** The queue or topic, without the suffix of a lane. */
  readonly destination: string
  /** The lane that the handler runs in; `undefined` for none. */
  readonly lane: Lane | undefined
  readonly outcome: MessageOutcome
  /** A value was present and is no lane. The value itself is never shown. */
  readonly problem: LaneProblem | undefined
  /** A tag was present and its sender is not believed. */
  readonly stripped: boolean
  /** A message without a lane came to an instance that belongs to one. */
  readonly escaped: boolean
}

/** A consumer of a log that keeps lanes apart. */
export interface GroupConsumer {
  /** The lane whose messages it handles; `base` for those of base. */
  readonly lane: string
  /** `stand-in`: of base, works for a lane without living consumers. */
  readonly role: 'base' | 'lane' | 'stand-in'
}

/** What this process does for a consumer group of a log, about once a second and when it changes, on `laneway:group`. */
export interface GroupEvent {
  readonly group: string
  /** The same object for each event of one ledger; a process may read several. */
  readonly ledger: object
  /** Consumers of this process; none after the last has left. */
  readonly consumers: readonly GroupConsumer[]
  /** The age of what is known of the group's lanes. Messages with a lane wait while it is old. */
  readonly ageMs: number
}

/** A control document came, on `laneway:control`. */
export interface ControlEvent {
  /** Where it came from, as in messages. */
  readonly source: string
  /** `refused`: it is not valid, and what was active stays so. */
  readonly outcome: 'taken' | 'refused'
  /** Whether Laneway is on after it. */
  readonly enabled: boolean
  /** The settings that are active after it. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly error?: Error
}

/** A `diagnostics_channel` channel whose messages have a type. */
export interface EventChannel<E> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  publish(event: E): void
  subscribe(listener: (event: E, name: string | symbol) => void): void
  unsubscribe(listener: (event: E, name: string | symbol) => void): unknown
}

/** The events of each channel of {@link channels}. */
export interface LanewayEvents {
  readonly ingress: IngressEvent
  readonly decision: DecisionEvent
  readonly egress: EgressEvent
  readonly source: SourceEvent
  readonly message: MessageEvent
  readonly group: GroupEvent
  readonly control: ControlEvent
}

/**
 * The `diagnostics_channel` channels of Laneway. Laneway builds an event only while the channel has a subscriber. A subscriber
 * that throws is an uncaught exception: that is how Node's channels work.
 *
 * @example
 * channels.decision.subscribe(({ service, outcome }) => console.log(service, outcome))
 */
export const channels: { readonly [K in keyof LanewayEvents]: EventChannel<LanewayEvents[K]> } = Object.freeze({
  ingress: channel('laneway:ingress') as EventChannel<IngressEvent>,
  decision: channel('laneway:decision') as EventChannel<DecisionEvent>,
  egress: channel('laneway:egress') as EventChannel<EgressEvent>,
  source: channel('laneway:source') as EventChannel<SourceEvent>,
  message: channel('laneway:message') as EventChannel<MessageEvent>,
  group: channel('laneway:group') as EventChannel<GroupEvent>,
  control: channel('laneway:control') as EventChannel<ControlEvent>,
})

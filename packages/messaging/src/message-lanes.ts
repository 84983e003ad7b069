import { currentLane, type Lane, type LaneProblem, LanewayError, ownLane, parseLane } from '@laneway/core'
import {
  assertKnownKeys,
  contextNow,
  describe,
  isLeftAlone,
  isOff,
  publishEgress,
  resolveHeaderNames,
  traceOf,
} from '@laneway/core/internal'
import { carriedText } from './carried-text.js'
import { type MessageOutcome, messages } from './message-event.js'
import { type MessageTrust, resolveMessageTrust } from './message-trust.js'
import { type Headers, ownHeader, removeHeader, taggedHeaders } from './tagged-headers.js'

/** Options of every package for messages. */
export interface MessageOptions {
  /**
   * The header, property or job option that carries the lane. Of a list, the first that a message has is read, and all are
   * written.
   * @default 'x-mse-tag', as in HTTP
   */
  header?: string | readonly string[]
  /** Whose messages may say a lane. @default 'internal', because the broker decides who may write to it */
  trust?: MessageTrust
  /**
   * Whether messages to a queue, exchange or topic carry the lane. Give it for those that leave the company.
   * @default all do
   */
  propagate?: (destination: string) => boolean
  /** This instance's own tag. @default see `ownLane()` of `@laneway/core`: LANEWAY_TAG, pod labels, … */
  tag?: string
}

/** The names of {@link MessageOptions}, for packages that add some. */
export const MESSAGE_OPTIONS = ['header', 'trust', 'propagate', 'tag'] as const

/** What a message says about its lane. */
export interface MessageDecision {
  /** The lane that its handler runs in; `undefined` for none. */
  readonly lane: Lane | undefined
  /** A value was present and is no lane. It has to be removed before the handler sees the message. */
  readonly problem: LaneProblem | undefined
  /** The sender is not believed. What it said has to be removed before the handler sees the message. */
  readonly stripped: boolean
}

/** Reads and writes the lane of messages; one for each facade. Its methods never throw. */
export interface MessageLanes {
  readonly names: readonly string[]
  /** The lane of this instance; `undefined` for base. */
  readonly own: Lane | undefined
  /**
   * Decides the lane of a message that was received.
   *
   * @param headers - where the message has it; what is refused is removed from them
   * @param message - what a `trust` function is shown
   */
  incoming(headers: unknown, message: unknown): MessageDecision
  /**
   * As {@link incoming}, also while Laneway is switched off: of a log, both sides must go on to agree who handles a message.
   */
  owning(headers: unknown, message: unknown): MessageDecision
  /**
   * The lane that a message carries on, for clients whose headers {@link tagged} cannot write. As `tagged`, but without a look at
   * the switch.
   */
  outgoing(destination: string, headers: unknown): Lane | undefined
  /**
   * The headers of a message that is sent, with the lane that it carries on. Call it where the program calls the producer, never
   * behind a buffer or a timer. A valid tag that the program itself set is the lane of this message; any other is removed.
   *
   * @returns the same headers when nothing changes
   */
  tagged(destination: string, headers: Headers | undefined): Headers | undefined
  /** Publishes what became of a message. */
  report(destination: string, decision: MessageDecision, outcome: MessageOutcome): void
  /** The outcome of a message that this instance handles without isolation. */
  outcomeOf(decision: MessageDecision): MessageOutcome
}

const UNTAGGED: MessageDecision = Object.freeze({ lane: undefined, problem: undefined, stripped: false })
const INVALID: MessageDecision = Object.freeze({ lane: undefined, problem: 'invalid', stripped: false })
const CONFLICT: MessageDecision = Object.freeze({ lane: undefined, problem: 'conflict', stripped: false })
const STRIPPED: MessageDecision = Object.freeze({ lane: undefined, problem: undefined, stripped: true })

/**
 * Creates what reads and writes lanes for one system.
 *
 * @param where - the facade's name, for messages
 * @param system - `amqp`, `bullmq`, …, for events
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createMessageLanes(where: string, system: string, options: MessageOptions = {}): MessageLanes {
  assertKnownKeys(where, options, MESSAGE_OPTIONS)
  const names = resolveHeaderNames(where, options.header)
  const believes = resolveMessageTrust(where, options.trust)
  const { propagate } = options
  if (propagate !== undefined && typeof propagate !== 'function') {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where}: propagate is a function, received ${describe(propagate)}`,
    )
  }
  const own = ownLane({ tag: options.tag })
  const ownTag = own?.header
  /** A service sees few lanes: the decision of the tagged message before saves an allocation. */
  let last = UNTAGGED

  function incoming(headers: unknown, message: unknown): MessageDecision {
    return isOff() ? UNTAGGED : owning(headers, message)
  }

  function owning(headers: unknown, message: unknown): MessageDecision {
    const decision = decide(firstOf(headers), message)
    if (decision.problem !== undefined || decision.stripped) for (const name of names) removeHeader(headers, name)
    return decision
  }

  /** The value of the first name that the headers have. */
  function firstOf(headers: unknown): unknown {
    for (const name of names) {
      const value = ownHeader(headers, name)
      if (value !== undefined && value !== null) return value
    }
    return undefined
  }

  function tagged(destination: string, headers: Headers | undefined): Headers | undefined {
    if (isLeftAlone()) return headers
    const lane = outgoing(destination, headers)
    let result = headers
    for (const name of names) result = taggedHeaders(result, name, lane)
    return result
  }

  function decide(value: unknown, message: unknown): MessageDecision {
    if (value === undefined || value === null) return UNTAGGED
    const text = carriedText(value)
    if (text === undefined) return UNTAGGED
    if (!believes(message)) return STRIPPED
    if (text === null) return CONFLICT
    const lane = parseLane(text)
    if (lane === undefined) return INVALID
    if (lane !== last.lane) last = Object.freeze({ lane, problem: undefined, stripped: false })
    return last
  }

  function outgoing(destination: string, headers: unknown): Lane | undefined {
    const handSet = firstOf(headers)
    let lane = currentLane()
    if (handSet !== undefined && handSet !== null) {
      const text = carriedText(handSet)
      const wanted = text === undefined ? undefined : parseLane(text)
      if (wanted !== undefined) lane = wanted
      else if (text !== undefined) publishEgress(destination, lane, 'invalid')
    }
    traceOf(contextNow())?.call(destination, lane, 'message')?.failed('sent')
    if (lane === undefined) return undefined
    if (propagate !== undefined && !inScope(destination)) {
      publishEgress(destination, lane, 'blocked')
      return undefined
    }
    publishEgress(destination, lane, 'forwarded')
    return lane
  }

  function inScope(destination: string): boolean {
    try {
      return propagate!(destination) === true
    } catch {
      return false
    }
  }

  function report(destination: string, decision: MessageDecision, outcome: MessageOutcome): void {
    if (!messages.hasSubscribers) return
    const { lane, problem, stripped } = decision
    const escaped = own !== undefined && (lane === undefined || lane.header === 'base')
    messages.publish({ system, destination, lane, outcome, problem, stripped, escaped })
  }

  function outcomeOf({ lane }: MessageDecision): MessageOutcome {
    if (ownTag === undefined) return 'base'
    return lane?.tags.includes(ownTag) === true ? 'own' : 'strayed'
  }

  return Object.freeze({ names, own, incoming, owning, outgoing, tagged, report, outcomeOf })
}

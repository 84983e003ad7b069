import { type Lane, LanewayError } from '@laneway/core'
import type { Explanation } from './explanation.js'

/** What an error says besides the explanation. */
export interface RefusalFacts {
  /** The sources, and where each of them reads. */
  readonly sources: string
  /** Why no instances are known. */
  readonly why: string
  /** A name that a source lists and that was probably meant. */
  readonly similar: string | undefined
  readonly cause: unknown
}

/** The error of a request whose pick gave no endpoint: what was asked for, what is there, and what to do. */
export function explainRefusal(explanation: Explanation, lane: Lane | undefined, facts: RefusalFacts): LanewayError {
  const { service, outcome, reason } = explanation
  const options = facts.cause === undefined ? undefined : { cause: facts.cause }
  const asked = lane === undefined ? 'a request without a lane' : `a request in lane ${lane.header}`
  if (outcome === 'lane-required') {
    const hint = `start an instance of ${lane?.header}, or let the policy say "base"`
    return new LanewayError('LANEWAY_LANE_REQUIRED', `${service} cannot take ${asked}: ${reason}; ${hint}`, options)
  }
  if (outcome === 'overloaded') {
    const hint = 'send less, start more instances, or raise maxInFlight'
    const isFull = explanation.steps.some(({ verdict }) => verdict === 'full')
    const why = isFull ? reason : 'the instances that have not failed already have maxInFlight requests in flight'
    return new LanewayError('LANEWAY_OVERLOADED', `${service} cannot take ${asked}: ${why}; ${hint}`, options)
  }
  if (outcome === 'not-ready') return notReady(service, facts)
  if (explanation.endpoints === 0) {
    return new LanewayError(
      'LANEWAY_NO_INSTANCES',
      `${facts.sources} has no instance of ${service}; ${missingHint(facts.similar)}`,
      options,
    )
  }
  return new LanewayError(
    'LANEWAY_NO_BASE',
    `${service} cannot take ${asked}: ${reason}; ${noBaseHint(explanation, lane)}`,
    options,
  )
}

/**
 * The error of a service about which no source has said anything.
 *
 * @param withinMs - how long was waited
 */
export function notReady(service: string, facts: RefusalFacts, withinMs?: number): LanewayError {
  const within = withinMs === undefined ? '' : ` within ${withinMs} ms`
  const hint = facts.similar === undefined ? '' : `; ${missingHint(facts.similar)}`
  return new LanewayError(
    'LANEWAY_NOT_READY',
    `no instances of ${service}${within}: ${facts.why}${hint}`,
    facts.cause === undefined ? undefined : { cause: facts.cause },
  )
}

/** @param similar - a listed name that looks like the one that is missing */
export function missingHint(similar: string | undefined): string {
  return similar === undefined ? 'is it started, and registered there?' : `did you mean ${similar}?`
}

function noBaseHint({ steps }: Explanation, lane: Lane | undefined): string {
  const base = steps.find(({ tag }) => tag === undefined)
  if (base !== undefined && base.endpoints > 0) return 'enable an instance in the registry, with a weight above 0'
  return lane === undefined
    ? `start a base instance, or set baseEmpty: 'any' (LANEWAY_BASE_EMPTY=any), which lets an instance of any lane serve`
    : `start an instance of ${lane.header} or of base`
}

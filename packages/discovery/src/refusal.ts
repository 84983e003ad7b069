import { type Lane, LanewayError } from '@laneway/core'
import type { Explanation } from './explanation.js'

/** What a refusal says besides the explanation. */
export interface RefusalFacts {
  /** The sources, and where each of them reads. */
  readonly sources: string
  /** A name that a source lists and that was probably meant. */
  readonly similar: string | undefined
  readonly cause: unknown
}

/** The error of a request whose pick gave no endpoint: what was asked for, what is there, and what to do. */
export function refusalOf(explanation: Explanation, lane: Lane | undefined, facts: RefusalFacts): LanewayError {
  const { service, outcome, reason, error } = explanation
  const options = facts.cause === undefined ? undefined : { cause: facts.cause }
  const asked = lane === undefined ? 'a request without a lane' : `a request in lane ${lane.header}`
  if (outcome === 'lane-required') {
    return new LanewayError('LANEWAY_LANE_REQUIRED', `${service} cannot take ${asked}: ${reason}`, options)
  }
  if (outcome === 'not-ready') {
    const why = error ?? 'no answer yet'
    return new LanewayError('LANEWAY_NOT_READY', `no instances of ${service} from ${facts.sources}: ${why}`, options)
  }
  if (explanation.endpoints === 0) {
    const hint = facts.similar === undefined ? '' : `; did you mean ${facts.similar}?`
    return new LanewayError('LANEWAY_NO_INSTANCES', `${facts.sources} has no instance of ${service}${hint}`, options)
  }
  return new LanewayError(
    'LANEWAY_NO_BASE',
    `${service} cannot take ${asked}: ${reason}; baseEmpty: 'any' would send requests without a lane to a lane's instance`,
    options,
  )
}

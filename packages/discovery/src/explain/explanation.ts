import type { ServiceStatus } from '../service/service-entry.js'
import type { Decision } from './explain-decision.js'

/** The whole trail of a decision: what is known about the service, what was looked at, and what came of it. */
export interface Explanation extends Decision {
  readonly service: string
  /** The lane of the request as on the wire, `undefined` for none. */
  readonly lane: string | undefined
  readonly status: ServiceStatus | 'unknown'
  readonly declared: boolean
  readonly source: string | undefined
  /** Milliseconds since the last good answer of the registry. */
  readonly ageMs: number | undefined
  readonly error: string | undefined
  /** How many endpoints the service has, of any lane. */
  readonly endpoints: number
  /** Why the request goes where it goes, in words. */
  readonly reason: string
}

import { LanewayError, type LanewayErrorCode } from '../errors.js'
import type { Lane } from '../lane/lane.js'

const CODES: Readonly<Record<string, LanewayErrorCode>> = {
  'lane-required': 'LANEWAY_LANE_REQUIRED',
  'not-ready': 'LANEWAY_NOT_READY',
  overloaded: 'LANEWAY_OVERLOADED',
}

/**
 * The error of a request whose pick gave no endpoint: the one that the resolver explains, or a short one for a resolver
 * that explains nothing.
 *
 * @param cause - why the attempt before failed
 */
export function refusalOf<Choice extends { readonly service: string; readonly outcome: string }>(
  resolver: { refusal?(choice: Choice, lane: Lane | undefined, cause?: unknown): LanewayError },
  choice: Choice,
  lane: Lane | undefined,
  cause?: unknown,
): LanewayError {
  if (resolver.refusal !== undefined) return resolver.refusal(choice, lane, cause)
  const { service, outcome } = choice
  const request = lane === undefined ? 'a request without a lane' : `a request in lane ${lane.header}`
  return new LanewayError(
    CODES[outcome] ?? 'LANEWAY_NO_BASE',
    `${service} cannot take ${request}: its resolver chose no endpoint (${outcome})`,
    cause === undefined ? {} : { cause },
  )
}

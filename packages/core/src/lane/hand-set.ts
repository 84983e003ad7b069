import { publishEgress } from '../egress/publish-egress.js'
import type { Lane } from './lane.js'
import { parseLane } from './parse-lane.js'

/**
 * The lane of an outgoing call: a valid tag that the caller set by hand, else the lane of the calling code. An invalid or
 * contradictory one counts and gives way.
 *
 * @param values - what the caller set for the lane header, one entry per line; `undefined` when nothing
 */
export function laneOfCall(
  values: string | readonly string[] | undefined,
  current: Lane | undefined,
  host: string,
): Lane | undefined {
  if (values === undefined) return current
  const lane = parseLane(typeof values === 'string' ? values : sole(values))
  if (lane !== undefined) return lane
  publishEgress(host, current, 'invalid')
  return current
}

function sole(values: readonly string[]): string | undefined {
  const first = values[0]
  return values.every(value => value === first) ? first : undefined
}

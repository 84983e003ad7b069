import { kLane } from '@laneway/core'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'
import type { Attempt } from '../hop/attempt.js'
import { withLaneInShape } from '../sent/headers.js'
import { laneOutside } from '../sent/outside.js'
import { kDone } from '../sent/sent-options.js'
import { hookNetwork, kUnmatched, type Mock, type Unmatched } from './mocks.js'

/**
 * Sends an attempt to the mock of its origin. The mock sees the origin that the user wrote, the shape of headers that the
 * user gave, and the tag.
 *
 * @param unmatched - for a service: sends the attempt to an endpoint when no answer of the mock fits
 */
export function sendToMock(attempt: Attempt, mock: Mock, unmatched: Unmatched | undefined): boolean {
  const { route, call, options, headers, target } = attempt
  const { resolver } = route.settings
  const isService = target !== undefined && resolver?.match(target.hostname, target.port, target.secure) !== undefined
  const lane = isService ? call.lane : laneOutside(attempt)
  const copy: DispatchOptions = { ...options, [kLane]: call.lane, [kDone]: true }
  copy.headers = withLaneInShape(options.headers, headers, route.settings, lane)
  if (unmatched !== undefined) {
    copy[kUnmatched] = unmatched
    hookNetwork(mock)
  }
  return route.send(copy, attempt)
}

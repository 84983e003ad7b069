import { AssertionError } from 'node:assert'
import { BASE_TAG } from '@laneway/core'
import { type LaneCarrier, laneValues } from './lane-values.js'

/**
 * Fails unless a request carries exactly this lane; of a list, each of its requests. A plain function that throws an
 * `AssertionError`, so it works in every test runner.
 *
 * @param request - a request of `lanes.requests`, or what a mock was given; `undefined` and an empty list fail: nothing arrived
 * @param lane - as on the wire: `gray`, or a whole list such as `gray-2,gray`. `undefined`: no tag at all. `base`: no tag, or
 *   the tag `base`
 * @param header - the header that carries the lane. @default 'x-mse-tag'
 * @throws AssertionError with `actual` and `expected`
 */
export function expectLane(
  request: LaneCarrier | readonly LaneCarrier[] | undefined,
  lane: string | undefined,
  header?: string,
): void {
  const requests = Array.isArray(request) ? (request as readonly LaneCarrier[]) : [request as LaneCarrier]
  if (requests.length === 0 || (requests[0] ?? undefined) === undefined) {
    throw failure('expected a request, and none arrived', undefined, lane)
  }
  for (const one of requests) {
    const values = laneValues(one, header?.toLowerCase())
    const actual = values.length > 1 ? values.join(' and ') : values[0]
    if (actual === lane || (lane === BASE_TAG && actual === undefined)) continue
    throw failure(`expected ${described(one)} in ${inWords(lane)}, and it was in ${inWords(actual)}`, actual, lane)
  }
}

function inWords(lane: string | undefined): string {
  return lane === undefined ? 'no lane' : `lane "${lane}"`
}

function described(request: LaneCarrier): string {
  const { method = 'a request', url, service } = request as { method?: unknown; url?: unknown; service?: unknown }
  return [method, url, service === undefined ? undefined : `to ${String(service)}`]
    .filter(part => part !== undefined)
    .join(' ')
}

function failure(message: string, actual: unknown, expected: unknown): AssertionError {
  return new AssertionError({ message, actual, expected, operator: 'expectLane', stackStartFn: expectLane })
}

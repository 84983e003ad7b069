import { type LaneCarrier, laneText } from '../lane-values.js'
import { type Leak, leakOf } from './tagged-request.js'

/**
 * A request that a mock took in place of the network: a `Request` as msw's `request:start` has it, an entry of MockAgent's
 * call history, what MockAgent gives to a `reply` function, or `this.req` of nock.
 */
export interface MockedRequest extends LaneCarrier {
  readonly url?: string | undefined
  readonly fullUrl?: string | undefined
  readonly origin?: string | undefined
  readonly path?: string | undefined
  readonly host?: string | undefined
  readonly method?: string | undefined
}

/** The leak that a mocked request is. */
export function leakOfMocked(request: MockedRequest, header: string): Leak | undefined {
  const { method = 'GET', fullUrl, url, origin, path = '', host } = request
  const whole = [fullUrl, url, `${origin}${path}`, `http://${host}${path}`].find(one => one && URL.canParse(one))
  if (whole === undefined) return undefined
  const { hostname, pathname } = new URL(whole)
  return leakOf(hostname, laneText(request, header), method, pathname)
}

import { AssertionError } from 'node:assert'
import { createEgressScope } from '@laneway/core/internal'
import type { FakeLanes } from '../fake-lanes.js'
import { leakOfMocked, type MockedRequest } from './mocked-request.js'
import type { Leak } from './tagged-request.js'

/** Options of {@link assertNoLeaks}. */
export interface AssertNoLeaksOptions {
  /** Hosts outside that may get the tag, as in `propagateTo` of the clients. @default [], as there */
  readonly propagateTo?: readonly string[]
  /**
   * Requests that a mock took in place of `fetch` or of a dispatcher: nothing of them leaves the process, so nothing is seen of
   * them otherwise.
   * @default []
   */
  readonly mocked?: Iterable<MockedRequest>
}

/**
 * Fails when code of this process has sent a tag to a third party since `fakeLanes` or `lanes.reset()`: with a client that
 * knows nothing of Laneway and headers that somebody copied, with `keepHandSet`, or with a `propagateTo` that is too wide.
 * It looks at the heads of all requests of `node:http` and undici; internal hosts and the services of `fakeLanes` may have the
 * tag.
 *
 * @throws AssertionError that names host, tag and request of each; LanewayError `LANEWAY_INVALID_OPTION`
 */
export function assertNoLeaks(lanes: FakeLanes, options: AssertNoLeaksOptions = {}): void {
  const { propagateTo = [], mocked = [] } = options
  const scope = createEgressScope('assertNoLeaks', { propagateTo, warn() {} })
  const handedOver = [...mocked]
    .map(one => leakOfMocked(one, lanes.header))
    .filter(leak => leak !== undefined && lanes.resolver.match(leak.host, undefined, false) === undefined) as Leak[]
  const leaks = [...lanes.leaks, ...handedOver].filter(({ host }) => !scope.includes(host))
  if (leaks.length === 0) return
  const lines = leaks.map(({ host, lane, request }) => `  ${host} got "${lane}" with ${request}`)
  throw new AssertionError({
    message: `a third party got the tag of a lane:\n${lines.join('\n')}`,
    actual: leaks,
    expected: [],
    operator: 'assertNoLeaks',
    stackStartFn: assertNoLeaks,
  })
}

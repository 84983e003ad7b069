import type { TracedCall } from '@laneway/core/internal'
import type { Call, CallRoot, Target } from '../call/call.js'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import type { LaneRoute } from '../dispatcher/route.js'
import type { PlainHeaders } from '../sent/headers.js'

/**
 * One dispatch of a call: its options, and the handler that stands between undici and the handler of the user. The steps
 * that send it pass this one object on, so that no step allocates one.
 */
export interface Attempt extends DispatchHandler, CallRoot {
  readonly route: LaneRoute
  readonly call: Call
  /** As the caller, or the interceptor above, gave them. */
  readonly options: DispatchOptions
  /** Those of the options, in one pass. */
  readonly headers: PlainHeaders
  /** Where the request is meant to go; `undefined` when that is no http(s) origin. */
  readonly target: Target | undefined
  /** The target is asked for its path, also when a path has no room for the attempt. */
  asksPath: boolean
  /** Set while a trace records the attempt. */
  traced: TracedCall | undefined
}

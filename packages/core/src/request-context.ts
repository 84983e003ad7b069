import { slot } from './context-slot.js'
import { bindEmitterOnDemand, type Emitter } from './emitter.js'
import type { IngressDecision } from './ingress.js'
import type { IngressRequest } from './request.js'

/** Set on a socket that has carried a lane: an untagged request behind a tagged one may inherit its context. */
const kTagged = Symbol('laneway.tagged')

/**
 * Runs the rest of a request in its lane, and so do the listeners that user code adds to request and response: by
 * themselves those run in the context of the socket, which the requests of a connection share.
 *
 * @returns what `fn` returns
 */
export function runRequest<R, A extends unknown[]>(
  decision: IngressDecision,
  request: IngressRequest & Emitter,
  response: Emitter,
  fn: (...args: A) => R,
  ...args: A
): R {
  const { lane } = decision
  const { storage } = slot
  const socket = request.socket as { [kTagged]?: boolean } | null | undefined
  if (lane === undefined) {
    // Node 20 and 22: a pipelined or keep-alive request can start in the context of the one before it.
    if (storage.getStore() === undefined && socket?.[kTagged] !== true) {
      return decision.stripped && storage.runStripped !== undefined
        ? storage.runStripped(lane, fn, ...args)
        : fn(...args)
    }
  } else if (socket !== null && socket !== undefined) socket[kTagged] = true
  bindEmitterOnDemand(request, lane)
  bindEmitterOnDemand(response, lane)
  if (decision.stripped && storage.runStripped !== undefined) return storage.runStripped(lane, fn, ...args)
  return storage.run(lane, fn, ...args)
}

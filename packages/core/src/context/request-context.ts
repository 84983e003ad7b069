import { contextOf, decisionOf, type IngressDecision } from '../ingress/ingress.js'
import type { IngressRequest } from '../ingress/request.js'
import { answerWithPath } from '../trace/trace-head.js'
import { slot } from './context-slot.js'
import { bindExchange, type Emitter } from './emitter.js'

/** Set on a socket that has carried a lane: an untagged request behind a tagged one may inherit its context. */
const kTagged = Symbol('laneway.tagged')

/**
 * Whether a request has to enter a context of its own. Most untagged ones need not; but Node 20 and 22 can start a
 * pipelined or keep-alive request in the context of the one before it, so what a socket has carried counts.
 */
export function needsContext(decision: IngressDecision, request: IngressRequest): boolean {
  const socket = request.socket as { [kTagged]?: boolean } | null | undefined
  if (contextOf(decision) === undefined) return slot.storage.getStore() !== undefined || socket?.[kTagged] === true
  if (socket !== null && socket !== undefined) socket[kTagged] = true
  return true
}

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
  const { requests, storage } = slot
  if (requests !== undefined && requests.getStore() !== request) {
    return requests.run(request, runRequest<R, A>, decision, request, response, fn, ...args)
  }
  const { stripped } = decision
  const lane = contextOf(decision)
  if (slot.traced === true) answerWithPath(lane, response)
  const inContext = needsContext(decision, request) || requests !== undefined
  if (inContext) {
    bindExchange(decision, request, response)
    storage.adopt?.(lane)
  }
  if (stripped && storage.runStripped !== undefined) return storage.runStripped(lane, fn, ...args)
  return inContext ? storage.run(lane, fn, ...args) : fn(...args)
}

/** Whether the lane is kept where an instrumentation can replace it between the ingress and the listeners. */
export function sharesContext(): boolean {
  return slot.storage.adopt !== undefined
}

/**
 * Runs the listeners of a request in its lane, where other code may have entered a context of its own since the ingress
 * decided: an instrumentation that wraps `server.emit` starts from the root context of OpenTelemetry.
 *
 * @returns what `fn` returns
 */
export function runListeners<R, A extends unknown[]>(request: object, fn: (...args: A) => R, ...args: A): R {
  const { storage } = slot
  const decision = decisionOf(request)
  if (decision === undefined) return fn(...args)
  const lane = contextOf(decision)
  if (lane !== undefined) storage.adopt?.(lane)
  return storage.getStore() === lane ? fn(...args) : storage.run(lane, fn, ...args)
}

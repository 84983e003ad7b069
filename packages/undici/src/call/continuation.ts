import { AsyncLocalStorage } from 'node:async_hooks'
import { runInLane } from '@laneway/core'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'
import type { Call } from './call.js'
import { originText } from './target.js'

/** The call whose end is being reported to the running code. */
const ending = new AsyncLocalStorage<Call | undefined>()

/**
 * Reports an end after which something outside may dispatch again: an error, or a status that is no success. A retry or a
 * redirect does so at once or by a timer, in the context of the report. Outside Laneway it may use a handler that Laneway
 * has never seen. So the report runs where the call was made: in the lane of the caller.
 */
export function reportInContext(call: Call, report: () => void): void {
  let reported = false
  try {
    runInLane(call.ambient, () => {
      reported = true
      ending.run(call, report)
    })
  } catch (error) {
    // A context that fails was reported when the call read it; the end is reported in any case.
    if (reported) throw error
    report()
  }
}

/** The call that the running code may continue. */
export function endedCall(): Call | undefined {
  return ending.getStore()
}

/** Dispatches outside that context, so that new sockets do not hold the ended call. */
export function dispatchAfresh<A extends unknown[]>(dispatch: (...args: A) => boolean, ...args: A): boolean {
  return ending.run(undefined, dispatch, ...args)
}

/**
 * Whether a dispatch continues a call that has ended: to the same target, or while the handler is notified. Then it knows
 * which endpoints failed and which one sent the first part of a body. The lane never comes from the ended call.
 *
 * @param fresh - what context and headers alone would decide
 */
export function continues(ended: Call, fresh: Call, options: DispatchOptions): boolean {
  if (ended.open || ended.lane?.header !== fresh.lane?.header || ended.handSet !== fresh.handSet) return false
  return ended.ending || (ended.path === options.path && ended.origin === originText(options.origin))
}

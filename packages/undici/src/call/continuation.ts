import { AsyncLocalStorage } from 'node:async_hooks'
import { runInLane } from '@laneway/core'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'
import type { Call } from './call.js'
import { originText } from './target.js'

/** The call whose end the running code was told of. */
const continuing = new AsyncLocalStorage<Call | undefined>()

/**
 * Tells a handler of an end after which something outside may dispatch again: an error, or a status that is no success. A
 * retry or a redirect does so at once or by a timer, in whatever context it was told, and where both stand outside with a
 * handler that nobody has seen. So it is told where the call was made: in the lane of the caller.
 */
export function tellInContext(call: Call, tell: () => void): void {
  let told = false
  try {
    runInLane(call.ambient, () => {
      told = true
      continuing.run(call, tell)
    })
  } catch (error) {
    // A context that fails was reported when the call read it; its end is told in any case.
    if (told) throw error
    tell()
  }
}

/** The call that the running code may go on with. */
export function endedCall(): Call | undefined {
  return continuing.getStore()
}

/** Dispatches, so that the sockets it opens do not keep the call that was gone on with. */
export function leaveEnded<A extends unknown[]>(dispatch: (...args: A) => boolean, ...args: A): boolean {
  return continuing.run(undefined, dispatch, ...args)
}

/**
 * Whether a dispatch goes on with a call that has ended: to the same target, or while the handler is told. It knows then
 * which endpoints failed and which one sent the first part of a body. The lane never comes from it.
 *
 * @param fresh - what would be decided by context and headers alone
 */
export function goesOn(ended: Call, fresh: Call, options: DispatchOptions): boolean {
  if (ended.open || ended.lane?.header !== fresh.lane?.header || ended.handSet !== fresh.handSet) return false
  return ended.ending || (ended.path === options.path && ended.origin === originText(options.origin))
}

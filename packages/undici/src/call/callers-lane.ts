import { currentLane, type Lane, runInLane } from '@laneway/core'

/**
 * Whether the running code is in the lane of a call already. undici calls back in the context of a socket, which belongs
 * to the request that opened it. Asking first costs a tenth of entering (benchmark case egress/undici/inject).
 *
 * A context that fails was reported when the call read it: then there is nothing to enter.
 */
export function isInLane(lane: Lane | undefined): boolean {
  try {
    return currentLane() === lane
  } catch {
    return true
  }
}

/** Calls a method of an object in a lane, for code that undici itself calls, such as a body that is read. */
export function callInLane<T, A extends unknown[], R>(
  lane: Lane | undefined,
  self: T,
  method: (this: T, ...args: A) => R,
  ...args: A
): R {
  return isInLane(lane)
    ? Reflect.apply(method, self, args)
    : (runInLane(lane, Reflect.apply as never, method, self, args) as R)
}

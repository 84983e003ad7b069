import { AsyncLocalStorage } from 'node:async_hooks'
import type { CallInfo } from './call-info.js'
import { slot } from './context-slot.js'

/**
 * Runs what publishes events about a call. Adapters use it only while somebody subscribes: events are published
 * synchronously, so one field suffices, and an ordinary call pays nothing.
 *
 * @returns what `fn` returns
 */
export function duringCall<R>(call: CallInfo, fn: () => R): R {
  const before = slot.call
  slot.call = call
  try {
    return fn()
  } finally {
    slot.call = before
  }
}

/** The call that the running code publishes events about. */
export function callNow(): CallInfo | undefined {
  return slot.call
}

/** The incoming request that the running code belongs to; `undefined` for none, and unless {@link followRequests} is on. */
export function currentRequest(): object | undefined {
  return slot.requests?.getStore()
}

let followers = 0

/**
 * From now on `CallInfo.request` says which incoming request a call was made for. Every request enters a context of its
 * own then, which is the price of a log; without it untagged requests enter none.
 *
 * @returns ends it; calling it twice does nothing
 */
export function followRequests(): () => void {
  slot.requests ??= new AsyncLocalStorage<object>()
  followers++
  let ended = false
  return () => {
    if (ended) return
    ended = true
    if (--followers === 0) slot.requests = undefined
  }
}

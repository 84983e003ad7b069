import { AsyncLocalStorage } from 'node:async_hooks'
import { slot } from './context-slot.js'

/** An outgoing call, as the events of its hops tell it. */
export interface CallInfo {
  /** `GET`; `undefined` where the client did not say. */
  readonly method: string | undefined
  /** As the caller gave it, with the query: it may hold secrets. */
  readonly path: string | undefined
  /** The service that the host names; `undefined` for other hosts. */
  readonly service: string | undefined
  /** `host:port` that was chosen; `undefined` before the choice and for other hosts. */
  readonly address: string | undefined
  /**
   * The incoming request during which the call was made; `undefined` for none, and while no log follows requests. Not
   * enumerable, so that an event can be serialised.
   */
  readonly request: object | undefined
}

/** Makes what events tell of a call. */
export function createCallInfo({ request, ...fields }: CallInfo): CallInfo {
  return Object.defineProperty(fields, 'request', { value: request }) as CallInfo
}

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

import { AsyncLocalStorage } from 'node:async_hooks'
import { isLeftAlone } from '../control/switch.js'
import type { Lane } from '../lane/lane.js'
import { assertLane } from '../lane/parse-lane.js'
import { BASE_TAG } from '../lane/tag.js'
import { contextNow, keepingTrace, laneOfContext } from '../trace/traced-lane.js'
import type { CallInfo } from './call-info.js'
import { slot } from './context-slot.js'

/**
 * The lane of the running code, or `undefined` for base. Never throws.
 *
 * A request whose tag is `base` asks for base in so many words: its lane is `{ header: 'base', tags: ['base'] }`, it goes to
 * base, and the tag is forwarded. All ingresses and `runInLane('base', …)` agree on that. To ask whether code runs in base or
 * in a lane, use {@link inLane}.
 */
export function currentLane(): Lane | undefined {
  return laneOfContext(contextNow())
}

/**
 * Whether the running code is in the lane of a tag. A lane that is a list, such as `gray-2,gray`, is in the lane of each
 * of its tags. Code without a lane is in `base`. Never throws; what is no tag is `false`.
 *
 * @example
 * if (inLane('gray')) showNewPrices()
 */
export function inLane(tag: string): boolean {
  const lane = currentLane()
  return lane === undefined ? tag === BASE_TAG : lane.tags.includes(tag)
}

/**
 * Runs a function in a lane; everything it awaits or schedules stays in it.
 *
 * @param lane - a lane, its wire form (`'gray'`), or `undefined` for no lane. While Laneway is switched off, the wire form means no
 *   lane, unless the code is in a lane already: its request began before
 * @returns what the function returns
 * @throws LanewayError `LANEWAY_INVALID_TAG` when a string is not a lane, and whatever `fn` throws
 */
export function runInLane<R, A extends unknown[]>(
  lane: Lane | string | undefined,
  fn: (...args: A) => R,
  ...args: A
): R {
  const value = typeof lane === 'string' ? namedLane(lane) : lane
  const { storage } = slot
  // Skipping is safe only when nothing is stored: a keep-alive socket may still hold the lane of its last request.
  if (value === undefined && storage.getStore() === undefined) return fn(...args)
  return storage.run(value, fn, ...args)
}

function namedLane(name: string): Lane | undefined {
  const lane = assertLane('runInLane', name)
  return isLeftAlone() ? undefined : keepingTrace(lane)
}

/**
 * Ties a function to the lane of this moment, for callbacks that something else will call: a queue, a pool, an emitter.
 * `this` and arguments pass through.
 */
export function bindLane<F extends (this: any, ...args: any[]) => unknown>(fn: F): F {
  return tie(slot.storage.getStore(), fn)
}

/** Ties a function to no lane, for work that a request starts and that must not belong to it: caches, warm-up, timers. */
export function detachLane<F extends (this: any, ...args: any[]) => unknown>(fn: F): F {
  return tie(undefined, fn)
}

function tie<F extends (this: any, ...args: any[]) => unknown>(lane: Lane | undefined, fn: F): F {
  function callInLane(this: unknown, ...args: unknown[]) {
    return slot.storage.run(lane, Reflect.apply, fn, this, args)
  }
  // Express tells an error handler by its four parameters.
  Object.defineProperty(callInLane, 'length', { value: fn.length })
  return callInLane as F
}

/**
 * Runs what publishes events about a call. Adapters use it only while a channel has a subscriber: events are published
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

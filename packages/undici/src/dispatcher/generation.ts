import { LanewayError } from '@laneway/core'
import type { Dispatch, DispatchHandler, DispatchOptions, LaneableDispatcher } from './dispatcher.js'
import { classNames } from './internals.js'

/** Which handler methods a dispatcher calls: `onConnect`... (undici 6), both (7), `onRequestStart`... (8). */
export interface Generation {
  readonly undici: '6' | '7' | '8'
  readonly legacy: boolean
  readonly modern: boolean
}

const SIX: Generation = { undici: '6', legacy: true, modern: false }
const SEVEN: Generation = { undici: '7', legacy: true, modern: true }
const EIGHT: Generation = { undici: '8', legacy: false, modern: true }

/**
 * Finds the generation of a dispatcher without a request, by the way its `compose` treats a handler. Class names are not
 * enough, and the objects of a package do not show its version.
 */
export function generationOf(dispatcher: LaneableDispatcher): Generation {
  // undici 8 puts it where older copies look for the global dispatcher; it takes both sorts of handlers.
  if (classNames(dispatcher)[0] === 'Dispatcher1Wrapper') return SEVEN
  const compose = composeOf(dispatcher)
  if (compose === undefined) return SIX
  const probe: DispatchHandler = { onConnect() {}, onError() {} }
  let seen: unknown
  const stand: { dispatch: Dispatch } = {
    dispatch(_options, handler) {
      seen = handler
      return true
    },
  }
  const composed = compose.call(stand, (dispatch: Dispatch) => (options: DispatchOptions, handler: DispatchHandler) => {
    return dispatch(options, handler)
  })
  composed.dispatch({}, probe)
  if (seen !== probe) return SEVEN
  // undici 8 returns a proxy of the object it was called on, undici 6 an object of its own class.
  return Object.getPrototypeOf(composed) === Object.prototype ? EIGHT : SIX
}

/** Where a patched `compose` keeps the one of undici. */
export const kOriginalCompose: unique symbol = Symbol.for('laneway.undici.compose.v1') as never

/** The `compose` of the dispatcher's own copy; not that of the object, which may be Laneway's. */
export function composeOf(dispatcher: LaneableDispatcher): Compose | undefined {
  const { compose } = Object(Object.getPrototypeOf(dispatcher)) as {
    compose?: Compose & { [kOriginalCompose]?: Compose }
  }
  return typeof compose === 'function' ? (compose[kOriginalCompose] ?? compose) : undefined
}

export type Compose = (this: unknown, ...interceptors: unknown[]) => LaneableDispatcher

/** Whether a dispatcher of this generation would call the handler at all. */
export function accepts(generation: Generation, handler: DispatchHandler): boolean {
  if (typeof handler.onRequestStart === 'function') return generation.modern || typeof handler.onConnect === 'function'
  // A handler that is neither is left to undici, which says what is missing.
  return generation.legacy || typeof handler.onConnect !== 'function'
}

export function mismatch(generation: Generation, handler: DispatchHandler): LanewayError {
  const theirs = typeof handler.onRequestStart === 'function' ? 'undici 8' : 'undici 7 or older'
  return new LanewayError(
    'LANEWAY_UNDICI_MISMATCH',
    `the dispatcher is of undici ${generation.undici} and the request comes from ${theirs} (or from the fetch built into Node ` +
      `${process.versions.node}, which is undici ${process.versions['undici'] ?? 'unknown'}): call fetch or request of the undici ` +
      'that made the dispatcher, or use createLaneFetch() for the built-in fetch',
  )
}

/** Ends a request with an error, by the method of the handler's own generation, as undici does when it refuses options. */
export function deliverError(handler: DispatchHandler, error: unknown): void {
  if (typeof handler.onRequestStart === 'function' || typeof handler.onError !== 'function') {
    if (typeof handler.onResponseError !== 'function') throw error
    handler.onResponseError(null, error)
  } else handler.onError(error)
}

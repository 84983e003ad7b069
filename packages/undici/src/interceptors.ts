import { LanewayError } from '@laneway/core'
import type { LaneableInterceptor } from './dispatcher/dispatcher.js'

const refusals = new WeakSet<object>()

/** Lets composing fail when the interceptor is `interceptors.dns()`. */
export function refusingDns(where: string, interceptor: LaneableInterceptor): LaneableInterceptor {
  if (typeof interceptor !== 'function') return interceptor
  return (...args) => {
    const dispatch = interceptor(...args)
    if (isDns(dispatch)) throw noDns(where)
    return dispatch
  }
}

/** `interceptors.dns()` is known by the name of the function that it makes, and by nothing else. */
export function isDns(dispatch: unknown): boolean {
  return typeof dispatch === 'function' && dispatch.name === 'dnsInterceptor'
}

export function noDns(where: string): LanewayError {
  const error = new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${where}: interceptors.dns() replaces the host by an address before an endpoint can be chosen; leave it out, resolved ` +
      'services need no DNS',
  )
  refusals.add(error)
  return error
}

/** Whether an error is the refusal of `interceptors.dns()`. */
export function isDnsRefusal(error: unknown): boolean {
  return refusals.has(Object(error) as object)
}

export function noCompose(where: string): LanewayError {
  return new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${where}: this dispatcher has no compose(), so it takes no interceptors`,
  )
}

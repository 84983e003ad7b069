import { currentLane, type Lane } from '@laneway/core'
import { laneOfCall } from '@laneway/core/internal'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import type { UndiciSettings } from '../options.js'
import { isRedirectHop } from '../redirect/redirect-memory.js'
import { headerValues, type PlainHeaders } from '../sent/headers.js'
import { type Call, createCall, kCall } from './call.js'
import { continues } from './continuation.js'
import { keepCall, knownCall } from './kept-call.js'
import { originText, targetOfOrigin } from './target.js'

/**
 * Decides the lane of a call in the caller's context, or finds what was decided when this handler was dispatched before.
 *
 * @param ended - the call whose end is being reported to the running code
 */
export function callOf(
  settings: UndiciSettings,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
  ended: Call | undefined,
): Call {
  let call = (options[kCall] as Call | undefined) ?? knownCall(handler, options)
  if (call === undefined) {
    call = decide(settings, options, headers, currentLane())
    if (ended !== undefined && continues(ended, call, options)) call = ended
  }
  keepCall(handler, call)
  return call
}

/** Decides the lane of a call: a valid tag that the caller set by hand, else the lane given. */
export function decide(
  settings: UndiciSettings,
  options: DispatchOptions,
  headers: PlainHeaders,
  current: Lane | undefined,
): Call {
  const values = headerValues(headers, settings.header)
  if (values === undefined) return createCall(current, undefined, options)
  const lane = laneOfCall(values, undefined, targetOfOrigin(originText(options.origin))?.hostname ?? '')
  const call = createCall(current, lane, options)
  if (settings.keepHandSet && call.handSet) {
    call.watched = true
    call.redirected = isRedirectHop(options)
  }
  return call
}

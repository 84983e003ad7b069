import type { DispatchOptions } from '../dispatcher/dispatcher.js'
import { plainHeaders } from '../sent/headers.js'

/**
 * Whether the caller made the options unreadable: by a getter that throws, or headers of a shape that undici does not take.
 * undici refuses these itself, in its own words, so Laneway does not report them.
 */
export function isCallersFault(options: DispatchOptions): boolean {
  try {
    const { headers } = { ...options }
    plainHeaders(headers)
    return false
  } catch {
    return true
  }
}

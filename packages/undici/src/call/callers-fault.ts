import type { DispatchOptions } from '../dispatcher/dispatcher.js'
import { plainHeaders } from '../sent/headers.js'

/**
 * Whether options cannot be read because of what the caller put into them: a getter that throws, headers of no shape that
 * undici takes. undici refuses these itself, in its own words, and Laneway has nothing to report.
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

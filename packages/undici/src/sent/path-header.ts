import { PATH_HEADER, type TracedCall } from '@laneway/core/internal'
import type { ParsedHeaders } from '../dispatcher/dispatcher.js'

/**
 * Gives a traced call the path that its answer has. The caller sees the answer as it is without the trace, and a cache above
 * Laneway keeps no path that belongs to one request.
 *
 * @param traced - `undefined` when the path has no room for the call
 * @returns the headers without the path
 */
export function readPath(traced: TracedCall | undefined, status: number, headers: ParsedHeaders): ParsedHeaders {
  // An interim answer is none.
  if (status < 200) return headers
  const path = headers[PATH_HEADER]
  traced?.responded(status, path)
  if (path === undefined || traced?.asked === false) return headers
  const { [PATH_HEADER]: _, ...rest } = headers
  return rest
}

/** As {@link readPath}, for raw lines: names and values in turn, as bytes or text. */
export function readRawPath(traced: TracedCall | undefined, status: number, headers: unknown[]): unknown[] {
  if (status < 200) return headers
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as Buffer | string
    if (name.length !== PATH_HEADER.length || String(name).toLowerCase() !== PATH_HEADER) continue
    traced?.responded(status, String(headers[index + 1]))
    return traced?.asked === false ? headers : [...headers.slice(0, index), ...headers.slice(index + 2)]
  }
  traced?.responded(status, undefined)
  return headers
}

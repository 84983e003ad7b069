import type { IngressRequest } from '../ingress/request.js'
import { countOf } from '../wire/refusal.js'

/**
 * Removes a header from every view of a request or an answer: `headers`, `headersDistinct`, `rawHeaders`. Never throws.
 *
 * @param name - lower case
 */
export function removeHeader(message: IngressRequest, name: string): void {
  const { headers, rawHeaders } = message
  const count = countOf(message)
  // Built from rawHeaders at the first read: it has to exist before those change.
  const distinct = count === undefined ? message.headersDistinct : undefined
  if (rawHeaders !== undefined) {
    for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
      const key = rawHeaders[index]!
      if (key.length !== name.length || key.toLowerCase() !== name) continue
      rawHeaders.splice(index, 2)
      const counted = message as unknown as Record<symbol, number>
      if (count !== undefined && index < counted[count]!) counted[count]! -= 2
    }
  }
  delete headers[name]
  if (distinct !== undefined) delete distinct[name]
}

/** Whether a request has a header on any of its lines, also on those that `headers` does not show. */
export function hasLine(rawHeaders: readonly string[] | undefined, name: string): boolean {
  if (rawHeaders === undefined) return false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const key = rawHeaders[index]!
    if (key.length === name.length && key.toLowerCase() === name) return true
  }
  return false
}

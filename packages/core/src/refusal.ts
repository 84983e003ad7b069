import { withoutLaneMembers } from './baggage.js'
import { isCarrierName } from './carriers.js'
import type { IngressRequest } from './request.js'

/**
 * Takes the tag out of everything that user code may copy into a call of its own: `headers`, `headersDistinct`,
 * `rawHeaders`, and our members of the baggage in each of them; and headers that other servers take for the tag. Never
 * throws.
 *
 * @param header - lower-case name
 */
export function removeLane(request: IngressRequest, header: string): void {
  const { headers, rawHeaders } = request
  // Built from rawHeaders on first use, by the number of entries it had on arrival: it has to exist before those change.
  const distinct = request.headersDistinct
  removeFrom(headers, header)
  if (distinct !== undefined) removeFrom(distinct, header)
  if (rawHeaders !== undefined) removeRaw(rawHeaders, header)
}

function removeFrom(headers: Record<string, string | string[] | undefined>, header: string): void {
  for (const name in headers) if (isCarrierName(name, header)) delete headers[name]
  const { baggage } = headers
  if (baggage === undefined) return
  if (!Array.isArray(baggage)) {
    const kept = withoutLaneMembers(baggage)
    if (kept === baggage) return
    if (kept.trim() === '') delete headers['baggage']
    else headers['baggage'] = kept
    return
  }
  const kept = baggage.map(withoutLaneMembers)
  if (kept.every((value, index) => value === baggage[index])) return
  const filled = kept.filter(value => value.trim() !== '')
  if (filled.length === 0) delete headers['baggage']
  else headers['baggage'] = filled
}

/** Moves the lines that stay to the front: taking lines out one by one would cost the square of a thousand of them. */
function removeRaw(rawHeaders: string[], header: string): void {
  let end = 0
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    let value = rawHeaders[index + 1]!
    if (isCarrierName(name, header)) continue
    if (name.length === 7 && name.toLowerCase() === 'baggage') {
      const kept = withoutLaneMembers(value)
      if (kept !== value && kept.trim() === '') continue
      value = kept
    }
    rawHeaders[end++] = name
    rawHeaders[end++] = value
  }
  // A half line, which only a careless fake has, stays what it is.
  if (rawHeaders.length % 2 === 1) rawHeaders[end++] = rawHeaders[rawHeaders.length - 1]!
  rawHeaders.length = end
}

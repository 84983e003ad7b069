import { hasLaneMember, withoutLaneMembers } from './baggage.js'
import type { IngressRequest } from './request.js'

/**
 * Takes the tag out of everything that user code may copy into a call of its own: `headers`, `headersDistinct`,
 * `rawHeaders`, and our members of the baggage in each of them. Never throws.
 *
 * @param header - lower-case name
 */
export function removeLane(request: IngressRequest, header: string): void {
  const { headers, rawHeaders } = request
  // Built from rawHeaders on first use, by the number of entries it had on arrival: it has to exist before those change.
  const distinct = request.headersDistinct
  delete headers[header]
  if (distinct !== undefined) delete distinct[header]
  const baggage = headers['baggage']
  if (baggage !== undefined && hasLaneMember(String(baggage))) {
    rewrite(headers, Array.isArray(baggage) ? baggage : [baggage], Array.isArray(baggage))
    if (distinct?.['baggage'] !== undefined) rewrite(distinct, distinct['baggage'], true)
  }
  if (rawHeaders !== undefined) removeRaw(rawHeaders, header)
}

function rewrite(headers: Record<string, string | string[] | undefined>, values: string[], asList: boolean): void {
  const kept = values.map(withoutLaneMembers).filter(value => value.trim() !== '')
  if (kept.length === 0) delete headers['baggage']
  else headers['baggage'] = asList ? kept : kept.join(',')
}

function removeRaw(rawHeaders: string[], header: string): void {
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    const name = rawHeaders[index]!.toLowerCase()
    if (name === header) {
      rawHeaders.splice(index, 2)
    } else if (name === 'baggage') {
      const kept = withoutLaneMembers(rawHeaders[index + 1]!)
      if (kept.trim() === '') rawHeaders.splice(index, 2)
      else rawHeaders[index + 1] = kept
    }
  }
}

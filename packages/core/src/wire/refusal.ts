import type { IngressRequest } from '../ingress/request.js'
import { withoutLaneMembers } from './baggage.js'
import { isCarrierName } from './carriers.js'
import { DEFAULT_HEADER } from './header-name.js'

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
  // The lines in `rawHeaders` are those in `headersDistinct`: each is read once.
  const lines = distinct?.['baggage']
  const kept = lines?.map(withoutLaneMembers)
  const joined = lines !== undefined && lines.length > 1 && lines.join(', ') === headers['baggage']
  // A search of the lines is cheaper than one of an object with a thousand names.
  const names = new Set([header, DEFAULT_HEADER])
  if (rawHeaders !== undefined) removeRaw(rawHeaders, header, names, lines, kept)
  else for (const name in headers) if (isCarrierName(name, header)) names.add(name)
  removeFrom(headers, names, joined ? kept : undefined)
  if (distinct !== undefined) removeFrom(distinct, names, kept)
}

/** @param kept - what is left of each line of baggage, where that is known already */
function removeFrom(
  headers: Record<string, string | string[] | undefined>,
  names: ReadonlySet<string>,
  kept: readonly string[] | undefined,
): void {
  for (const name of names) if (headers[name] !== undefined) delete headers[name]
  const { baggage } = headers
  if (baggage === undefined) return
  if (!Array.isArray(baggage)) {
    const rest = kept === undefined ? withoutLaneMembers(baggage) : joinedLines(kept)
    if (rest === baggage) return
    if (rest.trim() === '') delete headers['baggage']
    else headers['baggage'] = rest
    return
  }
  const rest = kept ?? baggage.map(withoutLaneMembers)
  if (rest.every((value, index) => value === baggage[index])) return
  const filled = rest.filter(value => value.trim() !== '')
  if (filled.length === 0) delete headers['baggage']
  else headers['baggage'] = filled
}

/** What Node makes of these lines. */
function joinedLines(lines: readonly string[]): string {
  return lines.filter(line => line.trim() !== '').join(', ')
}

/**
 * Moves the lines that stay to the front: taking lines out one by one would cost the square of a thousand of them.
 *
 * @param names - takes the names that are removed, lower case
 */
function removeRaw(
  rawHeaders: string[],
  header: string,
  names: Set<string>,
  lines: readonly string[] | undefined,
  keptLines: readonly string[] | undefined,
): void {
  let end = 0
  let line = 0
  let removed = ''
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    let value = rawHeaders[index + 1]!
    if (isCarrierName(name, header)) {
      if (name !== removed) names.add(name.toLowerCase())
      removed = name
      continue
    }
    if (name.length === 7 && name.toLowerCase() === 'baggage') {
      const known = lines?.[line] === value ? keptLines?.[line] : undefined
      line++
      const kept = known ?? withoutLaneMembers(value)
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

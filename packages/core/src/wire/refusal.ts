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
  const counted = request as Counted
  const count = countOf(request)
  // Built from rawHeaders on first use, by the number of entries it had on arrival: it has to exist before those change.
  const distinct = count === undefined ? request.headersDistinct : undefined
  const names = new Set([header, DEFAULT_HEADER])
  if (rawHeaders === undefined) {
    for (const name in headers) if (isCarrierName(name, header)) names.add(name)
    removeFrom(headers, names, undefined)
  } else {
    // A search of the lines is cheaper than one of an object with a thousand names.
    const lines = removeRaw(rawHeaders, header, names, count === undefined ? undefined : counted[count])
    if (count !== undefined) counted[count] = lines.shown
    const { baggage } = headers
    const joined = typeof baggage === 'string' && lines.given.length > 1 && lines.given.join(', ') === baggage
    removeFrom(headers, names, joined ? lines.kept : undefined)
  }
  if (distinct !== undefined) removeFrom(distinct, names, undefined)
}

type Counted = IngressRequest & { [count: symbol]: number }

/**
 * Where Node keeps how many entries of `rawHeaders` it shows, for a request whose `headersDistinct` is not there yet: with
 * another count, Node makes that view of the lines that stay. To make it here of a thousand lines takes longer than to
 * remove them (benchmark case `hostile`).
 *
 * @returns `undefined` when there is no such place, or the view exists
 */
export function countOf(request: IngressRequest): (keyof Counted & symbol) | undefined {
  let place: symbol | undefined
  for (const symbol of Object.getOwnPropertySymbols(request)) {
    const { description } = symbol
    if (description === 'kHeadersCount') place = symbol
    else if (description === 'kHeadersDistinct') return undefined
  }
  if (place === undefined || typeof (request as Counted)[place] !== 'number') return undefined
  return place
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

interface RemovedLines {
  /** The lines of baggage as they came, among those that Node shows. */
  readonly given: string[]
  /** What is left of each. */
  readonly kept: string[]
  /** How many entries are left of those that Node shows. */
  readonly shown: number
}

/**
 * Moves the lines that stay to the front: taking lines out one by one would cost the square of a thousand of them.
 *
 * @param names - takes the names that are removed, lower case
 * @param shown - how many entries Node shows in its other views
 */
function removeRaw(
  rawHeaders: string[],
  header: string,
  names: Set<string>,
  shown: number = rawHeaders.length,
): RemovedLines {
  const given: string[] = []
  const left: string[] = []
  let end = 0
  let endShown = 0
  let removed = ''
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    let value = rawHeaders[index + 1]!
    if (isCarrierName(name, header)) {
      if (name !== removed) names.add(name.toLowerCase())
      removed = name
      continue
    }
    if (name.length === 7 && (name === 'baggage' || name.toLowerCase() === 'baggage')) {
      const kept = withoutLaneMembers(value)
      if (index < shown) {
        given.push(value)
        left.push(kept)
      }
      if (kept !== value && kept.trim() === '') continue
      value = kept
    }
    rawHeaders[end++] = name
    rawHeaders[end++] = value
    if (index < shown) endShown = end
  }
  // A half line, which only a careless fake has, stays what it is.
  if (rawHeaders.length % 2 === 1) rawHeaders[end++] = rawHeaders[rawHeaders.length - 1]!
  rawHeaders.length = end
  return { given, kept: left, shown: endShown }
}

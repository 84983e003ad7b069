import { type Lane, parseLane } from './lane.js'
import { isTag } from './tag.js'

/** The member that carries a lane in W3C baggage, as the header does. */
export const BAGGAGE_KEY = 'x-mse-tag'
/** The member that Alibaba Cloud's MSE agent carries: a JSON list, `[{"name":"gray","tag":"gray","priority":-1}]`. */
export const MSE_BAGGAGE_KEY = '__microservice_tag__'

/** Up to which a platform must carry baggage, https://www.w3.org/TR/baggage/#limits. */
export const MAX_BAGGAGE_MEMBERS = 64
/** See {@link MAX_BAGGAGE_MEMBERS}. */
export const MAX_BAGGAGE_BYTES = 8192

/** Longest encoded member value that is looked at: four tags as MSE writes them fit several times. */
const MAX_MEMBER_LENGTH = 2048

/**
 * The raw value of a baggage member, without its properties; the last one when the key stands twice, as OpenTelemetry
 * does. Never throws. Keys are compared as they stand: both of ours are plain tokens.
 */
export function baggageMember(baggage: string, key: string): string | undefined {
  let value: string | undefined
  eachMember(baggage, (start, end) => {
    // Searched inside the member only: a search in the whole would look at 16 kB of `a,a,a` once per member.
    const member = baggage.slice(start, end)
    const equals = member.indexOf('=')
    if (equals === -1 || member.slice(0, equals).trim() !== key) return
    const semicolon = member.indexOf(';', equals)
    value = member.slice(equals + 1, semicolon === -1 ? undefined : semicolon).trim()
  })
  return value
}

/** Whether a baggage value has one of our two members, whatever its value. Never throws. */
export function hasLaneMember(baggage: string): boolean {
  // A scan first: nearly all baggage is foreign.
  if (!baggage.includes(BAGGAGE_KEY) && !baggage.includes(MSE_BAGGAGE_KEY) && !baggage.includes('%')) return false
  let found = false
  eachMember(baggage, (start, end) => {
    found ||= isLaneMember(baggage.slice(start, end))
  })
  return found
}

/** Reads the value of the `x-mse-tag` member; percent-encoding is undone. Never throws. */
export function parseBaggageLane(value: string): Lane | undefined {
  return parseLane(percentDecode(value))
}

/**
 * Reads the value of MSE's `__microservice_tag__` member. Higher `priority` comes first, equal ones in their order; one
 * bad entry makes it no lane. Never throws.
 */
export function parseMseLane(value: string): Lane | undefined {
  if (value.length > MAX_MEMBER_LENGTH) return undefined
  let list: unknown
  try {
    list = JSON.parse(percentDecode(value) ?? '')
  } catch {
    return undefined
  }
  if (!Array.isArray(list) || list.length === 0) return undefined
  const entries: { tag: string; priority: number }[] = []
  for (const entry of list as unknown[]) {
    const { tag, priority = 0 } = Object(entry) as { tag?: unknown; priority?: unknown }
    if (!isTag(tag) || typeof priority !== 'number') return undefined
    entries.push({ tag, priority })
  }
  entries.sort((a, b) => b.priority - a.priority)
  return parseLane(entries.map(entry => entry.tag).join(','))
}

/** The baggage without our two members, foreign members byte for byte; `''` when nothing is left. Never throws. */
export function withoutLaneMembers(baggage: string): string {
  if (!hasLaneMember(baggage)) return baggage
  const kept: string[] = []
  eachMember(baggage, (start, end) => {
    const member = baggage.slice(start, end)
    if (!isLaneMember(member)) kept.push(member)
  })
  return kept.join(',')
}

/**
 * The baggage with the lane as its first member, because members beyond the limits are cut from the end. Foreign members
 * stay byte for byte as long as the whole is within 64 members and 8192 bytes; beyond, members are dropped from the end.
 */
export function withLaneMember(baggage: string | undefined, lane: Lane): string {
  const own = `${BAGGAGE_KEY}=${encodeURIComponent(lane.header)}`
  const foreign = baggage === undefined ? '' : withoutLaneMembers(baggage)
  if (foreign.trim() === '') return own
  const whole = `${own},${foreign}`
  if (fits(whole)) return whole
  let kept = own
  let members = 1
  eachMember(foreign, (start, end) => {
    const next = `${kept},${foreign.slice(start, end)}`
    if (members < MAX_BAGGAGE_MEMBERS && Buffer.byteLength(next) <= MAX_BAGGAGE_BYTES) {
      kept = next
      members++
    } else members = MAX_BAGGAGE_MEMBERS
  })
  return kept
}

/** OpenTelemetry for JavaScript undoes percent-encoding in keys, and writes them plain on the next hop. */
function isLaneMember(member: string): boolean {
  const equals = member.indexOf('=')
  const key = percentDecode((equals === -1 ? member : member.slice(0, equals)).trim())?.trim()
  return key === BAGGAGE_KEY || key === MSE_BAGGAGE_KEY
}

function fits(baggage: string): boolean {
  if (Buffer.byteLength(baggage) > MAX_BAGGAGE_BYTES) return false
  let members = 0
  eachMember(baggage, () => members++)
  return members <= MAX_BAGGAGE_MEMBERS
}

/** Calls back with the bounds of each member; walks instead of splitting, because a header may be 16 kB of commas. */
function eachMember(baggage: string, visit: (start: number, end: number) => void): void {
  let start = 0
  while (start <= baggage.length) {
    const comma = baggage.indexOf(',', start)
    const end = comma === -1 ? baggage.length : comma
    if (end > start) visit(start, end)
    start = end + 1
  }
}

function percentDecode(value: string): string | undefined {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}

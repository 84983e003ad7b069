import type { Lane } from '../lane/lane.js'
import { parseLane } from '../lane/parse-lane.js'
import { BAGGAGE_KEY, type LaneKey, laneKeyOf, MSE_BAGGAGE_KEY } from './baggage-key.js'
import { mseList, parseMseList } from './mse-list.js'
import { percentDecode } from './percent-decoding.js'

/** Up to which a platform must carry baggage, https://www.w3.org/TR/baggage/#limits. */
export const MAX_BAGGAGE_MEMBERS = 64
/** See {@link MAX_BAGGAGE_MEMBERS}. */
export const MAX_BAGGAGE_BYTES = 8192

/** Longest encoded member value that is looked at: four tags as MSE writes them fit several times. */
const MAX_MEMBER_LENGTH = 2048

const COMMA = 44
const SEMICOLON = 59
const EQUALS = 61

// The last baggage that was read. A request shows the same text in `headers`, `headersDistinct`, `rawHeaders`, and in the
// calls that copy it: it is read once.
let lastText = ''
/** Without our members, foreign ones byte for byte; the same string when none is ours. */
let lastForeign = ''
/** The last members with a value that have our keys; `''` for none. */
let lastHeaderMember = ''
let lastMseMember = ''

/**
 * The raw value of a baggage member, without its properties; the last one when the key stands twice, as OpenTelemetry
 * does. Never throws. A key counts as ours where any reader would take it for ours, see {@link laneKeyOf}.
 */
export function baggageMember(baggage: string, key: LaneKey): string | undefined {
  read(baggage)
  const member = key === BAGGAGE_KEY ? lastHeaderMember : lastMseMember
  if (member === '') return undefined
  const value = member.slice(member.indexOf('=') + 1)
  const semicolon = value.indexOf(';')
  return (semicolon === -1 ? value : value.slice(0, semicolon)).trim()
}

/** Whether a baggage value has one of our two members, whatever its value. Never throws. */
export function hasLaneMember(baggage: string): boolean {
  if (baggage === lastText) return lastForeign !== baggage
  let found = false
  eachMember(baggage, (start, end) => {
    found = laneKeyOf(baggage, start, end) !== undefined
    return !found
  })
  if (!found) keepForeign(baggage)
  return found
}

/** The baggage without our two members, foreign members byte for byte; `''` when nothing is left. Never throws. */
export function withoutLaneMembers(baggage: string): string {
  read(baggage)
  return lastForeign
}

/** Reads the value of the `x-mse-tag` member; percent-encoding is undone. Never throws. */
export function parseBaggageLane(value: string): Lane | undefined {
  return value.length > MAX_MEMBER_LENGTH ? undefined : parseLane(percentDecode(value))
}

/** Reads the value of MSE's `__microservice_tag__` member; percent-encoding is undone. Never throws. */
export function parseMseLane(value: string): Lane | undefined {
  return value.length > MAX_MEMBER_LENGTH ? undefined : parseMseList(percentDecode(value) ?? '')
}

/**
 * The baggage with the lane as its first member, because members beyond the limits are cut from the end. Foreign members
 * stay byte for byte as long as the whole is within 64 members and 8192 bytes; beyond, members are dropped from the end.
 *
 * @param form - `'mse'`: the member is MSE's `__microservice_tag__`; else it is `x-mse-tag`
 */
export function withLaneMember(baggage: string | undefined, lane: Lane, form: boolean | 'mse' = true): string {
  // Percent-encoded: Java drops raw JSON.
  const own =
    form === 'mse'
      ? `${MSE_BAGGAGE_KEY}=${encodeURIComponent(mseList(lane))}`
      : `${BAGGAGE_KEY}=${encodeURIComponent(lane.header)}`
  const foreign = baggage === undefined ? '' : withoutLaneMembers(baggage)
  if (foreign.trim() === '') return own
  const kept = [own]
  let bytes = own.length
  let cut = false
  eachMember(foreign, (start, end) => {
    const member = foreign.slice(start, end)
    bytes += 1 + Buffer.byteLength(member)
    cut = kept.length === MAX_BAGGAGE_MEMBERS || bytes > MAX_BAGGAGE_BYTES
    if (!cut) kept.push(member)
    return !cut
  })
  const whole = `${own},${foreign}`
  // Empty members count as bytes, too.
  return cut || Buffer.byteLength(whole) > MAX_BAGGAGE_BYTES ? kept.join(',') : whole
}

function read(baggage: string): void {
  if (baggage === lastText) return
  // Thousands of lines may have one member each.
  if (endOfMember(baggage, 0) === baggage.length) {
    readMember(baggage)
    return
  }
  let kept: string[] | undefined
  let header = ''
  let mse = ''
  eachMember(baggage, (start, end) => {
    const key = laneKeyOf(baggage, start, end)
    if (key === undefined) {
      kept?.push(baggage.slice(start, end))
      return
    }
    kept ??= start === 0 ? [] : membersOf(baggage.slice(0, start))
    if (!hasValue(baggage, start, end)) return
    if (key === BAGGAGE_KEY) header = baggage.slice(start, end)
    else mse = baggage.slice(start, end)
  })
  lastText = baggage
  lastForeign = kept === undefined ? baggage : kept.length === 0 ? '' : kept.join(',')
  lastHeaderMember = header
  lastMseMember = mse
}

/** What `read` does, for a baggage of one member. */
function readMember(baggage: string): void {
  const key = laneKeyOf(baggage, 0, baggage.length)
  keepForeign(baggage)
  if (key === undefined) return
  lastForeign = ''
  if (!hasValue(baggage, 0, baggage.length)) return
  if (key === BAGGAGE_KEY) lastHeaderMember = baggage
  else lastMseMember = baggage
}

/** What `read` keeps of a baggage with none of our members. */
function keepForeign(baggage: string): void {
  lastText = baggage
  lastForeign = baggage
  lastHeaderMember = ''
  lastMseMember = ''
}

function membersOf(baggage: string): string[] {
  const members: string[] = []
  eachMember(baggage, (start, end) => members.push(baggage.slice(start, end)))
  return members
}

/** Whether a member has a value: `=` comes before the properties. */
function hasValue(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === EQUALS || code === SEMICOLON) return code === EQUALS
  }
  return false
}

/**
 * Calls back with the bounds of each member; walks instead of splitting, because a header may be 16 kB of commas.
 *
 * @param visit - returns `false` to stop
 */
function eachMember(baggage: string, visit: (start: number, end: number) => unknown): void {
  const { length } = baggage
  let start = 0
  while (start < length) {
    const end = endOfMember(baggage, start)
    if (end > start && visit(start, end) === false) return
    start = end + 1
  }
}

/** A search costs 30 ns to start, a step 1 ns: thousands of members are short, an honest one is long. */
const STEPS = 24

function endOfMember(baggage: string, start: number): number {
  const near = Math.min(start + STEPS, baggage.length)
  for (let at = start; at < near; at++) if (baggage.charCodeAt(at) === COMMA) return at
  const comma = baggage.indexOf(',', near)
  return comma === -1 ? baggage.length : comma
}

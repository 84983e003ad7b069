import type { Lane } from '@laneway/core'
import { sentBaggage, TRACE_HEADER, withoutLaneMembers } from '@laneway/core/internal'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'
import type { UndiciSettings } from '../options.js'

/** Headers of which one pass is enough: an object, or a flat list of names and values. */
export type PlainHeaders = Readonly<Record<string, unknown>> | readonly unknown[]

/** The headers of a dispatch. @returns `undefined` for headers that undici refuses, in its own words */
export function readHeaders(options: DispatchOptions): PlainHeaders | undefined {
  try {
    return plainHeaders(options.headers)
  } catch {
    return undefined
  }
}

const NONE: PlainHeaders = Object.freeze({})

/**
 * Reads `opts.headers` in any shape that undici takes: a plain object, a flat list of names and values, or anything iterable
 * in pairs (`Headers`, `Map`, a list of pairs). Pairs become a flat list, because an iterator may be gone after one pass.
 * Objects and flat lists stay as they are. Nothing here changes a header that Laneway does not know.
 *
 * @throws TypeError for any other shape, and what an iterator of the caller throws
 */
export function plainHeaders(headers: unknown): PlainHeaders {
  if (headers === null || headers === undefined) return NONE
  if (Array.isArray(headers)) return Array.isArray(headers[0]) ? flatten(headers) : headers
  if (typeof headers !== 'object') throw new TypeError('headers are no object')
  if (isIterable(headers)) return flatten(headers)
  return headers as PlainHeaders
}

/** As undici sees it: an iterator on Object.prototype does not make headers iterable. */
function isIterable(headers: object): headers is Iterable<unknown> {
  const iterator = (headers as Partial<Iterable<unknown>>)[Symbol.iterator]
  return (
    typeof iterator === 'function' && iterator !== (Object.prototype as Partial<Iterable<unknown>>)[Symbol.iterator]
  )
}

function flatten(pairs: Iterable<unknown>): unknown[] {
  const flat: unknown[] = []
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError('headers are no pairs of name and value')
    flat.push(pair[0], pair[1])
  }
  return flat
}

/** What the caller set for the lane: the values of the first lane header that is there. */
export function handSetValues(headers: PlainHeaders, { header, also }: UndiciSettings): string | string[] | undefined {
  const values = headerValues(headers, header)
  if (values !== undefined || also === undefined) return values
  for (const name of also) {
    const others = headerValues(headers, name)
    if (others !== undefined) return others
  }
  return undefined
}

/** All values of a header, any case of its name; `undefined` when it is not there. */
export function headerValues(headers: PlainHeaders, name: string): string | string[] | undefined {
  let found: string | string[] | undefined
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (isName(headers[index], name)) found = join(found, headers[index + 1])
    }
    return found
  }
  const record = headers as Record<string, unknown>
  // Not `Object.keys`, which makes a list for each request (benchmark case egress/undici/inject).
  for (const key in record) {
    if (isName(key, name) && Object.hasOwn(record, key)) found = join(found, record[key])
  }
  return found
}

export function isName(key: unknown, name: string): boolean {
  return typeof key === 'string' && key.length === name.length && (key === name || key.toLowerCase() === name)
}

function join(found: string | string[] | undefined, value: unknown): string | string[] | undefined {
  if (value === undefined || value === null) return found
  const more = Array.isArray(value) ? value.map(textOf) : textOf(value)
  if (found === undefined) return more
  return [found, more].flat()
}

/** The text of a header value. What has none is left to undici, which refuses it. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return String(value)
  } catch {
    return ''
  }
}

/** V8 inlines this call inside `for in`, but not `Object.hasOwn`. */
const hasOwn = Object.prototype.hasOwnProperty

// Scratch state for one synchronous edit; avoids an allocation.
let sawHost = false
let sawBaggage: string | undefined
let sawTrace: unknown

/**
 * The headers as they go onto the wire: one lane header or none, baggage that says the same, and a `Host`. The result is
 * always a flat list: undici reads it fastest, and it costs least to build.
 *
 * @param host - set unless the caller set one
 * @param inScope - the target may see the lane
 */
export function sentHeaders(
  headers: PlainHeaders,
  settings: UndiciSettings,
  lane: Lane | undefined,
  host: string | undefined,
  inScope: boolean,
): unknown[] {
  const { header, also } = settings
  const edited: unknown[] = []
  sawHost = false
  sawBaggage = undefined
  sawTrace = undefined
  if (Array.isArray(headers)) {
    const { length } = headers
    for (let index = 0; index + 1 < length; index += 2) copy(edited, header, also, headers[index], headers[index + 1])
    // A list of odd length stays one: undici refuses it.
    if (length % 2 === 1) edited.push(headers[length - 1])
  } else {
    const record = headers as Record<string, unknown>
    for (const key in record) if (hasOwn.call(record, key)) copy(edited, header, also, key, record[key])
  }
  if (lane !== undefined) {
    edited.push(header, lane.header)
    if (also !== undefined) for (const name of also) edited.push(name, lane.header)
  }
  if (!sawHost && host !== undefined) edited.push('host', host)
  const baggage =
    inScope || lane !== undefined
      ? sentBaggage(sawBaggage, lane, settings.baggage)
      : sawBaggage && withoutLaneMembers(sawBaggage)
  if (baggage !== undefined && baggage !== '') edited.push('baggage', baggage)
  return edited
}

/** Whether the headers that were edited last came with a `Host` of the caller's own. */
export function cameWithHost(): boolean {
  return sawHost
}

/** What the caller of the headers that were edited last had set to ask for a path. Those headers are without it. */
export function askedTrace(): unknown {
  return sawTrace
}

const TRACE_LENGTH = TRACE_HEADER.length

/** Copies one header, except the lane header and baggage, which are written anew, and the question for a path. */
function copy(
  edited: unknown[],
  name: string,
  also: readonly string[] | undefined,
  key: unknown,
  value: unknown,
): void {
  if (typeof key === 'string' && value !== undefined) {
    const { length } = key
    if (length === name.length && key.toLowerCase() === name) return
    if (also?.includes(key.toLowerCase())) return
    if (length === 4 && key.toLowerCase() === 'host') sawHost = true
    else if (length === TRACE_LENGTH && key.toLowerCase() === TRACE_HEADER) {
      sawTrace = value
      return
    } else if (length === 7 && isText(value) && key.toLowerCase() === 'baggage') {
      const text = Array.isArray(value) ? value.map(textOf).join(',') : textOf(value)
      sawBaggage = sawBaggage === undefined ? text : `${sawBaggage},${text}`
      return
    }
  }
  edited.push(key, value)
}

/** Whether undici takes a value: it refuses every other object. */
function isText(value: unknown): boolean {
  return value !== null && (typeof value !== 'object' || Array.isArray(value))
}

/** Headers with the lane under each of its names, or without any, as {@link withHeaderInShape} makes them. */
export function withLaneInShape(
  given: unknown,
  headers: PlainHeaders,
  { header, also }: UndiciSettings,
  lane: Lane | undefined,
): unknown {
  let shaped = withHeaderInShape(given, headers, header, lane?.header)
  if (also === undefined) return shaped
  for (const name of also) shaped = withHeaderInShape(shaped, plainHeaders(shaped), name, lane?.header)
  return shaped
}

/**
 * Headers with exactly one value of one name, or none, for interceptors of undici. These spread the headers, so the shape
 * stays. Headers that need no change stay the caller's object. Pairs stay pairs, because `cache()` refuses a flat list.
 *
 * @param given - `options.headers` as the caller gave them
 * @param headers - the same as `plainHeaders` made them
 */
export function withHeaderInShape(
  given: unknown,
  headers: PlainHeaders,
  name: string,
  value: string | undefined,
): unknown {
  const changed = withHeader(headers, name, value)
  if (given === undefined || given === null) return value === undefined ? given : changed
  if (given === headers || !Array.isArray(changed)) return changed
  if (changed === headers && !isSpent(given as Iterable<unknown>)) return given
  const pairs: [unknown, unknown][] = []
  for (let index = 0; index < changed.length; index += 2) pairs.push([changed[index], changed[index + 1]])
  // No array: `redirect()` takes every array for a flat list.
  return new Set(pairs)
}

function withHeader(headers: PlainHeaders, name: string, value: string | undefined): PlainHeaders {
  const present = headerValues(headers, name) !== undefined
  if (Array.isArray(headers)) {
    if (!present) return value === undefined ? headers : [...headers, name, value]
    const kept: unknown[] = value === undefined ? [] : [name, value]
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (!isName(headers[index], name)) kept.push(headers[index], headers[index + 1])
    }
    return kept
  }
  // A new key in front of a spread is cheap, one behind it costs 3 µs on Node 20 (benchmark case egress/undici/inject).
  if (!present) return value === undefined ? headers : { [name]: value, ...headers }
  const kept: Record<string, unknown> = {}
  if (value !== undefined) kept[name] = value
  for (const [key, other] of Object.entries(headers)) {
    if (!isName(key, name)) kept[key] = other
  }
  return kept
}

/** A generator is its own iterator, and gone after one pass. */
function isSpent(given: Iterable<unknown>): boolean {
  return given[Symbol.iterator]() === (given as unknown)
}

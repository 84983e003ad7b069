import { type Lane, sentBaggage, withoutLaneMembers } from '@laneway/core'
import type { EgressSettings } from '../options.js'

/**
 * The shapes of `opts.headers`: a plain object, a flat list of names and values, or anything iterable in pairs (`Headers`,
 * `Map`, a list of pairs). Everything here keeps what it does not know byte for byte.
 */
export type HeaderValue = string | readonly string[]

/** Headers of which one pass is enough: an object, or a flat list. */
export type PlainHeaders = Readonly<Record<string, unknown>> | readonly unknown[]

/** V8 leaves this call out inside `for in`, and `Object.hasOwn` not. */
const hasOwn = Object.prototype.hasOwnProperty
const NONE: PlainHeaders = Object.freeze({})

/**
 * Pairs become a flat list, because an iterator may be gone after one pass; objects and flat lists stay as they are.
 *
 * @throws TypeError for what is no list of pairs, and what an iterator of the caller throws
 */
export function plainHeaders(headers: unknown): PlainHeaders {
  if (headers === null || headers === undefined) return NONE
  if (Array.isArray(headers)) return Array.isArray(headers[0]) ? flatten(headers) : headers
  if (typeof headers !== 'object') throw new TypeError('headers are no object')
  if (isIterable(headers)) return flatten(headers)
  return headers as PlainHeaders
}

/** As undici sees it: an iterator that somebody put on every object makes no headers iterable. */
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

function isName(key: unknown, name: string): boolean {
  return typeof key === 'string' && key.length === name.length && (key === name || key.toLowerCase() === name)
}

function join(found: string | string[] | undefined, value: unknown): string | string[] | undefined {
  if (value === undefined || value === null) return found
  const more = Array.isArray(value) ? value.map(textOf) : textOf(value)
  if (found === undefined) return more
  return [found, more].flat()
}

/** As undici has it: another object is refused. */
function isText(value: unknown): boolean {
  return value !== null && (typeof value !== 'object' || Array.isArray(value))
}

/** What has no text is left to undici, which refuses it. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return String(value)
  } catch {
    return ''
  }
}

/**
 * The headers with exactly one value of one name, or none. The shape stays, because interceptors of undici spread it.
 */
export function withHeader(headers: PlainHeaders, name: string, value: string | undefined): PlainHeaders {
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

/**
 * {@link withHeader} for interceptors of undici: what needs no change goes on as it came, and pairs stay pairs, because
 * `cache()` refuses a flat list.
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

/** A generator is its own iterator, and gone after one pass. */
function isSpent(given: Iterable<unknown>): boolean {
  return given[Symbol.iterator]() === (given as unknown)
}

// One edit is one synchronous pass over plain data: what it finds on the way needs no object of its own.
let sawHost = false
let sawBaggage: string | undefined

/**
 * The headers as they go onto the wire: one lane header or none, baggage that says the same, and a `Host`. The result is
 * always a flat list: undici reads it fastest, and it costs least to build.
 *
 * @param host - set unless the caller set one
 * @param inScope - the target may see the lane
 */
export function sentHeaders(
  headers: PlainHeaders,
  settings: EgressSettings,
  lane: Lane | undefined,
  host: string | undefined,
  inScope: boolean,
): unknown[] {
  const { header } = settings
  const edited: unknown[] = []
  sawHost = false
  sawBaggage = undefined
  if (Array.isArray(headers)) {
    const { length } = headers
    for (let index = 0; index + 1 < length; index += 2) pass(edited, header, headers[index], headers[index + 1])
    // A list that undici refuses stays one.
    if (length % 2 === 1) edited.push(headers[length - 1])
  } else {
    const record = headers as Record<string, unknown>
    for (const key in record) if (hasOwn.call(record, key)) pass(edited, header, key, record[key])
  }
  if (lane !== undefined) edited.push(header, lane.header)
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

function pass(edited: unknown[], name: string, key: unknown, value: unknown): void {
  if (typeof key === 'string' && value !== undefined) {
    const { length } = key
    if (length === name.length && key.toLowerCase() === name) return
    if (length === 4 && key.toLowerCase() === 'host') sawHost = true
    else if (length === 7 && isText(value) && key.toLowerCase() === 'baggage') {
      const text = Array.isArray(value) ? value.map(textOf).join(',') : textOf(value)
      sawBaggage = sawBaggage === undefined ? text : `${sawBaggage},${text}`
      return
    }
  }
  edited.push(key, value)
}

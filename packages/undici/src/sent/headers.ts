import type { DispatchOptions } from '../dispatcher/dispatcher.js'

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

import { headerValues, isName, type PlainHeaders } from './headers.js'

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

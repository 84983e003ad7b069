/**
 * Fields that belong to one connection (RFC 9110 section 7.6.1); the gateway passes them on to neither side. `trailer` is
 * one of them because request trailers are not forwarded, and Node announces those of responses itself.
 */
const HOP = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Which lengths these names have: most other fields differ in length, and need no lower-casing. */
const LENGTHS: readonly boolean[] = Array.from({ length: 64 }, (_, length) =>
  [...HOP].some(name => name.length === length),
)

/** @param name - any case */
export function isHopHeader(name: string): boolean {
  return LENGTHS[name.length] === true && HOP.has(name.toLowerCase())
}

/** A `Connection` field that names no further fields. */
const PLAIN = /^(?:keep-alive|close|upgrade|te|http2-settings|[\s,])*$/i

/**
 * Fields that `Connection` cannot remove, because they are part of what the message means. A client behind a proxy could
 * otherwise remove what that proxy adds.
 */
const KEPT = new Set(['host', 'content-length', 'content-type', 'cache-control', 'forwarded', 'x-real-ip'])

/**
 * The fields that a `Connection` field names; they belong to the connection too.
 *
 * @returns lower-case names; `undefined` in the usual case that it names none
 */
export function connectionNames(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || PLAIN.test(value)) return undefined
  const names = new Set<string>()
  for (const token of value.split(',')) {
    const name = token.trim().toLowerCase()
    if (name !== '' && !KEPT.has(name) && !name.startsWith('x-forwarded-')) names.add(name)
  }
  return names
}

import type { Option } from '../options/option.js'
import { OptionPlace } from '../options/option-place.js'

/** The default carrier: what Alibaba Cloud MSE and OpenKruise Rollouts use. */
export const DEFAULT_HEADER = 'x-mse-tag'

// RFC 9110, section 5.6.2: token
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * The header name of an adapter, lower case.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function resolveHeaderName(where: string, header: string = DEFAULT_HEADER): string {
  if (typeof header === 'string' && TOKEN.test(header)) {
    const name = header.toLowerCase()
    // Parsed headers are a plain object: `constructor` is always there.
    if (name !== 'baggage' && !(name in Object.prototype)) return name
  }
  throw new OptionPlace(where, ['header']).unexpected('the name of a header of its own', header)
}

/** Reads the option `header`. */
export const headerName: Option<string> = (value, place) => resolveHeaderName(place.where, value as string | undefined)

/** Most names that a lane is read from and written under. */
const MOST_NAMES = 4

/**
 * The header names of an adapter, lower case, each once. Of several the first is the header; a lane that arrives under any of them
 * is read, and it is written under all of them.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function resolveHeaderNames(where: string, header?: string | readonly string[]): readonly [string, ...string[]] {
  if (!Array.isArray(header)) return [resolveHeaderName(where, header as string | undefined)]
  const place = new OptionPlace(where, ['header'])
  if (header.length === 0 || header.length > MOST_NAMES) {
    throw place.unexpected(`the name of a header, or a list of 1 to ${MOST_NAMES}`, header)
  }
  return [...new Set(header.map(name => resolveHeaderName(where, name)))] as unknown as readonly [string, ...string[]]
}

/** Reads the option `header` where it may be a list. */
export const headerNames: Option<readonly [string, ...string[]]> = (value, place) =>
  resolveHeaderNames(place.where, (value ?? undefined) as string | undefined)

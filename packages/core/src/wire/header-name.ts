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

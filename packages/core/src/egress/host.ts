import { isIP } from 'node:net'

/** A host as the rules compare it. */
export interface ParsedHost {
  /** Lower case, without brackets and trailing dot; an IP literal in canonical form. */
  readonly name: string
  /** 0 for a name, else 4 or 6. */
  readonly family: number
}

// What a URL parser would take for user info, port, path, query or fragment, or silently drop.
const MORE_THAN_A_HOST = /[\s/?#\\@]|^[^[].*:|\]:/

/**
 * Reads a host as a URL would: case, IDN, brackets, odd forms of IPv4 such as `0x7f.1` or `2852039166`, which resolvers
 * take for addresses.
 *
 * @returns `undefined` for what is no host
 */
export function parseHost(host: string): ParsedHost | undefined {
  const bracketed = isIP(host) === 6 ? `[${host}]` : host
  if (MORE_THAN_A_HOST.test(bracketed)) return undefined
  let name: string
  try {
    name = new URL(`http://${bracketed}/`).hostname
  } catch {
    return undefined
  }
  if (name.startsWith('[')) name = name.slice(1, -1)
  if (name.endsWith('.')) name = name.slice(0, -1)
  return name === '' ? undefined : { name, family: isIP(name) }
}

// RFC 9110, section 7.2, without what no host name has on the wire: escapes, user info, paths.
const HOST_HEADER = /^(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{0,5}))?$/

/**
 * The host of a `Host` header: `name`, `name:port`, `[address]:port`. Never throws.
 *
 * @returns `undefined` for anything else: another reader might see another host in it
 */
export function parseHostHeader(value: string): ParsedHost | undefined {
  const match = HOST_HEADER.exec(value)
  return match === null || Number(match[2] ?? 0) > 65_535 ? undefined : parseHost(match[1]!)
}

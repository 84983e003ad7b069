import { OptionPlace } from '@laneway/core/internal'

/** A request that somebody wrote down, as rules read it. */
export interface WrittenRequest {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly socket: { readonly remoteAddress: string }
}

/**
 * Reads `GET /a?b=1` or `GET http://shop.example.com/a`, with lines of headers.
 *
 * @param names - of the two, for messages
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function parseWrittenRequest(
  line: string,
  headerLines: readonly string[],
  address: string,
  names = { line: '--request', header: '--header' },
): WrittenRequest {
  const found = /^\s*(?:([A-Za-z]+)\s+)?(\S+)\s*$/.exec(line)
  const target = found?.[2] ?? ''
  const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(target)
  if (!target.startsWith('/') && absolute === null) {
    throw new OptionPlace(names.line).unexpected("a method and a path, such as 'GET /orders?id=1'", line)
  }
  // No prototype: names come from the command line.
  const headers: Record<string, string> = Object.assign(Object.create(null), { host: absolute?.[1] ?? 'localhost' })
  for (const header of headerLines) {
    const colon = header.indexOf(':')
    if (colon < 1) throw new OptionPlace(names.header).unexpected("'name: value'", header)
    const name = header.slice(0, colon).trim().toLowerCase()
    const value = header.slice(colon + 1).trim()
    // Lines of one name are one value (RFC 9110 section 5.3), cookies with their own separator.
    const before = name === 'host' ? undefined : headers[name]
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  const path = absolute === null ? target : absolute[2] || '/'
  return {
    method: (found?.[1] ?? 'GET').toUpperCase(),
    url: path.startsWith('/') ? path : `/${path}`,
    headers,
    socket: { remoteAddress: address },
  }
}

import { isUtf8 } from 'node:buffer'
import { domainToASCII } from 'node:url'

/** Characters that no byte is; a text with one of them was decoded before it came here. */
const WIDE = /[^\0-\xff]/
const ABOVE_ASCII = /[^\0-\x7f]/

/**
 * The UTF-8 bytes of a text as Node hands over what was on the wire: one character for each byte. What a document says
 * is turned into bytes once, when it is compiled, so that comparing with a request costs nothing more.
 */
export function bytesOf(text: string): string {
  return ABOVE_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}

/** Whether a text cannot be mistaken for bytes: some programs hand over headers that they have decoded. */
export function isWide(text: string): boolean {
  return WIDE.test(text)
}

/** Bytes as they came, or the bytes of a text that somebody has decoded. */
export function receivedBytes(value: string): string {
  return WIDE.test(value) ? bytesOf(value) : value
}

/** What bytes mean in UTF-8; bytes that are no UTF-8 stay one character each. */
export function textOf(bytes: string): string {
  if (!ABOVE_ASCII.test(bytes) || WIDE.test(bytes)) return bytes
  const buffer = Buffer.from(bytes, 'latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : bytes
}

/** Percent escapes as the bytes that they stand for; what is no escape stays. Never throws. */
export function unescapeBytes(bytes: string): string {
  return withoutEscapes(bytes, false)
}

/**
 * A path in the one spelling that is compared: RFC 3986 section 6.2.2. Escapes become bytes, but for `%2F` and `%25`:
 * an escaped slash separates no segments, and with a decoded percent sign `%252F` would look like it. A percent sign that
 * begins no escape is one that should have been escaped. Dot segments and empty segments stay.
 */
export function canonicalPath(bytes: string): string {
  return withoutEscapes(bytes, true)
}

/** A canonical path as people read it, for regular expressions. */
export function readablePath(canonical: string): string {
  return textOf(canonical.replaceAll('%25', '%'))
}

/** An internationalised host name as browsers send it; `undefined` when it is no host name. RFC 5891. */
export function asciiHost(host: string): string | undefined {
  if (!ABOVE_ASCII.test(host)) return host
  const bare = host.startsWith('*.') ? host.slice(2) : host
  const ascii = domainToASCII(bare)
  if (ascii === '') return undefined
  return bare === host ? ascii : `*.${ascii}`
}

/** A host name without port, of a document or of a request, in the one spelling that is compared. Never throws. */
export function wireHost(host: string): string {
  const ascii = ABOVE_ASCII.test(host) ? (asciiHost(textOf(host)) ?? host) : host
  const lower = ascii.toLowerCase()
  return lower.length > 1 && lower.endsWith('.') ? lower.slice(0, -1) : lower
}

function withoutEscapes(text: string, isPath: boolean): string {
  let percent = text.indexOf('%')
  if (percent === -1) return text
  let done = ''
  let from = 0
  while (percent !== -1) {
    const byte = 16 * hex(text.charCodeAt(percent + 1)) + hex(text.charCodeAt(percent + 2))
    done += text.slice(from, percent)
    // A digit that is none makes the sum NaN.
    const isEscape = byte >= 0
    from = percent + (isEscape ? 3 : 1)
    if (!isPath) done += isEscape ? String.fromCharCode(byte) : '%'
    else if (!isEscape || byte === PERCENT) done += '%25'
    else done += byte === SLASH ? '%2F' : String.fromCharCode(byte)
    percent = text.indexOf('%', from)
  }
  return done + text.slice(from)
}

function hex(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : Number.NaN
}

const PERCENT = 0x25
const SLASH = 0x2f

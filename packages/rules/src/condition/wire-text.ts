import { isUtf8 } from 'node:buffer'
import { domainToASCII } from 'node:url'

/** Characters above one byte: a text with one of them has been decoded by some program. */
const WIDE = /[^\0-\xff]/
const ABOVE_ASCII = /[^\0-\x7f]/

/**
 * The UTF-8 bytes of a text as Node shows bytes of the wire: one character for each byte. The texts of a document are
 * converted once, when it is compiled, so that a comparison with a request needs no conversion.
 */
export function bytesOf(text: string): string {
  return ABOVE_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}

/** Whether a text is certainly no list of bytes: some programs pass on headers that they have decoded. */
export function isWide(text: string): boolean {
  return WIDE.test(text)
}

/** Bytes unchanged, or the bytes of a text that some program has decoded. */
export function receivedBytes(value: string): string {
  return WIDE.test(value) ? bytesOf(value) : value
}

/** The text of UTF-8 bytes; bytes that are no UTF-8 stay one character each. */
export function textOf(bytes: string): string {
  if (!ABOVE_ASCII.test(bytes) || WIDE.test(bytes)) return bytes
  const buffer = Buffer.from(bytes, 'latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : bytes
}

/** Replaces percent escapes by their bytes; the rest stays. Never throws. */
export function unescapeBytes(bytes: string): string {
  return withoutEscapes(bytes, false)
}

/**
 * A path in the spelling that is compared: RFC 3986 section 6.2.2. Escapes become bytes, except `%2F` and `%25`: an escaped
 * slash separates no segments, and with a decoded percent sign `%252F` would look like one. A percent sign that begins no
 * escape becomes `%25`. Dot segments and empty segments stay.
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

/** A host name without port, of a document or of a request, in the spelling that is compared. Never throws. */
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
    // A character that is no digit makes the sum NaN.
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

const PERCENT = 37

/**
 * Undoes percent-encoding as `decodeURIComponent` does. Never throws, and needs no exception to refuse: an exception costs
 * 10 to 100 µs, and a header holds thousands of malformed escapes.
 *
 * @returns `undefined` when an escape is malformed, or when the bytes are not UTF-8
 */
export function percentDecode(text: string): string | undefined {
  const first = text.indexOf('%')
  if (first === -1) return text
  return isDecodable(text, first) ? decodeURIComponent(text) : undefined
}

/** Whether all escapes from a position on are well-formed UTF-8, https://www.rfc-editor.org/rfc/rfc3629#section-4. */
function isDecodable(text: string, from: number): boolean {
  let at = from
  while (at !== -1) {
    const lead = escapedByte(text, at)
    if (lead < 0) return false
    const more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1
    if (more < 0) return false
    for (let index = 1; index <= more; index++) {
      const byte = escapedByte(text, at + 3 * index)
      if (byte < 0x80 || byte > 0xbf || (index === 1 && !mayFollow(lead, byte))) return false
    }
    at = text.indexOf('%', at + 3 * (more + 1))
  }
  return true
}

/** Refuses overlong forms, surrogates, and what lies beyond U+10FFFF. */
function mayFollow(lead: number, byte: number): boolean {
  if (lead === 0xe0) return byte >= 0xa0
  if (lead === 0xed) return byte <= 0x9f
  if (lead === 0xf0) return byte >= 0x90
  if (lead === 0xf4) return byte <= 0x8f
  return true
}

/** The byte that the escape at a position stands for; -1 when there is no escape. */
export function escapedByte(text: string, at: number): number {
  if (text.charCodeAt(at) !== PERCENT) return -1
  const high = hexDigit(text.charCodeAt(at + 1))
  const low = hexDigit(text.charCodeAt(at + 2))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

/** The value of a hexadecimal digit, -1 for any other character. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 65 && code <= 70) return code - 55
  if (code >= 97 && code <= 102) return code - 87
  return -1
}

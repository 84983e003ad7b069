import { hexDigit } from './percent-decoding.js'

/** The member that carries a lane in W3C baggage, as the header does. */
export const BAGGAGE_KEY = 'x-mse-tag'
/** The member that Alibaba Cloud's MSE agent carries: a JSON list, `[{"name":"gray","tag":"gray","priority":-1}]`. */
export const MSE_BAGGAGE_KEY = '__microservice_tag__'

export type LaneKey = typeof BAGGAGE_KEY | typeof MSE_BAGGAGE_KEY

const SPACE = 32
const PERCENT = 37
const PLUS = 43
const COMMA = 44
const SEMICOLON = 59
const EQUALS = 61
const UPPER_A = 65
const UPPER_Z = 90
const LOWER_X = 120
const DELETE = 127
const NO_BREAK_SPACE = 0xa0
const SOFT_HYPHEN = 0xad

/** White space and controls of Unicode, and characters that are not seen: a byte order mark, a zero-width space. */
const INVISIBLE = /[\p{White_Space}\p{Cc}\p{Cf}]/u

/** Scratch for one synchronous read: a key without its escapes, one character code or byte each. Grows, and shrinks again. */
let units = new Uint16Array(256)
/** A longer scratch is given back to the collector. */
const MAX_SCRATCH = 16_384

/**
 * The key of ours that some reader takes a baggage key for; `undefined` for a foreign key. Never throws. Linear in the key,
 * and a foreign key without escapes costs a search for one.
 *
 * Readers differ: OpenTelemetry for Python undoes `+` and percent-encoding and strips all white space of Unicode, up to
 * 1.12 it makes the key lower case, its first releases write a decoded key as it is, so that `a%2Cx-mse-tag` becomes two
 * members; the one for JavaScript undoes percent-encoding; others undo nothing. So escapes, however deep, are undone, an
 * escaped comma begins another key, and case, `+`, white space and control characters do not count.
 *
 * @param start - where the member begins in `text`
 * @param end - where it ends; its key ends earlier, at `=` or `;`
 */
export function laneKeyOf(text: string, start: number, end: number): LaneKey | undefined {
  // No reader makes a key longer.
  if (end - start < BAGGAGE_KEY.length) return undefined
  let key: LaneKey | undefined
  let matched = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (isSkipped(code)) continue
    if (code === EQUALS || code === SEMICOLON) break
    if (code === PERCENT || code > DELETE) return keyBehindEscapes(text, start, end)
    const letter = lowerCase(code)
    key ??= letter === LOWER_X ? BAGGAGE_KEY : MSE_BAGGAGE_KEY
    if (key.charCodeAt(matched++) !== letter) {
      return hasEscape(text, at, end) ? keyBehindEscapes(text, start, end) : undefined
    }
  }
  return key !== undefined && matched === key.length ? key : undefined
}

/** Whether a key of OpenTelemetry baggage, or of any other map, is one of ours to some reader. Never throws. */
export function isLaneKey(key: string): boolean {
  return laneKeyOf(key, 0, key.length) !== undefined
}

/** ASCII that readers drop, in front of a key and anywhere in it. */
function isSkipped(code: number): boolean {
  return code <= SPACE || code === PLUS || code === DELETE
}

function lowerCase(code: number): number {
  return code >= UPPER_A && code <= UPPER_Z ? code + 32 : code
}

/** Whether the key goes on with an escape. */
function hasEscape(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === EQUALS || code === SEMICOLON) return false
    if (code === PERCENT) return true
  }
  return false
}

/** What {@link laneKeyOf} does, for keys with escapes or characters beyond ASCII. */
function keyBehindEscapes(text: string, start: number, end: number): LaneKey | undefined {
  if (units.length < end - start) units = new Uint16Array(end - start)
  const count = unescapeInto(units, text, start, end)
  const key = keyOfUnits(count)
  if (units.length > MAX_SCRATCH) units = new Uint16Array(256)
  return key
}

function keyOfUnits(count: number): LaneKey | undefined {
  let key: LaneKey | undefined
  let matched = 0
  /** The key of this part is known to be foreign; only a comma begins another. */
  let foreign = false
  for (let at = 0; at < count; at++) {
    const code = units[at]!
    if (code === COMMA) {
      if (key !== undefined && matched === key.length) return key
      key = undefined
      matched = 0
      foreign = false
      continue
    }
    if (foreign || isSkipped(code)) continue
    // A reader that undoes escapes first ends the key at an escaped separator.
    if (code === EQUALS || code === SEMICOLON) {
      if (key !== undefined && matched === key.length) return key
      foreign = true
      continue
    }
    if (code > DELETE) {
      const length = invisibleLength(at, count)
      if (length > 0) {
        at += length - 1
        continue
      }
    }
    const letter = lowerCase(code)
    key ??= letter === LOWER_X ? BAGGAGE_KEY : MSE_BAGGAGE_KEY
    if (key.charCodeAt(matched++) !== letter) {
      matched = 0
      foreign = true
    }
  }
  return key !== undefined && matched === key.length ? key : undefined
}

/**
 * Undoes escapes until none is left, also those that others produce (`%2578` is `%78` is `x`). Each character is written
 * once and taken back at most once, so depth costs nothing. Ends at `=` or `;`.
 *
 * @returns how many units there are
 */
function unescapeInto(into: Uint16Array, text: string, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) {
    let code = text.charCodeAt(at)
    if (code === EQUALS || code === SEMICOLON) break
    while (count >= 2 && into[count - 2] === PERCENT) {
      const low = hexDigit(code)
      const high = hexDigit(into[count - 1]!)
      if (low < 0 || high < 0) break
      count -= 2
      code = high * 16 + low
    }
    into[count++] = code
  }
  return count
}

/** How many units an invisible character at a position has; 0 when what stands there is visible. */
function invisibleLength(at: number, count: number): number {
  const code = units[at]!
  // Bytes of UTF-8, as escapes give them, and as Node gives those of a header.
  const length = code > 0xff ? 1 : code >= 0xf0 ? 4 : code >= 0xe0 ? 3 : code >= 0xc2 ? 2 : 1
  if (length > 1 && at + length <= count) {
    let point = code & (0x7f >> length)
    let whole = true
    for (let index = 1; index < length; index++) {
      const byte = units[at + index]!
      whole &&= byte >= 0x80 && byte <= 0xbf
      point = point * 64 + (byte & 0x3f)
    }
    if (whole && point <= 0x10ffff && INVISIBLE.test(String.fromCodePoint(point))) return length
  }
  // As Latin-1, for readers that take each byte for a character.
  if (code <= 0xff) return code <= NO_BREAK_SPACE || code === SOFT_HYPHEN ? 1 : 0
  return INVISIBLE.test(String.fromCharCode(code)) ? 1 : 0
}

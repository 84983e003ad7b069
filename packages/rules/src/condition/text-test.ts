import { describe } from '@laneway/core/internal'
import { RE2JS } from 're2js'
import type { TextTest } from '../document/document.js'
import { isWide, textOf } from './wire-text.js'

/** Longer texts do not match: a header of 16 kB would cost milliseconds even in linear time. */
export const MAX_REGEX_INPUT = 4096
/** Longer patterns are refused. */
export const MAX_REGEX_LENGTH = 1024

/** A compiled test of one text; `undefined` is a part that the request does not have. Never throws. */
export type Test = (value: string | undefined) => boolean

/** Plain decimals: no exponent, no hex and no white space, so that a number means what people read. */
const DECIMAL = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/

/** How the texts of a document are compared with a request. */
export interface Comparison {
  /** What a text of the document looks like on the wire. @default the text */
  readonly encode?: (text: string) => string
  /** `prefix` compares whole segments of a path. @default false */
  readonly bySegments?: boolean
  /** What a regular expression sees. @default the meaning in UTF-8 */
  readonly decode?: (value: string) => string
}

/** Compiles a checked test. */
export function compileTextTest(test: TextTest, comparison: Comparison = {}): Test {
  if ('exact' in test) {
    const [first, second] = spellingsOf(test.exact, comparison)
    return second === undefined ? value => value === first : value => value === first || value === second
  }
  if ('prefix' in test) {
    const prefixes = spellingsOf(test.prefix, comparison).map(
      comparison.bySegments === true ? segmentPrefix : textPrefix,
    )
    const [first, second] = prefixes
    return second === undefined ? first! : value => first!(value) || second(value)
  }
  if ('in' in test) {
    const values = new Set(test.in.flatMap(text => spellingsOf(text, comparison)))
    return value => value !== undefined && values.has(value)
  }
  if ('range' in test) {
    const min = test.range.min ?? Number.NEGATIVE_INFINITY
    const max = test.range.max ?? Number.POSITIVE_INFINITY
    return value => {
      if (value === undefined || value.length > 32 || !DECIMAL.test(value)) return false
      const number = Number(value)
      return number >= min && number <= max
    }
  }
  if ('regex' in test) {
    const pattern = RE2JS.compile(test.regex)
    const { decode = textOf } = comparison
    return value => {
      if (value === undefined || value.length > MAX_BYTES) return false
      const text = decode(value)
      return text.length <= MAX_REGEX_INPUT && pattern.testExact(text)
    }
  }
  const { exists } = test
  return value => (value !== undefined) === exists
}

/** The longest text that a regular expression sees, in UTF-8. */
const MAX_BYTES = 4 * MAX_REGEX_INPUT

/** A text of a document as it is on the wire, and as some programs decode it, if that differs. */
export function spellingsOf(text: string, { encode }: Comparison): readonly string[] {
  if (encode === undefined) return [text]
  const bytes = encode(text)
  return isWide(text) ? [bytes, text] : [bytes]
}

/** What is wrong with a pattern; `undefined` when it is valid. */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_REGEX_LENGTH) {
    return `has ${pattern.length} characters, at most ${MAX_REGEX_LENGTH} are taken`
  }
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error)
    return `is no RE2 expression: ${reason}, received ${describe(pattern)}`
  }
}

/** `/match/` and `/match` are one prefix; `/` is a prefix of every path. */
export function normalizePrefix(prefix: string): string {
  let end = prefix.length
  while (end > 0 && prefix.charCodeAt(end - 1) === 47) end--
  return prefix.slice(0, end)
}

// https://gateway-api.sigs.k8s.io/reference/spec/#pathmatchtype: by path elements
function segmentPrefix(prefix: string): Test {
  const bare = normalizePrefix(prefix)
  if (bare === '') return value => value?.charCodeAt(0) === 47
  return value =>
    value?.startsWith(bare) === true && (value.length === bare.length || value.charCodeAt(bare.length) === 47)
}

function textPrefix(prefix: string): Test {
  return value => value?.startsWith(prefix) === true
}

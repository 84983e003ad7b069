import { describe } from '@laneway/core'
import { RE2JS } from 're2js'
import type { TextTest } from './document.js'

/** Beyond this a text is no match: a header of 16 kB would cost milliseconds even in linear time. */
export const MAX_REGEX_INPUT = 4096
/** Beyond this a pattern is refused. */
export const MAX_REGEX_LENGTH = 1024

/** A compiled test of one text; `undefined` is a part that the request does not have. Never throws. */
export type Test = (value: string | undefined) => boolean

/** Plain decimals: no exponent, no hex, no white space, so that what is compared is what is seen. */
const DECIMAL = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/

/** Compiles a checked test. `path` changes what `prefix` means. */
export function compileTextTest(test: TextTest, path = false): Test {
  if ('exact' in test) {
    const { exact } = test
    return value => value === exact
  }
  if ('prefix' in test) return path ? segmentPrefix(test.prefix) : textPrefix(test.prefix)
  if ('in' in test) {
    const values = new Set(test.in)
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
    return value => value !== undefined && value.length <= MAX_REGEX_INPUT && pattern.testExact(value)
  }
  const { exists } = test
  return value => (value !== undefined) === exists
}

/** What is wrong with a pattern, `undefined` when nothing is. */
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

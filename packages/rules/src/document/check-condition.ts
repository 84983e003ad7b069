import { describe, nearest } from '@laneway/core/internal'
import { addressRangeProblem, blockProblem } from '../condition/address-test.js'
import { hostProblem } from '../condition/host-test.js'
import { regexProblem } from '../condition/text-test.js'
import type { Path, Problems } from './problems.js'

const KINDS = ['all', 'any', 'not', 'path', 'host', 'method', 'header', 'query', 'cookie', 'address'] as const
const TEXT_TESTS = ['exact', 'prefix', 'in', 'range', 'regex', 'exists'] as const
const ADDRESS_TESTS = ['exact', 'in', 'range', 'exists'] as const

/** Levels of a condition, at most: more than people can read, and few enough for the call stack. */
const MAX_DEPTH = 16

/** RFC 9110 section 5.6.2 */
const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/

const COOKIE_NAME = /^[^=;\s](?:[^=;]*[^=;\s])?$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern is about control characters
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/
/** With the flag `u`, a surrogate pair is one character. */
const LONE_SURROGATE = /[\ud800-\udfff]/u

/** An object whose keys are not checked yet. */
export type Fields = Record<string, unknown>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Checks a condition of a document, and adds what is wrong to `problems`. */
export function checkCondition(value: unknown, path: Path, problems: Problems, depth = 0): void {
  if (depth > MAX_DEPTH) {
    problems.add(path, `is nested deeper than ${MAX_DEPTH} levels`)
    return
  }
  const kind = soleKey(value, KINDS, 'a condition', path, problems)
  if (kind === undefined) return
  const inner = (value as Fields)[kind]
  const at = [...path, kind]
  switch (kind) {
    case 'all':
    case 'any':
      if (!Array.isArray(inner) || inner.length === 0) {
        problems.add(at, `is a list of one or more conditions, received ${describe(inner)}`)
        return
      }
      for (const [index, part] of inner.entries()) checkCondition(part, [...at, index], problems, depth + 1)
      return
    case 'not': {
      checkCondition(inner, at, problems, depth + 1)
      return
    }
    case 'header':
    case 'query':
    case 'cookie': {
      checkNamed(inner, kind, at, problems)
      return
    }
    case 'address': {
      checkAddress(inner, at, problems)
      return
    }
    default: {
      checkText(inner, kind, at, problems)
      return
    }
  }
}

/** Checks the name of a header; header names are tokens. */
export function checkHeaderName(value: unknown, path: Path, problems: Problems): void {
  // Pseudo headers of HTTP/2 begin with a colon.
  if (typeof value !== 'string' || !TOKEN.test(value.startsWith(':') ? value.slice(1) : value)) {
    problems.add(path, `is no header name, received ${describe(value)}`)
  }
}

/** Reports the unknown keys of an object, with a suggestion. */
export function checkKeys(value: Fields, keys: readonly string[], path: Path, problems: Problems): void {
  for (const key of Object.keys(value)) {
    if (problems.full) return
    if (keys.includes(key)) continue
    const near = nearest(key, keys)
    const hint = near === undefined ? `; allowed are ${keys.join(', ')}` : `, did you mean "${near}"?`
    problems.add([...path, key], `is not allowed${hint}`)
  }
}

function checkNamed(value: unknown, kind: 'header' | 'query' | 'cookie', path: Path, problems: Problems): void {
  if (!isFields(value)) {
    problems.add(path, `is an object with a name and one test, received ${describe(value)}`)
    return
  }
  const { name, ...test } = value
  if (kind === 'header') checkHeaderName(name, [...path, 'name'], problems)
  else if (typeof name !== 'string' || name === '') {
    problems.add([...path, 'name'], `is a non-empty text, received ${describe(name)}`)
  } else if (kind === 'cookie' && !COOKIE_NAME.test(name)) {
    problems.add(
      [...path, 'name'],
      `of a cookie has no "=", ";" or white space at its ends, received ${describe(name)}`,
    )
  }
  checkText(test, kind, path, problems)
}

function checkText(value: unknown, kind: string, path: Path, problems: Problems): void {
  const test = soleKey(value, TEXT_TESTS, 'a test', path, problems)
  if (test === undefined) return
  const operand = (value as Fields)[test]
  const at = [...path, test]
  switch (test) {
    case 'exact': {
      checkValue(operand, kind, at, problems)
      return
    }
    case 'prefix':
      if (kind === 'host') {
        problems.add(at, 'is not for hosts: use "*.example.com" in exact or in, or regex')
        return
      }
      {
        const problem = typeof operand === 'string' ? valueProblem(operand, kind, true) : undefined
        if (problem === undefined) checkString(operand, at, problems)
        else problems.add(at, `${problem}, received ${describe(operand)}`)
        return
      }
    case 'in': {
      checkList(operand, at, problems, (entry, place) => checkValue(entry, kind, place, problems))
      return
    }
    case 'range': {
      checkRange(operand, at, problems)
      return
    }
    case 'regex': {
      if (typeof operand !== 'string') {
        checkString(operand, at, problems)
        return
      }
      const problem = regexProblem(operand)
      if (problem !== undefined) problems.add(at, problem)
      return
    }
    case 'exists': {
      checkBoolean(operand, at, problems)
      return
    }
  }
}

/** Refuses a value that no request can have, because the rule would never match. */
function checkValue(value: unknown, kind: string, path: Path, problems: Problems): void {
  if (typeof value !== 'string') {
    checkString(value, path, problems)
    return
  }
  const problem = valueProblem(value, kind, false)
  if (problem !== undefined) problems.add(path, `${problem}, received ${describe(value)}`)
}

function valueProblem(value: string, kind: string, isPrefix: boolean): string | undefined {
  if (LONE_SURROGATE.test(value)) return 'is no Unicode text: it has half of a surrogate pair'
  if (kind === 'path' && !value.startsWith('/')) return 'of a path begins with "/"'
  if (kind === 'path' && value.includes('?')) return 'of a path has no query: write a condition query, or %3F'
  if (kind === 'method' && !isPrefix && (!TOKEN.test(value) || value !== value.toUpperCase())) {
    return 'of a method is upper case, as methods are case-sensitive'
  }
  if (kind === 'host') return hostProblem(value)
  if (kind === 'header') return headerValueProblem(isPrefix ? `${value}.` : value)
  return undefined
}

/** White space around a value is not part of it, and line breaks cannot be sent. RFC 9110 section 5.5. */
export function headerValueProblem(value: string): string | undefined {
  if (/^[ \t]|[ \t]$/.test(value)) return 'of a header has no white space at its ends'
  return CONTROL.test(value) ? 'of a header has no control characters' : undefined
}

function checkRange(value: unknown, path: Path, problems: Problems): void {
  if (!isFields(value) || (value['min'] === undefined && value['max'] === undefined)) {
    problems.add(path, `takes min, max or both, received ${describe(value)}`)
    return
  }
  checkKeys(value, ['min', 'max'], path, problems)
  const { min, max } = value
  for (const [key, bound] of [['min', min] as const, ['max', max] as const]) {
    if (bound !== undefined && !(typeof bound === 'number' && Number.isFinite(bound))) {
      problems.add([...path, key], `is a number, received ${describe(bound)}`)
    }
  }
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    problems.add(path, `ends before it begins: min ${min}, max ${max}`)
  }
}

function checkAddress(value: unknown, path: Path, problems: Problems): void {
  const test = soleKey(value, ADDRESS_TESTS, 'a test', path, problems)
  if (test === undefined) return
  const operand = (value as Fields)[test]
  const at = [...path, test]
  if (test === 'exists') {
    checkBoolean(operand, at, problems)
    return
  }
  if (test === 'exact') {
    if (typeof operand !== 'string' || operand.includes('/') || blockProblem(operand) !== undefined) {
      problems.add(at, `is no IP address, received ${describe(operand)}`)
    }
    return
  }
  if (test === 'in') {
    checkList(operand, at, problems, (entry, place) => {
      const problem = typeof entry === 'string' ? blockProblem(entry) : 'is a text'
      if (problem !== undefined) problems.add(place, `${problem}, received ${describe(entry)}`)
    })
    return
  }
  const { min, max } = isFields(operand) ? operand : { min: undefined, max: undefined }
  const problem =
    typeof min === 'string' && typeof max === 'string' ? addressRangeProblem(min, max) : 'takes a min and a max'
  if (problem !== undefined) problems.add(at, `${problem}, received ${describe(operand)}`)
  else checkKeys(operand as Fields, ['min', 'max'], at, problems)
}

function checkList(
  value: unknown,
  path: Path,
  problems: Problems,
  checkEntry: (entry: unknown, path: Path) => void,
): void {
  if (!Array.isArray(value) || value.length === 0) {
    problems.add(path, `is a list of one or more entries, received ${describe(value)}`)
    return
  }
  const seen = new Set<unknown>()
  for (const [index, entry] of value.entries()) {
    checkEntry(entry, [...path, index])
    if (seen.has(entry)) problems.add([...path, index], `repeats ${describe(entry)}`)
    seen.add(entry)
  }
}

function checkString(value: unknown, path: Path, problems: Problems): void {
  if (typeof value !== 'string') {
    const hint = typeof value === 'number' || typeof value === 'boolean' ? '; put it in quotes' : ''
    problems.add(path, `is a text, received ${describe(value)}${hint}`)
  }
}

function checkBoolean(value: unknown, path: Path, problems: Problems): void {
  if (typeof value !== 'boolean') problems.add(path, `is true or false, received ${describe(value)}`)
}

/** The key of an object that must have exactly one key of a list. */
function soleKey<K extends string>(
  value: unknown,
  keys: readonly K[],
  what: string,
  path: Path,
  problems: Problems,
): K | undefined {
  if (!isFields(value)) {
    problems.add(path, `is ${what}, an object, received ${describe(value)}`)
    return undefined
  }
  const unknown = Object.keys(value).filter(key => !keys.includes(key as K))
  if (unknown.length > 0) {
    checkKeys(value, keys, path, problems)
    return undefined
  }
  const [first, second] = Object.keys(value)
  if (first === undefined || second !== undefined) {
    problems.add(path, `has exactly one of ${keys.join(', ')}, received ${describe(value)}`)
    return undefined
  }
  return first as K
}

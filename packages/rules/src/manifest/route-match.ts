import { describe } from '@laneway/core/internal'
import { normalizePrefix, regexProblem } from '../condition/text-test.js'
import { bytesOf, canonicalPath } from '../condition/wire-text.js'
import { checkHeaderName, headerValueProblem, isFields } from '../document/check-condition.js'
import type { Condition, TextTest } from '../document/document.js'
import type { Path, Problems } from '../document/problems.js'
import type { RouteMatch, ValueMatch } from './manifest.js'

/** A match as a condition, with the parts that decide its precedence. */
export interface ReadMatch {
  /** `undefined`: every request. */
  readonly condition: Condition | undefined
  /** 2 exact, 1 regular expression, 0 prefix. */
  readonly pathRank: 0 | 1 | 2
  readonly pathLength: number
  readonly method: boolean
  readonly headers: number
  readonly queryParams: number
}

/** The match of a rule that has none. */
export const ANY_PATH: ReadMatch = Object.freeze({
  condition: undefined,
  pathRank: 0,
  pathLength: 0,
  method: false,
  headers: 0,
  queryParams: 0,
})

/**
 * Reads an `HTTPRouteMatch`. Of equal names in one list only the first counts, as in the specification. Regular expressions
 * are RE2 and must match the whole value. Adds what is wrong to `problems`.
 * https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch
 */
export function readMatch(match: unknown, path: Path, problems: Problems): ReadMatch {
  if (!isFields(match)) {
    problems.add(path, `is an object, received ${describe(match)}`)
    return ANY_PATH
  }
  const { path: pathMatch, method, headers, queryParams } = match as RouteMatch
  const parts: Condition[] = []
  const type = pathMatch?.type ?? 'PathPrefix'
  const value = pathMatch?.value ?? '/'
  const pathTest = readPath(type, value, [...path, 'path'], problems)
  if (pathTest !== undefined) parts.push({ path: pathTest })
  if (method !== undefined) {
    if (typeof method !== 'string') problems.add([...path, 'method'], `is a text, received ${describe(method)}`)
    parts.push({ method: { exact: method } })
  }
  const headerTests = readValues(headers, true, [...path, 'headers'], problems)
  for (const [name, test] of headerTests) parts.push({ header: { name, ...test } })
  const queryTests = readValues(queryParams, false, [...path, 'queryParams'], problems)
  for (const [name, test] of queryTests) parts.push({ query: { name, ...test } })
  return {
    condition: parts.length < 2 ? parts[0] : { all: parts },
    pathRank: type === 'Exact' ? 2 : type === 'RegularExpression' ? 1 : 0,
    pathLength: lengthOf(type, String(value)),
    method: method !== undefined,
    headers: headerTests.size,
    queryParams: queryTests.size,
  }
}

/** Length of the canonical path, so that the spelling does not decide which of two paths is longer. */
function lengthOf(type: string, value: string): number {
  if (type === 'RegularExpression') return value.length
  const path = canonicalPath(bytesOf(value))
  return type === 'PathPrefix' ? normalizePrefix(path).length : path.length
}

function readPath(type: string, value: unknown, path: Path, problems: Problems): TextTest | undefined {
  if (typeof value !== 'string' || (type !== 'RegularExpression' && !value.startsWith('/'))) {
    problems.add([...path, 'value'], `begins with "/", received ${describe(value)}`)
    return undefined
  }
  if (type === 'Exact') return { exact: value }
  if (type === 'PathPrefix') return normalizePrefix(value) === '' ? undefined : { prefix: value }
  if (type === 'RegularExpression') return readRegex(value, [...path, 'value'], problems)
  problems.add([...path, 'type'], `is Exact, PathPrefix or RegularExpression, received ${describe(type)}`)
  return undefined
}

function readValues(
  list: readonly ValueMatch[] | undefined | null,
  isHeader: boolean,
  path: Path,
  problems: Problems,
): Map<string, TextTest> {
  const tests = new Map<string, TextTest>()
  if (list === undefined || list === null) return tests
  if (!Array.isArray(list)) {
    problems.add(path, `is a list, received ${describe(list)}`)
    return tests
  }
  for (const [index, entry] of list.entries()) {
    const at = [...path, index]
    if (!isFields(entry)) {
      problems.add(at, `is an object, received ${describe(entry)}`)
      continue
    }
    const { type = 'Exact', name, value } = entry as Partial<ValueMatch>
    if (isHeader) checkHeaderName(name, [...at, 'name'], problems)
    else if (typeof name !== 'string' || name === '') {
      problems.add([...at, 'name'], `is a non-empty text, received ${describe(name)}`)
    }
    if (typeof value !== 'string') {
      problems.add([...at, 'value'], `is a text, received ${describe(value)}`)
      continue
    }
    const problem = isHeader && type === 'Exact' ? headerValueProblem(value) : undefined
    if (problem !== undefined) problems.add([...at, 'value'], `${problem}, received ${describe(value)}`)
    const key = isHeader ? String(name).toLowerCase() : String(name)
    if (type !== 'Exact' && type !== 'RegularExpression') {
      problems.add([...at, 'type'], `is Exact or RegularExpression, received ${describe(type)}`)
    } else {
      const test = type === 'Exact' ? { exact: value } : readRegex(value, [...at, 'value'], problems)
      if (test !== undefined && !tests.has(key)) tests.set(key, test)
    }
  }
  return tests
}

function readRegex(pattern: string, path: Path, problems: Problems): TextTest | undefined {
  const problem = regexProblem(pattern)
  if (problem === undefined) return { regex: pattern }
  problems.add(path, problem)
  return undefined
}

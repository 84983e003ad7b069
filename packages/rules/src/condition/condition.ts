import { describe } from '@laneway/core/internal'
import type { Condition, NamedTest, TextTest } from '../document/document.js'
import { compileAddressTest } from './address-test.js'
import { canonicalHost, compileHostTest, isWildcard } from './host-test.js'
import {
  cookieOf,
  decodedCookieOf,
  headerOf,
  hostOf,
  parameterOf,
  pathOf,
  type RulesRequest,
  sentPathOf,
} from './request.js'
import { type Comparison, compileTextTest, normalizePrefix, spellingsOf, type Test } from './text-test.js'
import { bytesOf, canonicalPath, readablePath, textOf } from './wire-text.js'

/** Where an indexed value is read; the kinds of the index. */
export type AnchorKind = 'path' | 'prefix' | 'host' | 'method' | 'header' | 'query' | 'cookie'

/** A value that a request must have for a condition to hold. */
export interface Anchor {
  readonly kind: AnchorKind
  /** Of the header, parameter or cookie; empty for the other kinds. */
  readonly name: string
  readonly value: string
}

/** The result of a condition for a request, for people. */
export interface ConditionTrace {
  /** The condition in words, e.g. `header user-agent exact "xiaoming"`. */
  readonly condition: string
  readonly held: boolean
  /** The value in the request; absent when it has none, and for `all`, `any` and `not`. */
  readonly received?: string
  /** The parts of `all`, `any` and `not`, up to the one that decided. */
  readonly parts?: readonly ConditionTrace[]
}

/** A compiled condition. Request data never makes it throw. */
export interface CompiledCondition {
  readonly test: (request: RulesRequest) => boolean
  readonly trace: (request: RulesRequest) => ConditionTrace
  /**
   * Sets of anchors that may index this condition: when it holds, at least one anchor of each set holds. `cost` says how
   * common an anchor is. `undefined` when there are none.
   */
  readonly anchors: (cost: (anchor: Anchor) => number) => readonly Anchor[] | undefined
  /** Every anchor in it, to count how common each one is. */
  readonly allAnchors: readonly Anchor[]
  /** Whether its result can differ between two callers of the same URL. */
  readonly perCaller: boolean
}

/** Reads the address of a client; when it throws, there is none. */
export type ClientAddress = (request: RulesRequest) => string | undefined

/** Compiles a checked condition. */
export function compileCondition(condition: Condition, clientAddress: ClientAddress): CompiledCondition {
  if ('all' in condition) return compileAll(condition.all.map(part => compileCondition(part, clientAddress)))
  if ('any' in condition) return compileAny(condition.any.map(part => compileCondition(part, clientAddress)))
  if ('not' in condition) return compileNot(compileCondition(condition.not, clientAddress))
  if ('path' in condition) {
    const { path } = condition
    // A pattern may be written for the path as sent, or for the path that people read.
    const other = 'regex' in path ? sentPathOf : undefined
    return leaf('path', path, pathOf, compileTextTest(path, PATH), pathAnchors(path), false, other)
  }
  if ('host' in condition) {
    const { host } = condition
    return leaf('host', host, hostOf, compileHostTest(host), hostAnchors(host), false)
  }
  if ('method' in condition) {
    const { method } = condition
    return leaf('method', method, methodOf, compileTextTest(method), valueAnchors('method', [''], method, {}), false)
  }
  if ('header' in condition) return header(condition.header)
  if ('query' in condition) return query(condition.query)
  if ('cookie' in condition) return cookie(condition.cookie)
  const { address } = condition
  return leaf('address', address, clientAddress, compileAddressTest(address), [], true)
}

/** The condition of a rule without one. */
export const ALWAYS: CompiledCondition = Object.freeze({
  test: () => true,
  trace: () => ({ condition: 'every request', held: true }),
  anchors: () => undefined,
  allAnchors: [],
  perCaller: false,
})

const PATH: Comparison = { encode: text => canonicalPath(bytesOf(text)), bySegments: true, decode: readablePath }
const BYTES: Comparison = { encode: bytesOf }

function header({ name, ...test }: NamedTest): CompiledCondition {
  const lower = name.toLowerCase()
  const read = (request: RulesRequest) => headerOf(request, lower)
  const anchors = valueAnchors('header', [lower], test, BYTES)
  return leaf(`header ${lower}`, test, read, compileTextTest(test, BYTES), anchors, true)
}

function query({ name, ...test }: NamedTest): CompiledCondition {
  const bytes = bytesOf(name)
  const read = (request: RulesRequest) => parameterOf(request, bytes)
  const anchors = valueAnchors('query', [bytes], test, BYTES)
  return leaf(`query ${name}`, test, read, compileTextTest(test, BYTES), anchors, true)
}

function cookie({ name, ...test }: NamedTest): CompiledCondition {
  const bytes = bytesOf(name)
  // Libraries escape such names. Escapes in other names are not decoded, or `%75id` could pass for `uid`.
  const escaped = bytes === name ? name : encodeURIComponent(name)
  const read = (request: RulesRequest) => cookieOf(request, bytes) ?? cookieOf(request, escaped)
  const decoded = (request: RulesRequest) => decodedCookieOf(request, bytes) ?? decodedCookieOf(request, escaped)
  const names = bytes === escaped ? [bytes] : [bytes, escaped]
  const anchors = valueAnchors('cookie', names, test, BYTES)
  return leaf(`cookie ${name}`, test, read, compileTextTest(test, BYTES), anchors, true, decoded)
}

/** @param other - a second form of the same part; the condition holds when it holds for either */
function leaf(
  what: string,
  test: object,
  read: (request: RulesRequest) => string | undefined,
  check: Test,
  anchors: readonly Anchor[],
  perCaller: boolean,
  other?: (request: RulesRequest) => string | undefined,
): CompiledCondition {
  const [operator = '', operand] = Object.entries(test)[0] ?? []
  const words = `${what} ${operator} ${describe(operand)}`
  function holds(request: RulesRequest): boolean {
    if (check(read(request))) return true
    const second = other?.(request)
    return second !== undefined && check(second)
  }
  return {
    test: other === undefined ? request => check(read(request)) : holds,
    trace(request) {
      const value = read(request)
      const held = holds(request)
      if (value === undefined) return { condition: words, held }
      const received = textOf(value)
      return {
        condition: words,
        held,
        received: received.length > 80 ? `${received.slice(0, 77)}...` : received,
      }
    },
    anchors: () => (anchors.length === 0 ? undefined : anchors),
    allAnchors: anchors,
    perCaller,
  }
}

function compileAll(parts: readonly CompiledCondition[]): CompiledCondition {
  return {
    test(request) {
      for (const part of parts) if (!part.test(request)) return false
      return true
    },
    trace(request) {
      const traces: ConditionTrace[] = []
      for (const part of parts) {
        const trace = part.trace(request)
        traces.push(trace)
        if (!trace.held) return { condition: 'all', held: false, parts: traces }
      }
      return { condition: 'all', held: true, parts: traces }
    },
    anchors(cost) {
      let best: readonly Anchor[] | undefined
      let bestCost = Number.POSITIVE_INFINITY
      for (const part of parts) {
        const anchors = part.anchors(cost)
        if (anchors === undefined) continue
        const total = anchors.reduce((sum, anchor) => sum + cost(anchor), 0)
        if (total < bestCost) {
          best = anchors
          bestCost = total
        }
      }
      return best
    },
    allAnchors: parts.flatMap(part => part.allAnchors),
    perCaller: parts.some(part => part.perCaller),
  }
}

function compileAny(parts: readonly CompiledCondition[]): CompiledCondition {
  return {
    test(request) {
      for (const part of parts) if (part.test(request)) return true
      return false
    },
    trace(request) {
      const traces: ConditionTrace[] = []
      for (const part of parts) {
        const trace = part.trace(request)
        traces.push(trace)
        if (trace.held) return { condition: 'any', held: true, parts: traces }
      }
      return { condition: 'any', held: false, parts: traces }
    },
    anchors(cost) {
      const all: Anchor[] = []
      for (const part of parts) {
        const anchors = part.anchors(cost)
        if (anchors === undefined) return undefined
        all.push(...anchors)
      }
      return all
    },
    allAnchors: parts.flatMap(part => part.allAnchors),
    perCaller: parts.some(part => part.perCaller),
  }
}

function compileNot(part: CompiledCondition): CompiledCondition {
  return {
    test: request => !part.test(request),
    trace(request) {
      const trace = part.trace(request)
      return { condition: 'not', held: !trace.held, parts: [trace] }
    },
    // A value that a request must not have is no anchor.
    anchors: () => undefined,
    allAnchors: [],
    perCaller: part.perCaller,
  }
}

function valueAnchors(
  kind: AnchorKind,
  names: readonly string[],
  test: TextTest,
  comparison: Comparison,
): readonly Anchor[] {
  const texts = 'exact' in test ? [test.exact] : 'in' in test ? test.in : []
  const values = texts.flatMap(text => spellingsOf(text, comparison))
  return names.flatMap(name => values.map(value => ({ kind, name, value })))
}

function pathAnchors(test: TextTest): readonly Anchor[] {
  if (!('prefix' in test)) return valueAnchors('path', [''], test, PATH)
  return spellingsOf(test.prefix, PATH)
    .map(normalizePrefix)
    .filter(value => value !== '')
    .map(value => ({ kind: 'prefix', name: '', value }))
}

function hostAnchors(test: TextTest): readonly Anchor[] {
  const anchors = valueAnchors('host', [''], test, {})
  // An index needs exact values, and a wildcard is none.
  if (anchors.some(anchor => isWildcard(anchor.value))) return []
  return anchors.map(anchor => ({ ...anchor, value: canonicalHost(anchor.value) }))
}

function methodOf(request: RulesRequest): string | undefined {
  return typeof request.method === 'string' ? request.method : undefined
}

import { describe } from '@laneway/core'
import { compileAddressTest } from './address-test.js'
import type { Condition, NamedTest, TextTest } from './document.js'
import { compileHostTest, isWildcard } from './host-test.js'
import { cookieOf, headerOf, hostOf, parameterOf, pathOf, type RulesRequest } from './request.js'
import { compileTextTest, normalizePrefix, type Test } from './text-test.js'

/** Where an indexed value is read; the kinds of the index. */
export type AnchorKind = 'path' | 'prefix' | 'host' | 'method' | 'header' | 'query' | 'cookie'

/** A value that a request must have for a condition to hold. */
export interface Anchor {
  readonly kind: AnchorKind
  /** Of the header, parameter or cookie; empty for the other kinds. */
  readonly name: string
  readonly value: string
}

/** What a condition said about a request, for people. */
export interface ConditionTrace {
  /** The condition in words, e.g. `header user-agent exact "xiaoming"`. */
  readonly condition: string
  readonly held: boolean
  /** What the request has there; absent when it has nothing, and for `all`, `any` and `not`. */
  readonly received?: string
  /** The parts of `all`, `any` and `not`, up to the one that decided. */
  readonly parts?: readonly ConditionTrace[]
}

/** A compiled condition. Nothing in it throws on request data. */
export interface CompiledCondition {
  readonly test: (request: RulesRequest) => boolean
  readonly trace: (request: RulesRequest) => ConditionTrace
  /**
   * Sets of anchors that may index this condition: when it holds, at least one anchor of each set does. `cost` says how
   * common an anchor is. `undefined` when nothing can.
   */
  readonly anchors: (cost: (anchor: Anchor) => number) => readonly Anchor[] | undefined
  /** Every anchor in it, to count how common each one is. */
  readonly allAnchors: readonly Anchor[]
  /** Whether two callers that ask for the same URL can differ in it. */
  readonly perCaller: boolean
}

/** Reads the address of a client; one that throws knows none. */
export type ClientAddress = (request: RulesRequest) => string | undefined

/** Compiles a checked condition. */
export function compileCondition(condition: Condition, clientAddress: ClientAddress): CompiledCondition {
  if ('all' in condition) return compileAll(condition.all.map(part => compileCondition(part, clientAddress)))
  if ('any' in condition) return compileAny(condition.any.map(part => compileCondition(part, clientAddress)))
  if ('not' in condition) return compileNot(compileCondition(condition.not, clientAddress))
  if ('path' in condition) {
    const { path } = condition
    return leaf('path', path, pathOf, compileTextTest(path, true), pathAnchors(path), false)
  }
  if ('host' in condition) {
    const { host } = condition
    return leaf('host', host, hostOf, compileHostTest(host), hostAnchors(host), false)
  }
  if ('method' in condition) {
    const { method } = condition
    return leaf('method', method, methodOf, compileTextTest(method), valueAnchors('method', '', method), false)
  }
  if ('header' in condition) return named('header', condition.header, condition.header.name.toLowerCase(), headerOf)
  if ('query' in condition) return named('query', condition.query, condition.query.name, parameterOf)
  if ('cookie' in condition) return named('cookie', condition.cookie, condition.cookie.name, cookieOf)
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

function named(
  kind: 'header' | 'query' | 'cookie',
  test: NamedTest,
  name: string,
  read: (request: RulesRequest, name: string) => string | undefined,
): CompiledCondition {
  const { name: _, ...rest } = test
  return leaf(
    `${kind} ${name}`,
    rest,
    request => read(request, name),
    compileTextTest(test),
    valueAnchors(kind, name, test),
    true,
  )
}

function leaf(
  what: string,
  test: object,
  read: (request: RulesRequest) => string | undefined,
  check: Test,
  anchors: readonly Anchor[],
  perCaller: boolean,
): CompiledCondition {
  const [operator = '', operand] = Object.entries(test)[0] ?? []
  const words = `${what} ${operator} ${describe(operand)}`
  return {
    test: request => check(read(request)),
    trace(request) {
      const value = read(request)
      const held = check(value)
      return value === undefined
        ? { condition: words, held }
        : { condition: words, held, received: value.length > 80 ? `${value.slice(0, 77)}...` : value }
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
    // What a request must not have says nothing about what it has.
    anchors: () => undefined,
    allAnchors: [],
    perCaller: part.perCaller,
  }
}

function valueAnchors(kind: AnchorKind, name: string, test: TextTest): Anchor[] {
  const values = 'exact' in test ? [test.exact] : 'in' in test ? test.in : []
  return values.map(value => ({ kind, name, value }))
}

function pathAnchors(test: TextTest): Anchor[] {
  if (!('prefix' in test)) return valueAnchors('path', '', test)
  const value = normalizePrefix(test.prefix)
  return value === '' ? [] : [{ kind: 'prefix', name: '', value }]
}

function hostAnchors(test: TextTest): Anchor[] {
  const anchors = valueAnchors('host', '', test)
  // A wildcard cannot be looked up, and an index has to know all values.
  if (anchors.some(anchor => isWildcard(anchor.value))) return []
  return anchors.map(anchor => ({ ...anchor, value: anchor.value.toLowerCase() }))
}

function methodOf(request: RulesRequest): string | undefined {
  return typeof request.method === 'string' ? request.method : undefined
}

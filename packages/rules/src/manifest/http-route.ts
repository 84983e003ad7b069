import { describe } from '@laneway/core/internal'
import { createCallerDependence } from '../condition/caller-dependence.js'
import { ALWAYS, compileCondition } from '../condition/condition.js'
import { canonicalHost, hostProblem } from '../condition/host-test.js'
import { peerAddress, type RulesRequest } from '../condition/request.js'
import { FirstMatch } from '../decision/first-match.js'
import { isFields } from '../document/check-condition.js'
import type { Condition } from '../document/document.js'
import { type Path, Problems } from '../document/problems.js'
import { type HttpRoute, nameOf, type RouteRule } from './manifest.js'
import { ANY_PATH, type ReadMatch, readMatch } from './route-match.js'

/** One match of one rule for one host name, in the order of precedence. */
export interface RouteEntry {
  readonly route: HttpRoute
  readonly rule: RouteRule
  readonly ruleIndex: number
  readonly matchIndex: number
  readonly condition: Condition | undefined
  /** Place of the rule in the document. */
  readonly path: Path
}

/** The rule that takes a request. */
export interface RouteMatched {
  readonly route: HttpRoute
  readonly rule: RouteRule
  readonly ruleIndex: number
  readonly matchIndex: number
  readonly position: number
  /**
   * Another caller may get another rule for the same method and URL, because this match or one before it looks at headers
   * or query parameters.
   */
  readonly perCaller: boolean
}

/**
 * Finds the rule of a request among all rules of all routes by the precedence of Gateway API: host name, exact path,
 * regular expression (Gateway API leaves its place open), longest prefix, method, most headers, most query parameters, oldest
 * route, name, order. The matcher never throws.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES`
 */
export function createRouteMatcher(routes: readonly HttpRoute[]): (request: RulesRequest) => RouteMatched | undefined {
  const problems = new Problems()
  const entries = readRoutes(
    routes.map((route, index) => [route, [index]]),
    problems,
  )
  problems.throwIfAny('HTTPRoute')
  const conditions = entries.map(({ condition }) =>
    condition === undefined ? ALWAYS : compileCondition(condition, peerAddress),
  )
  const dependsOnCaller = createCallerDependence(
    entries.map(({ condition }, position) => ({ condition, perCaller: conditions[position]!.perCaller })),
  )
  const matches = (perCaller: boolean): readonly RouteMatched[] =>
    entries.map(({ route, rule, ruleIndex, matchIndex }, position) =>
      Object.freeze({ route, rule, ruleIndex, matchIndex, position, perCaller }),
    )
  const forAll = matches(false)
  const forCallers = matches(true)
  const index = new FirstMatch(
    conditions.map((condition, position) => {
      const matched = (condition.perCaller ? forCallers : forAll)[position]!
      return { condition, outcome: () => matched }
    }),
  )
  return request => {
    const matched = index.find(request)
    if (matched === undefined || matched.perCaller || !dependsOnCaller(request, matched.position)) return matched
    return forCallers[matched.position]
  }
}

/** Reads routes into entries by precedence, and adds what is wrong to `problems`. */
export function readRoutes(routes: readonly (readonly [HttpRoute, Path])[], problems: Problems): RouteEntry[] {
  const found: (RouteEntry & { readonly match: ReadMatch; readonly host: string })[] = []
  for (const [route, at] of routes) {
    const spec: unknown = route.spec
    if (!isFields(spec)) {
      problems.add([...at, 'spec'], `is an object, received ${describe(spec)}`)
      continue
    }
    const hosts = listOf(spec['hostnames'], [...at, 'spec', 'hostnames'], problems).map((host, index) => {
      const problem = hostProblem(String(host))
      if (problem !== undefined) {
        problems.add([...at, 'spec', 'hostnames', index], `${problem}, received ${describe(host)}`)
      }
      return canonicalHost(String(host))
    })
    const rules = listOf(spec['rules'], [...at, 'spec', 'rules'], problems)
    for (const [ruleIndex, rule] of rules.entries()) {
      const path = [...at, 'spec', 'rules', ruleIndex]
      if (!isFields(rule)) {
        problems.add(path, `is an object, received ${describe(rule)}`)
        continue
      }
      const given = listOf(rule['matches'], [...path, 'matches'], problems)
      const matches = given.map((match, index) => readMatch(match, [...path, 'matches', index], problems))
      for (const [matchIndex, match] of (matches.length === 0 ? [ANY_PATH] : matches).entries()) {
        for (const host of hosts.length === 0 ? [''] : hosts) {
          const condition = withHost(match.condition, host)
          found.push({ route, rule: rule as RouteRule, ruleIndex, matchIndex, condition, path, match, host })
        }
      }
    }
  }
  // The sort is stable: of equal rules, the first rule of the first route comes first.
  return found.sort(
    (a, b) =>
      hostRank(b.host) - hostRank(a.host) ||
      b.match.pathRank - a.match.pathRank ||
      b.match.pathLength - a.match.pathLength ||
      Number(b.match.method) - Number(a.match.method) ||
      b.match.headers - a.match.headers ||
      b.match.queryParams - a.match.queryParams ||
      compareText(createdAt(a.route), createdAt(b.route)) ||
      compareText(nameOf(a.route), nameOf(b.route)) ||
      a.ruleIndex - b.ruleIndex,
  )
}

/** A list that may be absent. */
export function listOf(value: unknown, path: Path, problems: Problems): unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  problems.add(path, `is a list, received ${describe(value)}`)
  return []
}

function withHost(condition: Condition | undefined, host: string): Condition | undefined {
  if (host === '') return condition
  const sameHost: Condition = { host: { exact: host } }
  return condition === undefined ? sameHost : { all: [sameHost, condition] }
}

/** Names come before wildcards, then longer hosts first; host names have at most 253 characters. */
function hostRank(host: string): number {
  return host === '' ? 0 : host.length + (host.startsWith('*.') ? 0 : 1000)
}

/** Times of RFC 3339 in UTC compare as text; a route without a time counts as the youngest. */
function createdAt(route: HttpRoute): string {
  return route.metadata?.creationTimestamp ?? '~'
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

import { FirstMatch } from '../decision/first-match.js'
import type { Condition } from '../document/document.js'
import { ALWAYS, compileCondition } from './condition.js'
import type { RulesRequest } from './request.js'

/** One entry of an ordered list, with its condition. */
export interface OrderedCondition {
  /** `undefined`: every request. */
  readonly condition: Condition | undefined
  /** Its result can differ between two callers of the same URL. */
  readonly perCaller: boolean
}

/**
 * Whether an entry before `position` may decide for another caller of the same method and URL. Then the outcome depends on
 * the caller, even when the entry that decided looks only at the URL. Never throws.
 */
export type DependsOnCaller = (request: RulesRequest, position: number) => boolean

/**
 * Compiles this test for a list of entries. It reduces conditions to their parts about method, host and path: where these
 * cannot hold, no caller can match the entry. It indexes them like the entries themselves, so that a thousand of them cost
 * one look-up.
 */
export function createCallerDependence(entries: readonly OrderedCondition[]): DependsOnCaller {
  const kept = entries
    .map(({ condition, perCaller }, position) => ({ condition, perCaller, original: position }))
    .filter(({ perCaller }) => perCaller)
  if (kept.length === 0) return () => false
  const index = new FirstMatch(
    kept.map(({ condition, original }, position) => {
      const reduced = condition === undefined ? undefined : mayHold(condition)
      const found = { position, original }
      return { condition: reduced === undefined ? ALWAYS : compileCondition(reduced, noAddress), outcome: () => found }
    }),
  )
  const first = kept[0]!.original
  return (request, position) =>
    position > first && (index.find(request)?.original ?? Number.POSITIVE_INFINITY) < position
}

/** Holds whenever the condition holds for any caller of a URL; `undefined`: for every URL. */
function mayHold(condition: Condition): Condition | undefined {
  if ('all' in condition) {
    const parts = condition.all.map(mayHold).filter(part => part !== undefined)
    return parts.length === 0 ? undefined : { all: parts }
  }
  if ('any' in condition) {
    const parts = condition.any.map(mayHold)
    return parts.includes(undefined) ? undefined : { any: parts as Condition[] }
  }
  if ('not' in condition) {
    const always = mustHold(condition.not)
    return always === undefined ? undefined : { not: always }
  }
  return isOfUrl(condition) ? condition : undefined
}

/** Holds only where the condition holds for all callers of a URL; `undefined`: for no URL. */
function mustHold(condition: Condition): Condition | undefined {
  if ('all' in condition) {
    const parts = condition.all.map(mustHold)
    return parts.includes(undefined) ? undefined : { all: parts as Condition[] }
  }
  if ('any' in condition) {
    const parts = condition.any.map(mustHold).filter(part => part !== undefined)
    return parts.length === 0 ? undefined : { any: parts }
  }
  if ('not' in condition) {
    const may = mayHold(condition.not)
    return may === undefined ? undefined : { not: may }
  }
  return isOfUrl(condition) ? condition : undefined
}

function isOfUrl(condition: Condition): boolean {
  return 'path' in condition || 'host' in condition || 'method' in condition
}

function noAddress(): undefined {
  return undefined
}

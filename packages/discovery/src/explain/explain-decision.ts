import { BASE_TAG, type Lane } from '@laneway/core'
import type { Outcome } from '../table/choice.js'
import type { Group } from '../table/group.js'
import type { LanePolicy } from '../table/lane-policy.js'
import type { LaneTable } from '../table/lane-table.js'
import type { Seat } from '../table/seat.js'

/** Addresses that an explanation lists; the rest is counted. */
const MOST_CANDIDATES = 100

/** One place where an endpoint was looked for. */
export interface ExplainedStep {
  /** The lane, `undefined` for base. */
  readonly tag: string | undefined
  readonly endpoints: number
  readonly usable: number
  /** Why the others are not usable; an endpoint counts under the first reason that holds. */
  readonly leftOut: {
    readonly disabled: number
    readonly weightless: number
    readonly unhealthy: number
    readonly ejected: number
    readonly tried: number
  }
  /**
   * - `serves`: one of its usable endpoints is chosen
   * - `panic`: none is usable, an enabled one is chosen all the same
   * - `missing`: there are no endpoints
   * - `unavailable`: there are endpoints, none of which may be chosen
   */
  readonly verdict: 'serves' | 'panic' | 'missing' | 'unavailable'
}

/** How a request would be decided, as plain data. */
export interface Decision {
  readonly outcome: Outcome
  /** The tag that serves, `undefined` for base or none. */
  readonly served: string | undefined
  /** The policy that applied, when no tag of the lane could serve. */
  readonly policy: LanePolicy | undefined
  /** What was looked at, in that order. */
  readonly steps: readonly ExplainedStep[]
  /** Addresses of which the balancer chooses one, at most 100. */
  readonly candidates: readonly string[]
  readonly candidateCount: number
}

type Tried = ReadonlySet<string> | undefined

/**
 * Decides as `LaneTable.pick` does, by plain filters instead of prepared pickers, and keeps the trail. Chooses no
 * endpoint, so it moves neither the random draws nor the turn of a round robin.
 */
export function explainDecision(table: LaneTable, lane: Lane | undefined, tried: Tried): Decision {
  const steps: ExplainedStep[] = []
  const end = lane === undefined ? 0 : lane.tags.indexOf(BASE_TAG)
  const tags = lane === undefined ? [] : end === -1 ? lane.tags : lane.tags.slice(0, end)
  const groups = tags.flatMap(tag => table.lanes.get(tag) ?? [])
  for (const tag of tags) {
    const usable = usableOf(table.lanes.get(tag), tried)
    steps.push(step(tag, table.lanes.get(tag), tried, usable.length > 0 ? 'serves' : undefined))
    if (usable.length > 0) return decision('lane', tag, undefined, steps, usable)
  }
  if (tags.length === 0) return decideBase(table, tried, steps, undefined, 'base')
  const policy = table.policies.of(tags[0]!)
  const action = groups.length > 0 ? policy.whenLaneUnavailable : policy.whenLaneMissing
  if (action === 'fail') return decision('lane-required', undefined, policy, steps, [])
  if (action === 'panic') {
    for (const group of groups) {
      const anyhow = anyhowOf(group, tried)
      if (anyhow.length === 0) continue
      steps.push(step(group.tag, group, tried, 'panic'))
      return decision('panic', group.tag, policy, steps, anyhow)
    }
  }
  return decideBase(table, tried, steps, policy, groups.length > 0 ? 'fallback-unavailable' : 'fallback-missing')
}

function decideBase(
  table: LaneTable,
  tried: Tried,
  steps: ExplainedStep[],
  policy: LanePolicy | undefined,
  outcome: Outcome,
): Decision {
  const usable = usableOf(table.base, tried)
  const anyhow = anyhowOf(table.base, tried)
  const verdict = usable.length > 0 ? 'serves' : anyhow.length > 0 ? 'panic' : undefined
  steps.push(step(undefined, table.base, tried, verdict))
  if (usable.length > 0) return decision(outcome, undefined, policy, steps, usable)
  if (anyhow.length > 0) return decision('panic', undefined, policy, steps, anyhow)
  if (outcome === 'base' && table.any !== undefined) {
    const some = usableOf(table.any, tried)
    const all = some.length > 0 ? some : anyhowOf(table.any, tried)
    if (all.length > 0) return decision('panic', all.length === 1 ? all[0]!.tag : undefined, policy, steps, all)
  }
  return decision('no-base', undefined, policy, steps, [])
}

function decision(
  outcome: Outcome,
  served: string | undefined,
  policy: LanePolicy | undefined,
  steps: readonly ExplainedStep[],
  seats: readonly Seat[],
): Decision {
  const candidates = seats.slice(0, MOST_CANDIDATES).map(seat => seat.endpoint.address)
  return { outcome, served, policy, steps, candidates, candidateCount: seats.length }
}

function usableOf(group: Group | undefined, tried: Tried): readonly Seat[] {
  return group?.seats.filter(seat => seat.fit && !seat.load.ejected && !tried?.has(seat.endpoint.address)) ?? []
}

function anyhowOf(group: Group, tried: Tried): readonly Seat[] {
  const enabled = group.seats.filter(seat => seat.enabled)
  const fresh = enabled.filter(seat => !tried?.has(seat.endpoint.address))
  return fresh.length > 0 ? fresh : enabled
}

function step(
  tag: string | undefined,
  group: Group | undefined,
  tried: Tried,
  verdict: 'serves' | 'panic' | undefined,
): ExplainedStep {
  const leftOut = { disabled: 0, weightless: 0, unhealthy: 0, ejected: 0, tried: 0 }
  let usable = 0
  for (const { endpoint, load } of group?.seats ?? []) {
    if (!endpoint.enabled) leftOut.disabled++
    else if (endpoint.weight === 0) leftOut.weightless++
    else if (endpoint.health === 'unhealthy') leftOut.unhealthy++
    else if (load.ejected) leftOut.ejected++
    else if (tried?.has(endpoint.address)) leftOut.tried++
    else usable++
  }
  const endpoints = group?.seats.length ?? 0
  return { tag, endpoints, usable, leftOut, verdict: verdict ?? (endpoints === 0 ? 'missing' : 'unavailable') }
}

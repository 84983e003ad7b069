import { BASE_TAG, type Lane } from '@laneway/core'
import type { Outcome } from '../table/choice.js'
import type { Group } from '../table/group.js'
import type { LanePolicy } from '../table/lane-policy.js'
import type { LaneTable } from '../table/lane-table.js'
import type { Seat } from '../table/seat.js'
import type { ZoneRoute } from '../zone/zone-routing.js'

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
    /** Left out when it is 0: `maxInFlight` requests are in flight. */
    readonly full?: number
  }
  /** How many of the usable ones still warm up, with less than their whole weight. Left out when there are none. */
  readonly warming?: number
  /** How the own zone is preferred; left out when zones make no difference here. */
  readonly zones?: readonly ExplainedZone[]
  /**
   * - `serves`: one of its usable endpoints is chosen
   * - `panic`: none is usable, or less than `panicThreshold`; an enabled one is chosen all the same
   * - `full`: those that could serve have as many requests in flight as they may have
   * - `missing`: there are no endpoints
   * - `unavailable`: there are endpoints, none of which may be chosen
   */
  readonly verdict: 'serves' | 'panic' | 'full' | 'missing' | 'unavailable'
}

/** What one zone gets. */
export interface ExplainedZone {
  /** `undefined` for endpoints without a zone. */
  readonly zone: string | undefined
  /** Usable endpoints. */
  readonly usable: number
  /** Of the requests, 0 to 1. A zone of share 0 serves when no endpoint of the others can. */
  readonly share: number
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
    const group = table.lanes.get(tag)
    const found = candidatesOf(group, tried)
    const full = found.length === 0 && group?.isFull(tried) === true
    const verdict = found.length > 0 ? servesBy(group) : full ? 'full' : undefined
    steps.push(step(tag, group, tried, verdict))
    if (found.length > 0) return decision(group?.panics ? 'panic' : 'lane', tag, undefined, steps, found)
    if (full) return decision('overloaded', undefined, undefined, steps, [])
  }
  if (tags.length === 0) return decideBase(table, tried, steps, undefined, 'base')
  const policy = table.policies.of(tags[0]!)
  const action = groups.length > 0 ? policy.whenLaneUnavailable : policy.whenLaneMissing
  if (action === 'fail') return decision('lane-required', undefined, policy, steps, [])
  const last = action === 'panic' ? groups.find(({ enabled }) => enabled > 0) : undefined
  if (last !== undefined) {
    const anyhow = anyhowOf(last, tried)
    steps.push(step(last.tag, last, tried, anyhow.length > 0 ? 'panic' : 'full'))
    if (anyhow.length === 0) return decision('overloaded', undefined, policy, steps, [])
    return decision('panic', last.tag, policy, steps, anyhow)
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
  const { base, any } = table
  const found = candidatesOf(base, tried)
  const full = found.length === 0 && base.isFull(tried)
  const anyhow = full ? [] : anyhowOf(base, tried)
  const verdict =
    found.length > 0 ? servesBy(base) : anyhow.length > 0 ? 'panic' : base.enabled > 0 ? 'full' : undefined
  steps.push(step(undefined, base, tried, verdict))
  if (found.length > 0) return decision(base.panics ? 'panic' : outcome, undefined, policy, steps, found)
  if (anyhow.length > 0) return decision('panic', undefined, policy, steps, anyhow)
  if (base.enabled > 0) return decision('overloaded', undefined, policy, steps, [])
  if (outcome === 'base' && any !== undefined && any.enabled > 0) {
    const some = candidatesOf(any, tried)
    const all = some.length > 0 || any.isFull(tried) ? some : anyhowOf(any, tried)
    if (all.length === 0) return decision('overloaded', undefined, policy, steps, [])
    return decision('panic', all.length === 1 ? all[0]!.tag : undefined, policy, steps, all)
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

function servesBy(group: Group | undefined): 'serves' | 'panic' {
  return group?.panics ? 'panic' : 'serves'
}

function isFree(seat: Seat, tried: Tried): boolean {
  return !seat.load.full && !tried?.has(seat.endpoint.address)
}

/** The seats of which one is chosen: of the preferred zones as long as they have some. In panic, any enabled one. */
function candidatesOf(group: Group | undefined, tried: Tried): readonly Seat[] {
  if (group === undefined) return []
  if (group.panics) return group.seats.filter(seat => seat.enabled && isFree(seat, tried))
  const isCandidate = (seat: Seat) => seat.fit && !seat.load.ejected && isFree(seat, tried)
  const preferred = group.route?.seats.filter(isCandidate) ?? []
  return preferred.length > 0 ? preferred : group.seats.filter(isCandidate)
}

/** Without any that is full. */
function anyhowOf(group: Group, tried: Tried): readonly Seat[] {
  const enabled = group.seats.filter(seat => seat.enabled && !seat.load.full)
  const fresh = enabled.filter(seat => isFree(seat, tried))
  return fresh.length > 0 ? fresh : enabled
}

function step(
  tag: string | undefined,
  group: Group | undefined,
  tried: Tried,
  verdict: ExplainedStep['verdict'] | undefined,
): ExplainedStep {
  const leftOut = { disabled: 0, weightless: 0, unhealthy: 0, ejected: 0, tried: 0 }
  let usable = 0
  let full = 0
  let warming = 0
  for (const { endpoint, load } of group?.seats ?? []) {
    if (!endpoint.enabled) leftOut.disabled++
    else if (endpoint.weight === 0) leftOut.weightless++
    else if (endpoint.health === 'unhealthy') leftOut.unhealthy++
    else if (load.ejected) leftOut.ejected++
    else if (tried?.has(endpoint.address)) leftOut.tried++
    else if (load.full) full++
    else {
      usable++
      if (load.warming) warming++
    }
  }
  const endpoints = group?.seats.length ?? 0
  return {
    tag,
    endpoints,
    usable,
    leftOut: full === 0 ? leftOut : { ...leftOut, full },
    ...(warming > 0 && { warming }),
    ...(group?.route !== undefined && !group.panics && { zones: zonesOf(group, group.route) }),
    verdict: verdict ?? (endpoints === 0 ? 'missing' : 'unavailable'),
  }
}

/** The zones by falling share. */
function zonesOf({ seats }: Group, { shares }: ZoneRoute): readonly ExplainedZone[] {
  const usable = new Map<string | undefined, number>()
  for (const { fit, load, endpoint } of seats) {
    if (fit && !load.ejected) usable.set(endpoint.zone, (usable.get(endpoint.zone) ?? 0) + 1)
  }
  const zones = Array.from(usable, ([zone, count]) => ({ zone, usable: count, share: shares.get(zone) ?? 0 }))
  return zones.sort((a, b) => b.share - a.share)
}

import { isTag } from '@laneway/core'
import { type Option, OptionPlace, type OptionTable, oneOf, optional, readOptions, text } from '@laneway/core/internal'

/** A lane that a service does not have at all: `base` serves, or nothing does. */
export type WhenLaneMissing = 'base' | 'fail'
/** A lane whose endpoints are all unusable: `base` serves, nothing does, or any enabled endpoint of the lane does. */
export type WhenLaneUnavailable = 'base' | 'fail' | 'panic'

/** What happens when a lane cannot serve. */
export interface LanePolicy {
  readonly whenLaneMissing: WhenLaneMissing
  readonly whenLaneUnavailable: WhenLaneUnavailable
}

/** An exception from the resolver's policy, for a service, a lane, or one lane of one service. */
export interface LanePolicyRule {
  /** Every service when left out. */
  readonly service?: string
  /** The first tag of the request's lane; every lane when left out. */
  readonly lane?: string
  readonly whenLaneMissing?: WhenLaneMissing
  readonly whenLaneUnavailable?: WhenLaneUnavailable
}

/** The policies of one service, ready for look-up by tag. */
export class ServicePolicies {
  readonly #byTag: ReadonlyMap<string, LanePolicy>
  readonly #other: LanePolicy

  constructor(byTag: ReadonlyMap<string, LanePolicy>, other: LanePolicy) {
    this.#byTag = byTag
    this.#other = other
  }

  of(tag: string): LanePolicy {
    return this.#byTag.get(tag) ?? this.#other
  }
}

const SETTINGS = ['whenLaneMissing', 'whenLaneUnavailable'] as const
type Setting = (typeof SETTINGS)[number]

export const WHEN_LANE_MISSING = ['base', 'fail'] as const
export const WHEN_LANE_UNAVAILABLE = ['base', 'fail', 'panic'] as const

const tag: Option<string> = (value, place) => {
  if (isTag(value)) return value
  throw place.unexpected('one lane tag', value)
}

const RULE = {
  service: text(undefined),
  lane: optional(tag),
  whenLaneMissing: oneOf(WHEN_LANE_MISSING, undefined),
  whenLaneUnavailable: oneOf(WHEN_LANE_UNAVAILABLE, undefined),
} satisfies OptionTable<LanePolicyRule>

/**
 * Compiles the policies. Of the rules that match a service and a lane, the one that names more of them wins, setting by
 * setting; two that name equally much and could both match are refused.
 *
 * @param keyOf - brings service names into the form in which they are equal
 * @returns the policies of a service, by its key
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function compilePolicies(
  rules: readonly LanePolicyRule[],
  defaults: LanePolicy,
  keyOf: (service: string) => string,
): (serviceKey: string) => ServicePolicies {
  const checked = rules.map((rule, index) => check(rule, new OptionPlace('', ['policies', index]), keyOf))
  refuseTies(checked)
  const tags = new Set(checked.flatMap(rule => (rule.lane === undefined ? [] : [rule.lane])))
  return serviceKey => {
    const byTag = new Map<string, LanePolicy>()
    for (const tag of tags) byTag.set(tag, resolve(checked, defaults, serviceKey, tag))
    return new ServicePolicies(byTag, resolve(checked, defaults, serviceKey, undefined))
  }
}

function check(rule: LanePolicyRule, place: OptionPlace, keyOf: (service: string) => string): LanePolicyRule {
  const { service, whenLaneMissing, whenLaneUnavailable } = readOptions(place, rule, RULE)
  if (whenLaneMissing === undefined && whenLaneUnavailable === undefined) throw place.invalid('sets nothing')
  return service === undefined ? { ...rule } : { ...rule, service: keyOf(service) }
}

function rank(rule: LanePolicyRule): number {
  return (rule.service === undefined ? 0 : 1) + (rule.lane === undefined ? 0 : 1)
}

function resolve(
  rules: readonly LanePolicyRule[],
  defaults: LanePolicy,
  serviceKey: string,
  tag: string | undefined,
): LanePolicy {
  const winner: { -readonly [K in Setting]: LanePolicy[K] } = { ...defaults }
  // By rising rank: what is written later is more specific.
  for (const rule of [...rules].sort((a, b) => rank(a) - rank(b))) {
    if (rule.service !== undefined && rule.service !== serviceKey) continue
    if (rule.lane !== undefined && rule.lane !== tag) continue
    winner.whenLaneMissing = rule.whenLaneMissing ?? winner.whenLaneMissing
    winner.whenLaneUnavailable = rule.whenLaneUnavailable ?? winner.whenLaneUnavailable
  }
  return Object.freeze(winner)
}

function refuseTies(rules: readonly LanePolicyRule[]): void {
  rules.forEach((rule, index) => {
    for (let other = 0; other < index; other++) {
      const setting = SETTINGS.find(one => isTie(rules, rules[other]!, rule, one))
      if (setting === undefined) continue
      throw new OptionPlace('', ['policies', other]).invalid(
        `and policies[${index}] both set ${setting} for the same service and lane, and neither is more specific`,
      )
    }
  })
}

function isTie(rules: readonly LanePolicyRule[], a: LanePolicyRule, b: LanePolicyRule, setting: Setting): boolean {
  if (a[setting] === undefined || b[setting] === undefined || rank(a) !== rank(b)) return false
  if (a.service === b.service && a.lane === b.lane) return true
  if (rank(a) !== 1 || (a.service === undefined) === (b.service === undefined)) return false
  // One names a service, the other a lane: both match that lane of that service, unless a rule for exactly it decides.
  const service = a.service ?? b.service
  const lane = a.lane ?? b.lane
  return !rules.some(rule => rule.service === service && rule.lane === lane && rule[setting] !== undefined)
}

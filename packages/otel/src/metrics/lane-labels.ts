import { BASE_TAG, isTag, type Lane, LanewayError, ownLane } from '@laneway/core'

/** Most lanes that get a label value of their own; what a time series database stores grows with them. */
export const MAX_LANE_LABELS = 32
/** What every other lane is counted as. */
export const OTHER_LANE = '_other'

/** What is needed of a `LaneResolver`. */
export interface ObservedResolver {
  states(): Iterable<ObservedService>
}

/** What is needed of a `ServiceState`. */
export interface ObservedService {
  readonly service: string
  readonly ageMs: number | undefined
  readonly base: ObservedCount
  readonly lanes: ReadonlyMap<string, ObservedCount>
}

/** What is needed of a `LaneCount`. */
export interface ObservedCount {
  readonly endpoints: number
  readonly usable: number
  readonly ejected: number
}

/**
 * Label values for lanes. A lane is what a client sent, so only names that are known get a value of their own: configured
 * ones, the instance's, and those of the registry. The first 32 of a process keep theirs until it ends.
 */
export class LaneLabels {
  /** The instance's lane. */
  readonly own: string
  readonly #known = new Set<string>()
  readonly #resolver: ObservedResolver | undefined
  #stale = true

  /** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
  constructor(where: string, configured: readonly string[], resolver: ObservedResolver | undefined) {
    for (const tag of configured) {
      if (!isTag(tag)) throw new LanewayError('LANEWAY_INVALID_TAG', `${where}: lanes holds "${tag}", which is no tag`)
      this.learn(tag)
    }
    if (this.#known.size < new Set(configured).size) {
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        `${where}: lanes holds ${configured.length} tags, at most ${MAX_LANE_LABELS} get a label`,
      )
    }
    this.own = ownLane()?.header ?? BASE_TAG
    this.learn(this.own)
    this.#resolver = resolver
  }

  /** A tag that a registry listed. */
  learn(tag: string): void {
    if (this.#known.size < MAX_LANE_LABELS && tag !== BASE_TAG) this.#known.add(tag)
  }

  /** The registry has reported something new. */
  changed(): void {
    this.#stale = true
  }

  /** The label of a lane: `base` for none, else the first of its tags that is known. */
  of(lane: Lane | undefined): string {
    if (lane === undefined) return BASE_TAG
    const label = this.#find(lane)
    if (label !== undefined || !this.#stale || this.#resolver === undefined) return label ?? OTHER_LANE
    this.#stale = false
    for (const { lanes } of this.#resolver.states()) for (const tag of lanes.keys()) this.learn(tag)
    return this.#find(lane) ?? OTHER_LANE
  }

  /** The label of a single tag, or of `base`. */
  ofTag(tag: string): string {
    return tag === BASE_TAG || this.#known.has(tag) ? tag : OTHER_LANE
  }

  #find({ tags }: Lane): string | undefined {
    for (const tag of tags) if (tag === BASE_TAG || this.#known.has(tag)) return tag
    return undefined
  }
}

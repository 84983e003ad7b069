import type { LaneTable } from '../table/lane-table.js'
import type { ResolvedZoneOptions } from './zone-options.js'
import { callersIn } from './zone-plan.js'
import type { ZoneWeights } from './zone-shares.js'

interface CallingService {
  readonly table: LaneTable | undefined
}

/** Where the callers are: as the user says, or as the instances of the own service are spread now. */
export class CallerZones {
  /** The own service, when it says where the callers are. */
  readonly service: string | undefined
  readonly #entryOf: (service: string) => CallingService | undefined
  #weights: ZoneWeights | undefined

  constructor(callers: ResolvedZoneOptions['callers'], entryOf: (service: string) => CallingService | undefined) {
    this.#entryOf = entryOf
    if (typeof callers === 'string') this.service = callers
    else this.#weights = callers
  }

  /** How many callers each zone has; `undefined` while nobody knows. */
  get weights(): ZoneWeights | undefined {
    return this.#weights
  }

  /** A source has reported on a service. @returns whether the callers have moved with it */
  moved(entry: CallingService): boolean {
    if (this.service === undefined || this.#entryOf(this.service) !== entry) return false
    const weights = entry.table && callersIn(entry.table.members)
    // What was known stays while the registry has nothing to say.
    if (weights === undefined || isEqual(weights, this.#weights)) return false
    this.#weights = weights
    return true
  }
}

function isEqual(one: ZoneWeights, other: ZoneWeights | undefined): boolean {
  if (one.size !== other?.size) return false
  for (const [zone, weight] of one) if (other.get(zone) !== weight) return false
  return true
}

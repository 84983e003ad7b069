import type { Clock } from '../clock.js'
import type { EndpointLoad } from './endpoint-load.js'
import type { Group } from './group.js'

/** Of base or of a lane, the share that timeouts and statuses eject at a time; at least one. As Envoy's and gRPC's default. */
const MOST = 0.1

/**
 * Whether timeouts and statuses may eject. An endpoint that cannot be connected to serves nobody, so its ejection costs
 * nothing. One that is slow or answers with errors may be overloaded, and so may be the others: each ejection gives them
 * its share, and when they fail for that, more are ejected, until all fail.
 */
export class SoftEjection {
  readonly #clock: Clock
  readonly #pauseMs: number
  /** By tag. */
  readonly #pausedUntil = new Map<string | undefined, number>()

  /** @param pauseMs - without such ejections, after one that did harm */
  constructor(clock: Clock, pauseMs: number) {
    this.#clock = clock
    this.#pauseMs = pauseMs
  }

  allows(group: Group, load: EndpointLoad): boolean {
    const until = this.#pausedUntil.get(group.tag)
    if (until !== undefined && until > this.#clock.now()) return false
    this.#pausedUntil.delete(group.tag)
    const { serving, failing, heldBack } = group.census(load)
    return serving > 0 && failing * 2 <= serving && heldBack < Math.max(1, Math.floor(group.enabled * MOST))
  }

  /**
   * Whether those that are held back are no outliers: most of the others fail, too. If so, none is ejected for a while.
   *
   * @returns whether they have to return
   */
  harms(group: Group): boolean {
    const { serving, failing, heldBack } = group.census()
    if (heldBack === 0 || failing * 2 <= serving) return false
    this.#pausedUntil.set(group.tag, this.#clock.now() + this.#pauseMs)
    return true
  }

  /** A new table is in use: forgets the lanes that it does not have. */
  tableChanged(lanes: ReadonlyMap<string, Group>): void {
    for (const tag of this.#pausedUntil.keys()) {
      if (tag !== undefined && !lanes.has(tag)) this.#pausedUntil.delete(tag)
    }
  }
}

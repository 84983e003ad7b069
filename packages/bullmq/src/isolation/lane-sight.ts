import type { LivingLanes } from '@laneway/messaging/internal'
import type { Leases, Look } from './leases.js'

/**
 * How old the view may be by which base decides a job, in milliseconds: the time between two looks, and some for the answer.
 * A lane waits as long before it takes its first job, so no base decides by a view from before.
 */
export const viewMs = (lookMs: number): number => lookMs * 1.25

/** What base knows of the lanes of a queue, looked at in turns. */
export class LaneSight implements LivingLanes {
  readonly #leases: Pick<Leases, 'look'>
  readonly #lookMs: number
  readonly #seen: (look: Look) => void
  readonly #failed: (error: unknown) => void
  #look: Look = { paused: false, living: new Set(), orphaned: new Set() }
  /** When the last look was sent, by `performance.now()`: it may be as old as that. */
  #sentAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * @param seen - told after each look
   * @param failed - told why a look failed; the next one is tried in its turn
   */
  constructor(
    leases: Pick<Leases, 'look'>,
    lookMs: number,
    seen: (look: Look) => void,
    failed: (error: unknown) => void,
  ) {
    this.#leases = leases
    this.#lookMs = lookMs
    this.#seen = seen
    this.#failed = failed
  }

  /** Begins to look. Resolves with the first look, or once that has failed. */
  async start(): Promise<void> {
    try {
      await this.#lookNow()
    } catch (error) {
      this.#failed(error)
    }
  }

  async firstLiving(tags: readonly string[]): Promise<string | undefined> {
    if (performance.now() - this.#sentAt > viewMs(this.#lookMs)) await this.#lookNow()
    return tags.find(tag => this.#look.living.has(tag))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#looking?.catch(() => {})
  }

  /** The next turn counts from the last look, whoever asked for that. */
  #next(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#lookNow().catch(error => this.#failed(error)), this.#lookMs)
  }

  /** One look at a time, shared by who asks meanwhile. */
  #lookNow(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined
      this.#next()
    })
    return this.#looking
  }

  async #lookOnce(): Promise<void> {
    const sentAt = performance.now()
    const look = await this.#leases.look()
    this.#sentAt = sentAt
    this.#look = look
    if (!this.#closed) this.#seen(look)
  }
}

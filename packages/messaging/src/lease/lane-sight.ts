import type { LivingLanes } from './lane-lease.js'

/** What a look at the leases of a queue or log says at least. */
interface LeaseLook {
  readonly living: ReadonlySet<string>
}

/**
 * How old the view may be by which base decides a message, in milliseconds: the time between two looks, and some for the answer.
 * A lane waits as long before it takes its first message, so no base decides by a view from before.
 */
export const viewMs = (lookMs: number): number => lookMs * 1.25

/** What base knows of the lanes of a queue or log, looked at in turns. */
export class LaneSight<L extends LeaseLook> implements LivingLanes {
  readonly #leases: { look(): Promise<L> }
  readonly #lookMs: number
  readonly #seen: (look: L) => void
  readonly #failed: (error: unknown) => void
  #look: L | undefined
  /** When the last look was sent, by `performance.now()`: it may be as old as that. */
  #sentAt = Number.NEGATIVE_INFINITY
  #looking: Promise<L> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * @param seen - told after each look
   * @param failed - told why a look failed; the next one is tried in its turn
   */
  constructor(
    leases: { look(): Promise<L> },
    lookMs: number,
    seen: (look: L) => void,
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
      await this.look()
    } catch (error) {
      this.#failed(error)
    }
  }

  async firstLiving(tags: readonly string[]): Promise<string | undefined> {
    if (performance.now() - this.#sentAt > viewMs(this.#lookMs)) await this.look()
    return tags.find(tag => this.#look!.living.has(tag))
  }

  /** The last look; `undefined` before the first. */
  get last(): L | undefined {
    return this.#look
  }

  /** How old the last look may be, in milliseconds; `Infinity` before the first. */
  ageMs(): number {
    return performance.now() - this.#sentAt
  }

  /** Looks now. One look at a time, shared by who asks meanwhile. */
  look(): Promise<L> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined
      this.#next()
    })
    return this.#looking
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
    this.#timer = setTimeout(() => this.look().catch(error => this.#failed(error)), this.#lookMs)
  }

  async #lookOnce(): Promise<L> {
    const sentAt = performance.now()
    const look = await this.#leases.look()
    this.#sentAt = sentAt
    this.#look = look
    if (!this.#closed) this.#seen(look)
    return look
  }
}

import type { Clock } from '../src/cluster/clock.js'

/** Time that passes when the test says so. */
export class VirtualClock implements Clock {
  readonly #start = Date.parse('2026-01-01T00:00:00Z')
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  #now = 0

  now(): number {
    return this.#now
  }

  date(): Date {
    return new Date(this.#start + this.#now)
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(ms, 0), callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets time pass until something holds. @throws Error when it does not within the limit */
  async until(holds: () => boolean, limitMs = 120_000): Promise<void> {
    const end = this.#now + limitMs
    while (!holds()) if (!(await this.#next(end))) throw new Error(`not within ${limitMs} ms: ${holds}`)
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    while (await this.#next(end));
    this.#now = end
  }

  async #next(end: number): Promise<boolean> {
    // What waits for a promise has its turn first.
    await new Promise(resolve => setImmediate(resolve))
    const [timer] = [...this.#timers].sort((a, b) => a.at - b.at)
    if (timer === undefined || timer.at > end) return false
    this.#timers.delete(timer)
    this.#now = Math.max(timer.at, this.#now)
    timer.callback()
    return true
  }
}

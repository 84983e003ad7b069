/** How many messages may wait without a place. Each is renewed all the time. */
const MOST_ASIDE = 500

/** Waits for something without keeping from others the place of the message that is handled. */
export type Aside = (wait: () => Promise<unknown>) => Promise<unknown>

/** The places of the messages that are handled at a time. */
export class Places {
  #taken = 0
  #aside = 0
  #wakers: (() => void)[] = []
  #closed = false

  /** Takes one once fewer than so many are taken; at once after closing. */
  async take(most: number): Promise<void> {
    while (this.#taken >= most && !this.#closed) {
      // A race with a promise that never settles would keep something of each race.
      await new Promise<void>(resolve => this.#wakers.push(resolve))
    }
    this.#taken++
  }

  release(): void {
    this.#taken--
    this.#wake()
  }

  /** Gives up a place that is taken until something has come, and takes one again. */
  async aside(wait: () => Promise<unknown>, most: number): Promise<unknown> {
    if (this.#aside >= MOST_ASIDE) return wait()
    this.#aside++
    this.release()
    try {
      return await wait()
    } finally {
      await this.take(most)
      this.#aside--
    }
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake()
  }
}

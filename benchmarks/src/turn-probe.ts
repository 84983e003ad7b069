/**
 * Watches the event loop: how long is the longest turn, while something goes on. A turn counts with the processor time
 * that this process used during it where that is less than the time on the clock, so that waiting for a processor that
 * others use is not taken for work.
 */
export class TurnProbe {
  #longestUs = 0
  #running = true
  #at = process.hrtime.bigint()
  #cpu = process.cpuUsage()
  readonly #start = process.cpuUsage()

  constructor() {
    this.#next()
  }

  #next(): void {
    setImmediate(() => {
      const at = process.hrtime.bigint()
      const cpu = process.cpuUsage()
      const used = cpu.user + cpu.system - this.#cpu.user - this.#cpu.system
      this.#longestUs = Math.max(this.#longestUs, Math.min(used, Number(at - this.#at) / 1000))
      this.#at = at
      this.#cpu = cpu
      if (this.#running) this.#next()
    })
  }

  /** @returns milliseconds of the longest turn */
  async stop(): Promise<number> {
    // The turn that is under way counts, too.
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    this.#running = false
    return this.#longestUs / 1000
  }

  /** Processor time so far, in milliseconds; turning costs some, so it is an upper bound. */
  get cpuMs(): number {
    const { user, system } = process.cpuUsage(this.#start)
    return (user + system) / 1000
  }
}

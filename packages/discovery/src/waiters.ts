import type { LanewayError } from '@laneway/core'
import { waitInParts } from '@laneway/core/internal'

interface Waiter {
  done(): boolean
  settle(error?: LanewayError): void
}

/** Calls that wait for the sources to answer about a service. */
export class Waiters {
  readonly #waiting = new Set<Waiter>()

  /**
   * Waits until a condition holds, at most `timeoutMs`. Time in which this process did nothing else than compute counts
   * little.
   *
   * @returns whether it holds
   */
  wait(done: () => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        done,
        settle: error => {
          endWait()
          this.#waiting.delete(waiter)
          if (error === undefined) resolve(done())
          else reject(error)
        },
      }
      const endWait = waitInParts(timeoutMs, () => waiter.settle())
      this.#waiting.add(waiter)
    })
  }

  /** Something has changed: ends the waits whose condition holds now. */
  changed(): void {
    for (const waiter of [...this.#waiting]) if (waiter.done()) waiter.settle()
  }

  /** Ends every wait with an error. */
  fail(error: () => LanewayError): void {
    for (const waiter of [...this.#waiting]) waiter.settle(error())
  }
}

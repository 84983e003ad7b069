import { AsyncResource } from 'node:async_hooks'
import { waitInParts } from '@laneway/core'
import { type CallArguments, PROPAGATE_CANCELLATION, PROPAGATE_DEADLINE } from '../grpc-js.js'

/** What a call is told while it waits. */
export interface Waits {
  deadlineExceeded(details: string): void
  parentCancelled(): void
}

/**
 * The time of a call without a connection: its deadline and its parent count as they will once it is sent, and what comes
 * next runs in the context of the caller.
 */
export class CallWait {
  readonly #call: Waits
  readonly #resource = new AsyncResource('laneway.grpc.call')
  readonly #parent: CallArguments[3]
  readonly #onParent: (() => void) | undefined
  #deadline: NodeJS.Timeout | undefined
  readonly #began = Date.now()
  #endWait: (() => void) | undefined
  #stop: (() => void) | undefined

  constructor(call: Waits, [, deadline, , parent, propagate]: CallArguments) {
    this.#call = call
    const flags = propagate ?? 0xffff
    let end = Number(deadline)
    if (parent !== null && (flags & PROPAGATE_DEADLINE) !== 0) end = Math.min(end, Number(parent.getDeadline()))
    this.#parent = parent
    if (parent !== null && (flags & PROPAGATE_CANCELLATION) !== 0) {
      this.#onParent = () => this.run(() => this.#call.parentCancelled())
      parent.on('cancelled', this.#onParent)
    }
    if (end !== Infinity) this.#watch(end)
  }

  #watch(end: number): void {
    const left = Math.max(end - Date.now(), 0)
    this.#deadline = setTimeout(
      () => {
        // A timer holds 24.8 days, and may be a millisecond early by this clock.
        if (Date.now() < end) {
          this.#watch(end)
          return
        }
        const seconds = ((Date.now() - this.#began) / 1000).toFixed(3)
        this.run(() => this.#call.deadlineExceeded(`Deadline exceeded after ${seconds}s,waiting for an endpoint`))
      },
      Math.min(left, 2 ** 31 - 1),
    )
  }

  /** Runs what comes next as the caller would. */
  run(fn: () => void): void {
    this.#resource.runInAsyncScope(fn)
  }

  /**
   * @param stop - called when the wait is over for another reason
   * @param ms - after which `late` is called; time in which this process did nothing else than compute counts little
   */
  until(stop: (() => void) | undefined, ms: number, late: () => void): void {
    this.rest()
    this.#stop = stop
    this.#endWait = waitInParts(ms, () => {
      this.rest()
      this.run(late)
    })
  }

  /** Waits for nothing, for the moment. */
  rest(): void {
    this.#endWait?.()
    this.#endWait = undefined
    this.#stop?.()
    this.#stop = undefined
  }

  end(): void {
    this.rest()
    clearTimeout(this.#deadline)
    if (this.#onParent !== undefined) this.#parent?.removeListener('cancelled', this.#onParent)
  }
}

import { AsyncResource } from 'node:async_hooks'
import { MAX_TIMER_MS, waitInParts } from '@laneway/core/internal'
import { type CallArguments, PROPAGATE_CANCELLATION, PROPAGATE_DEADLINE } from '../grpc-js.js'

/** What ends a call while it waits. */
export interface Waits {
  deadlineExceeded(details: string): void
  parentCancelled(): void
}

/**
 * The wait of a call without a connection. Its deadline and the cancellation of its parent end it, as they would a call that
 * is sent. The code after the wait runs in the context of the caller.
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
    const remaining = Math.max(end - Date.now(), 0)
    this.#deadline = setTimeout(
      () => {
        // A timer can wait 24.8 days at most, and may fire a millisecond early by this clock.
        if (Date.now() < end) {
          this.#watch(end)
          return
        }
        const seconds = ((Date.now() - this.#began) / 1000).toFixed(3)
        this.run(() => this.#call.deadlineExceeded(`Deadline exceeded after ${seconds}s,waiting for an endpoint`))
      },
      Math.min(remaining, MAX_TIMER_MS),
    )
  }

  /** Runs a function in the context of the caller. */
  run(fn: () => void): void {
    this.#resource.runInAsyncScope(fn)
  }

  /**
   * @param stop - called when the wait is over for another reason
   * @param ms - after which `late` is called. Time in which this process was too busy to run timers counts little
   */
  until(stop: (() => void) | undefined, ms: number, late: () => void): void {
    this.rest()
    this.#stop = stop
    this.#endWait = waitInParts(ms, () => {
      this.rest()
      this.run(late)
    })
  }

  /** Stops the current wait. The deadline and the parent still count. */
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

import { type ChoiceListener, kChoiceListener } from '@laneway/undici/internal'
import { type Dispatcher, Pool } from 'undici'
import { AbortedError } from './upload.js'

/** Requests that wait for a connection to one endpoint, at most; more are refused at once. As many as in Envoy. */
const MAX_WAITING = 1024

/**
 * Learns how to cancel its request while that waits. The pool finds it under `kChoiceListener`: a second key of the
 * dispatch options would cost 2 µs for each copy that undici and Laneway make of them on Node 20.
 */
export interface Waiter extends ChoiceListener {
  /** @param cancel - removes the request from the queue and reports the error; `undefined` when it no longer waits */
  waits(cancel: ((error: Error) => void) | undefined): void
}

/** All connections of an endpoint are in use, and no more requests may wait. */
export class Busy extends AbortedError {
  readonly code = 'LANEWAY_GATEWAY_BUSY'

  constructor(origin: string) {
    super(`all connections to ${origin} are in use`)
  }
}

interface Waiting {
  readonly options: Dispatcher.DispatchOptions
  readonly handler: Dispatcher.DispatchHandler
  timer: NodeJS.Timeout | undefined
}

/**
 * The connections to one endpoint. The queue of undici has no size limit, no time limit and no way to cancel, so this class
 * holds requests back while the pool reports that it is full.
 */
export class BoundedPool extends Pool {
  readonly #origin: string
  readonly #timeoutMs: number
  readonly #waiting = new Set<Waiting>()
  #full = false

  /** @param timeoutMs - how long a request without a time limit of its own waits for a connection; 0: no limit */
  constructor(origin: string | URL, options: Pool.Options, timeoutMs: number) {
    super(origin, options)
    this.#origin = String(origin)
    this.#timeoutMs = timeoutMs
    const retry = (): void => {
      this.#full = false
      this.#next()
    }
    this.on('drain', retry)
    // A connection that ends leaves room too, and undici does not always report that.
    this.on('disconnect', retry)
    this.on('connectionError', retry)
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (!this.#full) {
      this.#full = !super.dispatch(options, handler)
      return !this.#full
    }
    if (this.#waiting.size >= MAX_WAITING) throw new Busy(this.#origin)
    const waiting: Waiting = { options, handler, timer: undefined }
    const cancel = (error: Error): void => {
      if (this.#forget(waiting)) handler.onError?.(error)
    }
    const timeoutMs = options.headersTimeout ?? this.#timeoutMs
    if (timeoutMs > 0) waiting.timer = setTimeout(() => cancel(new Busy(this.#origin)), timeoutMs).unref()
    this.#waiting.add(waiting)
    waiterOf(options)?.waits(cancel)
    return false
  }

  override close(): Promise<void>
  override close(callback: () => void): void
  override close(callback?: () => void): Promise<void> | void {
    // undici serves the requests that it has before it closes.
    this.#full = false
    for (const waiting of this.#waiting) this.#send(waiting)
    return callback === undefined ? super.close() : super.close(callback)
  }

  override destroy(...parameters: unknown[]): Promise<void> {
    const destroyed = (super.destroy as (...all: unknown[]) => Promise<void>)(...parameters)
    // Each of them gets the error that the pool is destroyed.
    for (const waiting of this.#waiting) this.#send(waiting)
    return destroyed
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      if (this.#full) return
      this.#full = !this.#send(waiting)
    }
  }

  #send(waiting: Waiting): boolean {
    const { options, handler } = waiting
    this.#forget(waiting)
    try {
      return super.dispatch(options, handler)
    } catch (error) {
      handler.onError?.(error as Error)
      return true
    }
  }

  #forget(waiting: Waiting): boolean {
    clearTimeout(waiting.timer)
    waiterOf(waiting.options)?.waits(undefined)
    return this.#waiting.delete(waiting)
  }
}

function waiterOf(options: object): Waiter | undefined {
  return (options as { [kChoiceListener]?: Waiter })[kChoiceListener]
}

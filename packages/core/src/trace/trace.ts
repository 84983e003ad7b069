import type { Lane } from '../lane/lane.js'
import type { LanePath, PathCall } from './lane-path.js'
import { encodePath, parsePath } from './path-format.js'

/** Calls of one request that are recorded. A path of so many is cut anyway. */
const MOST_CALLS = 256

/** What is known of a traced request when it comes. */
export interface TraceStart {
  readonly service: string
  readonly ownLane: string | undefined
  readonly lane: string | undefined
  readonly by: string | undefined
  /** What the request said in its header. */
  readonly asked: string
  /** Addresses stay out of the answer. */
  readonly bare: boolean
}

/** The choice of an endpoint, as `@laneway/discovery` makes it. */
interface ChoiceLike {
  readonly outcome: string
  readonly served: string | undefined
  readonly endpoint?: { readonly address: string } | undefined
}

/**
 * A traced request in this process: records the calls that are made for it, until its answer begins. Copies of this package share
 * it, so members are only ever added.
 */
export class Trace implements LanePath {
  readonly service: string
  readonly ownLane: string | undefined
  lane: string | undefined
  by: string | undefined
  readonly asked: string
  bare: boolean
  calls: TracedCall[] = []
  cut = 0
  /** The answer has not begun, and nobody has refused the trace. */
  open = true
  /** Something writes the path into the answer. */
  answered = false
  readonly #began = performance.now()

  constructor({ service, ownLane, lane, by, asked, bare }: TraceStart) {
    this.service = service
    this.ownLane = ownLane
    this.lane = lane
    this.by = by
    this.asked = asked
    this.bare = bare
  }

  /**
   * Notes an attempt of an outgoing call.
   *
   * @param outcome - until a choice is noted: `not-ready` for a service, `forwarded` or `out-of-scope` for another host
   */
  call(target: string, lane: Lane | undefined, outcome: string, attempt: number = 1): TracedCall | undefined {
    if (!this.open) return undefined
    if (this.calls.length >= MOST_CALLS) {
      this.cut++
      return undefined
    }
    const call = new TracedCall(this, target, lane?.header, outcome, attempt)
    this.calls.push(call)
    return call
  }

  /** Milliseconds since the request came. */
  now(): number {
    return performance.now() - this.#began
  }

  /** The answer begins. @returns its path; `undefined` when it has none, or has been given it */
  close(): string | undefined {
    if (!this.open) return undefined
    this.open = false
    try {
      return encodePath(this, this.bare)
    } finally {
      // What still runs for the request keeps its context, and with it this object.
      this.calls = []
    }
  }

  /** An ingress further in does not allow the trace. */
  refuse(): void {
    this.open = false
    this.calls = []
  }
}

/** One attempt of a call of a traced request. */
export class TracedCall implements PathCall {
  readonly #trace: Trace
  readonly target: string
  lane: string | undefined
  served: string | undefined
  outcome: string
  address: string | undefined
  readonly attempt: number
  status: number | string = 'open'
  readonly at: number
  ms: number | undefined
  path: LanePath | undefined

  constructor(trace: Trace, target: string, lane: string | undefined, outcome: string, attempt: number) {
    this.#trace = trace
    this.target = target
    this.lane = lane
    this.outcome = outcome
    this.attempt = attempt
    this.at = trace.now()
  }

  /** Whether the target is asked for its path. One that may not see the lane is not asked, and its answer not believed. */
  get asked(): boolean {
    return this.outcome !== 'out-of-scope'
  }

  chosen({ outcome, served, endpoint }: ChoiceLike): void {
    this.outcome = outcome
    this.served = served
    this.address = endpoint?.address
  }

  /** @param path - the header of the answer, where the target was asked */
  responded(status: number | string, path: unknown): void {
    if (this.status !== 'open') return
    this.status = status
    this.ms = this.#trace.now() - this.at
    if (this.asked) this.path = parsePath(path)
  }

  /** The attempt ended without an answer. An attempt that was answered keeps its status. */
  failed(how: string): void {
    this.responded(how, undefined)
  }

  /** Notes that the same call is tried again. */
  again(): TracedCall | undefined {
    const { target, lane, attempt } = this
    const call = this.#trace.call(target, undefined, 'not-ready', attempt + 1)
    if (call !== undefined) call.lane = lane
    return call
  }
}

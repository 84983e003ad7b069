import { runInLane } from '@laneway/core'
import type { MessageOutcome } from '@laneway/messaging'
import { type MessageLanes, removeHeader } from '@laneway/messaging/internal'
import type { BullJob, BullProcessor, BullQueue, BullWorker } from '../bullmq.js'
import { decide, like } from '../lane-processor.js'
import { type ForwardedJob, ORIGINAL, viewOfOriginal } from './forwarded-job.js'
import { isControl, type LaneResult, resultOfError } from './lane-result.js'

/** Handles the jobs of a lane's queue: as the lane, or as base in its place. */
export class LaneConsumer {
  readonly #queueName: string
  readonly #lanes: MessageLanes
  readonly #processor: BullProcessor
  readonly #queueOfOriginal: () => BullQueue
  readonly #views = new WeakMap<object, ForwardedJob>()

  /** @param queueName - without the suffix of a lane */
  constructor(queueName: string, lanes: MessageLanes, processor: BullProcessor, queueOfOriginal: () => BullQueue) {
    this.#queueName = queueName
    this.#lanes = lanes
    this.#processor = processor
    this.#queueOfOriginal = queueOfOriginal
  }

  /**
   * The processor for BullMQ.
   *
   * @param before - may throw what makes BullMQ hand the job out again
   */
  processor(outcome: MessageOutcome, before?: (job: BullJob, token: string) => Promise<void>): BullProcessor {
    return like(this.#processor, async (job: BullJob, token?: string, signal?: AbortSignal) => {
      if (before !== undefined) await before(job, token!)
      const decision = decide(this.#lanes, job)
      this.#lanes.report(this.#queueName, decision, outcome)
      const forwarded = this.#forwarded(job)
      if (forwarded === undefined) return runInLane(decision.lane, this.#processor, job, token, signal)
      if (decision.lane === undefined) for (const name of this.#lanes.names) removeHeader(forwarded.view.opts, name)
      return this.#run(forwarded, () => runInLane(decision.lane, this.#processor, forwarded.view, token, signal))
    })
  }

  /**
   * Makes the events of a worker those of the original jobs, and sends them on.
   *
   * @param to - whose listeners hear them
   */
  translate(worker: BullWorker, to: BullWorker): void {
    const emit = to.emit.bind(to)
    worker.emit = (event: string, ...args: any[]): boolean => {
      const forwarded = typeof args[0] === 'object' && args[0] !== null ? this.#forwarded(args[0]) : undefined
      if (forwarded === undefined) return emit(event, ...args)
      const [, value, ...rest] = args
      if (event !== 'completed') return emit(event, forwarded.view, value, ...rest)
      const result = value as LaneResult
      if ('waits' in result) return false
      forwarded.state.attemptsMade++
      if (!('error' in result)) return emit(event, forwarded.view, result.value, ...rest)
      const { name, message, stack } = result.error
      return emit('failed', forwarded.view, Object.assign(new Error(message), { name, stack }), ...rest)
    }
  }

  async #run(forwarded: ForwardedJob, run: () => Promise<unknown>): Promise<LaneResult> {
    try {
      return { value: await run() }
    } catch (error) {
      if (forwarded.state.waits && Object(error).name === 'WaitingChildrenError') return { waits: true }
      if (isControl(error)) throw error
      return resultOfError(error)
    }
  }

  #forwarded(job: BullJob): ForwardedJob | undefined {
    if (job.opts?.[ORIGINAL] === undefined || job.parent === undefined) return undefined
    const known = this.#views.get(job)
    if (known !== undefined) return known
    const forwarded = viewOfOriginal(job, this.#queueOfOriginal)
    this.#views.set(job, forwarded)
    return forwarded
  }
}

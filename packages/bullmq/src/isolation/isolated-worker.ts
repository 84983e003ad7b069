import { LanewayError } from '@laneway/core'
import { type BullProcessor, type BullQueue, type BullWorker, redisOf } from '../bullmq.js'
import { like } from '../lane-processor.js'
import { type LaneWorkerSettings, laneQueueName } from '../lane-worker-options.js'
import { detached, emitInLane } from '../worker-context.js'
import { BaseSide } from './base-side.js'
import { LaneConsumer } from './lane-consumer.js'
import { follow, laneLease } from './lane-side.js'
import { Leases, leaseKeys } from './leases.js'

/** A worker under isolation while it is made. */
interface Isolated {
  readonly name: string
  readonly settings: LaneWorkerSettings
  readonly consumer: LaneConsumer
  /** The worker that takes the jobs. */
  readonly main: BullWorker
  /** The worker that the application holds; its listeners hear the events. */
  readonly held: BullWorker
  readonly leases: Leases
  readonly failed: (error: Error) => void
  /** The queue of the original jobs, opened when a job needs it. */
  readonly original: LazyQueue
}

/**
 * Makes the worker of base or of a lane, as this instance is.
 *
 * @param held - a worker of the original queue that the application holds, before its first job; `undefined` when it holds
 *   the one that this makes
 */
export function isolatedWorker(
  name: string,
  processor: BullProcessor,
  settings: LaneWorkerSettings,
  held?: BullWorker,
): BullWorker {
  const { classes, lanes, prefix, worker: options } = settings
  const own = lanes.own?.tags[0]
  const failed = (error: Error): void => {
    if (main.closing === undefined) (held ?? main).emit('error', error)
  }
  const original = new LazyQueue(name, settings, failed)
  const consumer = new LaneConsumer(name, lanes, processor, () => original.open())
  let run: BullProcessor = consumer.processor('own')
  const queue = own === undefined ? name : laneQueueName(name, own)
  const running = like(processor, (...args) => run(...args))
  const main: BullWorker =
    held !== undefined && own === undefined
      ? Object.assign(held, { processFn: running })
      : detached(() => new classes.Worker(queue, running, { ...options, autorun: false }))
  const client = redisOf(main)
  if (client === undefined) {
    if (main !== held) main.close(true).catch(() => {})
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      "createLaneWorker: lanes is 'isolate', which needs the Redis back end of BullMQ; use 'propagate'",
    )
  }
  const leases = new Leases(client, leaseKeys(prefix, name))
  const isolated: Isolated = { name, settings, consumer, main, held: held ?? main, leases, failed, original }
  if (own === undefined) run = becomeBase(isolated, processor)
  else becomeLane(isolated, own)
  emitInLane(main, lanes)
  if (held === undefined && options['autorun'] !== false) detached(() => main.run()).catch(failed)
  return main
}

/** @returns what handles the jobs of the main worker */
function becomeBase(isolated: Isolated, processor: BullProcessor): BullProcessor {
  const { name, settings, consumer, main, leases, failed, original } = isolated
  const side = new BaseSide(name, settings, consumer, leases, main, failed)
  const { emit, run, waitUntilReady, pause, resume, close } = methodsOf(main)
  let started: Promise<void> | undefined
  let closed: Promise<void> | undefined
  Object.assign(main, {
    emit: (event: string, ...args: unknown[]) => side.hears(event, args[0]) && emit(event, ...args),
    // BullMQ runs a worker again when it resumes.
    async run() {
      started ??= side.start()
      await started
      await run()
    },
    async waitUntilReady() {
      await waitUntilReady()
      await started
    },
    async pause(doNotWaitActive?: boolean) {
      await Promise.all([pause(doNotWaitActive), side.pause(doNotWaitActive)])
    },
    resume() {
      side.resume()
      return resume()
    },
    close(force?: boolean) {
      closed ??= Promise.all([side.close(force), close(force)])
        .then(() => side.closeQueues())
        .then(() => original.close())
      return closed
    },
  })
  return side.processor(processor)
}

function becomeLane(isolated: Isolated, own: string): void {
  const { settings, consumer, main, held: heard, leases, failed, original } = isolated
  const { run, waitUntilReady, pause, resume, close } = methodsOf(main)
  let pausedByUser = false
  let held: Promise<void> | undefined
  let closed: Promise<void> | undefined
  const itself = { isPaused: () => main.isPaused(), pause, resume }
  const lease = laneLease(own, leases, settings, paused => pausedByUser || follow(itself, paused), failed)
  consumer.translate(main, heard)
  /** Takes no more jobs, leaves the lane to others, ends the jobs that run. */
  async function end(force?: boolean): Promise<void> {
    await pause(true).catch(failed)
    // A Redis that is away ends the lease by itself.
    const released = lease.release().catch(() => {})
    if (force !== true) await released
    await close(force)
    await original.close()
  }
  Object.assign(main, {
    async run() {
      held ??= lease.hold().catch(error => {
        held = undefined
        throw error
      })
      await held
      if (closed === undefined) await run()
    },
    async waitUntilReady() {
      await waitUntilReady()
      await held
    },
    pause(doNotWaitActive?: boolean) {
      pausedByUser = true
      return pause(doNotWaitActive)
    },
    resume() {
      pausedByUser = false
      return resume()
    },
    close(force?: boolean) {
      closed ??= end(force)
      return closed
    },
  })
  if (heard !== main) leadTo(main, heard)
}

/** Lets a worker of the original queue, which never runs, stand for that of the lane. */
function leadTo(main: BullWorker, held: BullWorker): void {
  const { close } = methodsOf(held)
  let closed: Promise<unknown> | undefined
  Object.assign(held, {
    ...methodsOf(main),
    emit: held.emit,
    isPaused: () => main.isPaused(),
    isRunning: () => (main as { isRunning?(): boolean }).isRunning?.(),
    close(force?: boolean) {
      closed ??= main.close(force).then(() => close(force))
      return closed
    },
  })
}

function methodsOf(worker: BullWorker) {
  return {
    emit: worker.emit.bind(worker),
    run: worker.run.bind(worker),
    waitUntilReady: worker.waitUntilReady.bind(worker),
    pause: worker.pause.bind(worker),
    resume: worker.resume.bind(worker),
    close: worker.close.bind(worker),
  }
}

class LazyQueue {
  readonly #name: string
  readonly #settings: LaneWorkerSettings
  readonly #failed: (error: Error) => void
  #queue: BullQueue | undefined

  constructor(name: string, settings: LaneWorkerSettings, failed: (error: Error) => void) {
    this.#name = name
    this.#settings = settings
    this.#failed = failed
  }

  open(): BullQueue {
    if (this.#queue === undefined) {
      const { classes, queue } = this.#settings
      this.#queue = detached(() => new classes.Queue(this.#name, queue))
      this.#queue.on('error', this.#failed)
    }
    return this.#queue
  }

  async close(): Promise<void> {
    await this.#queue?.close()
  }
}

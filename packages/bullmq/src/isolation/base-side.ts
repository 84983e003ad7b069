import { BASE_TAG, runInLane } from '@laneway/core'
import { LaneSight } from '@laneway/messaging/internal'
import type { BullJob, BullProcessor, BullWorker } from '../bullmq.js'
import { decide, like } from '../lane-processor.js'
import { type LaneWorkerSettings, laneQueueName } from '../lane-worker-options.js'
import { Forwarder } from './forwarder.js'
import type { LaneConsumer } from './lane-consumer.js'
import { follow } from './lane-side.js'
import type { Leases, Look } from './leases.js'
import { persistently } from './persistently.js'

/** How long a job that another consumer should have waits before it is handed out again, in milliseconds. */
const AGAIN_MS = 20
/** A stand-in without jobs stays this many looks. */
const IDLE_LOOKS = 20

interface StandIn {
  readonly worker: BullWorker
  idleLooks: number
}

/** Base under isolation: handles its own jobs, forwards those of living lanes, stands in for lanes without consumers. */
export class BaseSide {
  readonly #queueName: string
  readonly #settings: LaneWorkerSettings
  readonly #consumer: LaneConsumer
  readonly #main: BullWorker
  readonly #failed: (error: Error) => void
  readonly #sight: LaneSight<Look>
  readonly #forwarder: Forwarder
  readonly #standIns = new Map<string, StandIn>()
  /** Jobs that a lane has ended: its instances published their events. */
  readonly #settled = new WeakSet<object>()
  #closing = false

  constructor(
    queueName: string,
    settings: LaneWorkerSettings,
    consumer: LaneConsumer,
    leases: Leases,
    main: BullWorker,
    failed: (error: Error) => void,
  ) {
    this.#queueName = queueName
    this.#settings = settings
    this.#consumer = consumer
    this.#main = main
    this.#failed = failed
    this.#sight = new LaneSight(
      leases,
      settings.lookMs,
      look => this.#seen(look),
      error => failed(error as Error),
    )
    this.#forwarder = new Forwarder(settings, queueName, leases, failed)
  }

  start(): Promise<void> {
    return this.#sight.start()
  }

  processor(processor: BullProcessor): BullProcessor {
    const { lanes, standsIn } = this.#settings
    return like(processor, async (job: BullJob, token?: string, signal?: AbortSignal) => {
      const decision = decide(lanes, job)
      const tags = decision.lane?.tags
      if (tags !== undefined && tags[0] !== BASE_TAG) {
        const wanted = untilBase(tags)
        const living = await persistently(() => this.#sight.firstLiving(wanted))
        const lane = living ?? (standsIn ? undefined : wanted[0])
        const handover = await this.#handOver(job, token!, lane, () =>
          lanes.report(this.#queueName, decision, 'forwarded'),
        )
        if (!handover.here) return handover.value
      }
      lanes.report(this.#queueName, decision, 'base')
      return runInLane(decision.lane, processor, job, token, signal)
    })
  }

  /** Whether listeners hear an event of the main worker. */
  hears(event: string, job: unknown): boolean {
    return !((event === 'completed' || event === 'failed') && this.#settled.has(Object(job)))
  }

  async pause(doNotWaitActive?: boolean): Promise<void> {
    await Promise.all([...this.#standIns.values()].map(({ worker }) => worker.pause(doNotWaitActive)))
  }

  resume(): void {
    for (const { worker } of this.#standIns.values()) worker.resume()
  }

  async close(force?: boolean): Promise<void> {
    this.#closing = true
    await this.#sight.close()
    await Promise.all([...this.#standIns.values()].map(({ worker }) => worker.close(force)))
  }

  /** What the main worker's last jobs still need. */
  async closeQueues(): Promise<void> {
    await this.#forwarder.close()
  }

  async #handOver(job: BullJob, token: string, lane: string | undefined, forwarding: () => void) {
    try {
      const handover = await this.#forwarder.handOver(job, token, lane, forwarding)
      if (!handover.here) this.#settled.add(job)
      return handover
    } catch (error) {
      this.#settled.add(job)
      throw error
    }
  }

  #seen({ paused, living, orphaned }: Look): void {
    for (const [lane, standIn] of this.#standIns) {
      standIn.idleLooks = orphaned.has(lane) ? 0 : standIn.idleLooks + 1
      if (living.has(lane) || standIn.idleLooks > IDLE_LOOKS) this.#end(lane, standIn)
      else if (!this.#main.isPaused()) follow(standIn.worker, paused)
    }
    if (!this.#settings.standsIn || this.#closing) return
    for (const lane of orphaned) if (!this.#standIns.has(lane)) this.#standIn(lane, paused || this.#main.isPaused())
  }

  #standIn(lane: string, paused: boolean): void {
    const { classes, worker: options } = this.#settings
    const processor = this.#consumer.processor('stand-in', async (job, token) => {
      if ((await this.#sight.firstLiving([lane])) === undefined) return
      await job.moveToDelayed(Date.now() + AGAIN_MS, token)
      throw Object.assign(new Error(`lane ${lane} lives again`), { name: 'DelayedError' })
    })
    const worker = runInLane(
      undefined,
      () => new classes.Worker(laneQueueName(this.#queueName, lane), processor, { ...options, autorun: false }),
    )
    this.#consumer.translate(worker, this.#main)
    this.#standIns.set(lane, { worker, idleLooks: 0 })
    if (paused) worker.pause(true).catch(this.#failed)
    runInLane(undefined, () => worker.run()).catch(this.#failed)
  }

  #end(lane: string, { worker }: StandIn): void {
    this.#standIns.delete(lane)
    worker.close().catch(this.#failed)
  }
}

/** `base` ends a list of tags. */
function untilBase(tags: readonly string[]): readonly string[] {
  const end = tags.indexOf(BASE_TAG)
  return end === -1 ? tags : tags.slice(0, end)
}

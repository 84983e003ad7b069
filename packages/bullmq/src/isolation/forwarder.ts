import { randomBytes } from 'node:crypto'
import type { BullJob, BullQueue } from '../bullmq.js'
import { type LaneWorkerSettings, laneQueueName } from '../lane-worker-options.js'
import { detached } from '../worker-context.js'
import { ORIGINAL, originalOf } from './forwarded-job.js'
import { failedChild, type LaneResult, settle } from './lane-result.js'
import type { Leases } from './leases.js'
import { persistently } from './persistently.js'

/** Thrown to BullMQ: the job waits for its child, and holds no slot meanwhile. */
export function waitingForChild(): Error {
  return Object.assign(new Error('the job waits in the queue of its lane'), { name: 'WaitingChildrenError' })
}

/** Queues of lanes that are kept open. Lanes are what senders say, so they are bounded. */
const MAX_QUEUES = 64
/** How often a lane is kept among those that are looked at; it is forgotten after an hour. */
const USE_EVERY_MS = 60_000
/** Completed children stay this long, so that adding one again is seen, in seconds. */
const KEPT_SECONDS = 60

interface OpenQueue {
  readonly queue: BullQueue
  usedAt: number
}

/** How a job of a lane goes on at base. */
export type Handover =
  /** Its processor has to run here. */
  | { readonly here: true }
  /** The lane has ended it: this is its value. */
  | { readonly here: false; readonly value: unknown }

/**
 * Moves jobs of base's queue to the queues of their lanes: as a child that the job waits for. The id of the child is
 * written to the job before the child is added, so a job that is forwarded again after a crash has the same child.
 */
export class Forwarder {
  readonly #settings: LaneWorkerSettings
  readonly #queueName: string
  readonly #leases: Leases
  readonly #failed: (error: Error) => void
  readonly #queues = new Map<string, OpenQueue>()

  constructor(settings: LaneWorkerSettings, queueName: string, leases: Leases, failed: (error: Error) => void) {
    this.#settings = settings
    this.#queueName = queueName
    this.#leases = leases
    this.#failed = failed
  }

  /**
   * Ends a job by what its lane has made of it, or moves it to a lane.
   *
   * @param lane - where to; `undefined`: nowhere, but an earlier move counts
   * @param forwarding - told before the job is moved
   * @throws what the lane's processor threw, or the error by which BullMQ lets the job wait
   */
  async handOver(
    job: BullJob,
    token: string,
    lane: string | undefined,
    forwarding: (lane: string) => void,
  ): Promise<Handover> {
    const jobKey = `${job.queueQualifiedName}:${job.id}`
    const fresh = lane === undefined ? '' : `${lane}:${childId(job)}`
    const taken = await persistently(() => this.#leases.take(jobKey, fresh))
    if (taken.state === 'failed') throw failedChild(taken.value)
    if (taken.state === 'processed') {
      const result = JSON.parse(taken.value) as LaneResult
      if (!('waits' in result)) return { here: false, value: settle(result) }
      if (await job.moveToWaitingChildren(token)) throw waitingForChild()
      return this.handOver(job, token, lane, forwarding)
    }
    const child = taken.state === 'pending' ? taken.child : fresh
    if (child === '') return { here: true }
    const colon = child.indexOf(':')
    forwarding(child.slice(0, colon))
    await persistently(() => this.#add(job, child.slice(0, colon), child.slice(colon + 1)))
    if (await job.moveToWaitingChildren(token)) throw waitingForChild()
    // The child has ended already.
    return this.handOver(job, token, lane, forwarding)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map(({ queue }) => queue.close()))
    this.#queues.clear()
  }

  async #add(job: BullJob, lane: string, jobId: string): Promise<void> {
    const open = this.#open(lane)
    const tags = Object.fromEntries(this.#settings.lanes.names.map(name => [name, job.opts[name]]))
    const { priority, lifo, telemetry, sizeLimit } = job.opts
    await open.queue.add(job.name, job.data, {
      ...given({ priority, lifo, telemetry, sizeLimit }),
      ...given(tags),
      attempts: 1,
      jobId,
      parent: { id: job.id!, queue: job.queueQualifiedName },
      ignoreDependencyOnFailure: true,
      removeOnComplete: { age: KEPT_SECONDS },
      removeOnFail: { age: KEPT_SECONDS },
      [ORIGINAL]: originalOf(job),
    })
    const now = performance.now()
    if (now - open.usedAt < USE_EVERY_MS) return
    // Before the job waits: should this fail, the job is forwarded again.
    await this.#leases.use(lane)
    open.usedAt = now
  }

  #open(lane: string): OpenQueue {
    const known = this.#queues.get(lane)
    if (known !== undefined) {
      this.#queues.delete(lane)
      this.#queues.set(lane, known)
      return known
    }
    if (this.#queues.size >= MAX_QUEUES) {
      const [oldest, { queue }] = this.#queues.entries().next().value!
      this.#queues.delete(oldest)
      queue.close().catch(this.#failed)
    }
    const { classes, queue: options } = this.#settings
    const queue = detached(() => new classes.Queue(laneQueueName(this.#queueName, lane), options))
    queue.on('error', this.#failed)
    const open = { queue, usedAt: Number.NEGATIVE_INFINITY }
    this.#queues.set(lane, open)
    return open
  }
}

/** BullMQ refuses colons in ids. */
function childId(job: BullJob): string {
  return `lw-${String(job.id).replaceAll(':', '.')}-${randomBytes(6).toString('hex')}`
}

function given(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

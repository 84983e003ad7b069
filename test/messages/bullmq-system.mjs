// BullMQ as timelines and chaos drive it.
import { createLaneWorker } from '@laneway/bullmq'
import { Queue, Worker } from 'bullmq'
import { startRedis } from '../servers/redis/start.mjs'
import { crashOfBase } from './crash-of-base.mjs'

export const IN_FLIGHT = 10
/** In milliseconds: within this after its start or return, base may still handle a lane's message. */
export const WINDOW_MS = 0

export const start = () => startRedis({ durable: true })

const connectionTo = ({ host, port }) => ({ host, port, maxRetriesPerRequest: null })

/** The producer, which knows nothing of Laneway. */
export async function openProducer(server, name) {
  const queue = new Queue(name, { connection: connectionTo(server) })
  queue.on('error', () => {})
  return {
    send: list =>
      queue.addBulk(
        list.map(({ id, lane, fails }) => ({
          name: 'j',
          data: { id, fails },
          opts: { jobId: id, attempts: 3, ...(lane !== '' && { 'x-mse-tag': lane }) },
        })),
      ),
    /** What is not what it should be at the end, in words. */
    async leftovers() {
      const { completed, failed, ...rest } = await queue.getJobCounts()
      const left = Object.entries(rest).filter(([, count]) => count > 0)
      return [...(failed > 0 ? [`failed ${failed}`] : []), ...left.map(entry => entry.join(' '))]
    },
    completed: () => queue.getCompletedCount(),
    close: () => queue.close(),
  }
}

/** Adds the job, and never hears that it was added: what a crash between two steps leaves. */
class DeafQueue extends Queue {
  async add(name, data, options) {
    await super.add(name, data, options)
    return new Promise(() => {})
  }
}

/** The same with the fault of the control: the child of a forwarded job has another id each time. */
class ForgetfulQueue extends DeafQueue {
  add(name, data, { jobId, ...options }) {
    return super.add(name, data, { ...options, jobId: `${jobId}-${Math.random().toString(36).slice(2)}` })
  }
}

const QUEUES = { deaf: DeafQueue, 'no-fixed-id': ForgetfulQueue }

/** A consumer in a process of its own. Resolves once it handles messages. */
export async function openMember({ server, name, lane, control, handle }) {
  const worker = createLaneWorker(name, handle, {
    bullmq: { Queue: QUEUES[control] ?? Queue, Worker },
    connection: connectionTo(server),
    lanes: 'isolate',
    tag: lane,
    concurrency: IN_FLIGHT,
    lockDuration: 3000,
    stalledInterval: 2000,
    maxStalledCount: 10,
  })
  worker.on('error', () => {})
  await worker.waitUntilReady()
  return { close: () => worker.close() }
}

export const idOf = job => job.data.id
export const failsNow = job => job.data.fails === true && job.attemptsMade === 0

/** Base dies between the move of jobs to the lane and its own next step; another instance of base goes on. */
export async function runControl(system, server, { name, control }) {
  return crashOfBase(system, server, { name, control, messages: IN_FLIGHT })
}

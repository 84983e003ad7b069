import { isDisabled } from '@laneway/core/internal'
import type { MessageOptions } from '@laneway/messaging'
import { createMessageLanes, type MessageLanes } from '@laneway/messaging/internal'
import type { JobOptions } from './bullmq.js'

/** Set on what writes lanes already. Registered: two copies of this package may meet one queue. */
const kTagging = Symbol.for('laneway.bullmq.tagging')

interface JobTemplate {
  readonly opts?: JobOptions
}

interface Producer {
  readonly name?: string
  add?(...args: any[]): any
  addBulk?(...args: any[]): any
  upsertJobScheduler?(...args: any[]): any
  [kTagging]?: true
}

interface FlowNode extends JobTemplate {
  readonly queueName: string
  readonly children?: readonly FlowNode[] | undefined
}

/**
 * Makes the jobs of a queue carry the lane of the code that adds them: `add`, `addBulk`, and the template of
 * `upsertJobScheduler`. The lane is read when the method is called.
 *
 * The queue itself is changed and returned, so it stays what it is to everybody else. A second call changes nothing.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function laneQueue<Q extends object>(queue: Q, options: MessageOptions = {}): Q {
  if (!isDisabled(['bullmq'])) tagQueue(queue, createMessageLanes('laneQueue', 'bullmq', options))
  return queue
}

/** What {@link laneQueue} does, once the options are read. */
export function tagQueue(queue: object, lanes: MessageLanes): void {
  const producer = queue as Producer
  if (!claim(producer)) return
  const { add, addBulk, upsertJobScheduler } = producer
  const destination = String(producer.name)
  const tagged = (opts: JobOptions | undefined) => taggedOptions(lanes, destination, opts)
  producer.add = function laneAdd(name: unknown, data: unknown, opts?: JobOptions) {
    return add!.call(this, name, data, tagged(opts))
  }
  producer.addBulk = function laneAddBulk(jobs: readonly JobTemplate[]) {
    return addBulk!.call(this, Array.isArray(jobs) ? jobs.map(job => withOptions(job, tagged(job?.opts))) : jobs)
  }
  if (upsertJobScheduler !== undefined) {
    producer.upsertJobScheduler = function laneUpsert(id: unknown, repeat: unknown, template?: JobTemplate) {
      return upsertJobScheduler.call(this, id, repeat, withOptions(template, tagged(template?.opts)))
    }
  }
}

/**
 * Makes every job of a flow carry the lane of the code that adds the flow, unless a job has a tag of its own. The flow
 * producer itself is changed and returned.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function laneFlowProducer<F extends object>(flows: F, options: MessageOptions = {}): F {
  if (!isDisabled(['bullmq'])) tagFlowProducer(flows, createMessageLanes('laneFlowProducer', 'bullmq', options))
  return flows
}

/** What {@link laneFlowProducer} does, once the options are read. */
export function tagFlowProducer(flows: object, lanes: MessageLanes): void {
  const producer = flows as Producer
  if (!claim(producer)) return
  const { add, addBulk } = producer
  producer.add = function laneAdd(flow: FlowNode, opts?: unknown) {
    return add!.call(this, taggedFlow(lanes, flow), opts)
  }
  producer.addBulk = function laneAddBulk(list: readonly FlowNode[]) {
    return addBulk!.call(this, Array.isArray(list) ? list.map(flow => taggedFlow(lanes, flow)) : list)
  }
}

/** Whether a producer writes lanes already. */
export const isTagging = (producer: object): boolean => kTagging in producer

function claim(producer: Producer): boolean {
  if (producer[kTagging]) return false
  Object.defineProperty(producer, kTagging, { value: true })
  return true
}

function taggedOptions(lanes: MessageLanes, destination: string, opts: JobOptions | undefined): JobOptions | undefined {
  return lanes.tagged(destination, opts)
}

function withOptions<T extends JobTemplate | undefined>(job: T, opts: JobOptions | undefined): T {
  return opts === job?.opts ? job : ({ ...job, opts } as T)
}

function taggedFlow(lanes: MessageLanes, node: FlowNode): FlowNode {
  if (typeof node !== 'object' || node === null) return node
  const own = withOptions(node, taggedOptions(lanes, String(node.queueName), node.opts))
  const { children } = own
  return Array.isArray(children) ? { ...own, children: children.map(child => taggedFlow(lanes, child)) } : own
}

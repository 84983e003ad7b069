import { createLaneWorker, laneFlowProducer, laneProcessor, laneQueue } from '@laneway/bullmq'
import type { LanewayError } from '@laneway/core'
import { runInLane } from '@laneway/core'
import t from 'tap'

/** Records what reaches the queue; the real one is in test/messages. */
class Recorder {
  readonly name = 'mail'
  readonly calls: unknown[][] = []
  add(...args: unknown[]) {
    this.calls.push(args)
    return this
  }
  addBulk(...args: unknown[]) {
    this.calls.push(args)
  }
  upsertJobScheduler(...args: unknown[]) {
    this.calls.push(args)
  }
}

t.test('laneQueue gives the queue back, tags once, and changes no object of the caller', async t => {
  const recorder = new Recorder()
  const queue = laneQueue(recorder)
  t.equal(queue, recorder)
  t.equal(laneQueue(queue), recorder)
  const opts = Object.freeze({ attempts: 2 })
  const jobs = Object.freeze([
    Object.freeze({ name: 'a', opts }),
    Object.freeze({ name: 'b' }),
    Object.freeze({ name: 'c', opts }),
  ])
  const template = Object.freeze({ name: 'tick' })
  runInLane('gray', () => {
    t.equal(queue.add('j', { a: 1 }, opts), recorder, 'what the method returns is returned')
    queue.addBulk(jobs)
    queue.upsertJobScheduler('s', { every: 1 }, template)
    queue.upsertJobScheduler('s', { every: 1 })
  })
  queue.add('j', {}, opts)
  t.strictSame(recorder.calls, [
    ['j', { a: 1 }, { attempts: 2, 'x-mse-tag': 'gray' }],
    [
      [
        { name: 'a', opts: { attempts: 2, 'x-mse-tag': 'gray' } },
        { name: 'b', opts: { 'x-mse-tag': 'gray' } },
        { name: 'c', opts: { attempts: 2, 'x-mse-tag': 'gray' } },
      ],
    ],
    ['s', { every: 1 }, { name: 'tick', opts: { 'x-mse-tag': 'gray' } }],
    ['s', { every: 1 }, { opts: { 'x-mse-tag': 'gray' } }],
    ['j', {}, { attempts: 2 }],
  ])
  t.equal(recorder.calls.at(-1)?.[2], opts, 'untagged options are not copied')
})

t.test('propagate keeps the lane from a queue, also in a flow', async t => {
  const recorder = new Recorder()
  const flows = laneFlowProducer(recorder, { propagate: queue => queue !== 'partner' })
  runInLane('gray', () => {
    flows.add({
      name: 'parent',
      queueName: 'mail',
      children: [
        { name: 'kept', queueName: 'mail' },
        { name: 'out', queueName: 'partner', opts: { 'x-mse-tag': 'gray' } },
        { name: 'own', queueName: 'mail', opts: { 'x-mse-tag': 'blue' } },
      ],
    })
  })
  t.strictSame(recorder.calls[0]?.[0], {
    name: 'parent',
    queueName: 'mail',
    opts: { 'x-mse-tag': 'gray' },
    children: [
      { name: 'kept', queueName: 'mail', opts: { 'x-mse-tag': 'gray' } },
      { name: 'out', queueName: 'partner', opts: {} },
      { name: 'own', queueName: 'mail', opts: { 'x-mse-tag': 'blue' } },
    ],
  })
})

t.test('laneProcessor keeps name and parameters: BullMQ gives a signal to three of them only', async t => {
  const two = laneProcessor(async function two(_job: unknown, _token?: string) {})
  const three = laneProcessor(async function three(_job: unknown, _token?: string, _signal?: AbortSignal) {})
  t.strictSame([two.name, two.length, three.name, three.length], ['two', 2, 'three', 3])
})

t.test('wrong options name the fix', async t => {
  const bullmq = { Worker: class {}, Queue: class {} } as any
  const refused = (make: () => unknown) => {
    try {
      make()
    } catch (error) {
      return (error as LanewayError).message
    }
    return undefined
  }
  const worker = (options: any, processor: any = async () => {}) =>
    refused(() => createLaneWorker('mail', processor, options))
  t.match(worker({}), /give \{ bullmq: \{ Queue, Worker \} \}/)
  t.match(worker({ bullmq, lanes: 'isolated' }), /did you mean "isolate"\?/)
  t.match(worker({ bullmq, whenLaneMissing: 'wait' }), /"base", "fail"/)
  t.match(worker({ bullmq, leaseMs: '3000' }), /leaseMs is a number of milliseconds, at least 100, received "3000"/)
  t.match(worker({ bullmq, lookMs: Number.NaN }), /lookMs is a number/)
  t.match(worker({ bullmq, tag: '-' }), /LANEWAY_INVALID_TAG/)
  t.match(worker({ bullmq }, './processor.js'), /the processor is a function, received ".\/processor.js"/)
  t.match(worker({ bullmq, lanes: 'isolate', connection: { isCluster: true } }), /give prefix '\{bull\}'/)
  t.match(
    refused(() => laneProcessor('./processor.js' as any)),
    /LANEWAY_INVALID_OPTION/,
  )
  t.match(
    refused(() => laneQueue(new Recorder(), { heade: 'x' } as any)),
    /did you mean "header"\?/,
  )
})

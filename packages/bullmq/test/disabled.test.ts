import { createLaneWorker, laneFlowProducer, laneProcessor, laneQueue } from '@laneway/bullmq'
import t from 'tap'

t.test('LANEWAY_DISABLE gives the queue, the processor and the worker of BullMQ', async t => {
  t.teardown(() => {
    delete process.env['LANEWAY_DISABLE']
  })
  class Queue {}
  class Worker {
    readonly args: unknown[]
    constructor(...args: unknown[]) {
      this.args = args
    }
    emit() {}
  }
  for (const parts of ['all', 'bullmq']) {
    process.env['LANEWAY_DISABLE'] = parts
    const add = () => {}
    t.equal(laneQueue({ add }).add, add)
    t.equal(laneFlowProducer({ add }).add, add)
    const processor = async () => {}
    t.equal(laneProcessor(processor), processor)
    const worker = createLaneWorker('mail', processor, {
      bullmq: { Queue, Worker } as never,
      lanes: 'isolate',
      connection: {},
    }) as unknown as Worker
    t.strictSame(worker.args, ['mail', processor, { connection: {} }])
  }
})

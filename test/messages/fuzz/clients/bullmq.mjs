/** The version by BULLMQ: bullmq5 or bullmq. */
export async function open(load, { name, handle }) {
  const bullmq = await load(process.env.BULLMQ ?? 'bullmq')
  const { FlowProducer, Queue, Worker } = bullmq
  const { createLaneWorker, laneFlowProducer, laneQueue } = await load('@laneway/bullmq')
  const { messageLane } = await load('@laneway/messaging')
  const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) }
  const queue = laneQueue(new Queue(name, { connection }))
  const plain = new Queue(name, { connection })
  const flows = laneFlowProducer(new FlowProducer({ connection }))
  const worker = createLaneWorker(name, job => handle('worker', job.data.id, messageLane(job)?.header), {
    bullmq: { Worker, Queue },
    connection,
    concurrency: 10,
  })
  await worker.waitUntilReady()
  const opts = headers => (headers === undefined ? {} : { opts: { ...headers } })
  return {
    consumers: ['worker'],
    takes: ['text', 'long', 'list', 'any'],
    ways: {
      add: (id, headers) => queue.add('x', { id }, headers),
      addBulk: (id, headers) => queue.addBulk([{ name: 'x', data: { id }, ...opts(headers) }]),
      flow: (id, headers) => flows.add({ name: 'x', queueName: name, data: { id }, ...opts(headers) }),
    },
    foreign: (id, headers) => plain.add('x', { id }, headers),
  }
}

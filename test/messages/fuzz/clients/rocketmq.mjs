export async function open(load, { handle }) {
  const module = await load('rocketmq-client-nodejs')
  const { ConsumeResult, Producer, PushConsumer } = module.default ?? module
  const { laneRocketmq } = await load('@laneway/rocketmq')
  const { messageLane } = await load('@laneway/messaging')
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const base = { endpoints: process.env.ROCKETMQ_PROXY, namespace: '', requestTimeout: 20_000, logger }
  // Topics are made with the broker, so runs share one.
  const run = `${process.pid}-${Date.now()}`
  const messageListener = {
    async consume({ body, properties }) {
      const [of, id] = `${body}`.split(' ')
      if (of === run) await handle('push', Number(id), messageLane({ properties })?.header)
      return ConsumeResult.SUCCESS
    },
  }
  const subscriptions = new Map([['fuzz', '*']])
  const consumer = laneRocketmq(
    new PushConsumer({ ...base, consumerGroup: `fuzz-${run}`, subscriptions, messageListener }),
  )
  const producer = laneRocketmq(new Producer({ ...base, topics: ['fuzz'] }))
  const plain = new Producer({ ...base, topics: ['fuzz'] })
  for (const one of [producer, plain, consumer]) await one.startup()
  const message = (id, headers) => ({
    topic: 'fuzz',
    body: Buffer.from(`${run} ${id}`),
    ...(headers && { properties: new Map(Object.entries(headers)) }),
  })
  return {
    consumers: ['push'],
    takes: ['text'],
    ways: { send: (id, headers) => producer.send(message(id, headers)) },
    foreign: (id, headers) => plain.send(message(id, headers)),
  }
}

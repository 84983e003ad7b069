// How an application uses each client; nothing of Laneway in here. `load` is its `import` or its `require`.
const { once } = require('node:events')

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const rocketmqOptions = endpoints => ({ endpoints, namespace: '', requestTimeout: 10_000, logger })
const subscription = (topic, url) => ({
  ...rocketmqOptions(url),
  consumerGroup: `g-${topic}`,
  subscriptions: new Map([[topic, '*']]),
})

/** Its producer is started by the request that needs it first. */
function rocketmqOf(Producer, url, open) {
  let started
  return {
    open,
    async send(topic, text) {
      started ??= (async () => {
        const producer = new Producer({ ...rocketmqOptions(url), topics: [topic] })
        await producer.startup()
        return producer
      })()
      await (await started).send({ topic, body: Buffer.from(text) })
    },
  }
}

/** `{ open(queue, handle), send(queue, text) }` of each; `handle` is given the text. */
module.exports = {
  async amqplib({ load, library, url }) {
    const connection = await (await load(library)).connect(url)
    const channel = await connection.createConfirmChannel()
    return {
      async open(queue, handle) {
        await channel.assertQueue(queue)
        const consuming = await connection.createChannel()
        await consuming.consume(queue, async message => {
          await handle(`${message.content}`)
          consuming.ack(message)
        })
      },
      send: (queue, text) => channel.sendToQueue(queue, Buffer.from(text)),
    }
  },
  async callbacks({ load, library, url }) {
    const { connect } = await load(`${library}/callback_api`)
    const connection = await new Promise((resolve, reject) =>
      connect(url, (error, made) => (error ? reject(error) : resolve(made))),
    )
    const channelOf = () => new Promise(resolve => connection.createChannel((_error, channel) => resolve(channel)))
    const channel = await channelOf()
    return {
      async open(queue, handle) {
        await new Promise(resolve => channel.assertQueue(queue, {}, resolve))
        const consuming = await channelOf()
        const onMessage = async message => {
          await handle(`${message.content}`)
          consuming.ack(message)
        }
        await new Promise(resolve => consuming.consume(queue, onMessage, {}, resolve))
      },
      send: (queue, text) => channel.sendToQueue(queue, Buffer.from(text)),
    }
  },
  async manager({ load, url }) {
    const manager = (await load('amqp-connection-manager')).connect([url])
    const sender = manager.createChannel()
    return {
      async open(queue, handle) {
        const consumer = manager.createChannel({ setup: channel => channel.assertQueue(queue) })
        await consumer.consume(queue, async message => {
          await handle(`${message.content}`)
          consumer.ack(message)
        })
        await consumer.waitForConnect()
      },
      send: (queue, text) => sender.sendToQueue(queue, Buffer.from(text)),
    }
  },
  async 'rabbitmq-client'({ load, url }) {
    const { Connection } = await load('rabbitmq-client')
    const connection = new Connection(url)
    const publisher = connection.createPublisher({ confirm: true })
    return {
      async open(queue, handle) {
        const consumer = connection.createConsumer({ queue, queueOptions: { durable: true } }, message =>
          handle(`${message.body}`),
        )
        await once(consumer, 'ready')
      },
      send: (queue, text) => publisher.send(queue, text),
    }
  },
  async kafkajs({ load, url }) {
    const { Kafka, logLevel } = await load('kafkajs')
    const kafka = new Kafka({ brokers: [url], logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    return {
      async open(topic, handle) {
        const consumer = kafka.consumer({ groupId: `g-${topic}` })
        await consumer.connect()
        await consumer.subscribe({ topic, fromBeginning: true })
        await consumer.run({ eachMessage: ({ message }) => handle(`${message.value}`) })
      },
      send: (topic, text) => producer.send({ topic, messages: [{ value: text }] }),
    }
  },
  async platformatic({ load, url }) {
    const { Consumer, Producer, stringDeserializers, stringSerializers } = await load('@platformatic/kafka')
    const options = { bootstrapBrokers: [url], autocreateTopics: true }
    const producer = new Producer({ ...options, clientId: 'p', serializers: stringSerializers })
    return {
      async open(topic, handle) {
        const consumer = new Consumer({
          ...options,
          clientId: 'c',
          groupId: `g-${topic}`,
          deserializers: stringDeserializers,
        })
        const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: true })
        stream.on('data', message => void handle(message.value))
      },
      send: (topic, value) => producer.send({ messages: [{ topic, value }] }),
    }
  },
  async rocketmq({ load, url }) {
    const { ConsumeResult, Producer, PushConsumer } = await load('rocketmq-client-nodejs')
    return rocketmqOf(Producer, url, async (topic, handle) => {
      const messageListener = {
        async consume(message) {
          await handle(`${message.body}`)
          return ConsumeResult.SUCCESS
        },
      }
      await new PushConsumer({ ...subscription(topic, url), messageListener }).startup()
    })
  },
  async 'rocketmq-of-a-library'({ load, url }) {
    const { ConsumeResult, Producer, PushConsumer } = await load('rocketmq-client-nodejs')
    const starting = Base =>
      class extends Base {
        async startup() {
          if (this.hasStarted) throw new Error('started twice')
          this.hasStarted = true
          return super.startup()
        }
      }
    return rocketmqOf(starting(Producer), url, async (topic, handle) => {
      const consume = async message => {
        await handle(`${message.body}`)
        return ConsumeResult.SUCCESS
      }
      const Starting = starting(PushConsumer)
      await new Starting({ ...subscription(topic, url), messageListener: { consume } }).startup()
    })
  },
  async 'rocketmq-simple'({ load, url }) {
    const { Producer, SimpleConsumer } = await load('rocketmq-client-nodejs')
    return rocketmqOf(Producer, url, async (topic, handle) => {
      const consumer = new SimpleConsumer({ ...subscription(topic, url), awaitDuration: 3000 })
      await consumer.startup()
      async function take() {
        for (const message of await consumer.receive(16, 30_000).catch(() => [])) {
          await handle(`${message.body} ${message.properties.get('x-mse-tag')}`)
          await consumer.ack(message)
        }
        setImmediate(take)
      }
      take()
    })
  },
  async bullmq({ load, library, url }) {
    const { Queue, Worker } = await load(library)
    const { hostname: host, port } = new URL(url)
    const connection = { host, port: Number(port), maxRetriesPerRequest: null }
    const queues = new Map()
    return {
      async open(name, handle) {
        const worker = new Worker(name, job => handle(job.data), { connection, concurrency: 5 })
        worker.on('completed', job => void handle(`completed ${job.data}`))
        await worker.waitUntilReady()
      },
      async send(name, text) {
        if (!queues.has(name)) queues.set(name, new Queue(name, { connection }))
        await queues.get(name).add('job', text)
      },
    }
  },
}

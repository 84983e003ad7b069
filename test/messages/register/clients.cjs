// How an application uses each client; nothing of Laneway in here. `load` is its `import` or its `require`.
const { once } = require('node:events')

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

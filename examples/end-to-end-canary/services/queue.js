// With --queue: A sends its orders to B, and B to C, through a broker. Consumers of a lane take the messages of the lane.
import { createRequire } from 'node:module'
import { laneAmqp } from '@laneway/amqp'
import { createLaneWorker, laneQueue } from '@laneway/bullmq'
import { runInLane } from '@laneway/core'
import { laneKafka } from '@laneway/kafka'
import { messageLane } from '@laneway/messaging'
import { atEnd, instance } from './instance.js'

const { QUEUE, QUEUE_URL, QUEUE_CLIENTS } = process.env
// This repository keeps the clients of brokers in a folder of its own.
const require = createRequire(QUEUE_CLIENTS ?? import.meta.url)
const ANSWER_MS = 10_000

/** The end of the consumer. What it has begun may send further orders, so those go last. */
let closed
const closeOrders = []
atEnd(async () => {
  await closed
  for (const close of closeOrders) await close()
})

/** Sends an order and waits for the answer, which is text. Undefined without a queue. */
export const order = await { amqp: orderByAmqp, bullmq: orderByBullmq, kafka: orderByKafka }[QUEUE]?.()

/**
 * Handles the orders of a queue until SIGTERM.
 *
 * @param handle - is given the id of the order, and what `instance()` needs; returns the answer
 */
export async function consume(queue, port, handle) {
  if (order === undefined) return
  const answer = (id, headers) =>
    handle(id, { socket: { localAddress: '127.0.0.1', localPort: port }, headers: headers ?? {} })
  const close = await { amqp: consumeByAmqp, bullmq: consumeByBullmq, kafka: consumeByKafka }[QUEUE](queue, answer)
  process.once('SIGTERM', () => {
    closed = close()
  })
}

function redis() {
  const { hostname: host, port } = new URL(QUEUE_URL)
  return { host, port: Number(port), maxRetriesPerRequest: null }
}

async function orderByBullmq() {
  const { Queue, QueueEvents } = require('bullmq')
  const queues = new Map()
  const open = name => {
    const connection = redis()
    // By default it reads what comes after its first read, and the first order may be done before that.
    const lastEventId = String(Date.now() - 1000)
    const events = new QueueEvents(name, { connection, lastEventId })
    const one = { queue: laneQueue(new Queue(name, { connection })), events }
    queues.set(name, one)
    closeOrders.push(() => Promise.all([one.queue.close(), one.events.close()]))
    return one
  }
  return async (name, id) => {
    const { queue, events } = queues.get(name) ?? open(name)
    await events.waitUntilReady()
    const options = { attempts: 4, removeOnComplete: 5000, removeOnFail: 5000 }
    return (await queue.add('order', { id }, options)).waitUntilFinished(events, ANSWER_MS)
  }
}

async function consumeByBullmq(name, answer) {
  const { Queue, Worker } = require('bullmq')
  const worker = createLaneWorker(name, job => answer(job.data.id, job.opts), {
    bullmq: { Queue, Worker },
    connection: redis(),
    concurrency: 50,
    lanes: 'isolate',
  })
  await worker.waitUntilReady()
  return () => worker.close()
}

async function orderByAmqp() {
  const connection = laneAmqp(await require('amqplib').connect(QUEUE_URL))
  const channel = await connection.createChannel()
  const { queue: replies } = await channel.assertQueue('', { exclusive: true })
  const waiting = new Map()
  let count = 0
  const onReply = message => {
    const { correlationId } = message.properties
    waiting.get(correlationId)?.(`${message.content}`)
    waiting.delete(correlationId)
  }
  // Replies reach who asked, whatever their lane.
  await channel.consume(replies, onReply, { noAck: true, lanes: 'propagate' })
  closeOrders.push(() => connection.close())
  return (queue, id) =>
    new Promise((resolve, reject) => {
      const correlationId = String(++count)
      setTimeout(() => {
        if (waiting.delete(correlationId)) reject(new Error(`no answer from ${queue} in ${ANSWER_MS} ms`))
      }, ANSWER_MS).unref()
      waiting.set(correlationId, resolve)
      channel.sendToQueue(queue, Buffer.from(id), { replyTo: replies, correlationId, persistent: true })
    })
}

async function consumeByAmqp(queue, answer) {
  const connection = laneAmqp(await require('amqplib').connect(`${QUEUE_URL}?heartbeat=5`))
  const channel = await connection.createChannel()
  await channel.assertQueue(queue)
  await channel.prefetch(50)
  let busy = 0
  const onMessage = async message => {
    if (message === null) return
    busy++
    try {
      const text = await answer(`${message.content}`, message.properties.headers)
      channel.sendToQueue(message.properties.replyTo, Buffer.from(text), {
        correlationId: message.properties.correlationId,
      })
      channel.ack(message)
    } catch {
      channel.nack(message)
    } finally {
      busy--
    }
  }
  const { consumerTag } = await channel.consume(queue, onMessage, { lanes: 'isolate', laneTtlMs: 2000 })
  return async () => {
    await channel.cancel(consumerTag)
    while (busy > 0) await new Promise(resolve => setTimeout(resolve, 20))
    await connection.close()
  }
}

function kafka() {
  const { Kafka, logLevel } = require('kafkajs')
  return new Kafka({ brokers: [QUEUE_URL], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 20 } })
}

async function orderByKafka() {
  const replies = `replies-${process.pid}-${Date.now()}`
  const client = kafka()
  const admin = client.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: replies, numPartitions: 1 }], waitForLeaders: true })
  await admin.disconnect()
  const waiting = new Map()
  let count = 0
  // Of this instance alone, so without lanes: replies reach who asked, whatever their lane.
  const consumer = client.consumer({ groupId: replies, heartbeatInterval: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic: replies, fromBeginning: true })
  const joined = new Promise(resolve => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    eachMessage: async ({ message }) => {
      const id = `${message.headers.correlation}`
      waiting.get(id)?.(`${message.value}`)
      waiting.delete(id)
    },
  })
  await joined
  const producer = laneKafka(client).producer()
  await producer.connect()
  closeOrders.push(() => Promise.all([consumer.disconnect(), producer.disconnect()]))
  return (topic, id) =>
    new Promise((resolve, reject) => {
      const correlation = String(++count)
      setTimeout(() => {
        if (waiting.delete(correlation)) reject(new Error(`no answer from ${topic} in ${ANSWER_MS} ms`))
      }, ANSWER_MS).unref()
      waiting.set(correlation, resolve)
      producer.send({ topic, messages: [{ value: id, headers: { replies, correlation } }] }).catch(reject)
    })
}

/** A lane owns what is produced 6 s after its announcement and later. */
const LEAD_MS = 7000

async function consumeByKafka(topic, answer) {
  const client = laneKafka(kafka())
  const producer = client.producer()
  await producer.connect()
  const handle = async ({ value, headers }) => {
    const once = () => answer(`${value}`, { 'x-mse-tag': `${headers['x-mse-tag'] ?? ''}` })
    const text = await once().catch(once)
    const { correlation, replies } = headers
    await producer.send({ topic: `${replies}`, messages: [{ value: text, headers: { correlation } }] })
  }
  const options = { groupId: topic, lanes: 'isolate', heartbeatInterval: 500, sessionTimeout: 10_000 }
  const consumer = client.consumer(options)
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    partitionsConsumedConcurrently: 6,
    // All at once: the handler of B waits for the answer of C.
    eachBatch: async ({ batch }) => {
      await Promise.all(batch.messages.map(message => runInLane(messageLane(message), handle, message)))
    },
  })
  if (process.env.LANEWAY_TAG) await new Promise(resolve => setTimeout(resolve, LEAD_MS))
  return async () => {
    await consumer.disconnect()
    await producer.disconnect()
  }
}

/** The answer of B: its own name, and what C answers. */
export const orderOfB = async (id, from) => `${instance('B', from)} -> ${await order('shipping', id)}`

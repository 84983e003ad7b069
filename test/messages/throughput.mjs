// What lanes cost a consumer, in messages a second: the plain client, untagged and tagged under isolation, forwarded.
//   node --import tsx --conditions=@laneway/source test/messages/throughput.mjs bullmq|amqp [rounds]
// Rounds alternate; the medians and the extremes are printed. The time is that from the first message sent until all are
// done: a message of RabbitMQ when it is handled, a job of BullMQ when its queue says that the original is completed. The
// consumer of the lane is a process of its own, as it is for users. The machine should have nothing else to do.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { laneAmqp } from '@laneway/amqp'
import { createLaneWorker } from '@laneway/bullmq'
import amqp from 'amqplib'
import { Queue, QueueEvents, Worker } from 'bullmq'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { startRedis } from '../servers/redis/start.mjs'

const CASES = [
  { name: 'plain client', isolate: false, lane: false, tagged: false },
  { name: 'isolated, untagged', isolate: true, lane: false, tagged: false },
  { name: 'isolated, tagged, no lane lives', isolate: true, lane: false, tagged: true },
  { name: 'isolated, forwarded to the lane', isolate: true, lane: true, tagged: true },
]

const bullmq = {
  messages: 6000,
  start: startRedis,
  address: ({ host, port }) => ({ host, port, maxRetriesPerRequest: null }),
  async open(connection, name) {
    const queue = new Queue(name, { connection })
    const events = new QueueEvents(name, { connection })
    let completed = 0
    events.on('completed', () => completed++)
    await events.waitUntilReady()
    return {
      async send(messages, opts) {
        for (let i = 0; i < messages; i += 100)
          await queue.addBulk(Array.from({ length: 100 }, () => ({ name: 'j', data: {}, opts })))
      },
      done: () => completed,
      close: () => Promise.all([queue.close(), events.close()]),
    }
  },
  async consume(connection, name, tag, handled) {
    const options = { connection, concurrency: 20 }
    const handle = async () => handled()
    const worker =
      tag === undefined
        ? new Worker(name, handle, options)
        : createLaneWorker(name, handle, { ...options, bullmq: { Queue, Worker }, lanes: 'isolate', tag })
    await worker.waitUntilReady()
    return worker
  },
}

const rabbitmq = {
  messages: 20_000,
  start: startRabbitmq,
  address: ({ url }) => url,
  async open(url, name) {
    const connection = await amqp.connect(url)
    const channel = await connection.createConfirmChannel()
    await channel.assertQueue(name)
    return {
      send(messages, headers) {
        for (let i = 0; i < messages; i++) channel.sendToQueue(name, Buffer.from('x'), { persistent: true, headers })
      },
      done: handled => handled,
      close: () => connection.close(),
    }
  },
  async consume(url, name, tag, handled) {
    const connection = await amqp.connect(url)
    const channel = await (tag === undefined ? connection : laneAmqp(connection, { tag })).createChannel()
    await channel.prefetch(50)
    const handle = message => {
      handled()
      channel.ack(message)
    }
    await channel.consume(name, handle, tag === undefined ? undefined : { lanes: 'isolate' })
    return connection
  },
}

const [systemName, rounds = '5', ofLane] = process.argv.slice(2)
const system = systemName === 'amqp' ? rabbitmq : bullmq
if (ofLane === undefined) await measure()
else await consumeInLane(JSON.parse(ofLane))

/** In a process of its own: tells how many it has handled. */
async function consumeInLane({ address, name }) {
  let handled = 0
  const consumer = await system.consume(address, name, 'gray', () => handled++)
  const telling = setInterval(() => process.send(handled), 10)
  process.send(0)
  await once(process, 'disconnect')
  clearInterval(telling)
  await consumer.close()
}

async function measure() {
  const server = await system.start()
  const address = system.address(server)
  const rates = CASES.map(() => [])
  const times = CASES.map(() => [])
  await measureOnce(address, 'warm-up', CASES[0])
  for (let i = 0; i < Number(rounds); i++) {
    for (const [index, one] of CASES.entries()) {
      const { rate, microseconds } = await measureOnce(address, `q${i}-${index}`, one)
      rates[index].push(rate)
      times[index].push(microseconds)
    }
  }
  await server.stop()
  const plain = spreadOf(rates[0]).middle
  const percent = rate => Math.round((rate / plain) * 100)
  for (const [index, { name }] of CASES.entries()) {
    const { middle, low, high } = spreadOf(rates[index])
    console.log(
      `${systemName} ${name}: ${Math.round(middle)} a second, ${percent(middle)} % (${percent(low)} to ${percent(high)}),` +
        ` ${Math.round(spreadOf(times[index]).middle)} µs of this process a message`,
    )
  }
}

function spreadOf(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return { middle: sorted[sorted.length >> 1], low: sorted[0], high: sorted.at(-1) }
}

async function measureOnce(address, name, { isolate, lane, tagged }) {
  const producer = await system.open(address, name)
  let handled = 0
  let handledInLane = 0
  let child
  if (lane) {
    child = fork(fileURLToPath(import.meta.url), [systemName, '1', JSON.stringify({ address, name })])
    child.on('message', count => {
      handledInLane = count
    })
    await once(child, 'message')
  }
  const consumer = await system.consume(address, name, isolate ? 'base' : undefined, () => handled++)
  const started = performance.now()
  const before = process.cpuUsage()
  await producer.send(system.messages, tagged ? { 'x-mse-tag': 'gray' } : {})
  while (producer.done(handled + handledInLane) < system.messages) await sleep(5)
  const rate = system.messages / ((performance.now() - started) / 1000)
  const { user, system: ofKernel } = process.cpuUsage(before)
  child?.disconnect()
  await Promise.all([producer.close(), consumer.close(), child && once(child, 'exit')])
  if (handledInLane > 0 && handled > 0) console.error(`base handled ${handled} of ${name}`)
  return { rate, microseconds: (user + ofKernel) / system.messages }
}

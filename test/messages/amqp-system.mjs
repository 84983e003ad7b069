// RabbitMQ as timelines and chaos drive it.
import { setTimeout as sleep } from 'node:timers/promises'
import { laneAmqp } from '@laneway/amqp'
import amqp from 'amqplib'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { crashOfBase } from './crash-of-base.mjs'

export const IN_FLIGHT = 20
const LOOK_MS = 300
/** Two lanes have traffic, so base's view of one is at most two looks old; the rest is the way of a message. */
export const WINDOW_MS = 2 * LOOK_MS + 200
const LANE_TTL_MS = 3000

export const start = () => startRabbitmq()

/** Runs `use` with a connection, again with a new one when that is lost, until it returns a value. */
async function withConnection(url, use) {
  for (;;) {
    try {
      const connection = await amqp.connect(url)
      connection.on('error', () => {})
      return await use(connection)
    } catch {
      await sleep(200)
    }
  }
}

/** The producer, which knows nothing of Laneway. Half of the messages go through a topic exchange. */
export async function openProducer(server, name) {
  let connection
  let channel
  const open = () =>
    withConnection(server.url, async made => {
      connection = made
      channel = await made.createConfirmChannel()
      channel.on('error', () => {})
      await channel.assertQueue(name, { durable: true })
      await channel.assertExchange(`${name}-x`, 'topic', { durable: true })
      await channel.bindQueue(name, `${name}-x`, 'orders.#')
    })
  await open()
  async function send(list) {
    for (;;) {
      try {
        for (const { id, lane } of list) {
          const options = { persistent: true, headers: lane === '' ? {} : { 'x-mse-tag': lane } }
          if (id.endsWith('0')) channel.publish(`${name}-x`, 'orders.new', Buffer.from(id), options)
          else channel.sendToQueue(name, Buffer.from(id), options)
        }
        await channel.waitForConfirms()
        return
      } catch {
        await open()
      }
    }
  }
  return {
    send,
    async leftovers() {
      const left = []
      for (const queue of [name, `${name}_gray`]) {
        const { messageCount } = await channel.checkQueue(queue)
        if (messageCount > 0) left.push(`${queue} ${messageCount}`)
      }
      return left
    },
    close: () => connection.close(),
  }
}

/** Changes what base does when it forwards: `deaf` never hears that it is done, `ack-first` believes so at once. */
function breakForwards(channel, control) {
  const prototype = Object.getPrototypeOf(channel)
  const { publish, pushConfirmCallback } = prototype
  prototype.publish = function (exchange, ...rest) {
    if (control === 'ack-first' && exchange.startsWith('laneway.')) return true
    return publish.call(this, exchange, ...rest)
  }
  prototype.pushConfirmCallback = function (done) {
    if (control === 'ack-first') done(null)
    else pushConfirmCallback.call(this, () => {})
  }
}

/** A consumer in a process of its own, which comes back after a loss of its connection. Resolves once it consumes. */
export async function openMember({ server, name, lane, control, handle }) {
  let closing = false
  let connection
  let channel
  let consumerTag
  let busy = 0
  async function consume(made) {
    connection = laneAmqp(made, { tag: lane, warn: () => {} })
    channel = await connection.createChannel()
    channel.on('error', () => {})
    if (control !== undefined) breakForwards(channel, control)
    await channel.prefetch(IN_FLIGHT)
    const on = channel
    const onMessage = async message => {
      if (message === null) return
      busy++
      try {
        await handle(message)
        on.ack(message)
      } catch {
        // The channel is gone: the message is handed out again.
      } finally {
        busy--
      }
    }
    const options = { lanes: 'isolate', laneTtlMs: LANE_TTL_MS, lookMs: LOOK_MS }
    ;({ consumerTag } = await channel.consume(name, onMessage, options))
    made.once('close', () => closing || withConnection(server.url, consume))
  }
  await withConnection(server.url, consume)
  return {
    async close() {
      await channel.cancel(consumerTag)
      closing = true
      while (busy > 0) await sleep(10)
      await connection.close()
    },
  }
}

export const idOf = message => `${message.content}`
export const failsNow = () => false

/** Base dies while it moves messages to the lane; another instance of base goes on. */
export async function runControl(system, server, { name, control }) {
  return crashOfBase(system, server, { name, control, messages: IN_FLIGHT, handledFirst: false })
}

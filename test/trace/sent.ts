// A path ends at messages: every producer, on carriers that record what reaches them. The real clients are in test/messages.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { laneAmqp, laneRabbit } from '@laneway/amqp'
import { laneFlowProducer, laneQueue } from '@laneway/bullmq'
import { laneHandler } from '@laneway/http'
import { laneKafka } from '@laneway/kafka'
import { createLaneFields } from '@laneway/redis-streams'
import { laneRocketmq } from '@laneway/rocketmq'

const carried: unknown[] = []

function recorder(...methods: string[]): any {
  return Object.fromEntries(methods.map(name => [name, (...args: unknown[]) => carried.push(args)]))
}

function createProducers(): Record<string, () => void> {
  const channel = laneAmqp({
    ...recorder('publish', 'consume'),
    // As amqplib does.
    sendToQueue(queue: string, ...rest: unknown[]) {
      return this.publish('', queue, ...rest)
    },
  })
  const rabbit = laneRabbit({
    ...recorder('createRPCClient', 'createConsumer', 'acquire'),
    createPublisher: () => recorder('send'),
  })
  const kafkajs = laneKafka(recorder('send', 'sendBatch'))
  const serializers = { headerKey: Buffer.from, headerValue: Buffer.from }
  const platformatic = laneKafka(
    Object.assign(recorder('send', 'initIdempotentProducer'), {
      [Symbol('plt.kafka.base.options')]: { serializers },
    }),
  )
  const queue = laneQueue({ name: 'mail', ...recorder('add', 'addBulk') })
  const flows = laneFlowProducer(recorder('add', 'addBulk'))
  const rocketmq = laneRocketmq(recorder('send'))
  const withLane = createLaneFields()
  return {
    exchange: () => channel.publish('exchange', 'key', Buffer.alloc(1)),
    queue: () => channel.sendToQueue('queue', Buffer.alloc(1)),
    envelope: () => (rabbit as any).createPublisher().send({ exchange: 'envelope', routingKey: 'key' }, 'x'),
    kafkajs: () => kafkajs.send({ topic: 'kafkajs', messages: [{ value: 'x' }] }),
    platformatic: () => platformatic.send({ messages: [{ topic: 'platformatic', value: 'x' }] }),
    mail: () => queue.add('job', {}),
    flow: () => flows.add({ name: 'job', queueName: 'flow' }),
    rocketmq: () => rocketmq.send({ topic: 'rocketmq', body: Buffer.alloc(1) }),
    stream: () => carried.push(withLane('stream', { body: 'x' })),
  }
}

/** A service that sends one message by each producer, and what a path says of it in a lane. */
export async function startSender(): Promise<{ port: number; expected(lane: string): string[]; close(): void }> {
  const producers = createProducers()
  const server: Server = createServer(
    laneHandler(
      (_request, response) => {
        for (const send of Object.values(producers)) send()
        response.end()
      },
      { trace: { name: 'sender' } },
    ),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.address() as AddressInfo).port,
    expected: lane => Object.keys(producers).map(topic => `${topic} ${lane} message sent`),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** How often something of Laneway's trace has reached a carrier. */
export function leaked(): number {
  return carried.filter(one => /laneway-(trace|path)/i.test(JSON.stringify(one))).length
}

// NestJS with each transport, and @golevelup/nestjs-rabbitmq, unchanged under @laneway/register. TRANSPORTS=rmq,tcp takes some.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { findProgram } from '../servers/debian.mjs'
import { findKafka, startKafka } from '../servers/kafka/start.mjs'
import { freePorts, launch, ownFolder } from '../servers/loopback-server.mjs'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { startRedis } from '../servers/redis/start.mjs'
import { startProgram } from './register/start-program.mjs'
import { until } from './until.mjs'

const chosen = process.env.TRANSPORTS?.split(',')
const TAGS = [undefined, 'gray', 'blue']

async function startNats() {
  const [port] = await freePorts(1)
  const { folder } = ownFolder('nats')
  const { stop } = await launch('nats-server', folder, 'nats-server', ['-a', '127.0.0.1', '-p', `${port}`], { port })
  return { address: `127.0.0.1:${port}`, stop }
}

/** With its topics: a client that asks for one that is just being made fails. */
async function startKafkaFor(name) {
  const server = await startKafka()
  const admin = new Kafka({ brokers: [server.address], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({
    topics: ['ask', 'ask.reply', 'hear'].map(kind => ({ topic: `${name}-${kind}` })),
    waitForLeaders: true,
  })
  await admin.disconnect()
  return server
}

const ROWS = [
  { transport: 'rmq', carries: true, start: startRabbitmq },
  { transport: 'kafka', carries: true, find: findKafka, start: startKafkaFor },
  // Headers are there, and no package writes them: see docs/guides/messages-and-jobs.md.
  { transport: 'nats', carries: false, find: () => findProgram('nats-server', 'nats-server'), start: startNats },
  // Neither has a place for headers.
  { transport: 'redis', carries: false, start: startRedis },
  {
    transport: 'tcp',
    carries: false,
    start: async () => ({ host: '127.0.0.1', port: (await freePorts(1))[0], stop() {} }),
  },
]

for (const { transport, carries, find, start } of ROWS) {
  const name = `n${process.pid}-${transport}`
  const skip = chosen !== undefined && !chosen.includes(transport)
  test(`NestJS, ${transport}: ${carries ? 'handlers run in the lane of their message' : 'no lane travels, and none leaks'}; replies reach the requester`, {
    skip,
  }, async t => {
    const problem = await find?.()
    if (problem !== undefined) return t.skip(problem)
    const server = await start(name)
    t.after(() => server.stop())
    const address = transport === 'rmq' ? server.url : (server.address ?? `${server.host}:${server.port}`)
    const { ask, output } = await startProgram(t, 'nest.mjs', [transport, address, name])
    // Opened by a request of a lane.
    await ask('open', 'red')
    const replies = await Promise.all(TAGS.map(tag => ask('ask', tag)))
    assert.deepEqual(
      replies,
      TAGS.map((tag = 'none') => [carries ? tag : 'none', tag]),
      'the lane of the handler, and of the code behind the reply',
    )
    await Promise.all(TAGS.map((tag, i) => ask(`emit/${i}`, tag)))
    await until(async () => (await ask('')).length === 3)
    assert.deepEqual(
      (await ask('')).sort(),
      TAGS.map((tag = 'none', i) => `${i}:${carries ? tag : 'none'}`),
    )
    assert.doesNotMatch(output.stderr, /LanewayWarning/)
  })
}

test('@golevelup/nestjs-rabbitmq: handlers run in the lane of their message', {
  skip: chosen !== undefined && !chosen.includes('golevelup'),
}, async t => {
  const server = await startRabbitmq()
  t.after(() => server.stop())
  const { ask, output } = await startProgram(t, 'golevelup.mjs', [server.url, `g${process.pid}`])
  await ask('open', 'red')
  await Promise.all(TAGS.map((tag, i) => ask(`send/${i}`, tag)))
  await until(async () => (await ask('')).length === 3)
  assert.deepEqual(
    (await ask('')).sort(),
    TAGS.map((tag = 'none', i) => `${i}:${tag}`),
  )
  assert.doesNotMatch(output.stderr, /LanewayWarning/)
})

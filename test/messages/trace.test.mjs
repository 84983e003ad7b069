// The path of a traced request ends at the messages that it sends to real brokers, by unchanged programs.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { formatPath, readPath } from '@laneway/core'
import { startKafka } from '../servers/kafka/start.mjs'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { startRedis } from '../servers/redis/start.mjs'
import { startProgram } from './register/start-program.mjs'
import { until } from './until.mjs'

let brokers = {}

before(async () => {
  const [kafka, rabbit, redis] = await Promise.all([startKafka(), startRabbitmq(), startRedis()])
  brokers = { kafka, rabbit, redis }
})
after(() => Promise.all(Object.values(brokers).map(server => server.stop())))

const CLIENTS = [
  ['amqplib', 'amqplib', () => brokers.rabbit.url],
  ['rabbitmq-client', 'rabbitmq-client', () => brokers.rabbit.url],
  ['kafkajs', 'kafkajs', () => brokers.kafka.address],
  ['platformatic', '@platformatic/kafka', () => brokers.kafka.address],
  ['bullmq', 'bullmq', () => brokers.redis.url],
]

for (const [client, library, urlOf] of CLIENTS) {
  test(`${library}: the path ends at the message, which carries its lane and no trace`, async t => {
    const queue = `trace-${client}-${process.pid}`
    const { ask, port } = await startProgram(t, 'app.mjs', [client, library, urlOf()], { LANEWAY_SERVICE: 'sender' })
    const isKafka = urlOf() === brokers.kafka.address
    // The first message makes a topic.
    if (isKafka) await ask(`send/${queue}/3`)
    await ask(`open/${queue}`)
    const send = async (text, headers) => {
      const answer = await fetch(`http://127.0.0.1:${port}/send/${queue}/${text}`, { headers })
      assert.equal(answer.status, 200, await answer.text())
      return readPath(answer)
    }
    const traced = await send('0', { 'x-mse-tag': 'gray', 'x-laneway-trace': '1' })
    assert.deepEqual(
      traced?.calls.map(({ target, lane, outcome, path }) => [target, lane, outcome, path]),
      [[queue, 'gray', 'message', undefined]],
    )
    assert.match(formatPath(traced), new RegExp(`sent to ${queue}`))
    const base = await send('1', { 'x-laneway-trace': '1' })
    assert.deepEqual(
      base?.calls.map(({ target, lane }) => [target, lane]),
      [[queue, undefined]],
    )
    assert.equal(await send('2', { 'x-mse-tag': 'gray' }), undefined)
    const own = async () => (await ask('')).filter(text => !text.startsWith('completed'))
    const wanted = ['0:gray', '1:none', '2:gray', ...(isKafka ? ['3:none'] : [])]
    await until(async () => (await own()).length >= wanted.length)
    // What handles a message asks the next service, which answers with the tag it got, or with the trace if it got one.
    assert.deepEqual((await own()).sort(), wanted)
  })
}

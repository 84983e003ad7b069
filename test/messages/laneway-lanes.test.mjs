// `laneway lanes --kafka` on a real Kafka, with consumers that keep lanes apart and some that do not.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLaneConsumer, laneKafka } from '@laneway/kafka'
import * as platformatic from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { runCommand } from 'laneway'
import { startKafka } from '../servers/kafka/start.mjs'
import { until } from './until.mjs'

// The command takes kafkajs from the project in which it runs.
const folder = fileURLToPath(new URL('./', import.meta.url))
const open = []
let broker

before(async () => {
  broker = await startKafka()
})
after(async () => {
  await Promise.all(open.map(one => one.disconnect()))
  await broker.stop()
})

async function lanes(...args) {
  let [stdout, stderr] = ['', '']
  const code = await runCommand(['lanes', ...args, '--kafka', broker.address], {
    write: text => (stdout += text),
    writeError: text => (stderr += text),
    env: {},
    folder,
    isTerminal: false,
    signal: new AbortController().signal,
  })
  return { code, stdout, stderr }
}

const client = () => new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })

async function consume(kafka, options = {}) {
  const consumer = kafka.consumer({ groupId: 'orders', heartbeatInterval: 500, ...options })
  open.push(consumer)
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({ eachMessage: async () => {} })
  return consumer
}

test('lanes, consumers, lag, ledger and conflicts; the end of a lane', { timeout: 120_000 }, async () => {
  const none = await lanes()
  assert.match(none.stderr, /there is no topic laneway\.lanes/)
  assert.equal(none.code, 0)

  const producer = client().producer()
  open.push(producer)
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] })
  const isolate = { lanes: 'isolate' }
  await consume(laneKafka(client(), { tag: 'base' }), isolate)
  const gray = await consume(laneKafka(client(), { tag: 'gray' }), isolate)

  const look = async () => JSON.parse((await lanes('--json')).stdout)
  let seen
  await until(async () => {
    seen = await look()
    const [base, lane] = seen.lanes
    return base?.consumers === 1 && lane?.consumers === 1 && lane.state === 'open' && base.lag === 0
  })
  assert.deepEqual(
    seen.lanes.map(({ group, lane, consumers, standIns, state }) => [group, lane, consumers, standIns, state]),
    [
      ['orders', 'base', 1, 0, undefined],
      ['orders', 'gray', 1, 0, 'open'],
    ],
  )
  assert.deepEqual(seen.conflicts, [])
  assert.equal(seen.ledger.records, 1)
  const table = await lanes('--group', 'orders')
  assert.equal(table.code, 0)
  assert.match(
    table.stdout,
    /^GROUP +LANE +CONSUMERS +STAND-INS +LAG +STATE\norders +base +1 +- +0 +-\n +gray +1 +0 +\S+ +open since/,
  )
  assert.match((await lanes('--group', 'mail')).stdout, /^no lanes\n/)

  await gray.disconnect()
  await until(async () => (await look()).lanes[1].standIns === 1)

  const foreign = await consume(client())
  await until(async () => {
    const { code, stdout } = await lanes()
    return code === 1 && /conflict +1 of 2 members of group orders do not keep lanes apart/.test(stdout)
  })
  await foreign.disconnect()

  assert.match((await lanes('end', 'orders', 'blue')).stderr, /lane blue of group orders is not open/)
  const ended = await lanes('end', 'orders', 'gray')
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stdout, /lane gray of group orders ends in 60 s/)
  const { lanes: rows } = await look()
  assert.equal(rows[1].state, 'ends')
  assert.equal((await lanes('end', 'orders', 'gray')).code, 1, 'it has an end')
})

test('of a group of KIP-848 the lanes are shown, and base without a number of consumers', {
  timeout: 120_000,
}, async () => {
  const options = { groupId: 'mail', groupProtocol: 'consumer', assumeBase: true, bootstrapBrokers: [broker.address] }
  for (const tag of ['base', 'gray']) {
    const consumer = createLaneConsumer({ ...options, platformatic, lanes: 'isolate', tag, clientId: tag })
    open.push({ disconnect: () => consumer.close(true) })
    await consumer.consume({ topics: ['orders'], mode: 'earliest' })
  }
  await until(async () => {
    const { code, stdout } = await lanes('--group', 'mail')
    return code === 0 && /^mail +base +- +- +\S+ +-\n +gray +1 +0 /m.test(stdout)
  })
})

test('a broker that cannot be reached is code 3', async () => {
  let said = ''
  const code = await runCommand(['lanes', '--kafka', '127.0.0.1:1'], {
    write: () => {},
    writeError: text => (said += text),
    env: {},
    folder,
    isTerminal: false,
    signal: new AbortController().signal,
  })
  assert.equal(code, 3)
  assert.match(said, /kafka 127\.0\.0\.1:1 cannot be asked/)
})

test('a group of a lane with a name of its own', { timeout: 120_000 }, async () => {
  const named = { groupId: 'letters', lanes: 'isolate', laneGroup: (group, lane) => `lane.${lane}.${group}` }
  await consume(laneKafka(client(), { tag: 'base' }), named)
  await consume(laneKafka(client(), { tag: 'gray' }), named)
  await until(async () => {
    const { lanes: rows, conflicts } = JSON.parse((await lanes('--json', '--group', 'letters')).stdout)
    const gray = rows.find(({ lane }) => lane === 'gray')
    return gray?.readers === 'lane.gray.letters' && gray.consumers === 1 && conflicts.length === 0
  })
  assert.match((await lanes('end', 'letters', 'gray')).stdout, /stay with lane\.gray\.letters/)
})

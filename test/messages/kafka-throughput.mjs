// How fast a consumer of base passes over a topic that is entirely a lane's, beside a plain kafkajs that handles it.
//   node --import tsx --conditions=@laneway/source test/messages/kafka-throughput.mjs [rounds] [messages]
// Rounds alternate; the medians are printed. The machine should have nothing else to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { laneKafka } from '@laneway/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../servers/kafka/start.mjs'
import { makeTopic } from './make-topic.mjs'

const [rounds = '3', messages = '50000'] = process.argv.slice(2)
const server = await startKafka()
const clientOf = () => new Kafka({ brokers: [server.address], logLevel: logLevel.NOTHING })
const admin = clientOf().admin()
const producer = clientOf().producer()
await Promise.all([admin.connect(), producer.connect()])

async function consume(kafka, groupId, options, handle) {
  const consumer = kafka.consumer({ groupId, ...options })
  await consumer.connect()
  await consumer.subscribe({ topic: 'all', fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => handle(message) })
  return consumer
}

await makeTopic(admin, 'all', { numPartitions: 1 })
// Each round of base reads in a group of its own, in which the lane has to be announced before the messages are sent.
const groups = Array.from({ length: Number(rounds) }, (_, i) => `base-${i}`)
const isolated = { lanes: 'isolate', whenLaneMissing: 'fail' }
const lanes = groups.map(group => consume(laneKafka(clientOf(), { tag: 'gray' }), group, isolated, () => {}))
for (const lane of await Promise.all(lanes)) await lane.disconnect()
await sleep(6500)
const headers = { 'x-mse-tag': 'gray' }
const value = 'x'.repeat(100)
for (let i = 0; i < Number(messages); i += 1000) {
  await producer.send({ topic: 'all', messages: Array.from({ length: 1000 }, () => ({ value, headers })) })
}
await producer.send({ topic: 'all', messages: [{ value: 'last' }] })

/** Reading begins when the consumer has joined its group. */
async function rateOf(kafka, group, options) {
  let over
  const read = new Promise(resolve => (over = resolve))
  let handled = 0
  const consumer = await consume(kafka, group, options, message => {
    handled++
    if (`${message.value}` === 'last') over()
  })
  const joined = performance.now()
  await read
  const rate = Number(messages) / ((performance.now() - joined) / 1000)
  await consumer.disconnect()
  return { rate, handled }
}

const [plain, base] = [[], []]
for (const [round, group] of groups.entries()) {
  plain.push(await rateOf(clientOf(), `plain-${round}`, {}))
  base.push(await rateOf(laneKafka(clientOf(), { tag: 'base' }), group, isolated))
}
const median = list => list.map(({ rate }) => rate).toSorted((a, b) => a - b)[list.length >> 1]
if (base.some(({ handled }) => handled !== 1)) throw new Error('base handled messages of the lane')
console.log(
  `kafka plain client: ${Math.round(median(plain))} a second; base on a topic of a lane: ${Math.round(median(base))} a second, ` +
    `${Math.round((median(base) / median(plain)) * 100)} %`,
)
await Promise.all([admin, producer].map(one => one.disconnect()))
await server.stop()
process.exit(0)

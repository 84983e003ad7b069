// What lanes cost a consumer, in messages a second: the plain client, untagged and tagged under isolation, forwarded.
//   node --import tsx --conditions=@laneway/source test/messages/throughput.mjs bullmq|amqp [rounds]
// Rounds alternate; the medians are printed. The machine should have nothing else to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { laneAmqp } from '@laneway/amqp'
import { createLaneWorker } from '@laneway/bullmq'
import amqp from 'amqplib'
import { Queue, Worker } from 'bullmq'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { startRedis } from '../servers/redis/start.mjs'

const [system, rounds = '5'] = process.argv.slice(2)
const CASES = [
  { name: 'plain client', isolate: false, lane: false, tagged: false },
  { name: 'isolated, untagged', isolate: true, lane: false, tagged: false },
  { name: 'isolated, tagged, no lane lives', isolate: true, lane: false, tagged: true },
  { name: 'isolated, forwarded to the lane', isolate: true, lane: true, tagged: true },
]
let count = 0

async function untilCount(done, wanted) {
  while (done() < wanted) await sleep(5)
}

async function roundOfBullmq(server, { isolate, lane, tagged }) {
  const messages = 2000
  const name = `t${++count}`
  const connection = { host: server.host, port: server.port, maxRetriesPerRequest: null }
  const queue = new Queue(name, { connection })
  const options = { connection, concurrency: 20 }
  const consumer = tag =>
    isolate
      ? createLaneWorker(name, async () => 'ok', { ...options, bullmq: { Queue, Worker }, lanes: 'isolate', tag })
      : new Worker(name, async () => 'ok', options)
  const opts = tagged ? { 'x-mse-tag': 'gray' } : {}
  const workers = [consumer('base'), ...(lane ? [consumer('gray')] : [])]
  await Promise.all(workers.map(worker => worker.waitUntilReady()))
  for (let i = 0; i < messages; i += 500) {
    await queue.addBulk(Array.from({ length: 500 }, () => ({ name: 'j', data: {}, opts })))
  }
  const started = performance.now()
  const before = await queue.getCompletedCount()
  while ((await queue.getCompletedCount()) < messages) await sleep(20)
  const rate = (messages - before) / ((performance.now() - started) / 1000)
  await Promise.all([...workers, queue].map(one => one.close()))
  return rate
}

async function roundOfAmqp(server, { isolate, lane, tagged }) {
  const messages = 5000
  const name = `t${++count}`
  const connections = []
  const open = async tag => {
    const connection = await amqp.connect(server.url)
    connections.push(connection)
    return tag === undefined ? connection : laneAmqp(connection, { tag })
  }
  const producer = await (await open()).createConfirmChannel()
  await producer.assertQueue(name)
  let done = 0
  const consume = async tag => {
    const channel = await (await open(isolate ? tag : undefined)).createChannel()
    await channel.prefetch(50)
    const options = isolate ? { lanes: 'isolate' } : undefined
    await channel.consume(
      name,
      message => {
        done++
        channel.ack(message)
      },
      options,
    )
  }
  if (lane) await consume('gray')
  const started = performance.now()
  await consume('base')
  const headers = tagged ? { 'x-mse-tag': 'gray' } : {}
  for (let i = 0; i < messages; i++) producer.sendToQueue(name, Buffer.from('x'), { persistent: true, headers })
  await untilCount(() => done, messages)
  const rate = messages / ((performance.now() - started) / 1000)
  await Promise.all(connections.map(one => one.close()))
  return rate
}

const [start, round] = system === 'amqp' ? [startRabbitmq, roundOfAmqp] : [startRedis, roundOfBullmq]
const server = await start()
const rates = CASES.map(() => [])
await round(server, CASES[0])
for (let i = 0; i < Number(rounds); i++) {
  for (const [index, one] of CASES.entries()) rates[index].push(await round(server, one))
}
const median = list => list.sort((a, b) => a - b)[list.length >> 1]
const plain = median(rates[0])
for (const [index, { name }] of CASES.entries()) {
  const rate = median(rates[index])
  console.log(`${system} ${name}: ${Math.round(rate)} a second, ${Math.round((rate / plain) * 100)} %`)
}
await server.stop()
process.exit(0)

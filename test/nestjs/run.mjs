// @laneway/nestjs in applications that Nest's own generator makes: Nest 10, 11 and 12, on Express and Fastify, in code alone and
// beside register, with a real RabbitMQ and a real Kafka.
//
//   npm run test:nestjs                      all of it
//   npm run test:nestjs -- --only=11         what has this in its name
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { fakeLanes } from '@laneway/testing'
import WebSocket from 'ws'
import { installLocked } from '../ecosystem/install.mjs'
import { findKafka, startKafka } from '../servers/kafka/start.mjs'
import { findRabbitmq, startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { generate, hasTypes } from './generate.mjs'
import { startApp } from './start-app.mjs'

const only = /^--only=(.+)$/.exec(process.argv[2] ?? '')?.[1]
if (process.argv.length > 2 && only === undefined) {
  console.error('there is --only=<part of a name>')
  process.exit(2)
}

const APPS = [
  { major: 12, type: 'esm' },
  { major: 12, type: 'cjs' },
  { major: 11, type: 'cjs' },
  { major: 10, type: 'cjs' },
]
const PLATFORMS = ['express', 'fastify']
const WAYS = ['in code', 'beside register']
const TAGS = ['gray', undefined, 'blue', 'gray', 'blue', undefined]

const counts = { passed: 0, failed: 0, skipped: 0 }

async function check(where, fn) {
  try {
    await fn()
    counts.passed++
    console.log(`ok   ${where}`)
  } catch (error) {
    counts.failed++
    console.log(`FAIL ${where}: ${error.stack}`)
  }
}

/** The same path once for each tag, all at once. */
const askAll = (app, path) => Promise.all(TAGS.map((tag, index) => app.ask(path(index), tag)))
const named = (tag, names) => names.map(name => `${name}:${tag ?? 'none'}`)

async function checkRequests(app) {
  await app.ask('lanes/decided')
  const seen = await askAll(app, index => `lanes/seen/${index}`)
  const failed = await askAll(app, () => 'lanes/fails')
  for (const [index, tag] of TAGS.entries()) {
    const layers = ['parameter', 'middleware', 'guard', 'interceptor', 'pipe', 'handler', 'after']
    assert.deepEqual(seen[index], named(tag, layers))
    assert.deepEqual(failed[index], named(tag, ['filter', 'middleware', 'guard']))
  }
  assert.equal(await app.ask('lanes/decided'), 2 * TAGS.length + 1, 'a request is decided once')
}

async function checkCalls(app, lanes) {
  lanes.reset()
  const answers = await askAll(app, () => 'lanes/calls')
  for (const [index, tag] of TAGS.entries()) {
    const instance = tag === 'gray' ? 'gray' : 'base'
    assert.deepEqual(answers[index], [`${instance} ${tag ?? 'none'}`, `${instance} ${tag ?? 'none'}`])
  }
  assert.equal(lanes.requests.length, 2 * TAGS.length)
}

async function checkGateway(app) {
  const port = await app.port
  const answers = TAGS.map(
    tag =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
          headers: tag === undefined ? {} : { 'x-mse-tag': tag },
        })
        socket.on('error', reject)
        socket.on('open', () => socket.send(JSON.stringify({ event: 'lane', data: '' })))
        socket.on('message', message => {
          socket.terminate()
          resolve(JSON.parse(message).data)
        })
      }),
  )
  assert.deepEqual(
    await Promise.all(answers),
    TAGS.map(tag => `gateway:${tag ?? 'none'}`),
  )
}

async function checkMessages(app) {
  const orders = await askAll(app, () => 'lanes/orders')
  assert.deepEqual(
    orders,
    TAGS.map((tag = 'none') => [`parameter:${tag} handler:${tag}`, `pipe:${tag}`]),
  )
  await askAll(app, index => `lanes/pay/${index}`)
  const until = Date.now() + 20_000
  while ((await app.ask('lanes/paid')).length < TAGS.length && Date.now() < until) {
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.deepEqual(
    (await app.ask('lanes/paid')).sort(),
    TAGS.map((tag = 'none', index) => `${index} handler:${tag}`),
  )
}

/** Base and a lane, with the same options: each handles the messages that are its own. */
async function checkIsolation(base, gray) {
  const paid = async app => (await app.ask('lanes/paid')).map(String)
  // A lane owns messages from some seconds after its announcement on.
  const until = Date.now() + 60_000
  for (let first = 0; (await paid(gray)).length === 0 && Date.now() < until; first++) {
    await base.ask(`lanes/pay/first-${first}`, 'gray')
    await new Promise(resolve => setTimeout(resolve, 500))
  }
  await askAll(base, index => `lanes/pay/${index}`)
  const own = async app => (await paid(app)).filter(one => !one.startsWith('first')).sort()
  const ofLane = (...tags) =>
    TAGS.map((tag = 'none', index) => `${index} handler:${tag}`).filter(one => tags.some(tag => one.endsWith(tag)))
  while ((await own(base)).length + (await own(gray)).length < TAGS.length && Date.now() < until) {
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  assert.deepEqual(await own(gray), ofLane('gray'), 'the lane handles its own')
  assert.deepEqual(
    await own(base),
    ofLane('none', 'blue'),
    'base handles its own, and those of a lane that is not there',
  )
}

async function checkKafka(name, folder, kafka) {
  const start = (queue, more, registered) =>
    startApp(folder, { PLATFORM: 'express', KAFKA_BROKER: kafka.address, QUEUE_NAME: queue, ...more }, registered)
  const queue = name.replaceAll(/\W+/g, '-')
  for (const way of WAYS) {
    await check(`${name}, ${way}: Kafka`, async () => {
      const own = `${queue}-${way.replaceAll(' ', '-')}`
      await kafka.topics([`${own}-order`, `${own}-order.reply`, `${own}-paid`])
      const app = await start(own, {}, way === 'beside register')
      try {
        await checkMessages(app)
        assert.deepEqual(app.output().match(/LanewayWarning.*|laneway:.*/g), null)
      } finally {
        await app.stop()
      }
    })
  }
  await check(`${name}: Kafka, lanes kept apart`, async () => {
    const own = `${queue}-apart`
    await kafka.topics([`${own}-order`, `${own}-order.reply`, `${own}-paid`])
    const base = await start(own, { ISOLATE: '1' })
    await base.port
    const gray = await start(own, { ISOLATE: '1', LANEWAY_TAG: 'gray' })
    try {
      await checkIsolation(base, gray)
    } finally {
      await Promise.all([base.stop(), gray.stop()])
    }
  })
}

async function checkHealth(app) {
  const { status, info } = await app.ask('lanes/health')
  assert.equal(status, 'ok')
  assert.deepEqual(info.laneway, { status: 'up', warnings: [], services: { 'sc-b': 'current' } })
}

/** Requests without a server. Nest's middleware is in the lane where the adapter comes after the module. */
async function checkInject(folder, environment, mode, middleware) {
  const app = await startApp(folder, { ...environment, PLATFORM: 'fastify', MODE: mode }, false)
  await app.ended
  const printed = JSON.parse(app.output().trim().split('\n').at(-1))
  const layers = ['parameter', 'middleware', 'guard', 'interceptor', 'pipe', 'handler', 'after']
  const without = step => middleware || !step.startsWith('middleware:')
  assert.deepEqual(
    printed.map(steps => steps.filter(without)),
    ['gray', 'none', 'blue'].map(tag => named(tag, layers).filter(without)),
  )
}

async function checkApp({ major, type }, server, kafka) {
  const name = `Nest ${major}, ${type}`
  let folder
  await check(`${name}: is made by the generator and compiles${hasTypes() ? '' : ', types unchecked'}`, async () => {
    folder = await generate(major, type)
  })
  if (folder === undefined) return
  const answer = instance => request => `${instance} ${request.headers['x-mse-tag'] ?? 'none'}`
  const lanes = await fakeLanes({ 'sc-b': { base: answer('base'), gray: answer('gray') } })
  const { LANEWAY_ENDPOINTS_FILE } = lanes.env
  try {
    for (const platform of PLATFORMS) {
      for (const way of WAYS) {
        const where = `${name}, ${platform}, ${way}`
        const registered = way === 'beside register'
        const environment = {
          PLATFORM: platform,
          ...(registered
            ? { LANEWAY_ENDPOINTS_FILE, LANEWAY_SERVICES: 'sc-b' }
            : { ENDPOINTS: LANEWAY_ENDPOINTS_FILE }),
          ...(server !== undefined && { AMQP_URL: server.url, QUEUE_NAME: where }),
        }
        const app = await startApp(folder, environment, registered)
        try {
          await check(`${where}: everything that Nest calls runs in the lane, decided once`, () => checkRequests(app))
          await check(`${where}: HttpService and fetch reach the instance of the lane`, () => checkCalls(app, lanes))
          await check(`${where}: gateway`, () => checkGateway(app))
          await check(`${where}: health`, () => checkHealth(app))
          if (server === undefined) counts.skipped++
          else await check(`${where}: RabbitMQ`, () => checkMessages(app))
        } finally {
          const signal = await app.stop()
          await check(`${where}: ends when it is told to, without a warning`, async () => {
            assert.notEqual(signal, 'SIGKILL', app.output())
            assert.deepEqual(app.output().match(/LanewayWarning.*|laneway:.*/g), null)
          })
        }
      }
    }
    if (kafka === undefined) counts.skipped++
    else await checkKafka(name, folder, kafka)
    const environment = { ENDPOINTS: LANEWAY_ENDPOINTS_FILE }
    await check(`${name}: inject`, () => checkInject(folder, environment, 'inject', false))
    await check(`${name}: inject, @nestjs/testing`, () => checkInject(folder, environment, 'testing', major > 10))
  } finally {
    await lanes.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `topics(names)` makes topics: a client that asks for one that is just being made fails. */
async function startWithTopics() {
  const require = createRequire(new URL('./12/package.json', import.meta.url))
  const { Kafka, logLevel } = require('kafkajs')
  const broker = await startKafka()
  return {
    ...broker,
    async topics(names) {
      const admin = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      await admin.createTopics({ topics: names.map(topic => ({ topic })), waitForLeaders: true })
      await admin.disconnect()
    },
  }
}

const chosen = APPS.filter(({ major, type }) => only === undefined || `${major} ${type}`.includes(only))
for (const major of new Set([12, ...chosen.map(one => one.major)])) {
  await installLocked(fileURLToPath(new URL(`./${major}/`, import.meta.url)))
}
const problem = findRabbitmq()
if (problem !== undefined) console.log(`skip RabbitMQ: ${problem}`)
const server = problem === undefined ? await startRabbitmq() : undefined
const noKafka = await findKafka()
if (noKafka !== undefined) console.log(`skip Kafka: ${noKafka}`)
const kafka = noKafka === undefined ? await startWithTopics() : undefined
try {
  for (const app of chosen) await checkApp(app, server, kafka)
} finally {
  await server?.stop()
  await kafka?.stop()
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 ? 0 : 1

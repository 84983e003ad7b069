// What @laneway/register does for unchanged programs that use a broker: each client, ES module and CommonJS.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { startRedis } from '../servers/redis/start.mjs'
import { startProgram } from './register/start-program.mjs'
import { until } from './until.mjs'

let count = 0
let rabbit
let redis

before(async () => {
  ;[rabbit, redis] = await Promise.all([startRabbitmq(), startRedis()])
})
after(() => Promise.all([rabbit.stop(), redis.stop()]))

const newName = () => `r${process.pid}-${++count}`

const isBullmq = client => client.startsWith('bullmq')

/** @returns the program on its broker */
const startApp = (t, file, [client, library], environment) =>
  startProgram(t, file, [client, library, (isBullmq(client) ? redis : rabbit).url], environment)

const CLIENTS = [
  ['amqplib', 'amqplib'],
  ['amqplib', 'amqplib0'],
  ['amqplib', 'amqplib1'],
  ['callbacks', 'amqplib'],
  ['manager', 'amqp-connection-manager'],
  ['rabbitmq-client', 'rabbitmq-client'],
  ['bullmq', 'bullmq'],
  ['bullmq', 'bullmq5'],
  ['bullmq-of-a-library', 'bullmq'],
  ['bullmq-otel', 'bullmq'],
]
const FILES = ['app.mjs', 'app.cjs']
const TAGS = [undefined, 'gray', 'blue']
const HANDLED = TAGS.map((tag = 'none', i) => `${i}:${tag}`)

for (const [client, library] of CLIENTS) {
  for (const file of FILES) {
    test(`register: ${library}, ${client}, ${file}: a message carries the lane of its call and is handled in it`, async t => {
      const queue = newName()
      const { ask, output, child } = await startApp(t, file, [client, library], { LANEWAY_DIAGNOSE: '1' })
      // Opened by a request of a lane, as by a client that connects when it is first needed.
      await ask(`open/${queue}`, 'red')
      await Promise.all(TAGS.map((tag, i) => ask(`send/${queue}/${i}`, tag)))
      const completed = isBullmq(client) ? HANDLED.map(one => `completed ${one}`) : []
      const wanted = [...HANDLED, ...completed].sort()
      await until(async () => (await ask('')).length >= wanted.length)
      assert.deepEqual((await ask('')).sort(), wanted)
      child.kill('SIGTERM')
      assert.match(output.stderr, /^laneway: messages: propagate/m)
      assert.doesNotMatch(output.stderr, /Warning|fault\b.*went/)
    })
  }
}

const ISOLATED = CLIENTS.filter(([client]) => client === 'amqplib' || client === 'manager' || isBullmq(client))
for (const [client, library] of ISOLATED) {
  for (const file of FILES) {
    test(`register: ${library}, ${client}, ${file}: the consumers of queues in LANEWAY_ISOLATE keep lanes apart`, async t => {
      const queue = newName()
      const environment = { LANEWAY_ISOLATE: `${queue},another` }
      const base = await startApp(t, file, [client, library], environment)
      const gray = await startApp(t, file, [client, library], { ...environment, LANEWAY_TAG: 'gray' })
      await base.ask(`open/${queue}`)
      await gray.ask(`open/${queue}`, 'gray')
      const sends = Array.from({ length: 30 }, (_, i) => base.ask(`send/${queue}/${i}`, TAGS[i % 3]))
      await Promise.all(sends)
      const own = list => list.filter(one => !one.startsWith('completed'))
      const both = async () => [own(await base.ask('')), own(await gray.ask(''))]
      await until(async () => (await both()).flat().length === 30)
      const [atBase, atGray] = await both()
      assert.deepEqual([atBase.length, atGray.length], [20, 10], `${base.output.stderr}${gray.output.stderr}`)
      assert.ok(atGray.every(one => one.endsWith(':gray')))
      assert.equal(atBase.filter(one => one.endsWith(':blue')).length, 10)
      assert.equal(base.output.stderr + gray.output.stderr, '')
    })
  }
}

test('register: what cannot be isolated goes on, in its lanes, and a warning says why', async t => {
  const queue = newName()
  const { ask, output } = await startApp(t, 'app.cjs', ['callbacks', 'amqplib'], { LANEWAY_ISOLATE: queue })
  await ask(`open/${queue}`)
  await Promise.all(TAGS.map((tag, i) => ask(`send/${queue}/${i}`, tag)))
  await until(async () => (await ask('')).length === 3)
  assert.deepEqual((await ask('')).sort(), HANDLED)
  assert.match(output.stderr, new RegExp(`"${queue}" is not isolated.* needs a channel of amqplib with promises`))
})

for (const environment of [{ LANEWAY_MESSAGES: 'off' }, { LANEWAY_DISABLE: 'amqp,bullmq' }]) {
  for (const one of [CLIENTS[0], CLIENTS[6]]) {
    test(`register: ${one}, ${JSON.stringify(environment)}: messages carry nothing, and leak nothing`, async t => {
      const queue = newName()
      const { ask } = await startApp(t, 'app.mjs', one, environment)
      await ask(`open/${queue}`)
      await Promise.all(TAGS.map((tag, i) => ask(`send/${queue}/${i}`, tag)))
      await until(async () => (await ask('')).filter(text => !text.startsWith('completed')).length === 3)
      for (const text of await ask('')) assert.match(text, /:none$/)
    })
  }
}

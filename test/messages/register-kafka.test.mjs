// What @laneway/register does for unchanged programs that use Kafka.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startKafka } from '../servers/kafka/start.mjs'
import { startProgram } from './register/start-program.mjs'
import { until } from './until.mjs'

let kafka
before(async () => {
  kafka = await startKafka()
})
after(() => kafka.stop())

const TAGS = [undefined, 'gray', 'blue']
const HANDLED = TAGS.map((tag = 'none', i) => `${i}:${tag}`)
let count = 0

for (const client of ['kafkajs', 'platformatic']) {
  for (const file of client === 'kafkajs' ? ['app.mjs', 'app.cjs'] : ['app.mjs']) {
    test(`register: ${client}, ${file}: a message carries the lane of its call and is handled in it`, async t => {
      const topic = `r${process.pid}-${++count}`
      const { ask, output } = await startProgram(t, file, [client, client, kafka.address])
      // The topic is made by the first message; the consumer is opened by a request of a lane.
      await ask(`send/${topic}/0`)
      await ask(`open/${topic}`, 'red')
      await Promise.all(TAGS.slice(1).map((tag, i) => ask(`send/${topic}/${i + 1}`, tag)))
      await until(async () => (await ask('')).length >= HANDLED.length, 60_000)
      assert.deepEqual((await ask('')).sort(), HANDLED)
      assert.doesNotMatch(output.stderr, /LanewayWarning/)
    })
  }
}

test('register: @platformatic/kafka in LANEWAY_ISOLATE goes on in its lanes, and one warning says so', async t => {
  const topic = `r${process.pid}-${++count}`
  const environment = { LANEWAY_ISOLATE: `mail,g-${topic}` }
  const { ask, output } = await startProgram(t, 'app.mjs', ['platformatic', 'platformatic', kafka.address], environment)
  await ask(`send/${topic}/0`)
  await ask(`open/${topic}`)
  await Promise.all(TAGS.slice(1).map((tag, i) => ask(`send/${topic}/${i + 1}`, tag)))
  await until(async () => (await ask('')).length >= HANDLED.length, 60_000)
  assert.deepEqual((await ask('')).sort(), HANDLED)
  const warnings = output.stderr.match(/LanewayWarning: .*/g) ?? []
  assert.equal(warnings.length, 1, output.stderr)
  assert.match(warnings[0], new RegExp(`kafka: "g-${topic}" is not isolated.*only carry their lanes.*kafkajs`))
})

test('register: kafkajs: the consumers of groups in LANEWAY_ISOLATE keep lanes apart', async t => {
  const topic = `r${process.pid}-${++count}`
  const environment = { LANEWAY_ISOLATE: `mail,g-${topic}` }
  const args = ['kafkajs', 'kafkajs', kafka.address]
  const base = await startProgram(t, 'app.mjs', args, environment)
  const gray = await startProgram(t, 'app.cjs', args, { ...environment, LANEWAY_TAG: 'gray' })
  await base.ask(`send/${topic}/first`)
  await base.ask(`open/${topic}`)
  await gray.ask(`open/${topic}`, 'gray')
  // The lane owns what comes after its lead.
  await new Promise(resolve => setTimeout(resolve, 6500))
  for (let i = 0; i < 30; i++) await base.ask(`send/${topic}/${i}`, TAGS[i % 3])
  const both = async () => [await base.ask(''), await gray.ask('')]
  await until(async () => (await both()).flat().length >= 31, 60_000)
  const [atBase, atGray] = await both()
  assert.deepEqual([atBase.length, atGray.length], [21, 10], `${base.output.stderr}${gray.output.stderr}`)
  assert.ok(atGray.every(one => one.endsWith(':gray')))
  assert.equal(atBase.filter(one => one.endsWith(':blue')).length, 10)
  assert.doesNotMatch(base.output.stderr + gray.output.stderr, /LanewayWarning/)
})

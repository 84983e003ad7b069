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
  test(`register: ${client} in LANEWAY_ISOLATE goes on in its lanes, and one warning says so`, async t => {
    const topic = `r${process.pid}-${++count}`
    const environment = { LANEWAY_ISOLATE: `mail,${topic}` }
    const { ask, output } = await startProgram(t, 'app.mjs', [client, client, kafka.address], environment)
    await ask(`send/${topic}/0`)
    await ask(`open/${topic}`)
    await Promise.all(TAGS.slice(1).map((tag, i) => ask(`send/${topic}/${i + 1}`, tag)))
    await until(async () => (await ask('')).length >= HANDLED.length, 60_000)
    assert.deepEqual((await ask('')).sort(), HANDLED)
    const warnings = output.stderr.match(/LanewayWarning: .*/g) ?? []
    assert.equal(warnings.length, 1, output.stderr)
    assert.match(warnings[0], new RegExp(`kafka: "${topic}" is not isolated.*only carry their lanes.*BullMQ`))
  })
}

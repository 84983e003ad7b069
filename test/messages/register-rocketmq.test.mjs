// What @laneway/register does for unchanged programs that use RocketMQ.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startRocketmq } from '../servers/rocketmq/start.mjs'
import { startProgram } from './register/start-program.mjs'
import { until } from './until.mjs'

const TAGS = [undefined, 'gray', 'blue']
const HANDLED = TAGS.map((tag = 'none', i) => `${i}:${tag}`)
const MINUTE = 60_000
const TOPICS = Array.from({ length: 8 }, (_, i) => `t${i}`)
let broker
before(async () => {
  broker = await startRocketmq(Object.fromEntries(TOPICS.map(topic => [topic, 'NORMAL'])))
})
after(() => broker.stop())

/** An application whose consumer was opened by a request of a lane, after it has handled a message for each of the tags. */
async function played(t, file, client, environment = {}) {
  const topic = TOPICS.pop()
  const { ask, output } = await startProgram(t, file, [client, client, broker.address], {
    LANEWAY_DIAGNOSE: '1',
    ...environment,
  })
  await ask(`open/${topic}`, 'red')
  await Promise.all(TAGS.map((tag, i) => ask(`send/${topic}/${i}`, tag)))
  await until(async () => (await ask('')).length >= TAGS.length, MINUTE)
  return { topic, handled: (await ask('')).sort(), output }
}

for (const [client, file] of [
  ['rocketmq', 'app.mjs'],
  ['rocketmq', 'app.cjs'],
  ['rocketmq-of-a-library', 'app.cjs'],
]) {
  test(`register: ${client}, ${file}: a message carries the lane of its call and is handled in it`, async t => {
    const { handled, output } = await played(t, file, client)
    assert.deepEqual(handled, HANDLED)
    assert.match(output.stderr, /^laneway: messages: propagate/m)
    assert.doesNotMatch(output.stderr, /Warning|fault\b.*went/)
  })
}

test('register: a simple consumer receives the lanes; its program handles where it is', async t => {
  const { handled } = await played(t, 'app.mjs', 'rocketmq-simple')
  assert.deepEqual(
    handled.map(one => one.replace(/:.*/, '')),
    ['0 undefined', '1 gray', '2 blue'],
  )
})

test('register: RocketMQ in LANEWAY_ISOLATE goes on in its lanes, and one warning says so', async t => {
  const isolated = TOPICS.at(-1)
  const { handled, output } = await played(t, 'app.mjs', 'rocketmq', { LANEWAY_ISOLATE: `mail,${isolated}` })
  assert.deepEqual(handled, HANDLED)
  const warnings = output.stderr.match(/LanewayWarning: .*/g) ?? []
  assert.equal(warnings.length, 1, output.stderr)
  assert.match(warnings[0], new RegExp(`rocketmq: "${isolated}" is not isolated.*only carry their lanes.*BullMQ`))
})

for (const environment of [{ LANEWAY_MESSAGES: 'off' }, { LANEWAY_DISABLE: 'rocketmq' }]) {
  test(`register: RocketMQ, ${JSON.stringify(environment)}: messages carry nothing`, async t => {
    const { handled, output } = await played(t, 'app.mjs', 'rocketmq-simple', environment)
    assert.deepEqual(
      handled.map(one => one.replace(/:.*/, '')),
      TAGS.map((_, i) => `${i} undefined`),
    )
    assert.doesNotMatch(output.stderr, /rocketmq by/)
  })
}

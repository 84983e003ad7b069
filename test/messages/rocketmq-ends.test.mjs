// How messages and lanes end in RocketMQ: dead letters, and a lane that ends with lag. Minutes of waiting.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { channels } from '@laneway/core'
import { endLane } from '@laneway/rocketmq'
import { knowsTopic } from '../servers/rocketmq/topic-route.mjs'
import { lane, startRig, until } from './rocketmq-rig.mjs'

let rig
let ledger
let consuming
let send

before(async () => {
  const once = { retryMaxTimes: 1 }
  rig = await startRig({ normal: ['retry', 'lag'], groups: { 'retry-g': once, 'retry-g_gray': once } })
  ;({ ledger, consuming, send } = rig)
})
after(() => rig.stop())

describe('ends', { concurrency: true }, () => {
  test('a message that fails for good goes to the dead letters of its side, and to no other', async () => {
    const tries = []
    const failing = side => ({
      async handler({ body }) {
        tries.push(`${body}:${side}:${lane()}`)
        throw new Error('no')
      },
    })
    const hasDeadLetters = group => knowsTopic(Number(rig.broker.nameServer.split(':')[1]), `%DLQ%${group}`)
    const seen = { 'retry-g': [], 'retry-g_gray': [] }
    async function readDeadLetters(group) {
      await until(() => hasDeadLetters(group))
      const letters = async ({ body }) => seen[group].push(`${body}`)
      const topic = `%DLQ%${group}`
      await consuming(topic, 'base', [], {
        consumerGroup: `dead-${group}`,
        lanes: 'propagate',
        handler: letters,
      }).ready()
    }
    await consuming('retry', 'base', [], failing('base')).ready()
    const gray = consuming('retry', 'gray', [], failing('gray'))
    await gray.ready()
    await send('retry', 'gray', 'one')
    await readDeadLetters('retry-g_gray')
    await until(() => seen['retry-g_gray'].length === 1)
    assert.equal(await hasDeadLetters('retry-g'), false)
    await send('retry', undefined, 'two')
    await readDeadLetters('retry-g')
    await until(() => seen['retry-g'].length === 1)
    // Base stands in: the message stays one of the lane.
    await gray.close()
    await send('retry', 'gray', 'three')
    await until(() => seen['retry-g_gray'].length === 2)
    assert.deepEqual(seen, { 'retry-g': ['two'], 'retry-g_gray': ['one', 'three'] })
    assert.deepEqual(
      tries,
      ['one:gray:gray', 'two:base:none', 'three:base:gray'].flatMap(one => [one, one]),
      'once more, by the setting of the groups',
    )
  })

  test('a lane that ends with lag: base owns what comes later, reads what is left an hour later, and the lane returns', async () => {
    const seen = []
    const waits = consuming('lag', 'base', seen, { whenLaneMissing: 'fail' })
    await waits.ready()
    const gray = consuming('lag', 'gray', seen)
    await gray.ready()
    await gray.close()
    let sent = 0
    for (; sent < 40; sent++) await send('lag', 'gray', `${sent}`)
    await endLane(ledger, { group: 'lag-g', topics: ['lag'], lane: 'gray' })
    for (; seen.length === 0; sent++) {
      await send('lag', 'gray', `${sent}`)
      await sleep(2000)
    }
    assert.match(seen[0], /:base:gray$/, 'sent after the end')
    assert.ok(Number.parseInt(seen[0], 10) >= 40)
    await waits.close()
    const later = {
      ...ledger,
      async look(...args) {
        const said = await ledger.look(...args)
        return { ...said, nowMs: said.nowMs + 3_600_000 }
      },
    }
    const events = new Map()
    const note = event => event.group === 'lag-g' && events.set(event.ledger, event)
    channels.group.subscribe(note)
    const standIns = () =>
      [...events.values()].flatMap(({ consumers }) => consumers.filter(one => one.role === 'stand-in'))
    await consuming('lag', 'base', seen, { ledger: later }).ready()
    await until(() => seen.length === sent)
    assert.equal(new Set(seen).size, sent)
    assert.ok(seen.every(one => one.endsWith(':base:gray')))
    // Nothing is left: the ledger says so, and nobody reads for the lane any more.
    await until(() => standIns().length === 0)
    channels.group.unsubscribe(note)
    const records = await rig.redis.xrange('laneway:{rocketmq:lag-g}:ledger', '-', '+')
    assert.match(records.at(-1)[1][3], /^\{"read":"/)
    await consuming('lag', 'gray', seen).ready()
    await send('lag', 'gray', 'returned')
    await until(() => seen.length === sent + 1)
    assert.equal(seen.at(-1), 'returned:gray:gray')
  })
})

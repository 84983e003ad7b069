// Lanes in streams of a real Redis. CLIENT=redis takes node-redis, else ioredis.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { channels, currentLane, runInLane } from '@laneway/core'
import { messages } from '@laneway/messaging'
import { createLaneFields, createLaneStreamConsumer, endStreamLane } from '@laneway/redis-streams'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { startRedis } from '../servers/redis/start.mjs'
import { until } from './until.mjs'

const isNodeRedis = process.env.CLIENT === 'redis'
let server
let redis
let client
let count = 0
const open = []

before(async () => {
  server = await startRedis({ durable: true })
  redis = new Redis(server.port)
  client = isNodeRedis ? createClient({ url: server.url, RESP: 3 }) : redis
  client.on('error', () => {})
  if (isNodeRedis) await client.connect()
})
after(async () => {
  await Promise.all(open.map(one => one.close()))
  if (isNodeRedis) client.destroy()
  redis.disconnect()
  await server.stop()
})

const newStream = () => `s${process.pid}-${++count}`
const lane = () => currentLane()?.header ?? 'none'
const add = (stream, body, tag, ...more) =>
  redis.xadd(stream, '*', 'body', body, ...(tag === undefined ? [] : ['x-mse-tag', tag]), ...more)

/** A consumer that notes `body:side:lane`. Made in a lane, as by a request that happens to be the first. */
function consuming(stream, side, seen, options = {}) {
  const consumer = runInLane('red', () =>
    createLaneStreamConsumer({
      client,
      stream,
      group: 'g',
      startId: '0',
      lanes: 'isolate',
      tag: side,
      claimIdleMs: 1000,
      lookMs: 50,
      leaseMs: 500,
      assumeBase: true,
      onError: () => {},
      async handler(entry) {
        await sleep(1)
        seen.push(`${entry.fields.body}:${side}:${lane()}`)
      },
      ...options,
    }),
  )
  open.push(consumer)
  return consumer
}

test('fields carry the lane of the call, and each entry is handled in its lane', async () => {
  const stream = newStream()
  const tagged = createLaneFields({ propagate: name => name !== 'partner' })
  const fields = Object.freeze({ body: 'of a call' })
  assert.equal(tagged(stream, fields), fields)
  await Promise.all(
    ['gray', 'gray-2,gray', 'base'].map(tag =>
      runInLane(tag, () => redis.xadd(stream, '*', ...Object.entries(tagged(stream, { body: tag })).flat())),
    ),
  )
  assert.deepEqual(
    runInLane('gray', () => tagged('partner', { body: 'x', 'x-mse-tag': 'red' })),
    { body: 'x' },
  )
  assert.deepEqual(
    runInLane('gray', () => tagged(stream, { 'x-mse-tag': 'red' })),
    { 'x-mse-tag': 'red' },
  )
  await add(stream, 'invalid', '-')
  await add(stream, 'conflict', 'gray', 'x-mse-tag', 'red')
  await add(stream, 'twice', 'gray', 'x-mse-tag', 'gray')
  await add(stream, 'hostile', undefined, '__proto__', 'x', 'constructor', 'y')
  const events = []
  const note = event => events.push(event)
  messages.subscribe(note)
  const seen = []
  const entries = []
  const consumer = consuming(stream, 'base', seen, {
    lanes: 'propagate',
    handler(entry) {
      entries.push(entry)
      seen.push(`${entry.fields.body}:${lane()}`)
    },
  })
  await until(() => seen.length === 7)
  messages.unsubscribe(note)
  await consumer.close()
  const lanes = ['base:base', 'conflict:none', 'gray-2,gray:gray-2,gray', 'gray:gray', 'hostile:none', 'invalid:none']
  assert.deepEqual(seen.toSorted(), [...lanes, 'twice:gray'])
  const named = body => entries.find(({ fields }) => fields.body === body).fields
  assert.deepEqual({ ...named('twice') }, { body: 'twice', 'x-mse-tag': 'gray' })
  assert.deepEqual({ ...named('conflict') }, { body: 'conflict' })
  assert.equal(named('hostile').constructor, 'y')
  assert.deepEqual(
    events.map(({ problem }) => problem).filter(problem => problem !== undefined),
    ['invalid', 'conflict'],
  )
  assert.equal(events[0].system, 'redis-streams')
  assert.deepEqual(await redis.xinfo('CONSUMERS', stream, 'g'), [], 'a consumer that closes goes from the group')
})

test('each entry is handled on one side: of the lane from its announcement on, else of base', async () => {
  const stream = newStream()
  const seen = []
  await consuming(stream, 'base', seen).ready()
  await add(stream, 'before', 'gray')
  await until(() => seen.length === 1)
  const gray = consuming(stream, 'gray', seen)
  await gray.ready()
  const outcomes = new Map()
  const note = ({ outcome }) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  messages.subscribe(note)
  for (const tag of ['gray', undefined, 'blue', 'blue,gray', 'gray,blue', 'base,gray', 'gray'])
    await add(stream, `of ${tag}`, tag)
  await until(() => seen.length === 8)
  await sleep(200)
  messages.unsubscribe(note)
  assert.deepEqual(seen.slice(1).toSorted(), [
    'of base,gray:base:base,gray',
    'of blue,gray:gray:blue,gray',
    'of blue:base:blue',
    'of gray,blue:gray:gray,blue',
    'of gray:gray:gray',
    'of gray:gray:gray',
    'of undefined:base:none',
  ])
  assert.deepEqual([...outcomes].toSorted(), [
    ['base', 3],
    ['own', 4],
    ['skipped', 7],
  ])
  // The lane leaves: base stands in for it, in its group.
  await gray.close()
  await add(stream, 'left', 'gray')
  await until(() => seen.includes('left:base:gray'))
  // It comes back: base leaves it alone again.
  await consuming(stream, 'gray', seen).ready()
  await add(stream, 'again', 'gray')
  await until(() => seen.length === 10)
  assert.equal(seen.at(-1), 'again:gray:gray')
})

test('order is kept within base and within the lane, through stand-in and back', async () => {
  const stream = newStream()
  const seen = []
  await consuming(stream, 'base', seen).ready()
  let gray = consuming(stream, 'gray', seen)
  await gray.ready()
  let sent = 0
  let on = true
  const sending = (async () => {
    for (; on; sent++) {
      await add(stream, `${sent}`, sent % 2 === 0 ? 'gray' : undefined)
      if (sent % 5 === 0) await sleep(2)
    }
  })()
  for (let i = 0; i < 3; i++) {
    await sleep(150)
    await gray.close()
    await sleep(150)
    gray = consuming(stream, 'gray', seen)
    await gray.ready()
  }
  on = false
  await sending
  await until(() => seen.length >= sent)
  assert.equal(seen.length, sent)
  for (const tag of ['gray', 'none']) {
    const numbers = seen.filter(one => one.endsWith(`:${tag}`)).map(one => Number.parseInt(one, 10))
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `entries of ${tag} in order`,
    )
  }
  const sides = new Set(seen.map(one => one.slice(one.indexOf(':'))))
  assert.deepEqual([...sides].toSorted(), [':base:gray', ':base:none', ':gray:gray'])
})

test('an entry whose handler fails is handled again; one whose handler is slow is not taken by others', async () => {
  const stream = newStream()
  const seen = []
  const errors = []
  const options = {
    claimIdleMs: 300,
    concurrency: 3,
    onError: (error, entry) => errors.push(`${entry?.fields.body}: ${error.message}`),
    async handler({ fields: { body } }) {
      seen.push(body)
      if (body === 'fails' && seen.filter(one => one === 'fails').length < 3) throw new Error('no')
      if (body === 'slow') await sleep(1500)
    },
  }
  const two = [consuming(stream, 'base', seen, options), consuming(stream, 'base', seen, options)]
  await Promise.all(two.map(one => one.ready()))
  for (const body of ['slow', 'fails', 'plain']) await add(stream, body)
  await until(() => seen.length === 5)
  await sleep(1500)
  await Promise.all(two.map(one => one.close()))
  assert.deepEqual(seen.toSorted(), ['fails', 'fails', 'fails', 'plain', 'slow'])
  assert.deepEqual(errors, ['fails: no', 'fails: no'])
  assert.equal((await redis.xpending(stream, 'g'))[0], 0)
})

test('a lane that ends with lag: base reads what is left, and owns what comes after; the lane returns', async () => {
  const stream = newStream()
  const seen = []
  const base = consuming(stream, 'base', seen, { whenLaneMissing: 'fail' })
  await base.ready()
  const gray = consuming(stream, 'gray', seen)
  await gray.ready()
  await gray.close()
  for (let i = 0; i < 40; i++) await add(stream, `lag ${i}`, 'gray')
  await add(stream, 'marker')
  await until(() => seen.length === 1)
  await sleep(200)
  assert.deepEqual(seen, ['marker:base:none'], "'fail' leaves the lane's entries in the stream")
  await base.close()
  await consuming(stream, 'base', seen).ready()
  assert.equal(await endStreamLane(client, { stream, group: 'g', lane: 'gray' }), true)
  assert.equal(await endStreamLane(client, { stream, group: 'g', lane: 'gray' }), false)
  await add(stream, 'after', 'gray')
  await until(() => seen.length === 42)
  await until(async () => (await redis.xinfo('GROUPS', stream)).length === 1)
  assert.ok(seen.every(one => one.includes(':base:')))
  await consuming(stream, 'gray', seen).ready()
  await add(stream, 'returned', 'gray')
  await until(() => seen.length === 43)
  assert.equal(seen.at(-1), 'returned:gray:gray')
  assert.equal(new Set(seen).size, 43)
})

/** Announces the lane, and leaves its entries to whoever comes next. */
async function startAndClose(stream) {
  const base = consuming(stream, 'base', [])
  await base.ready()
  const gray = consuming(stream, 'gray', [])
  await gray.ready()
  await Promise.all([gray.close(), base.close()])
}

test('a lane that ends amid the entries of one millisecond leaves none of them', async () => {
  const stream = newStream()
  const seen = []
  await startAndClose(stream)
  const batch = redis.multi()
  for (const body of ['1', '2', '3']) batch.xadd(stream, '99999999999999-*', 'body', body, 'x-mse-tag', 'gray')
  await batch.exec()
  const [[, [[first]]]] = await redis.xreadgroup('GROUP', 'g_gray', 'me', 'COUNT', 1, 'STREAMS', stream, '>')
  await redis.xack(stream, 'g_gray', first)
  assert.equal(await endStreamLane(client, { stream, group: 'g', lane: 'gray' }), true)
  await consuming(stream, 'base', seen).ready()
  await until(() => seen.length === 2)
  assert.deepEqual(seen.toSorted(), ['2:base:gray', '3:base:gray'])
  // Until then more entries of that time may come.
  await redis.xadd(stream, '100000000000000-*', 'body', 'next')
  await until(async () => (await redis.xinfo('GROUPS', stream)).length === 1)
})

test('a lane that has ended owns what comes in its last millisecond, also when all before was read', async () => {
  const stream = newStream()
  const seen = []
  await startAndClose(stream)
  // As after a step back of the server's clock: what is added next has this time, too.
  await redis.xadd(stream, `${Date.now() + 2000}-*`, 'body', 'read', 'x-mse-tag', 'gray')
  const [[, [[read]]]] = await redis.xreadgroup('GROUP', 'g_gray', 'me', 'COUNT', 1, 'STREAMS', stream, '>')
  await redis.xack(stream, 'g_gray', read)
  assert.equal(await endStreamLane(client, { stream, group: 'g', lane: 'gray' }), true)
  await consuming(stream, 'base', seen).ready()
  const later = await add(stream, 'later', 'gray')
  assert.equal(later.split('-')[0], read.split('-')[0])
  await until(() => seen.length === 1)
  assert.deepEqual(seen, ['later:base:gray'])
  await until(async () => (await redis.xinfo('GROUPS', stream)).length === 1)
})

test('a lane without instances ends by itself', async () => {
  const stream = newStream()
  const seen = []
  await consuming(stream, 'base', seen, { endAfterMs: 1000 }).ready()
  const gray = consuming(stream, 'gray', seen)
  await gray.ready()
  await gray.close()
  await until(async () => (await redis.xinfo('GROUPS', stream)).length === 1)
  await add(stream, 'later', 'gray')
  await until(() => seen.length === 1)
})

test('two instances that announce at once make one lane; several streams are one consumer', async () => {
  const streams = [newStream(), newStream(), newStream()]
  const seen = []
  await consuming(streams, 'base', seen).ready()
  // A lease that ends on a busy machine would let base stand in.
  const lanes = Array.from({ length: 3 }, () => consuming(streams, 'gray', seen, { leaseMs: 30_000 }))
  await Promise.all(lanes.map(one => one.ready()))
  for (const stream of streams) for (let i = 0; i < 20; i++) await add(stream, `${stream} ${i}`, 'gray')
  await until(() => seen.length >= 60)
  await sleep(200)
  assert.equal(seen.length, 60)
  assert.ok(seen.every(one => one.endsWith(':gray:gray')))
  for (const stream of streams) {
    assert.match(await redis.hget(`laneway:{${stream}}:g:ledger`, 'gray'), /^\d+:$/)
  }
})

test('two lanes and two instances of one that announce at once leave each entry to one side', async () => {
  const stream = newStream()
  const seen = []
  await consuming(stream, 'base', seen).ready()
  // A lease that ends on a busy machine would let base stand in.
  const lanes = ['gray', 'gray', 'blue'].map(tag => consuming(stream, tag, seen, { leaseMs: 30_000 }))
  await Promise.all(lanes.map(one => one.ready()))
  const tags = ['gray', 'blue', 'gray,blue', 'blue,gray', 'red,blue', undefined]
  for (let i = 0; i < 20; i++) for (const tag of tags) await add(stream, `${i}`, tag)
  await until(() => seen.length >= 120)
  await sleep(200)
  assert.equal(seen.length, 120)
  const sides = [...new Set(seen.map(one => one.slice(one.indexOf(':') + 1)))]
  assert.deepEqual(sides.toSorted(), [
    'base:none',
    'blue:blue',
    'blue:blue,gray',
    'blue:red,blue',
    'gray:gray',
    'gray:gray,blue',
  ])
})

test('a lane waits while a consumer of base runs without Laneway, and says so once', async () => {
  const stream = newStream()
  await redis.xgroup('CREATE', stream, 'g', '0', 'MKSTREAM')
  await redis.xack(stream, 'g', await add(stream, 'of old'))
  await redis.xreadgroup('GROUP', 'g', 'old', 'NOACK', 'STREAMS', stream, '>')
  const seen = []
  await consuming(stream, 'base', seen).ready()
  const warnings = []
  const gray = consuming(stream, 'gray', seen, { assumeBase: false, warn: text => warnings.push(text) })
  await until(() => warnings.length === 1)
  await add(stream, 'early', 'gray')
  await until(() => seen.length === 1)
  assert.equal(seen[0], 'early:base:gray')
  assert.match(warnings[0], /lane gray of group "g" waits, because consumer "old"/)
  await redis.xgroup('DELCONSUMER', stream, 'g', 'old')
  await gray.ready()
  await add(stream, 'late', 'gray')
  await until(() => seen.length === 2)
  assert.equal(seen[1], 'late:gray:gray')
  assert.equal(warnings.length, 1)
})

test('consumers are reported by lane and role, until they close', async t => {
  const stream = newStream()
  const group = 'reported'
  const events = new Map()
  const note = event => event.group === group && events.set(event.ledger, event)
  channels.group.subscribe(note)
  t.after(() => channels.group.unsubscribe(note))
  const roles = () =>
    [...events.values()].flatMap(({ consumers }) => consumers.map(({ lane: of, role }) => `${of} ${role}`)).join()
  // A busy machine renews late, and base stands in only for a lease that has ended.
  const options = { group, leaseMs: 30_000 }
  const base = consuming(stream, 'base', [], options)
  await base.ready()
  assert.equal(roles(), 'base base')
  const gray = consuming(stream, 'gray', [], options)
  await gray.ready()
  assert.equal(roles(), 'base base,gray lane')
  assert.ok([...events.values()].every(({ ageMs }) => ageMs < 60_000))
  const [[ledger, first]] = events
  await until(() => events.get(ledger) !== first)
  await gray.close()
  await until(() => roles() === 'base base,gray stand-in')
  const again = consuming(stream, 'gray', [], options)
  await again.ready()
  await until(() => roles() === 'base base,gray lane')
  await Promise.all([base.close(), again.close()])
  assert.equal(roles(), '')
})

test('foreign readers get every entry, whatever the lanes', async () => {
  const stream = newStream()
  const seen = []
  await redis.xgroup('CREATE', stream, 'audit', '0', 'MKSTREAM')
  await consuming(stream, 'base', seen).ready()
  await consuming(stream, 'gray', seen).ready()
  for (let i = 0; i < 10; i++) await add(stream, `${i}`, i % 2 === 0 ? 'gray' : undefined)
  await until(() => seen.length === 10)
  const [[, entries]] = await redis.xreadgroup('GROUP', 'audit', 'me', 'COUNT', 100, 'STREAMS', stream, '>')
  assert.equal(entries.length, 10)
})

test('a Redis that freezes or restarts delays entries, and loses none', async () => {
  const stream = newStream()
  const seen = []
  await consuming(stream, 'base', seen).ready()
  await consuming(stream, 'gray', seen).ready()
  process.kill(server.pid, 'SIGSTOP')
  const adding = Promise.all([add(stream, 'frozen', 'gray'), add(stream, 'plain')])
  await sleep(10_000)
  assert.deepEqual(seen, [])
  process.kill(server.pid, 'SIGCONT')
  await adding
  await until(() => seen.length === 2)
  assert.ok(seen.includes('plain:base:none'))
  await server.restart(300)
  await until(() => add(stream, 'restarted', 'gray').then(Boolean, () => false))
  await until(() => seen.includes('restarted:gray:gray') || seen.includes('restarted:base:gray'))
  assert.equal(seen.length, 3)
})

test('wrong options are refused with their names', () => {
  const options = { client, stream: 's', group: 'g', handler() {} }
  const cases = [
    [{ client: {} }, /client is a client of ioredis or node-redis/],
    [{ stream: [] }, /stream is a name or a list of names/],
    [{ group: undefined }, /group is missing/],
    [{ handler: undefined }, /handler is missing/],
    [{ lanes: 'isolated' }, /did you mean "isolate"/],
    [{ claimIdle: 1 }, /did you mean "claimIdleMs"/],
    [{ concurrency: 0 }, /concurrency/],
    [{ leaseMs: Number.NaN }, /leaseMs/],
  ]
  for (const [wrong, message] of cases) {
    assert.throws(() => createLaneStreamConsumer({ ...options, ...wrong }), { code: 'LANEWAY_INVALID_OPTION', message })
  }
  assert.throws(() => createLaneStreamConsumer({ ...options, tag: '-' }), { code: 'LANEWAY_INVALID_TAG' })
})

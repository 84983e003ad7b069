// Lanes in real BullMQ on a real Redis. BULLMQ=bullmq5 takes that version.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneWorker, laneFlowProducer, laneProcessor, laneQueue } from '@laneway/bullmq'
import { currentLane, runInLane } from '@laneway/core'
import { messageLane, messages } from '@laneway/messaging'
import { startRedis } from '../servers/redis/start.mjs'
import { until } from './until.mjs'

const { FlowProducer, Queue, QueueEvents, UnrecoverableError, WaitingChildrenError, Worker } = await import(
  process.env.BULLMQ ?? 'bullmq'
)
const bullmq = { Queue, Worker }

let redis
let connection
let count = 0
const open = []

before(async () => {
  redis = await startRedis({ durable: true })
  connection = { host: redis.host, port: redis.port, maxRetriesPerRequest: null }
})
after(async () => {
  for (const one of open.reverse()) await one.close(true).catch(() => {})
  await redis.stop()
})

const kept = one => {
  one.on?.('error', () => {})
  open.push(one)
  return one
}
const newName = () => `q${process.pid}-${++count}`
const lane = () => currentLane()?.header ?? 'none'

function queueOf(name) {
  return kept(laneQueue(new Queue(name, { connection })))
}

/** Two workers under isolation, and what their processors saw. */
async function sides(name, processor, { withLane = true, ...options } = {}) {
  const seen = []
  const run = side =>
    async function handle(job, token, signal) {
      seen.push(`${job.name}:${side}:${lane()}`)
      return processor(job, token, side, signal)
    }
  const make = (side, tag) =>
    kept(
      createLaneWorker(name, run(side), {
        bullmq,
        connection,
        lanes: 'isolate',
        concurrency: 5,
        lockDuration: 3000,
        stalledInterval: 1000,
        // How long a worker may still take a job once it is paused, in seconds.
        drainDelay: 0.1,
        tag,
        ...options,
      }),
    )
  const base = make('base', 'base')
  await base.waitUntilReady()
  const gray = () => make('gray', 'gray')
  const first = withLane ? gray() : undefined
  await first?.waitUntilReady()
  const events = kept(new QueueEvents(name, { connection }))
  await events.waitUntilReady()
  return { base, gray: first, startGray: gray, seen, events }
}

async function laneLives(name, tag, alive = true) {
  const queue = kept(new Queue(name, { connection }))
  const client = (await queue.client) ?? (await queue.getBackend().client)
  const run = (command, ...args) => client[command](...args)
  await until(async () => {
    const members = await run('zrangebyscore', `bull:laneway:${name}:leases`, Date.now(), '+inf')
    return members.some(one => one.startsWith(`${tag}|`)) === alive
  })
  // Every view of base is younger than this.
  await sleep(700)
}

test('propagate: add, addBulk, flows and schedulers carry the lane of the call; the handler runs in it', async () => {
  const name = newName()
  const queue = queueOf(name)
  const flows = kept(laneFlowProducer(new FlowProducer({ connection })))
  const seen = []
  const handled = []
  // Opened in a lane: its loop must not give that lane to the jobs.
  const worker = runInLane('blue', () =>
    kept(
      createLaneWorker(
        name,
        async job => {
          await sleep(1)
          seen.push(`${job.name}:${lane()}`)
        },
        { bullmq, connection },
      ),
    ),
  )
  runInLane('green', () => worker.on('completed', job => handled.push(`${job.name}:${lane()}`)))
  await runInLane('gray', () => queue.add('one', {}))
  await queue.add('two', {})
  await runInLane('gray', () => queue.add('three', {}, { 'x-mse-tag': 'red' }))
  await runInLane('gray', () => queue.add('four', {}, { 'x-mse-tag': '-' }))
  await queue.add('five', {}, { 'x-mse-tag': '-' })
  await runInLane('gray', () =>
    queue.addBulk([
      { name: 'six', data: {} },
      { name: 'seven', data: {}, opts: { 'x-mse-tag': 'red' } },
      { name: 'eight', data: {}, opts: { attempts: 2 } },
    ]),
  )
  await runInLane('gray', () =>
    flows.add({
      name: 'parent',
      queueName: name,
      children: [
        {
          name: 'child',
          queueName: name,
          children: [{ name: 'grandchild', queueName: name }],
        },
        { name: 'other', queueName: name, opts: { 'x-mse-tag': 'red' } },
      ],
    }),
  )
  await runInLane('gray', () => queue.upsertJobScheduler('s', { every: 100, limit: 3 }, { name: 'tick' }))
  const expected = [
    'one:gray',
    'two:none',
    'three:red',
    'four:gray',
    'five:none',
    'six:gray',
    'seven:red',
    'eight:gray',
  ]
  expected.push('parent:gray', 'child:gray', 'grandchild:gray', 'other:red', 'tick:gray', 'tick:gray', 'tick:gray')
  await until(() => handled.length >= expected.length)
  assert.deepEqual(seen.sort(), [...expected].sort())
  assert.deepEqual(handled.sort(), [...expected].sort(), 'listeners run in the lane of their job')
})

test('propagate: laneProcessor runs each job in its lane in a plain worker; a plain worker opened in a lane leaks', async () => {
  const [name, control] = [newName(), newName()]
  const seen = []
  const handler = async job => {
    await sleep(1)
    seen.push(`${job.name}:${lane()}`)
  }
  runInLane('blue', () => {
    kept(new Worker(name, laneProcessor(handler), { connection }))
    kept(new Worker(control, handler, { connection }))
  })
  await queueOf(name).add('guarded', {})
  await queueOf(control).add('unguarded', {})
  await until(() => seen.length === 2)
  assert.deepEqual(seen.sort(), ['guarded:none', 'unguarded:blue'])
})

test('propagate: two lanes through one queue at once, and values that are no lane', async () => {
  const name = newName()
  const queue = queueOf(name)
  const seen = new Map()
  const events = []
  const note = event => event.destination === name && events.push(event)
  messages.subscribe(note)
  kept(
    createLaneWorker(
      name,
      async job => {
        await sleep(1)
        seen.set(job.name, `${lane()} ${job.opts['x-mse-tag']} ${messageLane(job)?.header}`)
      },
      { bullmq, connection, concurrency: 20 },
    ),
  )
  const jobs = Array.from({ length: 100 }, (_, i) => [`j${i}`, [undefined, 'gray', 'blue'][i % 3]])
  await Promise.all(jobs.map(([job, tag]) => runInLane(tag, () => queue.add(job, {}))))
  // Written by a producer without Laneway.
  const foreign = kept(new Queue(name, { connection }))
  const values = ['', '-', 'a,b,c,d,e', 'x'.repeat(300), 42, null, ['gray', 'blue'], { a: 1 }, '__proto__']
  for (const [i, value] of values.entries()) await foreign.add(`f${i}`, {}, { 'x-mse-tag': value })
  await until(() => seen.size === jobs.length + values.length)
  for (const [job, tag] of jobs) assert.equal(seen.get(job), `${tag ?? 'none'} ${tag} ${tag}`, job)
  for (const i of values.keys()) if (values[i] !== null) assert.equal(seen.get(`f${i}`), 'none undefined undefined')
  messages.unsubscribe(note)
  assert.equal(events.filter(event => event.problem !== undefined).length, values.length - 1)
})

test('isolate: jobs of the lane to the lane, others to base; ids, results and reasons are those of the original', async () => {
  const name = newName()
  const queue = queueOf(name)
  const jobs = new Map()
  const { seen, events, gray, base } = await sides(name, async (job, _token, side) => {
    jobs.set(`${job.name}${job.attemptsMade}`, `${job.id} ${job.queueName} ${job.opts.attempts} ${side}`)
    if (job.name === 'bad') throw new TypeError(`boom ${job.attemptsMade}`)
    if (job.name === 'hopeless') throw new UnrecoverableError('no')
    if (job.name === 'second' && job.attemptsMade === 0) throw new Error('first try')
    return { by: side, data: job.data }
  })
  const heard = []
  for (const [side, worker] of Object.entries({ base, gray })) {
    worker.on('completed', (job, value) => heard.push(`${side} completed ${job.name} ${job.id} ${value?.by}`))
    worker.on('failed', (job, error) => heard.push(`${side} failed ${job.name} ${job.attemptsMade} ${error.message}`))
  }
  const add = (job, tag, opts) => runInLane(tag, () => queue.add(job, { for: job }, opts))
  const ok = await add('ok', 'gray')
  const plain = await add('plain')
  const second = await add('second', 'gray', { attempts: 3, backoff: { type: 'fixed', delay: 50 } })
  const bad = await add('bad', 'gray', { attempts: 2, jobId: 'my-own' })
  const hopeless = await add('hopeless', 'gray', { attempts: 5 })
  const later = await add('later', 'gray', { delay: 300 })
  const blue = await add('blue', 'blue')
  assert.deepEqual(await ok.waitUntilFinished(events, 9000), { by: 'gray', data: { for: 'ok' } })
  assert.deepEqual((await plain.waitUntilFinished(events, 9000)).by, 'base')
  assert.deepEqual((await second.waitUntilFinished(events, 9000)).by, 'gray')
  await assert.rejects(bad.waitUntilFinished(events, 9000), { message: 'boom 1' })
  await assert.rejects(hopeless.waitUntilFinished(events, 9000), { message: 'no' })
  assert.deepEqual((await later.waitUntilFinished(events, 9000)).by, 'gray')
  assert.deepEqual((await blue.waitUntilFinished(events, 9000)).by, 'base')
  assert.deepEqual(seen.sort(), [
    'bad:gray:gray',
    'bad:gray:gray',
    'blue:base:blue',
    'hopeless:gray:gray',
    'later:gray:gray',
    'ok:gray:gray',
    'plain:base:none',
    'second:gray:gray',
    'second:gray:gray',
  ])
  assert.equal(jobs.get('ok0'), `${ok.id} ${name} ${ok.opts.attempts} gray`)
  assert.equal(jobs.get('bad1'), `my-own ${name} 2 gray`)
  const failed = await queue.getJob('my-own')
  assert.equal(failed.attemptsMade, 2)
  assert.equal(failed.failedReason, 'boom 1')
  assert.match(failed.stacktrace[0], /TypeError: boom 0\n {4}at/)
  assert.equal((await queue.getJob(hopeless.id)).attemptsMade, 1)
  assert.equal((await queue.getJob(second.id)).attemptsMade, 2)
  assert.deepEqual(heard.sort(), [
    'base completed blue 7 base'.replace('7', blue.id),
    `base completed plain ${plain.id} base`,
    'gray completed later '.concat(later.id, ' gray'),
    `gray completed ok ${ok.id} gray`,
    `gray completed second ${second.id} gray`,
    'gray failed bad 1 boom 0',
    'gray failed bad 2 boom 1',
    'gray failed hopeless 1 no',
    'gray failed second 1 first try',
  ])
  assert.deepEqual(await queue.getJobCounts('completed', 'failed', 'waiting-children', 'active', 'wait'), {
    completed: 5,
    failed: 2,
    'waiting-children': 0,
    active: 0,
    wait: 0,
  })
})

test('isolate: a job that failed is run again by retry(), and an id that is used again runs again', async () => {
  const name = newName()
  const queue = queueOf(name)
  let fails = true
  const { events, seen } = await sides(name, async (_job, _token, side) => {
    if (fails) throw new Error('down')
    return side
  })
  const job = await runInLane('gray', () => queue.add('retried', {}, { attempts: 1 }))
  await assert.rejects(job.waitUntilFinished(events, 9000), { message: 'down' })
  fails = false
  await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
  assert.equal(await job.waitUntilFinished(events, 9000), 'gray')
  for (let i = 0; i < 3; i++) {
    const daily = await runInLane('gray', () => queue.add('daily', {}, { jobId: 'daily', removeOnComplete: true }))
    assert.equal(await daily.waitUntilFinished(events, 9000), 'gray')
  }
  assert.equal(seen.filter(one => one === 'daily:gray:gray').length, 3)
  assert.equal(seen.filter(one => one === 'retried:gray:gray').length, 2)
})

test('isolate: flows three deep, progress, log, data, and children that a job gives itself', async () => {
  const name = newName()
  const queue = queueOf(name)
  const flows = kept(laneFlowProducer(new FlowProducer({ connection })))
  const { events, seen } = await sides(name, async (job, token, side) => {
    if (job.name.startsWith('level')) {
      const below = Object.values(await job.getChildrenValues())
      assert.equal((await job.getDependenciesCount()).unprocessed, 0)
      return `${job.name} by ${side} of [${below}]`
    }
    if (job.name === 'talks') {
      await job.updateProgress(50)
      await job.log('half')
      await job.updateData({ changed: true })
      return job.data
    }
    if (job.name === 'steps') {
      if (job.data.step === 1) {
        await queue.add('part', {}, { parent: { id: job.id, queue: job.queueQualifiedName } })
        await job.updateData({ step: 2 })
        if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError()
      }
      return Object.values(await job.getChildrenValues())
    }
    return `part by ${side}`
  })
  const progress = []
  events.on('progress', event => progress.push([event.jobId, event.data]))
  const tree = await runInLane('gray', () =>
    flows.add({
      name: 'level1',
      queueName: name,
      children: [{ name: 'level2', queueName: name, children: [{ name: 'level3', queueName: name }] }],
    }),
  )
  assert.equal(
    await tree.job.waitUntilFinished(events, 9000),
    'level1 by gray of [level2 by gray of [level3 by gray of []]]',
  )
  const talks = await runInLane('gray', () => queue.add('talks', { changed: false }))
  assert.deepEqual(await talks.waitUntilFinished(events, 9000), { changed: true })
  await until(() => progress.length > 0)
  assert.deepEqual(progress, [[talks.id, 50]])
  assert.deepEqual((await queue.getJobLogs(talks.id)).logs, ['half'])
  assert.deepEqual((await queue.getJob(talks.id)).data, { changed: true })
  const steps = await runInLane('gray', () => queue.add('steps', { step: 1 }))
  assert.deepEqual(await steps.waitUntilFinished(events, 9000), ['part by gray'])
  assert.equal(seen.filter(one => one === 'steps:gray:gray').length, 2)
})

test('isolate: base stands in while no instance of the lane lives, and hands back', async () => {
  const name = newName()
  const queue = queueOf(name)
  const { events, gray, startGray } = await sides(name, async (_job, _token, side) => side)
  const by = async () => (await runInLane('gray-2,gray', () => queue.add('j', {}))).waitUntilFinished(events, 9000)
  assert.equal(await by(), 'gray', 'the first tag with an instance')
  const closed = gray.close()
  const during = await Promise.all(Array.from({ length: 20 }, by))
  await closed
  assert.ok(during.every(side => side === 'gray' || side === 'base'))
  await until(async () => (await by()) === 'base')
  const again = startGray()
  await again.waitUntilReady()
  for (let i = 0; i < 10; i++) assert.equal(await by(), 'gray')
  await again.close()
})

test('isolate: jobs left in the queue of a lane that is gone are handled by base, in the lane', async () => {
  const name = newName()
  const queue = queueOf(name)
  const { events, gray, seen } = await sides(name, async (_job, _token, side) => side)
  await gray.pause(true)
  await sleep(400)
  const left = await Promise.all(Array.from({ length: 10 }, () => runInLane('gray', () => queue.add('left', {}))))
  const laneJobs = kept(new Queue(`${name}_gray`, { connection }))
  await until(async () => (await laneJobs.getWaitingCount()) === 10)
  await gray.close()
  for (const job of left) assert.equal(await job.waitUntilFinished(events, 9000), 'base')
  assert.deepEqual([...new Set(seen)], ['left:base:gray'])
})

test("isolate: with whenLaneMissing: 'fail' the jobs of a lane wait for it", async () => {
  const name = newName()
  const queue = queueOf(name)
  const { events, startGray, seen } = await sides(name, async (_job, _token, side) => side, {
    withLane: false,
    whenLaneMissing: 'fail',
  })
  const job = await runInLane('gray', () => queue.add('waits', {}))
  const plain = await queue.add('plain', {})
  assert.equal(await plain.waitUntilFinished(events, 9000), 'base')
  await until(async () => (await job.getState()) === 'waiting-children')
  await sleep(1000)
  assert.deepEqual(seen, ['plain:base:none'])
  startGray()
  assert.equal(await job.waitUntilFinished(events, 9000), 'gray')
})

test('isolate: a paused queue pauses its lanes too', async () => {
  const name = newName()
  const queue = queueOf(name)
  const { events, gray, seen } = await sides(name, async (_job, _token, side) => side)
  await queue.pause()
  await until(() => gray.isPaused())
  await sleep(400)
  const job = await runInLane('gray', () => queue.add('j', {}))
  // What is in the queue of the lane already waits as well.
  await kept(new Queue(`${name}_gray`, { connection })).add('direct', {}, { 'x-mse-tag': 'gray' })
  await sleep(700)
  assert.deepEqual(seen, [])
  await queue.resume()
  assert.equal(await job.waitUntilFinished(events, 9000), 'gray')
  await until(() => seen.includes('direct:gray:gray'))
  // BullMQ runs a worker again when it resumes: the lease must still end with it.
  await gray.close()
  await laneLives(name, 'gray', false)
})

test('isolate: events of the message tell who handled it', async () => {
  const name = newName()
  const queue = queueOf(name)
  const events = []
  const note = event => event.destination === name && events.push(`${event.outcome}:${event.lane?.header ?? 'none'}`)
  messages.subscribe(note)
  const { gray, events: finished } = await sides(name, async () => {})
  const run = async tag => (await runInLane(tag, () => queue.add('j', {}))).waitUntilFinished(finished, 9000)
  await run('gray')
  await run(undefined)
  await run('base')
  await gray.pause(true)
  await sleep(400)
  const left = await runInLane('gray', () => queue.add('j', {}))
  await until(() => events.filter(one => one === 'forwarded:gray').length === 2)
  await gray.close()
  await left.waitUntilFinished(finished, 9000)
  messages.unsubscribe(note)
  assert.deepEqual(events, ['forwarded:gray', 'own:gray', 'base:none', 'base:base', 'forwarded:gray', 'stand-in:gray'])
})

test('isolate: close() ends connections and timers, also before the first look', async () => {
  const name = newName()
  const { base, gray } = await sides(name, async () => {})
  await Promise.all([base.close(), gray.close()])
  await base.close()
  const early = createLaneWorker(name, async () => {}, { bullmq, connection, lanes: 'isolate' })
  await early.close()
  const lane = createLaneWorker(name, async () => {}, { bullmq, connection, lanes: 'isolate', tag: 'gray' })
  await lane.close()
  assert.equal(lane.isRunning(), false)
  await laneLives(name, 'gray', false)
})

test('isolate: Redis killed and restarted with its data: every job ends once', async () => {
  const name = newName()
  const queue = queueOf(name)
  const done = new Map()
  const { gray } = await sides(name, async job => {
    done.set(job.id, (done.get(job.id) ?? 0) + 1)
  })
  const jobs = []
  for (let i = 0; i < 60; i++) {
    jobs.push(await runInLane(i % 2 === 0 ? 'gray' : undefined, () => queue.add('j', {})))
    if (i === 30) await redis.restart(500)
  }
  await until(async () => (await queue.getCompletedCount()) === jobs.length)
  assert.equal([...done.values()].length, jobs.length)
  assert.ok(gray.isRunning())
})

test('a lane instance without isolation warns once', async () => {
  const warnings = []
  const options = { bullmq, connection, tag: 'gray', warn: message => warnings.push(message) }
  const [first, second] = [newName(), newName()]
  kept(createLaneWorker(first, async () => {}, options))
  kept(createLaneWorker(second, async () => {}, options))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0], new RegExp(`lane gray consumes "${first}" without isolation`))
})

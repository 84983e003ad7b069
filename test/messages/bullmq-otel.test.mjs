// Lanes beside bullmq-otel, the telemetry of BullMQ: jobs keep both their lane and their trace.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneWorker, laneFlowProducer, laneProcessor, laneQueue } from '@laneway/bullmq'
import { currentLane, runInLane } from '@laneway/core'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { core, tracing } from '@opentelemetry/sdk-node'
import { FlowProducer, Queue, Worker } from 'bullmq'
import { BullMQOtel } from 'bullmq-otel'
import { startRedis } from '../servers/redis/start.mjs'
import { until } from './until.mjs'

const require = createRequire(import.meta.url)
// The copy that bullmq-otel uses: an older one would not be told of what a newer one has registered.
const { context, propagation, trace } = createRequire(require.resolve('bullmq-otel'))('@opentelemetry/api')
const spans = new tracing.InMemorySpanExporter()
const provider = new tracing.BasicTracerProvider({ spanProcessors: [new tracing.SimpleSpanProcessor(spans)] })
trace.setGlobalTracerProvider(provider)
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new core.W3CTraceContextPropagator())
const tracer = trace.getTracer('application')

let redis
let options
let count = 0
const open = []

before(async () => {
  redis = await startRedis()
  const connection = { host: redis.host, port: redis.port, maxRetriesPerRequest: null }
  options = { connection, telemetry: new BullMQOtel({ tracerName: 'jobs' }) }
})
after(async () => {
  for (const one of open.reverse()) await one.close(true).catch(() => {})
  await redis.stop()
})

const kept = one => {
  one.on('error', () => {})
  open.push(one)
  return one
}
const newName = () => `o${process.pid}-${++count}`
const TAGS = [undefined, 'gray', 'blue']

/** A request of a lane with a span, as a server makes it. @returns the id of its trace */
const request = (tag, run) =>
  runInLane(tag, () =>
    tracer.startActiveSpan('request', async span => {
      await run()
      span.end()
      return span.spanContext().traceId
    }),
  )

/** What a processor notes: its side and lane, the trace that it is in, and a span of its own. */
function noting(seen, side) {
  return async job => {
    await sleep(1)
    tracer.startActiveSpan(`work ${job.name}`, span => span.end())
    const { traceId } = trace.getActiveSpan()?.spanContext() ?? {}
    seen.push({ name: job.name, side, lane: currentLane()?.header ?? 'none', traceId })
  }
}

/** Each job: the request has the span of adding, that has the one of processing, and that has what the processor makes. */
function assertLinked(name, traceId) {
  const inTrace = spans.getFinishedSpans().filter(span => span.spanContext().traceId === traceId)
  const shown = inTrace.map(span => `${span.name} <- ${parentOf(span)?.name}`).join('\n')
  const work = inTrace.find(span => span.name === `work ${name}`)
  const processing = parentOf(work)
  assert.match(processing?.name ?? 'none', /^process /, shown)
  assert.match(parentOf(processing)?.name ?? 'none', /^add/i, shown)
  assert.ok(
    inTrace.some(span => span.name === 'request'),
    shown,
  )
  assert.equal(processing.attributes['bullmq.job.name'], name, shown)
}

const parentOf = span =>
  spans.getFinishedSpans().find(one => one.spanContext().spanId === span?.parentSpanContext?.spanId)

const ended = (name, traceId) =>
  until(() =>
    spans
      .getFinishedSpans()
      .some(
        span =>
          span.spanContext().traceId === traceId &&
          span.name.startsWith('process ') &&
          span.attributes['bullmq.job.name'] === name,
      ),
  )

const WORKERS = {
  laneProcessor: (name, run) => new Worker(name, laneProcessor(run), options),
  createLaneWorker: (name, run) => createLaneWorker(name, run, { ...options, bullmq: { Queue, Worker } }),
}
for (const [kind, make] of Object.entries(WORKERS)) {
  test(`${kind}: each job runs in its lane and in the trace of the request that has added it`, async () => {
    const name = newName()
    const seen = []
    const queue = kept(laneQueue(new Queue(name, options)))
    const flows = kept(laneFlowProducer(new FlowProducer(options)))
    // Opened by a request: neither its lane nor its trace goes to the jobs.
    await request('red', () => kept(make(name, noting(seen))).waitUntilReady())
    const traces = new Map()
    const ways = {
      add: one => queue.add(one, {}),
      bulk: one => queue.addBulk([{ name: one, data: {} }]),
      // BullMQ gives a trace to a job of a flow that has options.
      flow: one => flows.add({ name: one, queueName: name, opts: {} }),
    }
    for (const [way, add] of Object.entries(ways)) {
      for (const tag of TAGS) {
        const job = `${way} of ${tag ?? 'none'}`
        traces.set(job, await request(tag, () => add(job)))
      }
    }
    await until(() => seen.length >= traces.size)
    for (const { name: job, lane, traceId } of seen) {
      assert.equal(job.split(' of ')[1], lane)
      assert.equal(traceId, traces.get(job))
      await ended(job, traceId)
      assertLinked(job, traceId)
    }
    assert.equal(seen.length, traces.size)
  })
}

test('isolated: each side handles its jobs, in the trace of the request that has added them', async () => {
  const name = newName()
  const seen = []
  const make = async (side, tag) => {
    const settings = { ...options, bullmq: { Queue, Worker }, lanes: 'isolate', tag, drainDelay: 0.1, concurrency: 5 }
    await kept(createLaneWorker(name, noting(seen, side), settings)).waitUntilReady()
  }
  await make('base', 'base')
  await make('gray', 'gray')
  const queue = kept(laneQueue(new Queue(name, options)))
  const traces = new Map()
  const send = async (job, tag) => traces.set(job, await request(tag, () => queue.add(job, {})))
  // Once base has heard of the lane.
  for (let i = 0; !seen.some(({ side }) => side === 'gray'); i++) {
    assert.ok(i < 100, 'base forwards nothing')
    await send(`early ${i}`, 'gray')
    await until(() => seen.length === i + 1)
  }
  const early = seen.length
  for (let i = 0; i < 9; i++) await send(`${i} of ${TAGS[i % 3] ?? 'none'}`, TAGS[i % 3])
  await until(() => seen.length >= early + 9)
  for (const { name: job, side, lane, traceId } of seen.slice(early)) {
    // What base forwards keeps the trace: the lane's side is linked to the request, as if it had taken the job itself.
    assert.equal(job.split(' of ')[1], lane)
    assert.equal(side, lane === 'gray' ? 'gray' : 'base')
    assert.equal(traceId, traces.get(job))
    await ended(job, traceId)
    assertLinked(job, traceId)
  }
  assert.equal(seen.length, early + 9)
})

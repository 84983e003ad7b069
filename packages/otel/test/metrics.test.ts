import { once } from 'node:events'
import http, { createServer } from 'node:http'
import { connect } from 'node:net'
import { channels, currentLane, type IngressEvent, parseLane, runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { LaneAgent, laneHandler } from '@laneway/http'
import { listen } from '@laneway/testkit'
import { composeLane } from '@laneway/undici'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { suppressTracing } from '@opentelemetry/core'
import { metrics } from '@opentelemetry/sdk-node'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { type LaneMetricsOptions, MAX_LANE_LABELS, startLaneMetrics } from '../src/index.js'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

/** Metrics of one test: `read` gives each point as `name{label=value,...}`. */
function start(t: Test, options: LaneMetricsOptions = {}) {
  class Reader extends metrics.MetricReader {
    async onForceFlush() {}
    async onShutdown() {}
  }
  const reader = new Reader()
  const meterProvider = new metrics.MeterProvider({ readers: [reader] })
  const stop = startLaneMetrics({ ...options, meterProvider })
  t.teardown(stop)
  const collect = async () => (await reader.collect()).resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics)
  const read = async (prefix = '') => {
    const found: Record<string, number> = {}
    for (const { descriptor, dataPoints } of await collect()) {
      for (const { attributes, value } of dataPoints) {
        const labels = Object.entries(attributes).map(([key, one]) => `${key}=${one}`)
        const name = descriptor.name + (labels.length > 0 ? `{${labels.join(',')}}` : '')
        if (name.startsWith(prefix))
          found[name] = typeof value === 'number' ? value : (value as { count: number }).count
      }
    }
    return found
  }
  return { read, collect, stop }
}

const lane = (header: string) => parseLane(header)
const decision = (header: string | undefined, served: string | undefined, outcome: string, address = '10.0.0.1:80') =>
  channels.decision.publish({
    service: 'svc',
    lane: header === undefined ? undefined : lane(header),
    served,
    outcome,
    address: outcome === 'no-base' ? undefined : address,
    reason: () => '',
  })
const ingress = (event: Partial<IngressEvent>) =>
  channels.ingress.publish({
    lane: undefined,
    source: undefined,
    problem: undefined,
    stripped: false,
    escaped: false,
    contradicted: false,
    request: { headers: {} },
    ...event,
  })

t.test('decisions count by service, lane, who served and outcome', async t => {
  const { read } = start(t)
  decision(undefined, undefined, 'base')
  decision('gray', 'gray', 'lane')
  decision('gray', 'gray', 'lane')
  decision('gray', undefined, 'fallback-unavailable')
  decision(undefined, undefined, 'no-base')
  t.strictSame(await read(), {
    'laneway.decisions{service=svc,lane=base,served=base,outcome=base}': 1,
    'laneway.decisions{service=svc,lane=gray,served=gray,outcome=lane}': 2,
    'laneway.decisions{service=svc,lane=gray,served=base,outcome=fallback-unavailable}': 1,
    'laneway.decisions{service=svc,lane=base,served=none,outcome=no-base}': 1,
  })
})

t.test('what comes in and goes out counts', async t => {
  const { read } = start(t, { lanes: ['gray'] })
  ingress({})
  ingress({ lane: lane('gray'), source: 'header' })
  ingress({ problem: 'invalid' })
  ingress({ stripped: true })
  ingress({ escaped: true })
  for (const action of ['forwarded', 'blocked', 'invalid'] as const)
    channels.egress.publish({ host: 'a', lane: undefined, action })
  t.strictSame(await read(), {
    'laneway.ingress{lane=base,source=none}': 4,
    'laneway.ingress{lane=gray,source=header}': 1,
    'laneway.egress.blocked': 1,
    'laneway.tags.invalid': 2,
    'laneway.tags.stripped': 1,
    'laneway.escapes': 1,
  })
})

t.test('names that only a client knows share one label', async t => {
  const { read } = start(t, { lanes: ['gray'] })
  for (let index = 0; index < 1000; index++) ingress({ lane: lane(`made-up-${index}`), source: 'header' })
  ingress({ lane: lane('made-up,gray'), source: 'header' })
  ingress({ lane: lane('base'), source: 'header' })
  ingress({ lane: lane('_other'.slice(1)), source: 'header' })
  t.strictSame(await read(), {
    'laneway.ingress{lane=_other,source=header}': 1001,
    'laneway.ingress{lane=gray,source=header}': 1,
    'laneway.ingress{lane=base,source=header}': 1,
  })
})

t.test('at most 32 lanes get a label, whatever a registry lists', async t => {
  const { read } = start(t)
  for (let index = 0; index < 40; index++) decision(`lane-${index}`, `lane-${index}`, 'lane')
  const found = await read()
  t.equal(Object.keys(found).length, MAX_LANE_LABELS + 1)
  t.equal(found['laneway.decisions{service=svc,lane=lane-31,served=lane-31,outcome=lane}'], 1)
  t.equal(found['laneway.decisions{service=svc,lane=_other,served=_other,outcome=lane}'], 8)
  const many = Array.from({ length: 33 }, (_, index) => `l${index}`)
  t.throws(() => startLaneMetrics({ lanes: many }), { code: 'LANEWAY_INVALID_OPTION' })
  startLaneMetrics({ lanes: many.slice(1) })()
})

t.test('a lane that the registry lists has its label before anything was sent there', async t => {
  const lanes = new Map([['gray', { endpoints: 1, usable: 1, ejected: 0 }]])
  const states = [{ service: 'svc', ageMs: 1500, base: { endpoints: 0, usable: 0, ejected: 0 }, lanes }]
  let asked = 0
  const resolver = { states: () => states.slice(0, asked++ === 0 ? 0 : 1) }
  const { read } = start(t, { resolver })
  ingress({ lane: lane('gray'), source: 'header' })
  ingress({ lane: lane('gray'), source: 'header' })
  t.equal(asked, 1, 'an unknown lane is looked up once per news of the registry')
  channels.source.publish({ source: 's', service: 'svc', state: 'snapshot' })
  ingress({ lane: lane('gray'), source: 'header' })
  t.match(await read('laneway.ingress'), {
    'laneway.ingress{lane=_other,source=header}': 2,
    'laneway.ingress{lane=gray,source=header}': 1,
  })
})

t.test('endpoints by lane and state, and the age of the snapshot in seconds', async t => {
  const count = (endpoints: number, usable: number, ejected: number) => ({ endpoints, usable, ejected })
  let asked = 0
  const resolver = {
    states: () => [
      {
        service: asked++ < 9 ? 'a' : 'b',
        ageMs: 2500,
        base: count(3, 1, 1),
        lanes: new Map([['gray', count(2, 2, 0)]]),
      },
      { service: 'waiting', ageMs: undefined, base: count(0, 0, 0), lanes: new Map() },
    ],
  }
  const { read, stop } = start(t, { resolver })
  t.strictSame(await read(), {
    'laneway.endpoints{service=a,lane=base,state=usable}': 1,
    'laneway.endpoints{service=a,lane=base,state=ejected}': 1,
    'laneway.endpoints{service=a,lane=base,state=unusable}': 1,
    'laneway.endpoints{service=a,lane=gray,state=usable}': 2,
    'laneway.endpoints{service=a,lane=gray,state=ejected}': 0,
    'laneway.endpoints{service=a,lane=gray,state=unusable}': 0,
    'laneway.snapshot.age{service=a}': 2.5,
  })
  stop()
  await read()
  t.equal(asked, 1, 'after the end nobody asks the resolver')
})

t.test('durations of requests in and out, in seconds, by lane', async t => {
  const { read, collect } = start(t, { lanes: ['gray'] })
  const front = await listen(
    t,
    createServer(
      laneHandler((req, res) => {
        res.statusCode = req.url === '/fail' ? 503 : 200
        res.end(currentLane()?.header)
      }),
    ),
  )
  // A server without an ingress, such as that of the metrics, is not measured.
  const other = await listen(
    t,
    createServer((_req, res) => res.end()),
  )
  const agent = new LaneAgent()
  const dispatcher = composeLane(new Agent())
  t.teardown(() => agent.destroy())
  t.teardown(() => dispatcher.destroy())
  const viaHttp = (port: number, path: string, method = 'GET') =>
    new Promise<void>((resolve, reject) => {
      const req = http.request({ port, path, agent, method, host: '127.0.0.1' }, res => res.resume())
      req.on('close', resolve).on('error', reject).end()
    })
  const began = performance.now()
  await runInLane('gray', () => viaHttp(front, '/'))
  await runInLane('gray', () => viaHttp(front, '/fail', 'PROPFIND'))
  await viaHttp(other, '/')
  await context.with(suppressTracing(context.active()), () => viaHttp(other, '/'))
  await runInLane('gray', async () => {
    const { body } = await request(`http://127.0.0.1:${front}/fail`, { dispatcher, method: 'POST' })
    await body.dump()
  })
  await t.rejects(request('http://127.0.0.1:1/', { dispatcher }), { code: 'ECONNREFUSED' })

  const elapsed = (performance.now() - began) / 1000
  const of = (method: string, rest: string) =>
    `{laneway.lane=${rest.split(' ')[0]},laneway.instance_lane=base,http.request.method=${method}${rest.slice(rest.indexOf(' ') + 1)}}`
  const server = {
    [`laneway.server.request.duration${of('GET', 'gray ,http.response.status_code=200')}`]: 1,
    [`laneway.server.request.duration${of('_OTHER', 'gray ,http.response.status_code=503,error.type=503')}`]: 1,
    [`laneway.server.request.duration${of('POST', 'gray ,http.response.status_code=503,error.type=503')}`]: 1,
  }
  t.strictSame(await read('laneway.server'), server)
  t.strictSame(await read('laneway.client'), {
    [`laneway.client.request.duration${of('GET', 'gray ,http.response.status_code=200')}`]: 1,
    [`laneway.client.request.duration${of('_OTHER', 'gray ,http.response.status_code=503,error.type=503')}`]: 1,
    [`laneway.client.request.duration${of('GET', 'base ,http.response.status_code=200')}`]: 1,
    [`laneway.client.request.duration${of('POST', 'gray ,http.response.status_code=503,error.type=503')}`]: 1,
    [`laneway.client.request.duration${of('GET', 'base ,error.type=ECONNREFUSED')}`]: 1,
  })
  for (const { descriptor, dataPoints } of await collect()) {
    if (!descriptor.name.endsWith('duration')) continue
    t.equal(descriptor.unit, 's')
    for (const { value } of dataPoints) {
      const { sum, buckets } = value as { sum: number; buckets: { boundaries: number[] } }
      t.ok(sum > 0 && sum <= elapsed, `${sum} of ${elapsed} seconds`)
      t.equal(buckets.boundaries[0], 0.005)
      t.equal(buckets.boundaries.length, 14)
    }
  }
})

t.test('a client that goes away before the answer counts as aborted', async t => {
  const { read } = start(t)
  let socket: ReturnType<typeof connect> | undefined
  const closed = new Promise<void>(resolve => {
    const server = createServer(
      laneHandler((_req, res) => {
        res.on('close', resolve)
        socket!.destroy()
      }),
    )
    void listen(t, server).then(port => {
      socket = connect(port, '127.0.0.1', () => socket!.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    })
  })
  await closed
  t.strictSame(await read('laneway.server'), {
    'laneway.server.request.duration{laneway.lane=base,laneway.instance_lane=base,http.request.method=GET,error.type=aborted}': 1,
  })
})

t.test('durations: false measures none', async t => {
  const { read } = start(t, { durations: false })
  const port = await listen(t, createServer(laneHandler((_req, res) => res.end())))
  const [response] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response')
  response.resume()
  await once(response, 'close')
  t.strictSame(Object.keys(await read()), ['laneway.ingress{lane=base,source=none}'])
})

t.test('counts with a real resolver', async t => {
  const port = await listen(
    t,
    createServer((_req, res) => res.end()),
  )
  const resolver = createLaneResolver({
    sources: [createStaticSource({ svc: [{ host: '127.0.0.1', port, tags: ['gray'] }] })],
    services: ['svc'],
  })
  t.teardown(() => resolver.close())
  await resolver.ready('svc')
  const { read } = start(t, { resolver, durations: false })
  const dispatcher = composeLane(new Agent(), { resolver })
  t.teardown(() => dispatcher.destroy())
  await runInLane('gray', async () => (await request('http://svc/', { dispatcher })).body.dump())
  await t.rejects(request('http://svc/', { dispatcher }), { code: 'LANEWAY_NO_BASE' })
  t.match(await read(), {
    'laneway.decisions{service=svc,lane=gray,served=gray,outcome=lane}': 1,
    'laneway.decisions{service=svc,lane=base,served=none,outcome=no-base}': 1,
    'laneway.endpoints{service=svc,lane=gray,state=usable}': 1,
  })
})

t.test('wrong options are refused', async t => {
  t.throws(() => startLaneMetrics({ lane: [] } as never), { message: /did you mean "lanes"/ })
  t.throws(() => startLaneMetrics({ lanes: ['-'] }), { code: 'LANEWAY_INVALID_TAG' })
  t.throws(() => startLaneMetrics({ lanes: ['__proto__'] }), { code: 'LANEWAY_INVALID_TAG' })
})

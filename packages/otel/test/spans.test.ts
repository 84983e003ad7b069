import { once } from 'node:events'
import http, { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as tick } from 'node:timers/promises'
import { currentLane, type Lane, runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { LaneAgent, laneHandler } from '@laneway/http'
import { listen } from '@laneway/testkit'
import { composeLane } from '@laneway/undici'
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import t from 'tap'
import { Agent, request } from 'undici'
import { LaneSpanProcessor } from '../src/index.js'
import { startTracing } from './telemetry.js'

const { spans, forget, tracer } = startTracing(t, { propagator: true })
t.beforeEach(() => forget())

/** The lane attributes of the client spans so far. */
const clients = () =>
  spans()
    .filter(span => span.kind === SpanKind.CLIENT)
    .map(({ attributes }) => laneway(attributes))
const servers = () =>
  spans()
    .filter(span => span.kind === SpanKind.SERVER)
    .map(({ attributes }) => laneway(attributes))
const laneway = (attributes: object) =>
  Object.fromEntries(Object.entries(attributes).filter(([key]) => key.startsWith('laneway.')))

const base = await listen(
  t,
  createServer((_req, res) => res.end('base')),
)
const gray = await listen(
  t,
  createServer((_req, res) => res.end('gray')),
)
/** A port where nobody listens. */
const dead = await (async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
})()
const at = (port: number, ...tags: string[]) => ({ host: '127.0.0.1', port, tags })
const resolver = createLaneResolver({
  sources: [
    createStaticSource({
      svc: [at(base), at(gray, 'gray'), { ...at(dead, 'sick'), health: 'unhealthy' }],
      lonely: [at(gray, 'gray')],
      limping: [at(base), at(dead, 'gray')],
    }),
  ],
  services: ['svc', 'lonely', 'limping'],
})
await resolver.ready('svc')
t.teardown(() => resolver.close())
const agent = new LaneAgent({ resolver, warn: () => {} })
const dispatcher = composeLane(new Agent(), { resolver, warn: () => {} })
t.teardown(() => agent.destroy())
t.teardown(() => dispatcher.destroy())

const get = (url: string, options: http.RequestOptions = {}) =>
  new Promise<string>((resolve, reject) => {
    http
      .get(url, { agent, ...options }, res => {
        let text = ''
        res.on('data', chunk => {
          text += chunk
        })
        res.on('end', () => resolve(text))
      })
      .on('error', reject)
  })
const viaUndici = async (url: string) => (await request(url, { dispatcher })).body.text()
/** Spans end when their socket says so, after the caller has its answer. */
async function settled(count: number) {
  while (clients().length < count) await tick()
}

const CASES: [lane: string | undefined, service: string, attributes: object][] = [
  [undefined, 'svc', { 'laneway.served': 'base', 'laneway.outcome': 'base' }],
  ['gray', 'svc', { 'laneway.lane': 'gray', 'laneway.served': 'gray', 'laneway.outcome': 'lane' }],
  ['blue,gray', 'svc', { 'laneway.lane': 'blue,gray', 'laneway.served': 'gray', 'laneway.outcome': 'lane' }],
  ['blue', 'svc', { 'laneway.lane': 'blue', 'laneway.served': 'base', 'laneway.outcome': 'fallback-missing' }],
  ['sick', 'svc', { 'laneway.lane': 'sick', 'laneway.served': 'base', 'laneway.outcome': 'fallback-unavailable' }],
]
for (const [client, call] of [
  ['http', get],
  ['undici', viaUndici],
] as const) {
  t.test(`client spans of ${client} say which lane was asked for, who served, and how it was decided`, async t => {
    for (const [lane, service, attributes] of CASES) {
      forget()
      await runInLane(lane, () => call(`http://${service}/`))
      await settled(1)
      t.strictSame(clients(), [attributes], `${lane} to ${service}`)
    }
  })

  t.test(`a call of ${client} that nothing resolves says nothing of a decision`, async t => {
    await runInLane('gray', () => call('http://svc/'))
    await runInLane('gray', () => call(`http://127.0.0.1:${gray}/`))
    await settled(2)
    t.strictSame(clients()[1], { 'laneway.lane': 'gray' })
  })
}

t.test('a call that finds no endpoint says so on its span', async t => {
  await t.rejects(get('http://lonely/'), { code: 'LANEWAY_NO_BASE' })
  await settled(1)
  t.strictSame(clients(), [{ 'laneway.served': 'none', 'laneway.outcome': 'no-base' }])
})

t.test('a connect error that leads elsewhere leaves what was decided last', async t => {
  t.equal(await runInLane('gray', () => get('http://limping/')), 'base')
  await settled(1)
  t.strictSame(clients(), [
    { 'laneway.lane': 'gray', 'laneway.served': 'base', 'laneway.outcome': 'fallback-unavailable' },
  ])
})

t.test('a decision marks the span of its own call only', async t => {
  await tracer.startActiveSpan('work', async span => {
    await runInLane('gray', () => get('http://svc/'))
    await runInLane('gray', () => viaUndici('http://svc/'))
    span.end()
  })
  await settled(2)
  t.strictSame(laneway(spans().find(span => span.name === 'work')!.attributes), {})
})

t.test('spans that are started in a lane have it, those outside have none', async t => {
  tracer.startSpan('outside').end()
  runInLane('gray', () => tracer.startSpan('inside').end())
  runInLane('gray', () => tracer.startSpan('elsewhere', {}, ROOT_CONTEXT).end())
  t.strictSame(
    spans().map(({ name, attributes }) => [name, laneway(attributes)]),
    [
      ['outside', {}],
      ['inside', { 'laneway.lane': 'gray' }],
      ['elsewhere', {}],
    ],
  )
})

t.test('the server span says what the ingress decided, not what the propagator read', async t => {
  const seen: (Lane | undefined)[] = []
  const edge = await listen(
    t,
    createServer(
      laneHandler(
        (_req, res) => {
          seen.push(currentLane())
          tracer.startSpan('inner').end()
          res.end()
        },
        { trust: req => req.headers['x-believed'] !== undefined },
      ),
    ),
  )
  const send = (headers: Record<string, string>) => get(`http://127.0.0.1:${edge}/`, { agent: false as never, headers })
  const rows: [Record<string, string>, object, object][] = [
    [{}, {}, {}],
    [{ 'x-mse-tag': 'gray', 'x-believed': '1' }, { 'laneway.lane': 'gray' }, { 'laneway.lane': 'gray' }],
    [{ 'x-mse-tag': 'gray' }, { 'laneway.lane': 'base' }, {}],
    [{ baggage: 'x-mse-tag=gray' }, { 'laneway.lane': 'base' }, {}],
    [{ 'x-mse-tag': '-', 'x-believed': '1' }, { 'laneway.lane': 'base' }, {}],
    [{ baggage: 'x-mse-tag=gray', 'x-believed': '1' }, { 'laneway.lane': 'gray' }, { 'laneway.lane': 'gray' }],
  ]
  for (const [headers, server, inner] of rows) {
    forget()
    await send(headers)
    await settled(1)
    while (servers().length < 1) await tick()
    t.strictSame(servers(), [server], JSON.stringify(headers))
    t.strictSame(laneway(spans().find(span => span.name === 'inner')!.attributes), inner)
  }
  t.strictSame(
    seen.map(lane => lane?.header),
    [undefined, 'gray', undefined, undefined, undefined, 'gray'],
  )
})

t.test("the server span is marked when a framework's instrumentation has its own span in front of it", async t => {
  const handler = laneHandler((_req, res) => res.end())
  const server = createServer((req, res) => {
    const middleware = tracer.startSpan('middleware')
    context.with(trace.setSpan(context.active(), middleware), () => handler(req, res))
    middleware.end()
  })
  const port = await listen(t, server)
  await get(`http://127.0.0.1:${port}/`, { agent: false as never, headers: { 'x-mse-tag': '-' } })
  while (servers().length < 1) await tick()
  t.strictSame(servers(), [{ 'laneway.lane': 'base' }])
})

t.test('on a bounded pool of undici each span has lane and decision of its own request', async t => {
  const bounded = composeLane(new Agent({ connections: 2 }), { resolver })
  t.teardown(() => bounded.destroy())
  const lanes = Array.from({ length: 60 }, (_, index) => ['gray', 'blue', undefined, undefined, 'blue'][index % 5])
  await Promise.all(
    lanes.map(lane => runInLane(lane, async () => (await request('http://svc/', { dispatcher: bounded })).body.dump())),
  )
  await settled(60)
  const counts: Record<string, number> = {}
  for (const span of clients()) {
    const text = `${span['laneway.lane']} ${span['laneway.served']} ${span['laneway.outcome']}`
    counts[text] = (counts[text] ?? 0) + 1
  }
  t.strictSame(counts, { 'undefined base base': 24, 'blue base fallback-missing': 24, 'gray gray lane': 12 })
})

t.test('a processor that was shut down listens no more', async t => {
  const processor = new LaneSpanProcessor()
  await processor.shutdown()
  await processor.forceFlush()
  t.equal(context.active(), ROOT_CONTEXT)
})

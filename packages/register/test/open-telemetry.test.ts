import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test as Tap } from 'tap'
import { startFarService } from './far-service.js'
import { program, relay, startApp } from './start-app.js'

const REGISTER = ['--require', '@laneway/register']
const PRELOADS = {
  'the instrumentations of OpenTelemetry': ['--require', program('otel.cjs')],
  "OpenTelemetry's auto-instrumentation": ['--require', '@opentelemetry/auto-instrumentations-node/register'],
}

for (const [name, otel] of Object.entries(PRELOADS)) {
  for (const [order, flags] of [
    ['after', [...otel, ...REGISTER]],
    ['before', [...REGISTER, ...otel]],
  ] as const) {
    t.test(`loaded ${order} ${name}, every client keeps the lane`, async t => {
      const far = await startFarService(t)
      const app = await startApp(t, program('relay.mjs'), {
        flags,
        environment: {
          ...far.environment,
          OTEL_TRACES_EXPORTER: 'none',
          OTEL_METRICS_EXPORTER: 'none',
          OTEL_LOGS_EXPORTER: 'none',
          OTEL_NODE_RESOURCE_DETECTORS: 'none',
        },
      })
      for (const client of ['http', 'own connection', 'fetch', 'undici', 'axios', 'got']) {
        const answers = await Promise.all([relay(app, client, 'gray'), relay(app, client), relay(app, client, 'blue')])
        t.strictSame(answers, ['gray[gray]', 'base[]', 'base[blue]'], client)
      }
    })
  }
}

const QUIET = {
  OTEL_TRACES_EXPORTER: 'none',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_NODE_RESOURCE_DETECTORS: 'none',
}
const LANES = ['gray', undefined, 'blue', 'gray', undefined, 'blue']

/** All code of a request, listeners on it included, sees its lane. */
async function seeTheirLanes(t: Tap, flags: readonly string[], environment: Record<string, string>, file: string) {
  const app = await startApp(t, program(file), { flags, environment: { ...QUIET, ...environment } })
  const ports = JSON.parse(/^ports (.+)$/m.exec(app.output.stdout)?.[1] ?? '') as Record<string, number>
  for (const [way, port] of Object.entries(ports)) {
    const answers = LANES.map(async tag => {
      const headers = { 'content-type': 'text/x', ...(tag !== undefined && { 'x-mse-tag': tag }) }
      return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x', headers })).text()
    })
    const expected = LANES.map(tag => Array.from({ length: 4 }, () => tag ?? 'none').join(' '))
    t.strictSame(await Promise.all(answers), expected, way)
  }
  return Object.keys(ports).length
}

const IMPORTS = ['--import', '@laneway/register']
const AUTO = '@opentelemetry/auto-instrumentations-node/register'
const SET_UPS: Record<string, readonly string[]> = {
  'OpenTelemetry, then Laneway, by --require': ['--require', program('otel.cjs'), ...REGISTER],
  'Laneway, then OpenTelemetry, by --require': [...REGISTER, '--require', program('otel.cjs')],
  'auto-instrumentations, then Laneway, by --require': ['--require', AUTO, ...REGISTER],
  'Laneway, then auto-instrumentations, by --require': [...REGISTER, '--require', AUTO],
  'OpenTelemetry, then Laneway, by --import': ['--import', program('otel.cjs'), ...IMPORTS],
  'Laneway, then auto-instrumentations, by --import': [...IMPORTS, '--import', AUTO],
  'the SDK in the code': IMPORTS,
}

for (const [name, flags] of Object.entries(SET_UPS)) {
  for (const file of ['otel-lanes.cjs', 'otel-lanes.mjs']) {
    t.test(`LANEWAY_OTEL=1, ${name}: handlers and listeners run in their lane, ${file}`, async t => {
      const environment = { LANEWAY_OTEL: '1', ...(flags === IMPORTS && { SDK: '1' }) }
      t.equal(await seeTheirLanes(t, flags, environment, file), 3)
    })
  }
}

for (const ORDER of ['lanes first', 'lanes last']) {
  t.test(`useOtelContext(), ${ORDER}: handlers and listeners run in their lane with every package`, async t => {
    t.equal(await seeTheirLanes(t, [], { ORDER, SDK: '1' }, 'otel-lanes.cjs'), 4)
  })
}

/** How many of 96 requests in three lanes, through a pool of 2, bring another lane as their last baggage member. */
async function wrongMembers(t: Tap, propagators: string): Promise<number> {
  const far = createServer((req, res) => setTimeout(() => res.end(req.headers.baggage ?? ''), 5))
  await new Promise<void>(resolve => far.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    far.close()
    far.closeAllConnections()
  })
  const app = await startApp(t, program('pool.cjs'), {
    flags: ['--require', AUTO, ...IMPORTS],
    environment: {
      ...QUIET,
      OTEL_PROPAGATORS: propagators,
      LANEWAY_BAGGAGE: '1',
      FAR: `http://127.0.0.1:${(far.address() as AddressInfo).port}/`,
    },
  })
  const wrong = Array.from({ length: 96 }, async (_, index) => {
    const lane = ['gray', 'blue', undefined][index % 3]
    const headers = lane === undefined ? {} : { 'x-mse-tag': lane, baggage: `x-mse-tag=${lane}` }
    const baggage = await (await fetch(app.url, { headers })).text()
    return baggage.match(/(?<=x-mse-tag=)\w+/g)?.at(-1) === lane ? 0 : 1
  })
  return (await Promise.all(wrong)).reduce((sum: number, one) => sum + one, 0)
}

t.test('LANEWAY_BAGGAGE=1 and OTEL_PROPAGATORS=tracecontext: baggage has the lane of its request', async t => {
  t.equal(await wrongMembers(t, 'tracecontext'), 0)
  // Why the README asks for it: OpenTelemetry adds a member of its own, of the request that freed the connection.
  t.ok((await wrongMembers(t, 'tracecontext,baggage')) > 0)
})

// `node test/propagation/otel-row.mjs`: the row of the table for OpenTelemetry alone. Its auto-instrumentation is on, the
// lane is a member of W3C baggage, and no Laneway carries anything. Prints what arrived wrong, per client and condition.
import http from 'node:http'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { listen, startBackend } from './backend.mjs'
import { CONDITIONS } from './conditions.mjs'
import { EGRESSES } from './egresses.mjs'
import { notApplicable } from './not-applicable.mjs'

const HELP = `node test/propagation/otel-row.mjs [options]

  --count <n>     requests a cell (default: 200)
  --only <regex>  cells whose name matches, e.g. "undici7 request x bounded pool"
  --json          a line of JSON per cell
  --help          this text

wrong: the lane of another request arrived. lost: none arrived. A request that is repeated arrives twice. leaked: the third
party saw the lane, because a propagator knows no destination.
`
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    only: { type: 'string', default: '^(undici7 (request|fetch)|http.get|axios|got) x' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
const count = Number(values.count)
const IN_FLIGHT = 64
const node = Number(process.versions.node.split('.')[0])

const require = createRequire(import.meta.url)
const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } = require('@opentelemetry/core')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici')
const { NodeSDK } = require('@opentelemetry/sdk-node')
const outside = options => options.headers?.['x-outside'] !== undefined
new NodeSDK({
  autoDetectResources: false,
  spanProcessors: [],
  metricReaders: [],
  logRecordProcessors: [],
  textMapPropagator: new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
  }),
  instrumentations: [new HttpInstrumentation({ ignoreOutgoingRequestHook: outside }), new UndiciInstrumentation()],
}).start()
// What is loaded as ESM shares the patched object.
require('node:http')

/** Who carries nothing himself: the clients as they are, with the host of the service at its base instance. */
function plainWiring() {
  return {
    undici: (_name, _undici, base, ...own) => (own.length === 0 ? base : base.compose(...own)),
    fetch: () => fetch,
    agent: options => new http.Agent(options),
  }
}

const backend = await startBackend()
const base = backend.instances[0].port
/** About bodies, caches or proxies, which say nothing about how baggage travels. */
const NOT_HERE = new Set([
  'pipelining',
  'raw body listener',
  'aborted requests in between',
  'HTTP proxy',
  'cache',
  'deduplicate',
])
const pattern = new RegExp(values.only)
const rows = []
for (const egress of Object.keys(EGRESSES)) {
  for (const [condition, rules] of Object.entries(CONDITIONS)) {
    if (!pattern.test(`${egress} x ${condition}`)) continue
    if (NOT_HERE.has(condition) || notApplicable(node, 'node:http', egress, condition) !== undefined) continue
    const row = { egress, condition, ...(await runCell(egress, condition, rules)) }
    rows.push(row)
    if (values.json) console.log(JSON.stringify(row))
  }
}
report()
backend.close()
process.exit(0)

async function runCell(egress, condition, rules) {
  backend.forget()
  const client = EGRESSES[egress](plainWiring(), backend, condition)
  const waiting = []
  let running = 0
  const queue = fn =>
    new Promise((resolve, reject) => {
      waiting.push(() => fn().then(resolve, reject).finally(next))
      if (running < 8) next(running++)
    })
  const next = () => (waiting.length > 0 ? waiting.shift()() : running--)
  const call = async req => {
    await new Promise(resolve => setTimeout(resolve, Math.random() * 3))
    return client.call(`http://127.0.0.1:${base}${rules.path}`, { headers: { 'x-id': req.headers['x-id'] } })
  }
  const front = http.createServer(async (req, res) => {
    try {
      await (rules.queued ? queue(() => call(req)) : call(req))
      res.end()
    } catch (error) {
      res.statusCode = 500
      res.end(String(error))
    }
  })
  const port = await listen(front)
  const result = { sent: count, wrong: 0, lost: 0, leaked: 0, failed: 0 }
  const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
  let number = 0
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (number < count) if ((await send(port, agent, number++)) !== 200) result.failed++
    }),
  )
  for (const [id, hits] of backend.hits) {
    const lane = laneOf(Number(id))
    for (const { place, baggage } of hits) {
      const lanes = (baggage.match(/x-mse-tag=[^,;]*/g) ?? []).map(one => one.slice(10))
      if (place === 'third') {
        if (lanes.length > 0) result.leaked++
      } else if (lanes.length === 0 && lane !== '') result.lost++
      else if ((lanes[0] ?? '') !== lane) result.wrong++
    }
  }
  await client.close()
  agent.destroy()
  front.close()
  front.closeAllConnections()
  return result
}

function laneOf(number) {
  return number % 3 === 0 ? '' : `r${number}`
}

function send(port, agent, number) {
  return new Promise(resolve => {
    const lane = laneOf(number)
    const baggage = lane === '' ? {} : { baggage: `x-mse-tag=${lane}` }
    const headers = { 'x-id': String(number), 'x-outside': '1', ...baggage }
    http
      .request({ port, host: '127.0.0.1', agent, headers }, res => {
        res.resume().on('end', () => resolve(res.statusCode))
      })
      .on('error', () => resolve(0))
      .end()
  })
}

function report() {
  const egresses = [...new Set(rows.map(row => row.egress))]
  const conditions = [...new Set(rows.map(row => row.condition))]
  console.log(
    `\nOpenTelemetry alone, baggage as carrier: wrong or lost arrivals of ${count} requests a cell, Node ${process.version}\n`,
  )
  console.log(`| condition | ${egresses.join(' | ')} |\n| --- |${egresses.map(() => ' ---: |').join('')}`)
  for (const condition of conditions) {
    const cells = egresses.map(egress => {
      const row = rows.find(one => one.egress === egress && one.condition === condition)
      if (row === undefined) return 'n/a'
      return `${row.wrong + row.lost}${row.leaked > 0 ? `, ${row.leaked} leaked` : ''}${row.failed > 0 ? `, ${row.failed} failed` : ''}`
    })
    console.log(`| ${condition} | ${cells.join(' | ')} |`)
  }
}

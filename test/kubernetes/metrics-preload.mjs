// Loaded before a demo service: measures its requests and counts its decisions as @laneway/otel does, shows them to Prometheus
// on a port of its own, and, where FAIL_PERCENT says so, lets the service fail.
import { channel } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import { createServer, Server } from 'node:http'
import { basename, join } from 'node:path'

const METRIC = 'laneway_server_request_duration_seconds'
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const service = `sc-${basename(process.argv[1] ?? '', '.js').toUpperCase()}`
const instanceLane = process.env.LANEWAY_TAG || 'base'
const failEvery = Number(process.env.FAIL_PERCENT ?? 0) > 0 ? Math.round(100 / Number(process.env.FAIL_PERCENT)) : 0
const series = new Map()
const decisions = new Map()
let seen = 0

function observe(lane, status, seconds) {
  const key = `laneway_lane="${lane}",laneway_instance_lane="${instanceLane}",http_response_status_code="${status}"`
  let one = series.get(key)
  if (one === undefined) {
    one = { buckets: BOUNDS.map(() => 0), sum: 0, count: 0 }
    series.set(key, one)
  }
  one.count++
  one.sum += seconds
  for (const [index, bound] of BOUNDS.entries()) if (seconds <= bound) one.buckets[index]++
}

channel('laneway:decision').subscribe(({ service: to, lane, served, address, outcome }) => {
  const by = served ?? (address === undefined ? 'none' : 'base')
  const key = `service="${to}",lane="${lane?.header ?? 'base'}",served="${by}",outcome="${outcome}"`
  decisions.set(key, (decisions.get(key) ?? 0) + 1)
})

const exporter = createServer((_, response) => {
  const lines = ['# TYPE laneway_decisions_total counter']
  for (const [key, count] of decisions) lines.push(`laneway_decisions_total{${key}} ${count}`)
  lines.push(`# TYPE ${METRIC} histogram`)
  for (const [key, { buckets, sum, count }] of series) {
    for (const [index, bound] of BOUNDS.entries())
      lines.push(`${METRIC}_bucket{${key},le="${bound}"} ${buckets[index]}`)
    lines.push(
      `${METRIC}_bucket{${key},le="+Inf"} ${count}`,
      `${METRIC}_sum{${key}} ${sum}`,
      `${METRIC}_count{${key}} ${count}`,
    )
  }
  response.setHeader('content-type', 'text/plain; version=0.0.4')
  response.end(`${lines.join('\n')}\n`)
})

const emit = Server.prototype.emit
Server.prototype.emit = function (event, ...args) {
  if (event !== 'request' || this === exporter) return emit.call(this, event, ...args)
  const [request, response] = args
  const began = performance.now()
  const lane = /^[\w.-]{1,63}$/.exec(request.headers['x-mse-tag'] ?? '')?.[0] ?? 'base'
  response.on('finish', () => observe(lane, response.statusCode, (performance.now() - began) / 1_000))
  if (failEvery > 0 && ++seen % failEvery === 0) {
    request.resume()
    response.writeHead(500).end('broken')
    return true
  }
  return emit.call(this, event, ...args)
}

exporter.listen(0, '127.0.0.1', () => {
  const target = [{ targets: [`127.0.0.1:${exporter.address().port}`], labels: { job: service } }]
  const file = join(process.env.METRICS_TARGETS, `${service}-${process.pid}.json`)
  writeFileSync(file, JSON.stringify(target))
  exporter.unref()
})

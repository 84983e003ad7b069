// A (Express) calls B (Fastify), B calls C (node:http), all with the OpenTelemetry SDK on and bounded pools, 64 requests in
// flight. B and C have an instance in base and one in lane gray. Prints what was wrong, as JSON.

import http from 'node:http'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { LaneAgent, laneHandler } from '@laneway/http'
import { composeLane } from '@laneway/undici'
import { trace } from '@opentelemetry/api'
import express from 'express'
import Fastify from 'fastify'
import { Agent, request } from 'undici'
import { each, jitter, lines, listen, send } from './outside.mjs'
import { options, otel } from './set-up.mjs'

const COUNT = options.count ?? 192
const POOL = 4
const quiet = () => {}
/** By request: what each service saw. */
const seen = new Map()

function see(service, place, req) {
  const id = req.headers['x-id']
  const hit = { service, place, tags: lines(req, 'x-mse-tag'), baggage: lines(req, 'baggage') }
  seen.set(id, [...(seen.get(id) ?? []), hit])
  trace.getActiveSpan()?.setAttribute('test.id', id)
  return id
}

const sources = {}

const serveC = place =>
  http.createServer(
    laneHandler(async (req, res) => {
      see('c', place, req)
      await jitter()
      res.end(place)
    }),
  )
async function serveB(place, call) {
  const app = Fastify()
  await app.register(fastifyLane)
  app.get('/', async req => {
    const id = see('b', place, req.raw)
    await jitter()
    return `${place}>${await call('http://c/', id)}`
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}
const at = (port, tags) => ({ host: '127.0.0.1', port, tags })
sources.c = [at(await listen(serveC('base')), []), at(await listen(serveC('gray')), ['gray'])]
const forC = createLaneResolver({ sources: [createStaticSource({ c: sources.c })] })
const callC = caller(options.second, forC)
sources.b = [at(await serveB('base', callC), []), at(await serveB('gray', callC), ['gray'])]
const forB = createLaneResolver({ sources: [createStaticSource({ b: sources.b })] })
const callB = caller(options.first, forB)

const app = express()
app.use(expressLane())
app.get('/', async (req, res) => {
  const id = see('a', 'base', req)
  await jitter()
  res.end(await callB('http://b/', id))
})
const port = await listen(http.createServer(app))

function caller(client, resolver) {
  const settings = { resolver, warn: quiet, baggage: options.member ?? false }
  if (client === 'undici') {
    const dispatcher = composeLane(new Agent({ connections: options.unbounded ? null : POOL }), settings)
    return async (url, id) => (await request(url, { dispatcher, headers: { 'x-id': id } })).body.text()
  }
  const agent = new LaneAgent(settings, { maxSockets: POOL })
  return (url, id) =>
    new Promise((resolve, reject) => {
      http
        .get(url, { agent, headers: { 'x-id': id } }, res => {
          let text = ''
          res.on('data', chunk => {
            text += chunk
          })
          res.on('end', () => resolve(text))
        })
        .on('error', reject)
    })
}

const traceOf = number => (number + 1).toString(16).padStart(32, '0')
// A tag of its own in front of the lane: what another request of the same lane sent is wrong, too.
const laneOf = number => (number % 2 === 0 ? '' : `r${number},gray`)
const result = { sent: COUNT, answers: 0, wrong: 0, doubled: 0, members: 0, spans: 0, unlabelled: 0, mislabelled: 0 }
Object.assign(result, { served: 0, otherTrace: 0, otherTraceUndici: 0, why: [] })
const note = (key, why) => {
  result[key]++
  if (result.why.length < 5) result.why.push(`${key}: ${why}`)
}

await each(COUNT, 64, async number => {
  const lane = laneOf(number)
  const place = lane === '' ? 'base' : 'gray'
  const { status, text } = await send(port, {
    'x-id': String(number),
    traceparent: `00-${traceOf(number)}-00000000000000ab-01`,
    baggage: 'foreign=1',
    ...(lane === '' ? {} : { 'x-mse-tag': lane }),
  })
  if (status === 200 && text === `${place}>${place}`) result.answers++
  else note('wrong', `answer ${status} ${text} for "${lane}"`)
})

for (const [id, hits] of seen) {
  const lane = laneOf(Number(id))
  if (hits.length !== 3) note('wrong', `${hits.length} hops of ${id}`)
  for (const { service, tags, baggage } of hits) {
    if (tags.length > 1) note('doubled', `${tags} at ${service}`)
    if ((tags[0] ?? '') !== lane) note('wrong', `"${tags[0]}" at ${service} instead of "${lane}"`)
    const member = baggage.join(',').match(/x-mse-tag=[^,;]*/g) ?? []
    if (member.length > 1) note('doubled', `${baggage.join(' | ')} at ${service}`)
    if (member.length === 1) result.members++
    if (member.length === 1 && decodeURIComponent(member[0].slice(10)) !== lane)
      note('wrong', `${member} at ${service}`)
  }
}
for (const span of otel.spans()) {
  const { attributes } = span
  const id = attributes['test.id'] ?? attributes['http.request.header.x-id']?.[0]
  if (id === undefined) continue
  result.spans++
  const lane = laneOf(Number(id))
  const label = attributes['laneway.lane'] ?? ''
  if (label === '' && lane !== '') note('unlabelled', `${span.instrumentationScope.name} ${span.name}`)
  else if (label !== lane) note('mislabelled', `${span.instrumentationScope.name} ${label} instead of ${lane}`)
  const undici = span.instrumentationScope.name.endsWith('undici')
  if (span.spanContext().traceId !== traceOf(Number(id))) result[undici ? 'otherTraceUndici' : 'otherTrace']++
  // Span kind 2 is a client.
  if (span.kind === 2) {
    const served = lane === '' ? 'base' : 'gray'
    const outcome = lane === '' ? 'base' : 'lane'
    if (attributes['laneway.served'] === served && attributes['laneway.outcome'] === outcome) result.served++
    else note('wrong', `served ${attributes['laneway.served']} ${attributes['laneway.outcome']} for "${lane}"`)
  }
}
process.stdout.write(JSON.stringify(result))
process.exit(0)

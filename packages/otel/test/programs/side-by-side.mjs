// A front service that calls a back service through undici's pool of 4, 64 requests in flight; OpenTelemetry's http and
// undici instrumentation are on. Counts what the back service received that belongs to another request.
//
// With `laneway: false` the lane is a W3C baggage member and OpenTelemetry alone carries it.

import http from 'node:http'
import { laneHandler } from '@laneway/http'
import { composeLane } from '@laneway/undici'
import { Agent, request } from 'undici'
import { each, jitter, lines, listen, send } from './outside.mjs'
import { options, otel } from './set-up.mjs'

const COUNT = 192
const result = { sent: COUNT, wrong: 0, lost: 0, doubled: 0, wrongMember: 0, failed: 0 }
const withLaneway = options.laneway !== false

const back = await listen(
  http.createServer((req, res) => {
    const expected = req.headers['x-expected']
    const tags = lines(req, 'x-mse-tag')
    const members =
      lines(req, 'baggage')
        .join(',')
        .match(/x-mse-tag=[^,;]*/g) ?? []
    const carried = withLaneway ? tags : members.map(one => decodeURIComponent(one.slice(10)))
    if (carried.length > 1 || members.length > 1) result.doubled++
    if (carried.length === 0 && expected !== '') result.lost++
    else if ((carried[0] ?? '') !== expected) result.wrong++
    if (members.some(one => decodeURIComponent(one.slice(10)) !== expected)) result.wrongMember++
    jitter().then(() => res.end())
  }),
)
const pool = new Agent({ connections: options.unbounded ? null : 4 })
const dispatcher = withLaneway ? composeLane(pool, { baggage: options.member ?? false }) : pool
const handle = async (req, res) => {
  await jitter()
  const headers = { 'x-expected': req.headers['x-expected'], 'x-id': req.headers['x-id'] }
  const { body } = await request(`http://127.0.0.1:${back}/`, { dispatcher, headers })
  await body.dump()
  res.end()
}
const front = await listen(http.createServer(withLaneway ? laneHandler(handle) : handle))

await each(COUNT, 64, async number => {
  const lane = number % 2 === 0 ? '' : `r${number}`
  const carrier = lane === '' ? {} : withLaneway ? { 'x-mse-tag': lane } : { baggage: `x-mse-tag=${lane}` }
  const { status } = await send(front, { 'x-id': String(number), 'x-expected': lane, ...carrier })
  if (status !== 200) result.failed++
})
result.spans = otel.spans().length
process.stdout.write(JSON.stringify(result))
process.exit(0)

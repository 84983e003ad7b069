// Edges on Express, Fastify and node:http behind an OpenTelemetry SDK. A spoofed tag and baggage come in; prints what a
// service downstream sees, called by a client that knows no lanes, by `LaneAgent`, and through undici.

import http from 'node:http'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { LaneAgent, laneHandler } from '@laneway/http'
import { propagation } from '@opentelemetry/api'
import express from 'express'
import Fastify from 'fastify'
import { request } from 'undici'
import { listen, send } from './outside.mjs'
import { options } from './set-up.mjs'

const trust = options.trust ?? 'edge'
const far = await listen(http.createServer((req, res) => res.end(JSON.stringify(req.headers))))
const url = `http://127.0.0.1:${far}/`

const get = (target, agent) =>
  new Promise((resolve, reject) => {
    http
      .get(target, { agent }, res => {
        let text = ''
        res.on('data', chunk => {
          text += chunk
        })
        res.on('end', () => resolve(text))
      })
      .on('error', reject)
  })
const agent = new LaneAgent()
const clients = {
  'http.get': () => get(url),
  LaneAgent: () => get(url, agent),
  undici: async () => (await request(url)).body.text(),
}

async function handle() {
  const active =
    propagation
      .getActiveBaggage()
      ?.getAllEntries()
      .map(([key, { value }]) => [key, value]) ?? []
  const calls = {}
  for (const [name, call] of Object.entries(clients)) {
    const { 'x-mse-tag': tag, baggage, traceparent } = JSON.parse(await call())
    calls[name] = { tag, baggage, traced: traceparent !== undefined }
  }
  return JSON.stringify({ active, calls })
}

const app = express()
app.use(expressLane({ trust }))
app.get('/', async (_req, res) => res.end(await handle()))
const fastify = Fastify()
await fastify.register(fastifyLane, { trust })
fastify.get('/', handle)
await fastify.listen({ port: 0, host: '127.0.0.1' })
const plain = http.createServer(laneHandler(async (_req, res) => res.end(await handle()), { trust }))

const ports = { express: await listen(http.createServer(app)), fastify: fastify.server.address().port }
ports.http = await listen(plain)
const result = {}
for (const [name, port] of Object.entries(ports)) {
  const { text } = await send(port, {
    'x-mse-tag': 'gray',
    baggage: 'a=1,x-mse-tag=gray,__microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D,b=2;p=1',
    traceparent: '00-0000000000000000000000000000000f-00000000000000ab-01',
  })
  result[name] = JSON.parse(text)
}
process.stdout.write(JSON.stringify(result))
process.exit(0)

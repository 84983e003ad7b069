// One process for the hostile cases: `node hostile-service.js <kind> <port of the upstream>`. Tells its port, and its
// processor time when asked. Kinds that copy send all headers on, as careless proxies do.
import http, { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { createGateway } from '@laneway/gateway'
import { LaneAgent, laneHandler } from '@laneway/http'
import { compileRules } from '@laneway/rules'
import { composeLane } from '@laneway/undici'
import express from 'express'
import createFastify from 'fastify'
import { Agent, request } from 'undici'

const [kind = '', upstream = '0'] = process.argv.slice(2)
const port = Number(upstream)

/** Each looks at another part of the request; none before the last matches. */
const document = {
  version: 1 as const,
  rules: [
    { name: 'query', when: { query: { name: 'beta', exact: '1' } }, lane: 'gray' },
    { name: 'cookie', when: { cookie: { name: 'beta', exact: '1' } }, lane: 'gray' },
    { name: 'header', when: { header: { name: 'x-user', prefix: 'tester-' } }, lane: 'gray' },
    { name: 'path', when: { path: { prefix: '/beta/订单' } }, lane: 'gray' },
    { name: 'host', when: { host: { exact: '*.beta.example' } }, lane: 'gray' },
  ],
}
const copying = { ...document, rules: [...document.rules, { name: 'all', lane: 'gray' }] }
const answer: RequestListener = (incoming, response) => {
  // Node makes `headers` when they are read, and every application reads one.
  if (incoming.headers.host === undefined) throw new Error('a request without a host')
  response.writeHead(200, { 'content-length': 2 }).end('ok')
}

/** Sends the headers on with `http.get`. */
function copyWith(agent: http.Agent): RequestListener {
  return (incoming, response) => {
    const headers = { ...incoming.headers, host: `127.0.0.1:${port}` }
    delete headers.connection
    const call = http.get({ host: '127.0.0.1', port, path: '/', headers, agent }, reply => {
      reply.resume()
      reply.on('end', () => answer(incoming, response))
    })
    call.on('error', () => response.writeHead(502, { 'content-length': 0 }).end())
  }
}

function copyWithUndici(dispatcher: Agent): RequestListener {
  return async (incoming, response) => {
    const headers = { ...incoming.headers }
    for (const name of ['host', 'connection', 'transfer-encoding']) delete headers[name]
    const reply = await request(`http://127.0.0.1:${port}/`, { headers, dispatcher })
    await reply.body.dump()
    answer(incoming, response)
  }
}

const kinds: Readonly<Record<string, () => Promise<http.Server> | http.Server>> = {
  upstream: () => createServer({ maxHeaderSize: 65_536 }, answer),
  bare: () => createServer(answer),
  'bare copy': () => createServer(copyWith(new http.Agent({ keepAlive: true }))),
  'bare Express': () => createServer(express().use(answer as never)),
  'bare Fastify': async () => {
    const app = createFastify()
    app.all('*', (_request, reply) => {
      reply.send('ok')
    })
    await app.ready()
    return app.server
  },
  'node:http': () => createServer(laneHandler(answer, { trust: 'edge', rules: compileRules(document).laneOf })),
  Express: () => {
    const app = express().use(expressLane({ trust: 'edge', rules: compileRules(document).laneOf }))
    return createServer(app.use(answer as never))
  },
  async Fastify() {
    const app = createFastify()
    await app.register(fastifyLane, { trust: 'edge', rules: compileRules(document).laneOf })
    app.all('*', (_request, reply) => {
      reply.send('ok')
    })
    await app.ready()
    return app.server
  },
  'http.get that copies': () => {
    const agent = new LaneAgent({ baggage: true, warn() {} }, { keepAlive: true })
    return createServer(laneHandler(copyWith(agent), { trust: 'internal', rules: compileRules(copying).laneOf }))
  },
  'undici that copies': () => {
    const dispatcher = composeLane(new Agent(), { baggage: true, warn() {} } as never) as never
    return createServer(
      laneHandler(copyWithUndici(dispatcher), { trust: 'internal', rules: compileRules(copying).laneOf }),
    )
  },
}

async function start(): Promise<number> {
  if (kind === 'gateway') {
    const source = createStaticSource({ 'sc-a': [{ host: '127.0.0.1', port }] })
    const resolver = createLaneResolver({ sources: [source], services: ['sc-a'] })
    await resolver.ready('sc-a')
    const routes = [{ path: { prefix: '/' }, service: 'sc-a' }]
    const one = await createGateway({ resolver, routes, rules: document, listeners: [{ host: '127.0.0.1' }] })
    await one.listen()
    return one.address().port
  }
  const server = await kinds[kind]!()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const listening = await start()
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpu: user + system, lines: 0 })
})
process.on('disconnect', () => process.exit())
process.send!({ port: listening })

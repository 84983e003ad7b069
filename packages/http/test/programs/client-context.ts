import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { LaneAgent, laneServer } from '@laneway/http'
import { fakeResolver } from '@laneway/testkit/egress'
import axios from 'axios'
import got from 'got'
import { WebSocket, WebSocketServer } from 'ws'

/**
 * Many requests at once through one agent, a third of them untagged, a third in another lane: what arrives where, and in
 * which lane the answer is handled. `control` ties the lane to the connection, which is the wrong place to read it.
 */
interface Report {
  sent: number
  wrong: number
  doubled: number
  failed: number
  context: number
}

const COUNT = Number(process.env['COUNT'] ?? 120)
const LANES = ['gray', undefined, 'blue'] as const

class WrongAgent extends http.Agent {
  override createConnection(options: any, callback?: any): any {
    const socket = super.createConnection(options, callback) as never
    Object.assign(socket, { lane: currentLane()?.header })
    return socket
  }

  addRequest(request: http.ClientRequest, options: any): void {
    const endpoint = services['sc-b']!.find(one => one.tag === undefined)!
    const resolved = options.host === 'sc-b' ? { host: '127.0.0.1', port: endpoint.port } : {}
    ;(http.Agent.prototype as any).addRequest.call(this, request, { ...options, ...resolved })
  }

  override reuseSocket(socket: any, request: http.ClientRequest): void {
    super.reuseSocket(socket, request)
    tagOf(socket, request)
  }
}

function tagOf(socket: { lane?: string }, request: http.ClientRequest): void {
  if (socket.lane !== undefined && !request.headersSent) request.setHeader('x-mse-tag', socket.lane)
}

const servers: http.Server[] = []
let report: Report
let expectEndpoint = true

async function serve(place: string): Promise<number> {
  const server = laneServer(
    http.createServer(async (request: IncomingMessage, response: ServerResponse) => {
      judge(place, request)
      const url = request.url ?? ''
      await delay(Math.random() * 4)
      if (url.startsWith('/abort')) return void request.socket.destroy()
      if (url.startsWith('/same/')) response.writeHead(302, { location: url.replace('/same/', '/') })
      if (url.startsWith('/cross/')) {
        response.writeHead(302, { location: `http://third.example:${third}${url.replace('/cross/', '/')}` })
      }
      response.end('x'.repeat(2000))
    }),
  )
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    judge(place, request)
    socket.send(currentLane()?.header ?? 'none')
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The last part of the path says what should have come. */
function judge(place: string, request: IncomingMessage): void {
  const expected = new URL(request.url ?? '/', 'http://x').pathname.split('/').at(-1)
  const { rawHeaders } = request
  const tags = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'x-mse-tag')
  report.sent++
  if (tags.length > 1) report.doubled++
  const wanted = place === 'third' || expected === 'none' ? undefined : expected
  const home = place === 'third' ? 'third' : expected === 'gray' || expected === 'blue' ? expected : 'base'
  if (tags[0] !== wanted || (expectEndpoint && place !== home)) report.wrong++
}

const services = { 'sc-b': [] as { port: number; tag?: string }[] }
report = { sent: 0, wrong: 0, doubled: 0, failed: 0, context: 0 }
services['sc-b'] = [
  { port: await serve('base') },
  { port: await serve('gray'), tag: 'gray' },
  { port: await serve('blue'), tag: 'blue' },
]
const third = await serve('third')
const lookup = (_host: string, options: { all?: boolean }, callback: (...args: any[]) => void) =>
  options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

type Client = (path: string, agent: http.Agent) => Promise<unknown>

const clients: Record<string, Client> = {
  'http.get': (path, agent) =>
    new Promise((resolve, reject) => {
      const lane = currentLane()
      const request = http.get(`http://sc-b${path}`, { agent }, response => {
        if (currentLane() !== lane) report.context++
        response.on('data', () => {})
        response.on('end', () => {
          if (currentLane() !== lane) report.context++
          resolve(undefined)
        })
        response.on('error', reject)
      })
      request.on('error', reject)
      if (agent instanceof WrongAgent) request.on('socket', socket => tagOf(socket as never, request))
    }),
  axios: (path, agent) => axios.get(`http://sc-b${path}`, { httpAgent: agent, proxy: false, lookup: lookup as never }),
  got: (path, agent) =>
    got(`http://sc-b${path}`, { agent: { http: agent }, retry: { limit: 0 }, dnsLookup: lookup as never }),
  'POST with a body': (path, agent) =>
    axios.post(`http://sc-b${path}`, 'b'.repeat(50_000), { httpAgent: agent, proxy: false, maxRedirects: 0 }),
  WebSocket: (path, agent) =>
    new Promise((resolve, reject) => {
      const lane = currentLane()?.header ?? 'none'
      const socket = new WebSocket(`ws://sc-b${path}`, { agent } as never)
      socket.on('message', data => {
        if (String(data) !== lane) report.wrong++
        socket.terminate()
        resolve(undefined)
      })
      socket.on('error', reject)
    }),
}

const conditions: Record<string, { agent: http.AgentOptions; path: string; only?: string[]; mayFail?: boolean }> = {
  unbounded: { agent: {}, path: '/' },
  'bounded pool': { agent: { maxSockets: 2 }, path: '/', only: ['http.get', 'axios', 'got', 'POST with a body'] },
  'bounded in all': {
    agent: { maxTotalSockets: 4 },
    path: '/',
    only: ['http.get', 'axios', 'got', 'POST with a body'],
  },
  'no keep-alive': { agent: { keepAlive: false }, path: '/' },
  'redirect, same host': { agent: { maxSockets: 4 }, path: '/same/', only: ['axios', 'got'] },
  'redirect, other host': { agent: { maxSockets: 4 }, path: '/cross/', only: ['axios', 'got'] },
  'aborted in between': { agent: { maxSockets: 3 }, path: '/', only: ['http.get', 'axios', 'got'], mayFail: true },
}

async function run(client: Client, agent: http.Agent, path: string, mayFail: boolean): Promise<Report> {
  report = { sent: 0, wrong: 0, doubled: 0, failed: 0, context: 0 }
  await Promise.all(
    Array.from({ length: COUNT }, async (_, index) => {
      const lane = LANES[index % LANES.length]
      await delay(Math.random() * 10)
      const part = mayFail && index % 5 === 0 ? '/abort/' : path
      const call = runInLane(lane, client, `${part}${lane ?? 'none'}`, agent)
      try {
        await call
      } catch {
        if (part !== '/abort/') report.failed++
      }
      if (currentLane() !== undefined) report.context++
    }),
  )
  agent.destroy()
  return report
}

const result: Record<string, Report> = {}
for (const [condition, { agent: agentOptions, path, only, mayFail = false }] of Object.entries(conditions)) {
  for (const [name, client] of Object.entries(clients)) {
    if (only !== undefined && !only.includes(name)) continue
    const agent = new LaneAgent(
      { resolver: fakeResolver(services), warn: () => {} },
      { ...agentOptions, lookup: lookup as never },
    )
    result[`${name}, ${condition}`] = await run(client, agent, path, mayFail)
  }
}
// The control cannot route, so only the tag is judged.
expectEndpoint = false
result['control'] = await run(clients['http.get']!, new WrongAgent({ keepAlive: true, maxSockets: 2 }), '/', false)
for (const server of servers) {
  server.close()
  server.closeAllConnections()
}
console.log(JSON.stringify(result))

// The hops: an edge, a Node service, Python services, and the Node service behind those.
import { spawn } from 'node:child_process'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { currentLane, parseLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { createGateway } from '@laneway/gateway'
import { LaneAgent, laneHandler } from '@laneway/http'
import express from 'express'
import fastify from 'fastify'

type Handler = (request: IncomingMessage, response: ServerResponse) => void
type Lines = readonly (readonly [string, string])[]

/** What the last service saw behind one Python service. */
export interface Arrival {
  /** The lane it read, or `none`. */
  readonly lane: string
  /** The baggage it was sent. */
  readonly baggage: string
}

/** What the middle service says: its own lane, and what arrived behind each Python service. */
export interface Answer {
  readonly lane: string
  readonly behind: Readonly<Record<string, Arrival>>
}

export interface Chain {
  /** Ports by the name of the entrance; `inside` is the middle service itself. */
  readonly ports: Readonly<Record<string, number>>
  close(): Promise<void>
}

/** A cookie that the rules of each entrance give a lane. */
export const TESTER = 'tester=blue'
const service = fileURLToPath(new URL('service.py', import.meta.url))

/**
 * @param python - interpreter
 * @param releases - folder of each release of OpenTelemetry
 */
export async function startChain(python: string, releases: ReadonlyMap<string, string>): Promise<Chain> {
  const closing: (() => unknown)[] = []
  const listen = async (server: Server): Promise<number> => {
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    closing.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }
  const agent = new LaneAgent({ baggage: true, warn() {} }, { keepAlive: true, maxSockets: 32 })
  closing.push(() => agent.destroy())

  const last = await listen(
    http.createServer(
      laneHandler((request, response) => {
        const arrival: Arrival = {
          lane: currentLane()?.header ?? 'none',
          baggage: String(request.headers['baggage'] ?? ''),
        }
        response.end(JSON.stringify(arrival))
      }),
    ),
  )
  const pythons: [string, number][] = []
  for (const [release, folder] of releases) pythons.push([release, await startPython(python, folder, last, closing)])

  const fanOut = answering(async request => {
    const behind: Record<string, unknown> = {}
    await Promise.all(
      pythons.map(async ([release, port]) => {
        behind[release] = JSON.parse(await passOn(request, port, agent))
      }),
    )
    return JSON.stringify({ lane: currentLane()?.header ?? 'none', behind })
  })
  const inside = await listen(http.createServer(laneHandler(fanOut)))
  const forward = answering(request => passOn(request, inside, agent))
  const options = {
    trust: 'edge' as const,
    rules: (request: { headers: { cookie?: string } }) =>
      request.headers.cookie === TESTER ? parseLane('blue') : undefined,
  }
  const app = fastify()
  await app.register(fastifyLane, options)
  app.get('/', (request, reply) => {
    reply.hijack()
    forward(request.raw, reply.raw)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  closing.push(() => app.close())
  const gateway = await createGateway({
    resolver: createLaneResolver({
      sources: [createStaticSource({ middle: [{ host: '127.0.0.1', port: inside }] })],
      env: {},
      warn() {},
    }),
    routes: [{ service: 'middle' }],
    rules: {
      version: 1,
      rules: [{ name: 'tester', when: { cookie: { name: 'tester', exact: 'blue' } }, lane: 'blue' }],
    },
    listeners: [{ host: '127.0.0.1' }],
    drain: { timeoutMs: 0 },
  })
  await gateway.listen()
  closing.push(() => gateway.close())
  return {
    ports: {
      inside,
      'node:http': await listen(http.createServer(laneHandler(forward, options))),
      Express: await listen(
        http.createServer(
          express()
            .use(expressLane(options))
            .use(forward as never),
        ),
      ),
      Fastify: (app.server.address() as AddressInfo).port,
      gateway: gateway.address(0).port,
      'plain comparison': await listen(http.createServer(plainEdge(pythons))),
    },
    async close() {
      for (const close of closing.reverse()) await close()
    },
  }
}

/**
 * The control: an edge that compares keys as they are written, and asks the Python services itself. Shows which spellings
 * those undo.
 */
function plainEdge(pythons: readonly [string, number][]): Handler {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
  return answering(async request => {
    const kept = String(request.headers['baggage'] ?? '')
      .split(',')
      .filter(one => !/^\s*(x-mse-tag|__microservice_tag__)\s*[=;]/.test(one))
    const lines: Lines = [['baggage', kept.join(',')]]
    const behind: Record<string, unknown> = {}
    for (const [release, port] of pythons) {
      // The first releases write a decoded line feed as it is, which the HTTP client of Python refuses.
      const arrived = call(port, lines, agent).then(JSON.parse, () => ({ lane: 'none', baggage: '' }))
      behind[release] = await arrived
    }
    return JSON.stringify({ lane: 'none', behind })
  })
}

/** A handler that tells why it failed. */
function answering(answer: (request: IncomingMessage) => Promise<string>): Handler {
  return (request, response) => {
    answer(request).then(
      text => response.end(text),
      (error: Error) => response.writeHead(502).end(error.message),
    )
  }
}

/** Copies all lines of a request into a call, as careless proxies do. */
function passOn(request: IncomingMessage, port: number, agent: http.Agent): Promise<string> {
  const lines: [string, string][] = []
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name, value] = [request.rawHeaders[index]!, request.rawHeaders[index + 1]!]
    if (!/^(host|connection|content-length|transfer-encoding)$/i.test(name)) lines.push([name, value])
  }
  return call(port, lines, agent)
}

/** @param lines - sent as they are, one line each */
export function call(port: number, lines: Lines, agent: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = [['Host', `127.0.0.1:${port}`], ...lines].flat()
    const request = http.get({ host: '127.0.0.1', port, path: '/', agent, headers: headers as never }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', chunk => (text += chunk))
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(text)
        else reject(new Error(`${answer.statusCode}: ${text}`))
      })
    })
    request.on('error', reject)
  })
}

async function startPython(python: string, folder: string, next: number, closing: (() => unknown)[]): Promise<number> {
  const env = { ...process.env, PYTHONPATH: folder, PYTHONWARNINGS: 'ignore', OTEL_PROPAGATORS: 'tracecontext,baggage' }
  const child = spawn(python, [service, String(next)], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  closing.push(() => child.stdin.end())
  let said = ''
  child.stderr.on('data', chunk => (said = `${said}${chunk}`.slice(-2000)))
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', line => resolve(Number(line)))
    child.once('exit', code => reject(new Error(`a Python service ended with ${code}: ${said}`)))
  })
}

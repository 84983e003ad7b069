import { once } from 'node:events'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Socket } from 'node:net'
import { runInLane } from '@laneway/core'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import { createAgentPatch } from '@laneway/http/internal'
import { cert, key } from '@laneway/testkit/certificate'
import { type FakeEndpoint, fakeResolver } from '@laneway/testkit/egress'
import { forms } from './call-forms.js'

/**
 * Prints what a caller sees of each form of a call, event by event: by Node alone, through `LaneAgent`, and with the
 * methods of `http` and its agents replaced as a preload does it; to a service, and to a host that is none.
 */

/** What a form works with. */
export interface Call {
  /** Of the server. */
  readonly url: string
  readonly secureUrl: string
  /** Nobody listens there. */
  readonly refused: string
  readonly options: http.RequestOptions
  agent(options?: http.AgentOptions): http.Agent
  secureAgent(options?: http.AgentOptions): https.Agent
  /** @returns when the next request is at the server, and the event that its caller has of that is past */
  arrived(): Promise<void>
  /** Puts something into the trace. */
  note(what: string): void
  /** Notes the events of a request. @returns when it is closed */
  watch(request: ClientRequest, name?: string, socketEvents?: boolean): Promise<void>
  /** Notes what an agent holds. */
  pools(agent: http.Agent): void
}

const REQUEST_EVENTS = ['finish', 'information', 'continue', 'timeout', 'abort', 'drain', 'error', 'close']
const SOCKET_EVENTS = [
  'lookup',
  'connect',
  'ready',
  'secureConnect',
  'timeout',
  'error',
  'close',
  'free',
  'agentRemove',
]

type Way = 'plain' | 'LaneAgent' | 'patched'

const lookup = (_host: string, { all }: { all?: boolean }, callback: (...args: any[]) => void) =>
  setImmediate(() => (all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)))

const servers = [http.createServer(), https.createServer({ key, cert })]
const ports: number[] = []
for (const server of servers) {
  serve(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ports.push((server.address() as AddressInfo).port)
}
const closed = net.createServer().listen(0, '127.0.0.1')
await once(closed, 'listening')
const { port: refused } = closed.address() as AddressInfo
closed.close()
await once(closed, 'close')

const arrivals: (() => void)[] = []
const traces: Record<string, Record<string, string[]>> = {}
const only = process.env['FORM']
for (const host of ['sc-b', 'other.example']) {
  for (const way of ['plain', 'LaneAgent', 'refused then answered', 'first snapshot'] as const) {
    if (host !== 'sc-b' && way !== 'plain' && way !== 'LaneAgent') continue
    traces[`${host} ${way}`] = await runAll(host, way === 'plain' ? 'plain' : 'LaneAgent', way)
  }
}
const patch = createAgentPatch({ resolver: resolverFor('patched') }, error => console.error(error))
patch.patchAgents(http.Agent.prototype)
for (const [module, secure] of [
  [http, false],
  [https, true],
] as const) {
  const request = patch.wrapRequest(
    module.request as (...args: any[]) => ClientRequest,
    secure,
    () => module.globalAgent,
  )
  Object.assign(module, {
    request,
    get: (...args: any[]) => {
      const made = request(...args)
      made.end()
      return made
    },
  })
}
for (const host of ['sc-b', 'other.example']) traces[`${host} patched`] = await runAll(host, 'patched', 'patched')
process.stdout.write(JSON.stringify(traces), () => process.exit())

async function runAll(host: string, way: Way, variant: string): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {}
  for (const [name, form] of Object.entries(forms)) {
    if (only !== undefined && only !== name) continue
    if (process.env['VERBOSE'] !== undefined) console.error(host, variant, name)
    all[name] = await (way === 'plain'
      ? run(form, host, way, variant)
      : runInLane('gray', run, form, host, way, variant))
  }
  return all
}

function resolverFor(variant: string) {
  const resolver = fakeResolver({})
  let asked = 0
  const of = (port: number): FakeEndpoint[] => [{ port }]
  resolver.match = hostname => (hostname === 'sc-b' ? 'sc-b' : undefined)
  // Each request names the port of its server, and so does the endpoint that it gets.
  return new Proxy(resolver, {
    get(target, name) {
      if (name === 'match') {
        return (hostname: string, port: number) => (hostname === 'sc-b' ? `sc-b:${port}` : undefined)
      }
      if (name === 'pick') {
        return (service: string, lane: never, tried: never) => {
          const port = Number(service.split(':')[1])
          target.services[service] ??= variant === 'first snapshot' ? undefined : of(port)
          if (variant === 'refused then answered' && port !== refused) {
            target.services[service] =
              ++asked % 2 === 1 && (tried as Set<string> | undefined) === undefined ? of(refused) : of(port)
            if (tried !== undefined) target.services[service] = of(port)
          }
          return target.pick(service, lane, tried)
        }
      }
      if (name === 'lookup' && variant === 'first snapshot') {
        return async (service: string) => {
          await new Promise(setImmediate)
          target.services[service] = of(Number(service.split(':')[1]))
        }
      }
      return Reflect.get(target, name)
    },
  })
}

async function run(
  form: (call: Call) => Promise<unknown> | unknown,
  host: string,
  way: Way,
  variant: string,
): Promise<string[]> {
  const trace: string[] = []
  const agents: http.Agent[] = []
  const sockets = new Map<Socket, string>()
  const note = (what: string) => void trace.push(what)
  const resolver = way === 'LaneAgent' ? resolverFor(variant) : undefined
  const lane = { resolver: resolver!, warn() {} }
  const keep = <A extends http.Agent>(agent: A) => {
    agents.push(agent)
    return agent
  }
  const nameOf = (socket: Socket) => {
    let name = sockets.get(socket)
    if (name === undefined) {
      name = `socket ${sockets.size + 1}`
      sockets.set(socket, name)
    }
    return name
  }
  const call: Call = {
    url: `http://${host}:${ports[0]}`,
    secureUrl: `https://sc-b:${ports[1]}`,
    refused: `http://${host}:${refused}`,
    options: { lookup: lookup as never },
    agent: options => keep(way === 'LaneAgent' ? new LaneAgent(lane, plainOptions(options)) : new http.Agent(options)),
    secureAgent: options =>
      keep(
        way === 'LaneAgent'
          ? new LaneHttpsAgent(lane, plainOptions({ ...options, ca: cert } as never))
          : new https.Agent({ ...options, ca: cert } as never),
      ),
    arrived: () => new Promise(resolve => arrivals.push(resolve)),
    note,
    watch(request, name = 'request', socketEvents = true) {
      return new Promise(resolve => {
        for (const event of REQUEST_EVENTS) {
          request.on(event, (value?: unknown) => note(`${name}: ${event}${detail(value)}`))
        }
        request.on('socket', (socket: Socket) => {
          const fresh = !sockets.has(socket)
          const { connecting, destroyed } = socket
          note(
            `${name}: socket ${JSON.stringify({ name: nameOf(socket), connecting, destroyed, reused: request.reusedSocket, sent: request.headersSent, kind: socket.constructor.name })}`,
          )
          if (!fresh || !socketEvents) return
          for (const event of SOCKET_EVENTS) {
            socket.on(event, (...values: unknown[]) => {
              note(`${nameOf(socket)}: ${event}${event === 'lookup' ? ` ${values.slice(0, 4)}` : detail(values[0])}`)
            })
          }
        })
        request.on('response', (response: IncomingMessage) => {
          const { statusCode, headers } = response
          note(`${name}: response ${statusCode} ${Object.keys(headers)}`)
          for (const event of ['aborted', 'end', 'error', 'close']) {
            response.on(event, (value?: unknown) => note(`${name}: response ${event}${detail(value)}`))
          }
          response.resume()
        })
        request.on('close', () => setTimeout(resolve, 10))
      })
    },
    pools(agent) {
      const count = (pool: NodeJS.ReadOnlyDict<unknown[]>) => Object.values(pool).map(list => list?.length)
      note(`sockets ${count(agent.sockets)}, free ${count(agent.freeSockets)}, requests ${count(agent.requests)}`)
      for (const name of Object.keys({ ...agent.sockets, ...agent.freeSockets }))
        note(`pool ${name}`.replaceAll(host, 'host'))
    },
  }
  await form(call)
  arrivals.length = 0
  for (const agent of agents) agent.destroy()
  return trace.map(line => line.replaceAll(host, 'host').replaceAll(/\b(\d{4,5})\b/g, port => nameOfPort(Number(port))))
}

/** The defaults of `LaneAgent` are those of Node's global agent. */
function plainOptions(options: http.AgentOptions = {}): http.AgentOptions {
  return { keepAlive: false, timeout: undefined, ...options } as http.AgentOptions
}

function nameOfPort(port: number): string {
  return port === ports[0] ? 'HTTP' : port === ports[1] ? 'HTTPS' : port === refused ? 'REFUSED' : String(port)
}

function detail(value: unknown): string {
  if (value instanceof Error) return ` ${(value as { code?: string }).code ?? value.name}: ${value.message}`
  if (typeof value === 'object' && value !== null && 'statusCode' in value) return ` ${value.statusCode}`
  return typeof value === 'boolean' ? ` ${value}` : ''
}

function serve(server: http.Server | https.Server): void {
  server.on('request', (request: IncomingMessage, response: http.ServerResponse) => {
    const path = request.url ?? ''
    for (const arrived of arrivals.splice(0)) setTimeout(arrived, 10)
    if (path === '/reset') return void request.socket.destroy()
    if (path === '/hang') return
    if (path === '/slow') return void setTimeout(() => response.end('slow'), 60)
    if (path === '/half') {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      return void setTimeout(() => request.socket.destroy(), 20)
    }
    if (path === '/hints') {
      response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' })
      return void setTimeout(() => response.end('after the hints'), 10)
    }
    if (path === '/close') response.setHeader('connection', 'close')
    if (path === '/early') return void response.writeHead(413).end('too large')
    request.resume()
    request.on('end', () => response.end(`${request.method} ${JSON.stringify(request.headers['x-late'] ?? '')}`))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {})
    if (request.url === '/refuse') return void socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello')
    socket.on('end', () => socket.end())
  })
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {})
    socket.end('HTTP/1.1 200 Connected\r\n\r\n')
  })
  server.on('checkContinue', (request: IncomingMessage, response: http.ServerResponse) => {
    response.writeContinue()
    request.resume().on('end', () => response.end('continued'))
  })
}

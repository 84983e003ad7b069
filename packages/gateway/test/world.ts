import http, { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import {
  createLaneResolver,
  createStaticSource,
  type EndpointInput,
  type LaneResolverOptions,
} from '@laneway/discovery'
import { listen } from '@laneway/testkit'
import type { Test } from 'tap'
import { type AccessLogEntry, createGateway, type Gateway, type GatewayOptions } from '../src/index.js'

/** What an echo backend says. */
export interface Echo {
  readonly at: string
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string | string[]>
  readonly rawHeaders: string[]
  readonly body: string
}

/** A backend that answers with what it was sent. */
export function echo(at: string): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers, rawHeaders } = request
      const body = Buffer.concat(chunks).toString('latin1')
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ at, method, url, headers, rawHeaders, body }))
    })
  }
}

export type Services = Readonly<
  Record<string, readonly { readonly tag?: string; readonly handler?: RequestListener }[]>
>

/** Starts backends; the name of each is `service` or `service-tag`. */
export async function startServices(t: Test, services: Services): Promise<Record<string, EndpointInput[]>> {
  const found: Record<string, EndpointInput[]> = {}
  for (const [service, instances] of Object.entries(services)) {
    found[service] = []
    for (const { tag, handler = echo(tag === undefined ? service : `${service}-${tag}`) } of instances) {
      const port = await listen(t, createServer(handler))
      found[service].push({ host: '127.0.0.1', port, ...(tag !== undefined && { tags: [tag] }) })
    }
  }
  return found
}

export interface Running {
  readonly gateway: Gateway
  readonly port: number
  readonly log: AccessLogEntry[]
  /** Resolves with the next line of the log that is not read yet. */
  logged(): Promise<AccessLogEntry>
}

/** Starts a gateway on a free port, and ends it with the test. */
export async function start(
  t: Test,
  services: Readonly<Record<string, readonly EndpointInput[]>>,
  options: Omit<GatewayOptions, 'resolver'>,
  resolverOptions: Omit<LaneResolverOptions, 'sources'> = {},
): Promise<Running> {
  const resolver = createLaneResolver({ sources: [createStaticSource(services)], ...resolverOptions })
  const log: AccessLogEntry[] = []
  const waiting: ((entry: AccessLogEntry) => void)[] = []
  let read = 0
  const gateway = await createGateway({
    listeners: [{ host: '127.0.0.1' }],
    accessLog: entry => {
      log.push(entry)
      while (waiting.length > 0 && read < log.length) waiting.shift()!(log[read++]!)
    },
    drain: { timeoutMs: 0 },
    ...options,
    resolver,
  })
  t.teardown(() => gateway.close())
  await gateway.listen()
  return {
    gateway,
    port: gateway.address().port,
    log,
    logged: () =>
      new Promise(resolve => {
        waiting.push(resolve)
        while (waiting.length > 0 && read < log.length) waiting.shift()!(log[read++]!)
      }),
  }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: string[]
  readonly text: string
  readonly trailers: IncomingMessage['trailers']
  readonly json: any
}

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: http.OutgoingHttpHeaders | readonly string[]
  readonly body?: string | Buffer
  readonly agent?: http.Agent
}

/** One request by `node:http`, on a connection of its own. */
export function send(
  port: number,
  { method = 'GET', path = '/', headers = {}, body, agent }: Sent = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, method, path, headers: headers as http.OutgoingHttpHeaders, agent: agent ?? false },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            trailers: response.trailers,
            text,
            json: text !== '' && /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : undefined,
          })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** A port that refuses connections. */
export async function refusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A raw connection whose received text can be waited for. */
export function dial(t: Test, port: number, socket: Socket = connect(port, '127.0.0.1')) {
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  let text = ''
  let watch = (): void => {}
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    watch()
  })
  const closed = new Promise<string>(resolve => socket.on('close', () => resolve(text)))
  return {
    socket,
    closed,
    text: () => text,
    /** Resolves when what was received contains this. */
    until: (part: string | RegExp) =>
      new Promise<string>(resolve => {
        watch = () => {
          if (typeof part === 'string' ? text.includes(part) : part.test(text)) resolve(text)
        }
        watch()
      }),
  }
}

export type { IncomingMessage, ServerResponse }

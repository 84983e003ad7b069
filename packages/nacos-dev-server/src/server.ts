import { createServer as createHttpServer } from 'node:http'
import type { Socket } from 'node:net'
import { success } from './answer.js'
import { serveBiStream } from './bi-stream.js'
import { dialectOf } from './dialect.js'
import { createDispatch } from './dispatch.js'
import { DevServerError } from './error.js'
import { createGrpcEndpoint } from './grpc-endpoint.js'
import { createHttpApi } from './http-api.js'
import { Listener } from './listener.js'
import { NamingPushes } from './naming-pushes.js'
import { createNamingRequests } from './naming-requests.js'
import { NamingStore } from './naming-store.js'
import { type NacosDevServerOptions, resolveOptions } from './options.js'
import type { Payload } from './payload.js'
import { Pusher } from './pusher.js'
import type { RequestHandler } from './request.js'
import type { BiStream, Session } from './session.js'
import { SessionTable } from './session-table.js'
import { TokenStore } from './token-store.js'

/** A connection as tests see it. */
export interface SessionView {
  readonly connectionId: string
  readonly clientIp: string
  readonly clientVersion: string
  readonly tenant: string
  readonly labels: Readonly<Record<string, string>>
  /** Whether requests are served on it. */
  readonly registered: boolean
  /** Whether pushes reach it. */
  readonly streaming: boolean
}

/** One service that a connection is subscribed to. */
export interface SubscriptionView {
  readonly connectionId: string
  readonly namespace: string
  readonly group: string
  readonly service: string
}

/** One registered instance. */
export interface InstanceView {
  /** Undefined for an instance that outlives its connection. */
  readonly connectionId: string | undefined
  readonly namespace: string
  readonly group: string
  readonly service: string
  readonly ip: string
  readonly port: number
  readonly weight: number
  readonly healthy: boolean
  readonly enabled: boolean
  readonly clusterName: string
  readonly metadata: Readonly<Record<string, string>>
}

/** An in-memory server that speaks the Nacos protocol. It is no Nacos: no cluster, no storage, no console. */
export interface NacosDevServer {
  /** `host:port`, as clients are configured with it. */
  readonly address: string
  /** The HTTP port; 0 before `start` when a free one was asked for. */
  readonly port: number
  readonly grpcPort: number
  /** `host:port` of the gRPC side. */
  readonly grpcAddress: string
  /** Rejects with a `DevServerError` `LANEWAY_DEV_SERVER_LISTEN` when a port cannot be had. */
  start(): Promise<NacosDevServer>
  /** Ends every connection and frees the ports. */
  close(): Promise<void>
  sessions(): readonly SessionView[]
  subscriptions(): readonly SubscriptionView[]
  /** What is registered, disabled instances included, without an operator's edits. */
  instances(service?: string): readonly InstanceView[]
  /**
   * Resolves as soon as `check` holds; looks now and after every change of sessions, subscriptions, instances and
   * configs. Rejects with `LANEWAY_DEV_SERVER_TIMEOUT` after `timeoutMs`, by default 5000.
   */
  until(check: (server: NacosDevServer) => boolean, timeoutMs?: number): Promise<void>
}

/**
 * Creates a server for laptops and tests; `start` makes it listen.
 *
 * Throws a `DevServerError` `LANEWAY_DEV_SERVER_OPTION` for options that it cannot use.
 */
export function createNacosDevServer(input: NacosDevServerOptions = {}): NacosDevServer {
  const options = resolveOptions(input)
  const dialect = dialectOf(options.dialect)
  const now = (): number => Date.now()
  const table = new SessionTable()
  const naming = new NamingStore(dialect, now)
  const tokens = new TokenStore(options.auth, now)
  const watchers = new Set<() => void>()
  const onChange = (): void => {
    for (const watcher of [...watchers]) watcher()
  }

  const trace = (
    from: 'client' | 'server',
    via: 'unary' | 'stream',
    session: Session,
    type: string,
    body: Buffer,
  ): void => options.onMessage?.({ from, via, connectionId: session.id, type, body: body.toString() })

  const toPayload = (type: string, body: object): Payload => ({
    type,
    headers: new Map(),
    clientIp: options.host,
    body: Buffer.from(JSON.stringify(body)),
  })

  const sendOn = (session: Session, stream: BiStream, type: string, body: object): void => {
    const payload = toPayload(type, body)
    trace('server', 'stream', session, type, payload.body)
    stream.write(payload)
  }
  const send = (session: Session, type: string, body: object): boolean => {
    if (session.stream === undefined || !session.streaming || session.expelled) return false
    sendOn(session, session.stream, type, body)
    return true
  }

  const pusher = new Pusher(send, options.pushAnswerMs)
  const pushes = new NamingPushes(naming, pusher, {
    delayMs: options.pushDelayMs,
    retryMs: options.pushRetryMs,
    sessionById: id => table.byId(id),
  })
  const requests = new Map<string, RequestHandler>(
    Object.entries({
      HealthCheckRequest: {
        answer: 'HealthCheckResponse',
        action: 'none' as const,
        handle: () => success('HealthCheckResponse'),
      },
      ...createNamingRequests({ dialect, store: naming, pushes }),
    }),
  )
  const dispatch = createDispatch({ dialect, requests, tokens, isStarting: () => false })

  const endpoint = createGrpcEndpoint(options.tls, {
    onUnary: (peer, request, answer) => {
      const session = table.byPeer(peer)
      if (session === undefined) return
      trace('client', 'unary', session, request.type, request.body)
      const { type, body } = dispatch(session, request)
      const payload = toPayload(type, body)
      trace('server', 'unary', session, type, payload.body)
      answer(payload)
      onChange()
    },
    onStream: (peer, stream) => {
      const session = table.byPeer(peer)
      if (session === undefined) return
      const onMessage = (from: Session, payload: Payload): void =>
        trace('client', 'stream', from, payload.type, payload.body)
      serveBiStream(session, stream, { dialect, pusher, send, sendOn, onMessage, onChange })
    },
  })

  const forget = (session: Session): void => {
    session.streaming = false
    pusher.dropSession(session)
    for (const name of naming.dropConnection(session.id)) pushes.schedule(name)
    onChange()
  }
  const onGrpcSocket = (socket: Socket): void => {
    table.open(socket, now(), forget)
    endpoint.serve(socket)
  }

  const http = createHttpServer(createHttpApi({ dialect, tokens }))
  const httpListener = new Listener(options.host, socket => http.emit('connection', socket))
  const grpcListener = new Listener(options.host, onGrpcSocket)

  const listen = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      await httpListener.listen(options.port)
      try {
        await grpcListener.listen(httpListener.port + 1000)
        return
      } catch (error) {
        httpListener.refuse()
        // A free port whose neighbour 1000 above is taken: look for another pair.
        if (options.port !== 0 || attempt === 50) throw error
      }
    }
  }

  const urlHost = options.host.includes(':') ? `[${options.host}]` : options.host
  const server: NacosDevServer = {
    get address() {
      return `${urlHost}:${server.port}`
    },
    get grpcAddress() {
      return `${urlHost}:${server.grpcPort}`
    },
    get port() {
      return httpListener.port || options.port
    },
    get grpcPort() {
      return grpcListener.port || (options.port === 0 ? 0 : options.port + 1000)
    },
    async start() {
      await listen()
      return server
    },
    async close() {
      httpListener.refuse()
      grpcListener.refuse()
      pushes.close()
      endpoint.close()
      const open = [...httpListener.sockets, ...grpcListener.sockets]
      await Promise.all(
        open.map(socket => {
          const closed = new Promise(resolve => socket.once('close', resolve))
          socket.destroy()
          return closed
        }),
      )
      pushes.close()
    },
    sessions: () =>
      table.all().map(session => ({
        connectionId: session.id,
        clientIp: session.clientIp,
        clientVersion: session.setup?.clientVersion ?? '',
        tenant: session.setup?.tenant ?? '',
        labels: session.setup?.labels ?? {},
        registered: session.registered,
        streaming: session.streaming,
      })),
    subscriptions: () =>
      naming.allServices().flatMap(name => naming.subscribersOf(name).map(connectionId => ({ connectionId, ...name }))),
    instances: service =>
      naming
        .publications()
        .filter(({ name }) => service === undefined || name.service === service)
        .map(({ name, connectionId, instance }) => ({
          connectionId,
          ...name,
          ip: instance.ip,
          port: instance.port,
          weight: instance.weight,
          healthy: instance.healthy,
          enabled: instance.enabled,
          clusterName: instance.clusterName,
          metadata: instance.metadata,
        })),
    until: (check, timeoutMs = 5000) =>
      new Promise((resolve, reject) => {
        if (check(server)) return resolve()
        const finish = (): void => {
          clearTimeout(timer)
          watchers.delete(look)
        }
        const look = (): void => {
          if (!check(server)) return
          finish()
          resolve()
        }
        const timer = setTimeout(() => {
          finish()
          reject(new DevServerError('LANEWAY_DEV_SERVER_TIMEOUT', `the condition did not hold within ${timeoutMs} ms`))
        }, timeoutMs)
        watchers.add(look)
      }),
  }
  return server
}

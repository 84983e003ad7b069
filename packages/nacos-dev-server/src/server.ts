import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { Conditions } from './conditions.js'
import { ConfigPushes } from './config/config-pushes.js'
import { createConfigRequests } from './config/config-requests.js'
import { ConfigStore } from './config/config-store.js'
import { dialectOf } from './dialect.js'
import { FaultRules } from './faults/fault-rules.js'
import { createFaults, type NacosFaults } from './faults/faults.js'
import { createHttpApi } from './http-api.js'
import { createIntrospection, type Introspection } from './introspection.js'
import { NamingPushes } from './naming/naming-pushes.js'
import { createNamingRequests } from './naming/naming-requests.js'
import { NamingStore } from './naming/naming-store.js'
import { type NacosDevServerOptions, resolveOptions } from './options.js'
import { success } from './requests/answer.js'
import { createDispatch } from './requests/dispatch.js'
import type { RequestHandler } from './requests/request.js'
import { TokenStore } from './requests/token-store.js'
import { serveBiStream } from './session/bi-stream.js'
import { startIdleDetection } from './session/idle-detection.js'
import { createOutlet } from './session/outlet.js'
import { Pusher } from './session/pusher.js'
import type { Session } from './session/session.js'
import { SessionTable } from './session/session-table.js'
import { Timers } from './timers.js'
import { createGrpcEndpoint } from './transport/grpc-endpoint.js'
import { PortPair } from './transport/port-pair.js'

/** An in-memory server that speaks the Nacos protocol. It is no Nacos: no cluster, no storage, no console. */
export interface NacosDevServer extends Introspection {
  /** `host:port`, as clients are configured with it. */
  readonly address: string
  /** `host:port` of the gRPC side. */
  readonly grpcAddress: string
  /** The HTTP port; 0 before `start` when a free one was asked for. */
  readonly port: number
  readonly grpcPort: number
  /** What can be made to go wrong. */
  readonly faults: NacosFaults
  /**
   * Listens; resolves to the server itself. Rejects with a `DevServerError` `LANEWAY_DEV_SERVER_LISTEN` when a port cannot
   * be had. A closed server does not start again; `faults.restart` does that.
   */
  start(): Promise<NacosDevServer>
  /** Ends every connection and frees the ports. */
  close(): Promise<void>
  /**
   * Resolves as soon as `check` holds; looks now and after every change of connections, subscriptions, instances and
   * configs. Rejects with `LANEWAY_DEV_SERVER_TIMEOUT` after `timeoutMs`, by default 5000.
   */
  until(check: (server: NacosDevServer) => boolean, timeoutMs?: number): Promise<void>
}

/**
 * Creates a server for laptops and tests; `start` makes it listen.
 *
 * Throws a `DevServerError` `LANEWAY_INVALID_OPTION` for options that it cannot use.
 */
export function createNacosDevServer(input: NacosDevServerOptions = {}): NacosDevServer {
  const options = resolveOptions(input)
  const dialect = dialectOf(options.dialect)
  const now = (): number => Date.now()

  const table = new SessionTable()
  const naming = new NamingStore(dialect, now)
  const config = new ConfigStore(dialect, now)
  const tokens = new TokenStore(options.auth, now)
  const conditions = new Conditions()
  const rules = new FaultRules()
  const timers = new Timers()
  const login: { status: number | undefined } = { status: undefined }

  const outlet = createOutlet({ clientIp: options.host, rules, timers, onMessage: options.onMessage })
  const pusher = new Pusher(outlet.push, options.pushAnswerMs)
  const sessionById = (id: string): Session | undefined => table.byId(id)
  const namingPushes = new NamingPushes(naming, pusher, {
    delayMs: options.pushDelayMs,
    retryMs: options.pushRetryMs,
    sessionById,
  })
  const configPushes = new ConfigPushes(config, pusher, { delayMs: options.configDelayMs, sessionById })

  const requests = new Map<string, RequestHandler>(
    Object.entries({
      HealthCheckRequest: {
        answer: 'HealthCheckResponse',
        action: 'none' as const,
        handle: () => success('HealthCheckResponse'),
      },
      ...createNamingRequests({ dialect, store: naming, pushes: namingPushes }),
      ...createConfigRequests({ dialect, store: config, pushes: configPushes }),
    }),
  )
  const dispatch = createDispatch({ dialect, requests, tokens, rules })

  const endpoint = createGrpcEndpoint(options.tls, {
    onUnary: (peer, request, write) => {
      const session = table.byPeer(peer)
      if (session === undefined || session.frozen) return
      outlet.seen(session, 'unary', request)
      const { type, body } = dispatch(session, request)
      outlet.answer(session, request, type, body, write)
      conditions.changed()
    },
    onStream: (peer, stream) => {
      const session = table.byPeer(peer)
      if (session === undefined) return
      serveBiStream(session, stream, { dialect, pusher, outlet, onChange: () => conditions.changed() })
    },
  })

  /** Forgets what a connection registered, subscribed and listened to. */
  const forget = (session: Session): void => {
    session.streaming = false
    pusher.dropSession(session)
    config.dropConnection(session.id)
    for (const name of naming.dropConnection(session.id)) namingPushes.schedule(name)
    conditions.changed()
  }
  const expel = (session: Session, goAway = true): void => {
    session.expelled = true
    session.stream?.end()
    if (goAway) session.goAway?.()
    forget(session)
  }

  const halfOpen = {
    all: 0,
    thaw: (session: Session): void => {
      session.setFrozen(false)
      session.goAway ??= endpoint.serve(session.socket)
    },
  }
  const handlers = createHttpApi({ dialect, tokens, login, naming, config, namingPushes, configPushes })
  const http = options.tls === undefined ? createHttpServer(handlers) : createHttpsServer(options.tls, handlers)
  const ports = new PortPair({
    host: options.host,
    port: options.port,
    onHttp: socket => http.emit('connection', socket),
    onGrpc: socket => {
      const session = table.open(socket, now(), forget)
      if (halfOpen.all > 0) session.setFrozen(true)
      else session.goAway = endpoint.serve(socket)
      conditions.changed()
    },
  })

  const faults = createFaults({
    dialect,
    rules,
    sessions: () => table.all(),
    naming,
    pusher,
    ports,
    expel,
    halfOpen,
    login,
    expireTokens: () => tokens.expireAll(),
    clearStores: () => {
      naming.clear()
      config.clear()
    },
  })

  let endDetection = (): void => {}
  const urlHost = options.host.includes(':') ? `[${options.host}]` : options.host

  const server: NacosDevServer = {
    ...createIntrospection(table, naming, config),
    faults,
    get address() {
      return `${urlHost}:${server.port}`
    },
    get grpcAddress() {
      return `${urlHost}:${server.grpcPort}`
    },
    get port() {
      return ports.http.port || options.port
    },
    get grpcPort() {
      return ports.grpc.port || (options.port === 0 ? 0 : options.port + 1000)
    },
    async start() {
      await ports.listen()
      if (options.detection !== undefined && dialect.detectsSilence) {
        endDetection = startIdleDetection({ settings: options.detection, sessions: () => table.all(), pusher, expel })
      }
      return server
    },
    async close() {
      endDetection()
      ports.refuse()
      endpoint.close()
      await ports.disconnect()
      pusher.close()
      namingPushes.close()
      configPushes.close()
      timers.cancelAll()
    },
    until: (check, timeoutMs = 5000) => conditions.until(() => check(server), timeoutMs, String(check)),
  }
  return server
}

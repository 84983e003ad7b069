import { Server as HttpServerClass } from 'node:http'
import { Server as HttpsServerClass } from 'node:https'
import { type AddressInfo, Server } from 'node:net'

/** The events with which an http, https or http2 server hands over a request, or a stream that no request is made of. */
const REQUEST_EVENTS: ReadonlySet<unknown> = new Set([
  'request',
  'stream',
  'upgrade',
  'connect',
  'checkContinue',
  'checkExpectation',
])

/** A server that speaks HTTP. */
export type HttpServer = Server & { closeIdleConnections?(): void }

/** Told of the HTTP servers of this process. */
export interface ServerWatcher {
  /** A server listens. @param port - `undefined` for a unix socket */
  listens(server: HttpServer, port: number | undefined): void
  closed(server: HttpServer): void
  /** Called once for a server, before its first request: its `emit` may be replaced now. */
  begins(server: HttpServer): void
  /** A server is about to hand over a request. */
  handing(): void
  /** The listeners have been given a request, and have done what they do at once. */
  handled(request: object): void
}

/**
 * Watches all HTTP servers of the process, those of frameworks included, whenever and however they are made: all of them
 * descend from `net.Server`. A subclass with an `emit` of its own, as OpenTelemetry gives `http.Server`, is wrapped too.
 */
export function watchServers(watcher: ServerWatcher): void {
  const known = new WeakSet<object>()
  const begin = (server: HttpServer) => {
    // A stand-in that laneServer emits to has the server for its prototype.
    if (known.has(server) || known.has(Object.getPrototypeOf(server))) return false
    known.add(server)
    watcher.begins(server)
    return true
  }
  for (const { prototype } of [Server, HttpServerClass, HttpsServerClass]) {
    if (prototype === Server.prototype || Object.hasOwn(prototype, 'emit'))
      watchEmit(prototype as never, watcher, begin)
  }
}

function watchEmit(prototype: Emits, watcher: ServerWatcher, begin: (server: HttpServer) => boolean): void {
  const { emit } = prototype
  prototype.emit = function laneEmit(this: HttpServer, ...args: unknown[]): boolean {
    const [event] = args
    if (event === 'listening' || event === 'close') {
      if (servesHttp(this)) {
        if (event === 'close') watcher.closed(this)
        else {
          begin(this)
          watcher.listens(this, portOf(this))
        }
      }
    } else if (REQUEST_EVENTS.has(event) && servesHttp(this) && begin(this)) {
      // A server that never listened, as some tests have it. Through the instance, which may have an emit of its own now.
      return Reflect.apply(this.emit, this, args) as boolean
    }
    if (event === 'request') watcher.handing()
    const result = Reflect.apply(emit, this, args) as boolean
    if (event === 'request') watcher.handled(args[1] as object)
    return result
  }
}

interface Emits {
  emit(...args: unknown[]): boolean
}

/** http, https and http2 servers have a timeout for their requests; plain `net` and `tls` servers have none. */
function servesHttp(server: Server): boolean {
  return typeof (server as { setTimeout?: unknown }).setTimeout === 'function'
}

function portOf(server: Server): number | undefined {
  const address = server.address() as AddressInfo | string | null
  return typeof address === 'object' && address !== null ? address.port : undefined
}

import { type AddressInfo, Server } from 'node:net'

/** The events with which an http, https or http2 server hands over a request. */
const REQUEST_EVENTS: ReadonlySet<unknown> = new Set([
  'request',
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
  /** A server is about to hand over its first request; its `emit` may be replaced now. */
  firstRequest(server: HttpServer): void
}

/**
 * Watches all HTTP servers of the process, those of frameworks included, whenever and however they are made: all of them
 * descend from `net.Server`.
 */
export function watchServers(watcher: ServerWatcher): void {
  const prototype = Server.prototype as unknown as { emit(...args: unknown[]): boolean }
  const { emit } = prototype
  const known = new WeakSet<object>()
  prototype.emit = function laneEmit(this: HttpServer, ...args: unknown[]): boolean {
    const [event] = args
    if (event === 'listening' || event === 'close') {
      if (!servesHttp(this)) return Reflect.apply(emit, this, args) as boolean
      if (event === 'close') watcher.closed(this)
      else watcher.listens(this, portOf(this))
    } else if (REQUEST_EVENTS.has(event) && !known.has(this) && servesHttp(this)) {
      known.add(this)
      watcher.firstRequest(this)
      // Through the instance, which may have an emit of its own by now.
      return Reflect.apply(this.emit, this, args) as boolean
    }
    return Reflect.apply(emit, this, args) as boolean
  }
}

/** http, https and http2 servers have a timeout for their requests; plain `net` and `tls` servers have none. */
function servesHttp(server: Server): boolean {
  return typeof (server as { setTimeout?: unknown }).setTimeout === 'function'
}

function portOf(server: Server): number | undefined {
  const address = server.address() as AddressInfo | string | null
  return typeof address === 'object' && address !== null ? address.port : undefined
}

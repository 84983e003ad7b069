import { lookup } from 'node:dns/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { addressOf, closed, listen } from '../listener/listen.js'
import { EXPOSITION_TYPE } from './exposition.js'

/** What the admin port shows. */
export interface AdminView {
  readonly isReady: () => boolean
  /** Why the gateway is not ready, for people. */
  readonly reason: () => string
  readonly metrics: () => string
}

/** The port for probes and Prometheus; never the one that the public reaches. */
export interface Admin {
  listen(): Promise<void>
  address(): AddressInfo
  close(): Promise<void>
}

/** Prometheus scrapes every minute or more often, on one connection. */
const KEEP_ALIVE_MS = 75_000

const JSON_TYPE = 'application/json; charset=utf-8'

/** Creates the admin port. It serves while the gateway drains, so that the last metrics can be read. */
export function createAdmin(options: { readonly port: number; readonly host: string }, view: AdminView): Admin {
  const server = createAdminServer(view)
  /** For the second address of `localhost`. */
  const second = createAdminServer(view)
  return {
    async listen() {
      const { port, host } = options
      await listen(server, port, host)
      if (host !== 'localhost') return
      // Probes may use either of 127.0.0.1 and ::1; a machine without one of them needs none.
      const { address, port: opened } = addressOf(server, 'the admin port')
      for (const other of await lookup(host, { all: true })) {
        if (other.address !== address && !second.listening) await listen(second, opened, other.address).catch(ignore)
      }
    },
    address: () => addressOf(server, 'the admin port'),
    async close() {
      for (const one of [server, second]) {
        const done = closed(one)
        one.closeAllConnections()
        await done
      }
    },
  }
}

function createAdminServer(view: AdminView) {
  const server = createServer((request, response) => answer(request, response, view))
  server.keepAliveTimeout = KEEP_ALIVE_MS
  return server
}

function answer(request: IncomingMessage, response: ServerResponse, view: AdminView): void {
  const [path] = (request.url ?? '').split('?')
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (isRead && path === '/healthz') send(response, 200, JSON_TYPE, '{"status":"ok"}')
  else if (isRead && path === '/metrics') send(response, 200, EXPOSITION_TYPE, view.metrics())
  else if (isRead && path === '/readyz') {
    if (view.isReady()) send(response, 200, JSON_TYPE, '{"status":"ready"}')
    else send(response, 503, JSON_TYPE, JSON.stringify({ status: 'not ready', reason: view.reason() }))
  } else send(response, 404, JSON_TYPE, '{"status":"not found"}')
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  // Node leaves the body out for HEAD.
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}

function ignore(): void {}

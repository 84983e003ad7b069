import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { channels } from '@laneway/core'
import { createEgressScope, lanesHandler, nameOfProcess, parseHostHeader } from '@laneway/core/internal'
import type { RegisterConfig } from '../config/config.js'
import { type LanesPlace, parseLanesPlace } from './lanes-place.js'

/** `/lanes` of this process. */
export interface ServedLanes {
  /** Opens the port, once. A process that neither serves nor calls, such as npm, needs none. */
  open(): void
  close(): void
  /** For the diagnosis. */
  text(): string
}

/** The console opens one or two. */
const MAX_CONNECTIONS = 16
const PATIENCE_MS = 5000

/**
 * Counts the calls of this process, and serves them once it listens or calls. The port holds no process open.
 *
 * @returns `undefined` where `LANEWAY_LANES` is not set
 */
export function serveLanes(config: RegisterConfig, warn: (message: string) => void): ServedLanes | undefined {
  if (config.lanes === undefined) return undefined
  const { host, first, last } = parseLanesPlace(config.lanes)
  const counted = lanesHandler({ service: config.service ?? nameOfProcess() })
  let server: Server | undefined
  let state: 'waiting' | 'opening' | 'closed' = 'waiting'
  let text = 'not served yet: this process has neither listened nor called'

  const listen = (port: number) => {
    const opened = createServer((request, response) => {
      if (request.url?.split('?', 1)[0] !== '/lanes') return void response.writeHead(404).end()
      if (!isOfInside(request)) return void response.writeHead(421).end()
      counted(request, response)
    })
    harden(opened)
    opened.on('listening', () => {
      if (state === 'closed') return void opened.close()
      text = `http://${host.includes(':') ? `[${host}]` : host}:${port}/lanes`
    })
    opened.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' && port < last) return listen(port + 1)
      text = `not served: ${error.message}`
      warn(`LANEWAY_LANES: ${refusal(error, { host, first, last })}`)
    })
    server = opened
    // A worker of a cluster has a port of its own: what the workers share would answer for any of them.
    opened.listen({ host, port, exclusive: true })
  }

  // Whoever listens or calls first may be a request, and the port is not part of it.
  const open = AsyncResource.bind(() => {
    if (state !== 'waiting') return
    state = 'opening'
    channels.decision.unsubscribe(open)
    listen(first)
  })
  channels.decision.subscribe(open)
  return {
    open,
    close() {
      state = 'closed'
      channels.decision.unsubscribe(open)
      counted.close()
      server?.close()
      server?.closeAllConnections()
    },
    text: () => text,
  }
}

function harden(server: Server): void {
  // Past the hooks of servers, ours and those of tracers: this one is no part of the program, and is not registered.
  server.emit = EventEmitter.prototype.emit
  server.maxConnections = MAX_CONNECTIONS
  server.headersTimeout = PATIENCE_MS
  server.requestTimeout = PATIENCE_MS
  server.unref()
  server.on('connection', socket => socket.unref())
}

const scope = createEgressScope('LANEWAY_LANES')

/** A page of another site that points its own name here would read what is meant for the inside. */
function isOfInside({ headers }: IncomingMessage): boolean {
  const host = parseHostHeader(headers.host ?? '')
  return host !== undefined && (host.family !== 0 || scope.includes(host.name))
}

function refusal({ code, message }: NodeJS.ErrnoException, { host, first, last }: LanesPlace): string {
  if (code !== 'EADDRINUSE') return `this process does not serve /lanes: ${message}`
  const ports = first === last ? `port ${first} of ${host} is` : `the ports ${first} to ${last} of ${host} are`
  return `${ports} in use, so this process does not serve /lanes; give as many ports as there are processes on this machine, such as LANEWAY_LANES=${first}-${Math.min(first + 7, 65_535)}`
}

// What the services share: their name in the path, start and graceful end.
import { createServer } from 'node:http'
import { currentLane } from '@laneway/core'
import { join, leaveDiscovery } from './discovery.js'

const tag = process.env.LANEWAY_TAG ?? ''
let ready = false
let last = async () => {}

/** @param close - called once all that was under way is answered */
export function atEnd(close) {
  last = close
}

/** `Agray[127.0.0.1:20001]`, with SHOW_LANES followed by what this hop saw on the wire and in its context. */
export function instance(name, req) {
  const { localAddress, localPort } = req.socket
  const seen = process.env.SHOW_LANES ? `{${req.headers['x-mse-tag'] ?? ''}|${currentLane()?.header ?? ''}}` : ''
  return `${name}${tag}[${localAddress}:${localPort}]${seen}`
}

/**
 * Listens, registers, and on SIGTERM leaves as a service should: deregister, wait until callers know, answer what is
 * under way, end.
 *
 * @param app - a server, or a request handler
 * @param service - the name to register under; none for the entrance
 * @param close - how the framework closes, if it has its own way
 * @param begin - what it serves besides, given its port; it is up only then
 */
export async function serve(app, service, close, begin) {
  if (process.env.HEALTH_PORT) serveHealth(Number(process.env.HEALTH_PORT))
  const server = typeof app === 'function' ? createServer(app) : app
  server.keepAliveTimeout = 60_000
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(process.env.PORT ?? 0), process.env.HOST ?? '127.0.0.1', resolve)
  })
  const { port } = server.address()
  const leave = service === undefined ? undefined : await join(service, port)
  await begin?.(port)
  ready = true
  console.log(`serving on ${port}`)
  process.once('SIGTERM', async () => {
    ready = false
    await leave?.()
    const idle = setInterval(() => server.closeIdleConnections(), 50)
    if (close === undefined) await new Promise(resolve => server.close(resolve))
    else await close()
    clearInterval(idle)
    await leaveDiscovery()
    await last()
  })
  return port
}

/** For the probes of a pod: /readyz from the registration to SIGTERM, /livez as long as the process answers. */
function serveHealth(port) {
  createServer((req, res) => {
    res.writeHead(ready || req.url !== '/readyz' ? 200 : 503).end()
  })
    .listen(port, process.env.HOST ?? '127.0.0.1')
    .unref()
}

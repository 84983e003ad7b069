// What the front service calls: a service `svc` with instances in base and two lanes, a third party, and a proxy.
import { createHash } from 'node:crypto'
import http from 'node:http'
import net from 'node:net'
import { later } from './delays.mjs'
import { startPlace } from './grpc.mjs'
import { createLightServer } from './light-server.mjs'

export const LANES = ['gray', 'blue']

/** The instance where a request with this tag belongs. */
export const placeOf = tag => (tag === '' ? 'base' : tag.slice(tag.indexOf(',') + 1))

/** Starts everything on loopback. `hits` tells, by request id, what arrived where. */
export async function startBackend() {
  const hits = new Map()
  const refused = new Set()
  const servers = []
  const instances = []
  /** The same places over gRPC, as a service of its own. */
  const grpcInstances = []
  const grpcServers = []

  const record = (place, { headers, tags }) => {
    const id = headers.get('x-id') ?? ''
    const hit = { place, tags, baggage: headers.get('baggage') ?? '' }
    const known = hits.get(id)
    if (known === undefined) hits.set(id, [hit])
    else known.push(hit)
    return id
  }

  let thirdPort = 0
  const serve = place => {
    const done = response('200 OK', 'Content-Type: text/plain', place)
    const busy = response('503 Service Unavailable', 'Content-Type: text/plain', 'busy')
    const moved = response('302 Found', 'Location: /done', '')
    const server = createLightServer((request, respond) => {
      const id = record(place, request)
      const { path, headers } = request
      if (headers.has('upgrade')) return respond(webSocketAnswer(headers.get('sec-websocket-key'), place), true)
      later(() => {
        if (path === '/busy' && !refused.has(id)) {
          refused.add(id)
          respond(busy)
        } else if (path === '/moved-here') respond(moved)
        else if (path === '/moved-away') {
          respond(response('302 Found', `Location: http://third.example:${thirdPort}/done`, ''))
        } else if (path === '/kept') {
          const kept = `Cache-Control: max-age=60\r\nDate: ${new Date().toUTCString()}`
          respond(response('200 OK', `Content-Type: text/plain\r\n${kept}`, place))
        } else respond(done)
      })
    })
    servers.push(server)
    return listen(server)
  }
  for (const place of ['base', ...LANES]) {
    instances.push({ host: '127.0.0.1', port: await serve(place), tags: place === 'base' ? [] : [place] })
  }
  for (const place of ['base', ...LANES]) {
    const server = await startPlace(place, record, refused)
    grpcServers.push(server)
    grpcInstances.push({ host: '127.0.0.1', port: server.port, tags: place === 'base' ? [] : [place] })
  }
  thirdPort = await serve('third')

  const proxied = { svc: 0, third: 0 }
  const proxy = http.createServer((req, res) => {
    const target = new URL(req.url)
    proxied[target.hostname === 'third.example' ? 'third' : 'svc']++
    const onward = http.request(
      {
        host: '127.0.0.1',
        port: thirdPort,
        path: target.pathname,
        method: req.method,
        headers: req.rawHeaders,
        setHost: false,
      },
      answered => {
        res.writeHead(answered.statusCode, answered.rawHeaders)
        answered.pipe(res)
      },
    )
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  })
  proxy.keepAliveTimeout = 60_000
  proxy.on('connect', (req, socket) => {
    proxied[req.url.startsWith('third.example') ? 'third' : 'svc']++
    const onward = net.connect(thirdPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.pipe(socket)
      socket.pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
    socket.on('close', () => onward.destroy())
    onward.on('close', () => socket.destroy())
  })
  servers.push(proxy)
  const proxyPort = await listen(proxy)

  return {
    hits,
    proxied,
    instances,
    grpcInstances,
    thirdPort,
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    forget() {
      hits.clear()
      refused.clear()
      proxied.svc = 0
      proxied.third = 0
    },
    close() {
      for (const server of grpcServers) server.close()
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

const response = (status, headers, body) =>
  `HTTP/1.1 ${status}\r\n${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** One text frame with the place, then the close frame. */
function webSocketAnswer(key, place) {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const head = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`
  return `HTTP/1.1 101 Switching Protocols\r\n${head}\r\n\r\n\x81${String.fromCharCode(place.length)}${place}\x88\0`
}

export function listen(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server.address().port))
  })
}

/** DNS of the test: `third.example` is on loopback, everything else does not exist. */
export function lookup(hostname, options, callback) {
  if (hostname !== 'third.example')
    return callback(Object.assign(new Error(`no such host ${hostname}`), { code: 'ENOTFOUND' }))
  if (options.all) return callback(null, [{ address: '127.0.0.1', family: 4 }])
  return callback(null, '127.0.0.1', 4)
}

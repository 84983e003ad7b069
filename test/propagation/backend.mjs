// What the front service calls: a service `svc` with instances in base and two lanes, a third party, and a proxy.
import { createHash } from 'node:crypto'
import http from 'node:http'
import net from 'node:net'

export const LANES = ['gray', 'blue']

/** The instance where a request with this tag belongs. */
export const placeOf = tag => (tag === '' ? 'base' : tag.slice(tag.indexOf(',') + 1))

/** Starts everything on loopback. `hits` tells, by request id, what arrived where. */
export async function startBackend() {
  const hits = new Map()
  const refused = new Set()
  const servers = []
  const instances = []

  const record = (place, req) => {
    const id = req.headers['x-id'] ?? ''
    const tags = []
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      if (req.rawHeaders[i].toLowerCase() === 'x-mse-tag') tags.push(req.rawHeaders[i + 1])
    }
    const hit = { place, tags, expected: req.headers['x-expected'] ?? '' }
    if (hits.has(id)) hits.get(id).push(hit)
    else hits.set(id, [hit])
    return id
  }

  const answer = (place, thirdPort) => (req, res) => {
    const id = record(place, req)
    req.resume()
    setTimeout(() => {
      if (req.url.startsWith('/busy') && !refused.has(id)) {
        refused.add(id)
        res.writeHead(503, { 'content-type': 'text/plain' }).end('busy')
      } else if (req.url.startsWith('/moved-here')) res.writeHead(302, { location: '/done' }).end()
      else if (req.url.startsWith('/moved-away')) {
        res.writeHead(302, { location: `http://third.example:${thirdPort()}/done` }).end()
      } else {
        const headers = { 'content-type': 'text/plain' }
        if (req.url.startsWith('/kept')) headers['cache-control'] = 'max-age=60'
        res.writeHead(200, headers).end(place)
      }
    }, Math.random() * 3)
  }

  let thirdPort = 0
  for (const place of ['base', ...LANES]) {
    const server = http.createServer(answer(place, () => thirdPort))
    server.keepAliveTimeout = 60_000
    server.on('upgrade', (req, socket) => {
      record(place, req)
      const accept = createHash('sha1')
        .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64')
      socket.on('error', () => {})
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      // One text frame with the place, then the close frame.
      socket.end(Buffer.concat([Buffer.from([0x81, place.length]), Buffer.from(place), Buffer.from([0x88, 0])]))
    })
    servers.push(server)
    const port = await listen(server)
    instances.push({ host: '127.0.0.1', port, tags: place === 'base' ? [] : [place] })
  }
  const third = http.createServer(answer('third', () => thirdPort))
  third.keepAliveTimeout = 60_000
  servers.push(third)
  thirdPort = await listen(third)

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
    thirdPort,
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    forget() {
      hits.clear()
      refused.clear()
      proxied.svc = 0
      proxied.third = 0
    },
    close() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
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

// What a service under test calls: the service sc-c with instances in base, gray and blue, a host in scope that is no
// service, and a third party. Each writes down what arrived, and all answer alike, so that an answer differs only by a fault.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const LANES = ['gray', 'blue']
const PLACES = ['base', ...LANES, 'peer', 'third']

/** `hits` are those since the last `forget()`; `answer` is the one of the row that runs. */
export async function startNeighbours() {
  const hits = []
  const servers = []
  const ports = {}
  const state = { answer: undefined, idOf: undefined }
  for (const place of PLACES) {
    const server = http.createServer((req, res) => {
      const chunks = []
      req.on('data', chunk => chunks.push(chunk))
      req.on('error', () => {})
      req.on('end', () => {
        const request = { method: req.method, path: req.url, headers: req.headers, body: Buffer.concat(chunks) }
        const id = state.idOf?.(request) ?? idOf(request)
        hits.push({ id, place, method: req.method, path: req.url, raw: req.rawHeaders, body: String(request.body) })
        // Answers overtake each other.
        request.times = hits.filter(hit => hit.id === id).length
        const answer = state.answer?.(request, urls) ?? echo(request)
        setTimeout(() => respond(res, answer), answer.delayMs ?? (hits.length * 7) % 5)
      })
    })
    server.keepAliveTimeout = 60_000
    servers.push(server)
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    ports[place] = server.address().port
  }
  const folder = mkdtempSync(join(tmpdir(), 'laneway-ecosystem-'))
  const endpointsFile = join(folder, 'endpoints.json')
  const proxy = createProxy(ports)
  servers.push(proxy)
  await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const urls = {
    service: `http://sc-c:${ports.base}`,
    peer: `http://peer.internal:${ports.peer}`,
    third: `http://third.example:${ports.third}`,
    proxy: `http://127.0.0.1:${proxy.address().port}`,
  }
  const instances = ['base', ...LANES].map(place => ({
    host: '127.0.0.1',
    port: ports[place],
    tags: place === 'base' ? [] : [place],
  }))
  writeFileSync(endpointsFile, JSON.stringify({ services: { 'sc-c': instances } }))
  return {
    hits,
    state,
    folder,
    endpointsFile,
    instances,
    urls,
    forget: () => hits.splice(0),
    close() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The number of the request that A sent: from the path, a header or the body. */
function idOf({ path, headers, body }) {
  const found = /\bid-(\d+)/.exec(`${path} ${headers['x-id'] ?? ''} ${body}`)
  return found === null ? (headers['x-id'] ?? '') : found[1]
}

/** An answer with its own caching rules. */
function echo({ method, path, body }) {
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' },
    body: JSON.stringify({ method, path, body: String(body) }),
  }
}

/** A body that is a list goes out piece by piece. */
function respond(res, { status = 200, headers = {}, body = '', hangUp = false }) {
  res.on('error', () => {})
  if (hangUp) return res.destroy()
  if (!Array.isArray(body)) {
    res.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers })
    res.end(body)
    return
  }
  res.writeHead(status, headers)
  const next = index => {
    if (index === body.length) return res.end()
    res.write(body[index])
    setTimeout(next, 1, index + 1)
  }
  next(0)
}

/** A proxy for requests in absolute form and for tunnels; it passes on what it gets. */
function createProxy(ports) {
  const portOf = host => ports[{ 'peer.internal': 'peer', 'third.example': 'third' }[host] ?? 'base']
  const proxy = http.createServer((req, res) => {
    const { hostname, pathname, search } = new URL(req.url)
    const { method, rawHeaders: headers } = req
    const options = { host: '127.0.0.1', port: portOf(hostname), path: pathname + search, method, headers }
    const onward = http.request({ ...options, setHost: false }, answer => {
      res.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(res)
    })
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  })
  proxy.on('connect', (req, socket) => {
    const onward = net.connect(portOf(req.url.split(':')[0]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const one of [onward, socket]) one.on('error', () => [onward, socket].map(end => end.destroy()))
    socket.on('close', () => onward.destroy())
  })
  return proxy
}
